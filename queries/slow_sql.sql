-- slow_sql: the statements that take most time
-- view: SQL  every: 1s
-- :limit   int  = 25    rows
SELECT proto, query, count(*) AS count, sum(dur_ms) AS total_ms, p50(dur_ms) AS p50_ms,
       p95(dur_ms) AS p95_ms, sum(error) AS errors
  FROM spans
 WHERE query IS NOT NULL
 GROUP BY proto, query
 ORDER BY 4 DESC LIMIT :limit;

-- red: rate, errors and durations by service and operation
-- view: RED  every: 1s
-- :service text = '%'   only this service (LIKE)
-- :limit   int  = 50    rows
SELECT service, proto, name, count(*) AS count, round(rate(), 2) AS rate,
       sum(error) AS errors, round(100.0 * sum(error) / count(error), 2) AS error_pct,
       p50(dur_ms) AS p50_ms, p95(dur_ms) AS p95_ms, p99(dur_ms) AS p99_ms, max(dur_ms) AS max_ms
  FROM spans
 WHERE kind IN ('server', 'consumer') AND coalesce(service, '') LIKE :service
 GROUP BY service, proto, name
 ORDER BY 4 DESC LIMIT :limit;

-- latency_hist: how durations are spread, by operation
-- view: Latency  every: 1s
-- :service text = '%'   only this service (LIKE)
-- :limit   int  = 50    rows
SELECT service, proto, name, count(*) AS count, min(dur_ms) AS min_ms, hist(dur_ns) AS spread,
       max(dur_ms) AS max_ms, p50(dur_ms) AS p50_ms, p99(dur_ms) AS p99_ms
  FROM spans
 WHERE coalesce(service, '') LIKE :service
 GROUP BY service, proto, name
 ORDER BY 4 DESC LIMIT :limit;

-- slow: the slowest requests
-- view: Slow  every: 1s
-- :service text = '%'   only this service (LIKE)
-- :min_ms  real = 0     at least this long
-- :limit   int  = 20    rows
SELECT time, service, proto, op, target, status, dur_ms, trace_id
  FROM spans
 WHERE coalesce(service, '') LIKE :service AND dur_ms >= :min_ms
 ORDER BY dur_ms DESC LIMIT :limit;

-- big_answers: the answers of most bytes
-- view: Big answers  every: 1s
-- :service text = '%'   only this service (LIKE)
-- :min     int  = 0     bytes at least
-- :limit   int  = 20    rows
SELECT time, service, kind, proto, op, coalesce(query, target) AS target, status, resp_bytes,
       req_bytes, dur_ms, trace_id
  FROM spans
 WHERE resp_bytes >= :min + 0 AND coalesce(service, '') LIKE :service
 ORDER BY resp_bytes DESC, start_ns LIMIT :limit;

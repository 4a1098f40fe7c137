-- service_map: who calls whom, from both sides
-- view: Map  every: 2s
-- :limit   int  = 500   rows
-- A call is told by its caller where that was observed, else by who answered. The other
-- end is a service where one was seen to answer at that address, else the address.
WITH answers(at, service) AS (
  SELECT local_ip || ':' || coalesce(local_port, ''), max(coalesce(service, comm))
    FROM spans
   WHERE kind IN ('server', 'consumer') AND local_ip IS NOT NULL
   GROUP BY 1
), callers(at) AS (
  SELECT DISTINCT local_ip || ':' || coalesce(local_port, '')
    FROM spans
   WHERE kind IN ('client', 'producer') AND local_ip IS NOT NULL
), calls AS (
  SELECT coalesce(c.service, c.comm, '?') AS source, coalesce(a.service, c.peer, '?') AS destination,
         c.proto, 'caller' AS told_by, c.peer_ip || ':' || coalesce(c.peer_port, '') AS at,
         c.error, c.dur_ms, c.req_bytes, c.resp_bytes
    FROM spans c LEFT JOIN answers a ON a.at = c.peer_ip || ':' || coalesce(c.peer_port, '')
   WHERE c.kind IN ('client', 'producer')
   UNION ALL
  SELECT coalesce(peer, '?'), coalesce(service, comm, '?'), proto, 'server',
         local_ip || ':' || coalesce(local_port, ''), error, dur_ms, req_bytes, resp_bytes
    FROM spans
   WHERE kind IN ('server', 'consumer')
     AND coalesce(peer_ip || ':' || coalesce(peer_port, ''), '') NOT IN (SELECT at FROM callers)
)
SELECT source, destination, proto, count(*) AS count, round(rate(), 3) AS rate,
       coalesce(sum(error), 0) AS errors, round(100.0 * coalesce(sum(error), 0) / count(*), 2) AS error_pct,
       round(p50(dur_ms), 3) AS p50_ms, round(p95(dur_ms), 3) AS p95_ms, round(p99(dur_ms), 3) AS p99_ms,
       CAST(total(req_bytes) + total(resp_bytes) AS INTEGER) AS bytes,
       told_by, group_concat(DISTINCT quote(at)) AS at
  FROM calls
 GROUP BY source, destination, proto, told_by
 ORDER BY count DESC, source, destination, proto, told_by LIMIT :limit;

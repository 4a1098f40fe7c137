-- service_graph: who calls whom, from the caller's side; processes where they are on this host
-- view: Graph  every: 1s
-- :limit   int  = 50    rows
SELECT coalesce(process, service) AS source,
       coalesce(peer_process, coalesce(peer_name, peer_ip) || coalesce(':' || peer_port, '')) AS destination,
       proto, count(*) AS count, sum(error) AS errors, p95(dur_ms) AS p95_ms,
       CAST(total(req_bytes) + total(resp_bytes) AS INTEGER) AS bytes
  FROM spans
 WHERE kind IN ('client', 'producer')
 GROUP BY 1, 2, 3
 ORDER BY 4 DESC LIMIT :limit;

-- slow_peers: which of those that are called answer slowly
-- view: Peers  every: 1s
-- :service text = '%'   only calls of this service (LIKE)
-- :limit   int  = 25    rows
SELECT coalesce(peer_name, peer_ip) || coalesce(':' || peer_port, '') AS peer, proto,
       count(*) AS count, sum(error) AS errors, round(p50(dur_ms), 3) AS p50_ms, round(p95(dur_ms), 3) AS p95_ms,
       round(p99(dur_ms), 3) AS p99_ms, max(dur_ms) AS max_ms, round(total(dur_ms), 3) AS total_ms
  FROM spans
 WHERE kind IN ('client', 'producer') AND coalesce(service, '') LIKE :service
 GROUP BY 1, 2
 ORDER BY p95_ms DESC, 1 LIMIT :limit;

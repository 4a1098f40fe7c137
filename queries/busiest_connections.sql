-- busiest_connections: connections by the bytes that they moved
-- view: Busiest  every: 1s
-- :comm    text = '%'   only of processes of this name (LIKE)
-- :limit   int  = 25    rows
SELECT comm, pid, side, proto, local_ip || coalesce(':' || local_port, '') AS local,
       peer_ip || coalesce(':' || peer_port, '') AS peer, state, requests, errors,
       tx_bytes, rx_bytes, round((end_ns - start_ns) / 1e6, 3) AS open_ms, rtt_ms, retransmits
  FROM connections
 WHERE coalesce(comm, '') LIKE :comm
 ORDER BY coalesce(tx_bytes, 0) + coalesce(rx_bytes, 0) DESC, start_ns LIMIT :limit;

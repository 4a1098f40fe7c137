-- unknown_traffic: what was not decoded, and why
-- view: Unknown  every: 1s
-- :limit   int  = 25    rows
SELECT comm, transport, coalesce(proto, '?') AS proto,
       CASE WHEN side = 'server' THEN local_ip || coalesce(':' || local_port, '')
            ELSE peer_ip || coalesce(':' || peer_port, '') END AS server,
       why, count(*) AS connections,
       CAST(total(tx_bytes) + total(rx_bytes) AS INTEGER) AS bytes, max(first_bytes) AS begins
  FROM connections
 WHERE why IS NOT NULL
 GROUP BY 1, 2, 3, 4, 5
 ORDER BY 7 DESC, 1 LIMIT :limit;

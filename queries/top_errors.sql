-- top_errors: kinds of errors, over all services
-- view: Kinds of errors  every: 1s
-- :limit   int  = 25    rows
SELECT proto, coalesce(error_type, status) AS reason, count(*) AS count,
       round(100.0 * count(*) / (SELECT count(*) FROM spans WHERE error = 1), 1) AS share_pct,
       count(DISTINCT service) AS services, count(DISTINCT peer_ip) AS peers,
       min(time) AS first, max(time) AS last, max(trace_id) AS sample
  FROM spans
 WHERE error = 1
 GROUP BY 1, 2
 ORDER BY 3 DESC, 1, 2 LIMIT :limit;

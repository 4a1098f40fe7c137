-- errors: what fails, how often, and one trace to look at
-- view: Errors  every: 1s
-- :service text = '%'   only this service (LIKE)
-- :limit   int  = 50    rows
SELECT service, proto, name, coalesce(error_type, status) AS reason, count(*) AS count,
       max(time) AS last, max(trace_id) AS sample
  FROM spans
 WHERE error = 1 AND coalesce(service, '') LIKE :service
 GROUP BY service, proto, name, coalesce(error_type, status)
 ORDER BY 5 DESC LIMIT :limit;

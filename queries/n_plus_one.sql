-- n_plus_one: the same call over and over within one request
-- view: N+1  every: 5s
-- :more_than int = 10    calls of the same kind within one request
-- :limit     int = 25    rows
-- A call whose parent is known counts for its trace, any other for the request that the
-- same process was answering when it began.
WITH calls(request, service, proto, call, dur_ms) AS (
  SELECT trace_id, service, proto, coalesce(query, op || ' ' || coalesce(route, target)), dur_ms
    FROM spans
   WHERE kind = 'client' AND parent_span_id IS NOT NULL
   UNION ALL
  SELECT s.trace_id, c.service, c.proto,
         coalesce(c.query, c.op || ' ' || coalesce(c.route, c.target)), c.dur_ms
    FROM spans s JOIN spans c
      ON c.start_ns BETWEEN s.start_ns AND s.start_ns + s.dur_ns AND c.pid = s.pid
   WHERE s.kind = 'server' AND c.kind = 'client' AND c.parent_span_id IS NULL
), repeated AS (
  SELECT request, service, proto, call, count(*) AS n, total(dur_ms) AS ms
    FROM calls
   WHERE call IS NOT NULL
   GROUP BY 1, 2, 3, 4
  HAVING count(*) > :more_than + 0
)
SELECT service, proto, call, count(*) AS requests, max(n) AS most, sum(n) AS calls,
       round(sum(ms), 3) AS total_ms, max(request) AS sample
  FROM repeated
 GROUP BY service, proto, call
 ORDER BY total_ms DESC, call LIMIT :limit;

-- How reliable confidences were: scored against evidence that was kept from them.

-- name: kept_since$
-- From when on visits are kept; none: nothing was ever dropped.
SELECT numberpool_kept_since(:company_id);

-- name: tapped_calls
-- Calls of a time to lent numbers that one visit alone had tapped just before, with its visitor.
WITH tapped AS MATERIALIZED (
    SELECT call.id, call.started_at, min(tap.visit_id::text)::uuid AS visit_id
    FROM calls call
    JOIN attributions said ON said.company_id = call.company_id AND said.call_id = call.id AND said.basis = 'visits'
                          AND said.settled_at IS NOT NULL AND NOT said.forgotten
    JOIN taps tap ON tap.company_id = call.company_id AND tap.number_id = call.number_id
                 AND tap.at > call.started_at - make_interval(secs => :before::double precision)
                 AND tap.at <= call.started_at + make_interval(secs => :after::double precision)
    WHERE call.company_id = :company_id
      AND call.started_at >= :since::timestamptz AND call.started_at < :until::timestamptz
      AND tap.at > :since::timestamptz - interval '1 day' AND tap.at < :until::timestamptz + interval '1 day'
    GROUP BY call.id, call.started_at HAVING count(DISTINCT tap.visit_id) = 1
)
SELECT tapped.id, coalesce(visit.visitor_id, tapped.visit_id) AS visitor_id
FROM tapped
LEFT JOIN visits visit ON visit.id = tapped.visit_id AND visit.company_id = :company_id
                      AND visit.started_at > :since::timestamptz - interval '3 days'
                      AND visit.started_at < :until::timestamptz + interval '1 day'
ORDER BY tapped.started_at, tapped.id;

-- name: calls_of_forms
-- Calls of a time to lent numbers from a number that one visitor alone had left in a form, not long before or after.
SELECT call.id, min(coalesce(form.visitor_id, form.visit_id)::text)::uuid AS visitor_id
FROM calls call
JOIN attributions said ON said.company_id = call.company_id AND said.call_id = call.id AND said.basis = 'visits'
                      AND said.settled_at IS NOT NULL AND NOT said.forgotten
JOIN leads form ON form.company_id = call.company_id AND form.phone = call.caller AND form.phone <> ''
               AND form.visit_id IS NOT NULL AND form.suspect = ''
               AND form.received_at > call.started_at - :near::interval
               AND form.received_at < call.started_at + :near::interval
WHERE call.company_id = :company_id
  AND call.started_at >= :since::timestamptz AND call.started_at < :until::timestamptz
GROUP BY call.id, call.started_at HAVING count(DISTINCT coalesce(form.visitor_id, form.visit_id)) = 1
ORDER BY call.started_at, call.id;

-- name: drop_scores!
DELETE FROM reliability WHERE company_id = :company_id AND month = :month AND evidence = :evidence;

-- name: add_scores!
INSERT INTO reliability (company_id, month, evidence, tenth, calls, said, was, computed_at)
SELECT :company_id::bigint, :month::date, :evidence::text, given.tenth, given.calls, given.said, given.was,
       :now::timestamptz
FROM unnest(:tenths::smallint[], :calls::integer[], :said::double precision[], :was::integer[])
         AS given (tenth, calls, said, was);

-- name: scores
SELECT evidence, tenth, calls, said, was FROM reliability
WHERE company_id = :company_id AND month = :month ORDER BY evidence, tenth;

-- name: months
SELECT DISTINCT month FROM reliability WHERE company_id = :company_id ORDER BY month DESC;

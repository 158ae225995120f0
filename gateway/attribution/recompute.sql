-- Deciding past calls again.

-- name: kept_since$
-- From when on visits are kept; none: nothing was ever dropped.
SELECT numberpool_kept_since(:company_id);

-- name: company^
SELECT id, name, time_zone, credit_days FROM companies WHERE id = :company_id;

-- name: settled_between
-- The settled calls of a time, the oldest first, with what was said of them.
SELECT call.id, call.started_at, coalesce(number.e164, call.did) AS number, said.basis, said.label, said.confidence,
       said.visit_id, said.forgotten
FROM calls call
JOIN attributions said ON said.company_id = call.company_id AND said.call_id = call.id AND said.settled_at IS NOT NULL
LEFT JOIN tracking_numbers number ON number.company_id = call.company_id AND number.id = call.number_id
WHERE call.company_id = :company_id
  AND call.started_at >= :since::timestamptz AND call.started_at < :until::timestamptz
  AND (:only::bigint[] IS NULL OR call.id = ANY (:only))
ORDER BY call.started_at, call.id;

-- name: calls_of_visits
-- The calls that visits may have made, or whose credit is shared over them or other visits of their visitors.
SELECT call_id FROM call_candidates WHERE company_id = :company_id AND visit_id = ANY (:visit_ids::uuid[])
UNION
SELECT call_id FROM call_touches WHERE company_id = :company_id AND visit_id = ANY (:visit_ids)
UNION
SELECT may.call_id FROM visits visit
JOIN call_candidates may ON may.company_id = visit.company_id AND may.visitor_id = visit.visitor_id
WHERE visit.company_id = :company_id AND visit.id = ANY (:visit_ids);

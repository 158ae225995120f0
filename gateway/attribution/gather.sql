-- What is known around a call: who was shown its number, taps, earlier calls of the caller, touches.

-- name: rung^
-- A call with all that decides how it is looked at; of a number that is a pool's.
SELECT call.id, call.company_id, coalesce(number.e164, call.did) AS number, call.started_at, call.caller, call.number_id,
       number.pool_id, pool.kind, pool.window_seconds, company.credit_model, company.credit_days,
       said.basis, said.settled_at, said.forgotten,
       source.id AS source_id, source.name, source.channel, source.source, source.medium, source.campaign
FROM calls call
JOIN companies company ON company.id = call.company_id
LEFT JOIN tracking_numbers number ON number.company_id = call.company_id AND number.id = call.number_id
LEFT JOIN pools pool ON pool.company_id = number.company_id AND pool.id = number.pool_id
LEFT JOIN attributions said ON said.company_id = call.company_id AND said.call_id = call.id
-- What it was credited to when it came, else what the number stands for now.
LEFT JOIN sources source ON source.company_id = call.company_id
                        AND source.id = coalesce(call.source_id, number.source_id)
WHERE call.company_id = :company_id AND call.id = :call_id;

-- name: pages_before
-- Every page that showed a number in the days before a call, with its visitor.
SELECT shown.id, shown.visit_id, visit.visitor_id, shown.shown_at, shown.last_seen, shown.left_at
FROM exposures shown
-- A visit goes on for a day at most.
LEFT JOIN visits visit ON visit.id = shown.visit_id AND visit.company_id = shown.company_id
                      AND visit.started_at > :since::timestamptz - interval '2 days'
                      AND visit.started_at <= :at::timestamptz + interval '1 hour'
WHERE shown.company_id = :company_id AND shown.number_id = :number_id
  AND shown.shown_at > :since AND shown.shown_at <= :at
ORDER BY shown.shown_at, shown.id;

-- name: elsewhere
-- The pages that showed these visitors (and visits that may not be known again) another number of a pool.
WITH theirs AS MATERIALIZED (
    SELECT visit.id, visit.visitor_id FROM visits visit
    WHERE visit.company_id = :company_id AND visit.visitor_id = ANY (:visitors::uuid[])
      AND visit.started_at > :since::timestamptz - interval '2 days'
      AND visit.started_at <= :at::timestamptz + interval '1 hour'
    UNION ALL
    SELECT id, NULL FROM unnest(:visits::uuid[]) AS alone (id)
)
SELECT shown.id, shown.visit_id, theirs.visitor_id, shown.shown_at, shown.last_seen, shown.left_at
FROM theirs
JOIN exposures shown ON shown.visit_id = theirs.id
JOIN tracking_numbers number ON number.company_id = shown.company_id AND number.id = shown.number_id
WHERE shown.company_id = :company_id AND shown.number_id <> :number_id AND number.pool_id = :pool_id
  AND shown.shown_at > :since AND shown.shown_at <= :at
ORDER BY shown.shown_at, shown.id;

-- name: taps_near
-- Taps on a number around a call.
SELECT visit_id, at FROM taps
WHERE company_id = :company_id AND number_id = :number_id AND at >= :since::timestamptz AND at <= :until::timestamptz
ORDER BY at, visit_id;

-- name: earlier_call^
-- The last call before this one from the same number which was decided by visits, and whether this number was dialled.
SELECT call.id, call.started_at, said.nobody,
       EXISTS (SELECT FROM calls dialled WHERE dialled.company_id = call.company_id AND dialled.caller = call.caller
               AND dialled.number_id = :number_id AND dialled.started_at < :at::timestamptz) AS dialled
FROM calls call
JOIN attributions said ON said.company_id = call.company_id AND said.call_id = call.id AND said.basis = 'visits'
WHERE call.company_id = :company_id AND call.caller = :caller
  AND (call.started_at, call.id) < (:at, :call_id::bigint)
ORDER BY call.started_at DESC, call.id DESC LIMIT 1;

-- name: made_by
-- By whom a call was made, as it was decided; without visitor: he asked to be forgotten.
SELECT visitor_id, sum(chance) AS chance FROM call_candidates
WHERE company_id = :company_id AND call_id = :call_id GROUP BY visitor_id;

-- name: have_seen
-- Which of these visitors were ever shown a number.
SELECT theirs.who
FROM (SELECT visit.id, visit.visitor_id AS who FROM visits visit
      WHERE visit.company_id = :company_id AND visit.visitor_id = ANY (:visitors::uuid[])
        AND visit.started_at <= :at::timestamptz
      UNION ALL
      SELECT id, id FROM unnest(:visitors::uuid[]) AS alone (id)) AS theirs
WHERE EXISTS (SELECT FROM exposures shown
              WHERE shown.visit_id = theirs.id AND shown.company_id = :company_id AND shown.number_id = :number_id
                AND shown.shown_at <= :at);

-- name: have_called
-- How surely visitors have called before, from whatever number: by the last call of each caller.
WITH callers AS MATERIALIZED (
    SELECT DISTINCT call.caller
    FROM call_candidates may
    JOIN calls call ON call.company_id = may.company_id AND call.id = may.call_id
    WHERE may.company_id = :company_id AND may.visitor_id = ANY (:visitors::uuid[])
      AND (call.started_at, call.id) < (:at::timestamptz, :call_id::bigint) AND call.caller IS NOT NULL
), latest AS MATERIALIZED (
    SELECT last.id
    FROM callers
    CROSS JOIN LATERAL (
        SELECT call.id FROM calls call
        JOIN attributions said ON said.company_id = call.company_id AND said.call_id = call.id AND said.basis = 'visits'
        WHERE call.company_id = :company_id AND call.caller = callers.caller
          AND (call.started_at, call.id) < (:at, :call_id)
        ORDER BY call.started_at DESC, call.id DESC LIMIT 1
    ) AS last
)
SELECT may.visitor_id, sum(may.chance) AS chance
FROM latest JOIN call_candidates may ON may.company_id = :company_id AND may.call_id = latest.id
WHERE may.visitor_id = ANY (:visitors)
GROUP BY may.visitor_id;

-- name: calls_before
-- Calls to a pool in the days before which these visitors may have made.
SELECT may.visitor_id, call.started_at, may.chance
FROM call_candidates may
JOIN calls call ON call.company_id = may.company_id AND call.id = may.call_id
JOIN tracking_numbers number ON number.company_id = call.company_id AND number.id = call.number_id
WHERE may.company_id = :company_id AND may.visitor_id = ANY (:visitors::uuid[])
  AND number.pool_id = :pool_id AND call.started_at > :since
  AND (call.started_at, call.id) < (:at::timestamptz, :call_id::bigint)
ORDER BY call.started_at, call.id;

-- name: visitors_of_caller
-- Whom earlier calls from a number were made by, likelier than not.
SELECT DISTINCT said.visitor_id
FROM calls call
JOIN attributions said ON said.company_id = call.company_id AND said.call_id = call.id
WHERE call.company_id = :company_id AND call.caller = :caller AND call.started_at >= :since::timestamptz
  AND (call.started_at, call.id) < (:at::timestamptz, :call_id::bigint)
  AND said.visitor_id IS NOT NULL AND said.confidence >= :sure::double precision;

-- name: visitors_of_form
-- Who left a number in a form or a chat, up to a call from it.
SELECT DISTINCT coalesce(visitor_id, visit_id) AS visitor_id FROM leads
WHERE company_id = :company_id AND phone = :caller AND phone <> '' AND visit_id IS NOT NULL AND suspect = ''
  AND received_at >= :since::timestamptz AND received_at <= :at::timestamptz;

-- name: arrivals
-- Visits of visitors, and single ones, that began in a time.
SELECT visit.id, coalesce(visit.visitor_id, visit.id) AS visitor, visit.started_at, visit.is_touch, visit.label,
       visit.channel, visit.source, visit.medium, visit.campaign, visit.content, visit.keyword, visit.click_id_type
FROM visits visit
WHERE visit.company_id = :company_id AND visit.visitor_id = ANY (:visitors::uuid[])
  AND visit.started_at > :since::timestamptz AND visit.started_at <= :at::timestamptz
UNION
SELECT visit.id, coalesce(visit.visitor_id, visit.id), visit.started_at, visit.is_touch, visit.label, visit.channel,
       visit.source, visit.medium, visit.campaign, visit.content, visit.keyword, visit.click_id_type
FROM visits visit
WHERE visit.company_id = :company_id AND visit.id = ANY (:visits::uuid[])
  AND visit.started_at > :since AND visit.started_at <= :at
ORDER BY 3, 1;

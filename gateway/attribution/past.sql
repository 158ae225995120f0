-- A company's own history: what its delays, background and taps are learned from.

-- name: begin_of_past$
-- From when on the history is looked at: as many pages as can be held in memory, counted back from now.
SELECT shown.shown_at FROM exposures shown
JOIN tracking_numbers number ON number.company_id = shown.company_id AND number.id = shown.number_id
JOIN pools pool ON pool.company_id = number.company_id AND pool.id = number.pool_id AND pool.kind = 'dynamic'
WHERE shown.company_id = :company_id AND shown.shown_at >= :since::timestamptz AND shown.shown_at < :until::timestamptz
ORDER BY shown.shown_at DESC OFFSET :most LIMIT 1;

-- name: lent_numbers
-- The numbers that are lent, with how long each has been there.
SELECT number.id, number.e164, number.pool_id, number.created_at, number.retired_at, pool.window_seconds
FROM tracking_numbers number
JOIN pools pool ON pool.company_id = number.company_id AND pool.id = number.pool_id AND pool.kind = 'dynamic'
WHERE number.company_id = :company_id ORDER BY number.id;

-- name: past_pages
-- Every page that showed one of them, with its visitor.
SELECT shown.id, shown.visit_id, visit.visitor_id, shown.number_id, shown.shown_at, shown.last_seen, shown.left_at
FROM exposures shown
LEFT JOIN visits visit ON visit.id = shown.visit_id AND visit.company_id = shown.company_id
                      AND visit.started_at > :since::timestamptz - interval '2 days'
                      AND visit.started_at < :until::timestamptz + interval '1 hour'
WHERE shown.company_id = :company_id AND shown.number_id = ANY (:number_ids::bigint[])
  AND shown.shown_at >= :since AND shown.shown_at < :until
ORDER BY shown.shown_at, shown.id;

-- name: past_taps
SELECT number_id, visit_id, at FROM taps
WHERE company_id = :company_id AND number_id = ANY (:number_ids::bigint[])
  AND at >= :since::timestamptz AND at < :until::timestamptz
ORDER BY at, visit_id;

-- name: past_calls
SELECT number_id, coalesce(caller, '') AS caller, started_at FROM calls
WHERE company_id = :company_id AND number_id = ANY (:number_ids::bigint[])
  AND started_at >= :since::timestamptz AND started_at < :until::timestamptz
ORDER BY started_at, id;

-- name: companies_to_learn
-- Companies that lend numbers and have not learned since a moment.
SELECT company.id, company.name FROM companies company
WHERE EXISTS (SELECT FROM pools WHERE pools.company_id = company.id AND pools.kind = 'dynamic')
  AND NOT EXISTS (SELECT FROM learned WHERE learned.company_id = company.id AND learned.learned_at >= :since::timestamptz)
ORDER BY company.id;

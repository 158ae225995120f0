-- The list of visits, newest first. Each runs in a transaction that sees the viewer's company, planned anew with its values.

-- name: fitting
-- What a visit must be to be shown. gateway.http.visit_list puts this condition where the others say "fits".
SELECT v.id FROM visits v WHERE v.company_id = :company_id
  AND (:since::timestamptz IS NULL OR v.started_at >= :since)
  AND (:until::timestamptz IS NULL OR v.started_at < :until)
  AND (:source::text IS NULL OR v.label = :source)
  AND (:channel::text IS NULL OR v.channel = :channel)
  AND (:campaign::text IS NULL OR v.campaign <> '' AND v.campaign = :campaign)
  AND (:keyword::text IS NULL OR v.keyword <> '' AND v.keyword = :keyword)
  AND (:page::text IS NULL OR v.page = :page)
  AND (:device::text IS NULL OR v.device = :device)
  AND (:region::text IS NULL OR v.region = :region)
  AND (:country::text IS NULL OR v.country = :country)
  AND (:among::uuid[] IS NULL OR v.id = ANY (:among))
  -- Scalar, so that it is asked visit by visit: EXISTS would read every call there is.
  AND (:called::boolean IS NULL OR :called = ((SELECT true FROM call_candidates a
          WHERE a.company_id = :company_id AND a.visit_id = v.id AND a.is_answer LIMIT 1) IS NOT NULL))
  AND (:form::boolean IS NULL OR :form = ((SELECT true FROM leads l
          WHERE l.company_id = :company_id AND l.visit_id = v.id AND l.suspect = '' LIMIT 1) IS NOT NULL));

-- name: visits_that_called
-- Visits that made calls, by the time of the call, the newest first; a visit is never later than its calls.
SELECT may.visit_id AS id, c.started_at AS at
FROM (SELECT c.id, c.started_at FROM calls c WHERE c.company_id = :company_id
      AND (:since::timestamptz IS NULL OR c.started_at >= :since)
      ORDER BY c.started_at DESC, c.id DESC) c
JOIN call_candidates may ON may.company_id = :company_id AND may.call_id = c.id AND may.is_answer
WHERE may.visit_id IS NOT NULL
ORDER BY c.started_at DESC LIMIT :most;

-- name: visits_that_wrote
-- Visits that sent a form, the same way.
SELECT l.visit_id AS id, l.received_at AS at FROM leads l
WHERE l.company_id = :company_id AND l.visit_id IS NOT NULL AND l.suspect = ''
  AND (:since::timestamptz IS NULL OR l.received_at >= :since)
ORDER BY l.received_at DESC LIMIT :most;

-- name: visits_page
-- Visits, newest first, from a place in the order on.
WITH page AS MATERIALIZED (
    SELECT v.id, v.visitor_id, v.started_at, v.is_touch, v.label, v.channel, v.campaign, v.keyword, v.url, v.device,
           v.country, v.region, v.city
    FROM visits v
    WHERE v.company_id = :company_id AND /* fits */ true
      AND (:before_at::timestamptz IS NULL OR (v.started_at, v.id) < (:before_at, :before_id::uuid))
    ORDER BY v.started_at DESC, v.id DESC
    LIMIT :most
)
SELECT p.*, s.id AS source_id, s.name AS source_name, s.colour AS source_colour,
       (SELECT count(*) FROM page_views o WHERE o.company_id = :company_id AND o.visit_id = p.id
        AND o.at >= p.started_at - interval '1 minute' AND o.at < p.started_at + interval '2 days') AS pages,
       (SELECT count(*) FROM leads l WHERE l.company_id = :company_id AND l.visit_id = p.id AND l.suspect = '') AS forms,
       c.call_id, c.chance
FROM page p
LEFT JOIN source_labels named ON named.company_id = :company_id AND named.label = p.label
LEFT JOIN sources s ON s.company_id = named.company_id AND s.id = named.source_id
LEFT JOIN LATERAL (
    SELECT a.call_id, a.chance FROM call_candidates a
    WHERE a.company_id = :company_id AND a.visit_id = p.id AND a.is_answer ORDER BY a.call_id LIMIT 1
) c ON true
ORDER BY p.started_at DESC, p.id DESC;

-- name: how_many$
-- How many visits fit, at most so many.
SELECT count(*) FROM (SELECT FROM visits v WHERE v.company_id = :company_id AND /* fits */ true LIMIT :most) counted;

-- name: how_many_called$
-- How many calls of a period were made by visits, at most so many calls are looked at.
SELECT count(*) FROM (
    SELECT c.id FROM calls c WHERE c.company_id = :company_id
      AND (:since::timestamptz IS NULL OR c.started_at >= :since) AND (:until::timestamptz IS NULL OR c.started_at < :until)
    LIMIT :most
) c JOIN attributions a ON a.company_id = :company_id AND a.call_id = c.id AND a.basis = 'visits' AND (a.visit_id IS NOT NULL OR a.forgotten);

-- name: how_many_forms$
-- How many forms came in a period, at most so many.
SELECT count(*) FROM (
    SELECT FROM leads l WHERE l.company_id = :company_id AND l.suspect = ''
      AND (:since::timestamptz IS NULL OR l.received_at >= :since) AND (:until::timestamptz IS NULL OR l.received_at < :until)
    LIMIT :most
) counted;

-- name: has_visits$
-- Whether there was any visit at all.
SELECT EXISTS (SELECT FROM visits WHERE company_id = :company_id);

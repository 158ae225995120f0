-- The story of one person. Each reads from a moment backwards.

-- name: calls
SELECT c.id, c.state, c.outcome, c.did, c.caller, c.started_at AS at, c.talk_seconds, c.status, c.note,
       s.id AS source_id, s.name AS source_name, s.colour AS source_colour
FROM person_of o
JOIN calls c ON c.company_id = o.company_id AND c.id = o.call_id
LEFT JOIN sources s ON s.company_id = c.company_id AND s.id = c.source_id
WHERE o.company_id = :company_id AND o.person_id = :person AND o.call_id IS NOT NULL
  AND (:before::timestamptz IS NULL OR o.at < :before)
ORDER BY o.at DESC LIMIT :most;

-- name: backs
-- When this person was called back.
SELECT p.id, p.state, p.outcome, p.asked_at AS at, p.talk_seconds, p.placed_by
FROM person_of o
JOIN placed_calls p ON p.company_id = o.company_id AND p.call_id = o.call_id
WHERE o.company_id = :company_id AND o.person_id = :person AND o.call_id IS NOT NULL
  AND (:before::timestamptz IS NULL OR p.asked_at < :before)
ORDER BY p.asked_at DESC LIMIT :most;

-- name: last_calls
SELECT DISTINCT ON (c.caller) c.caller, c.id
FROM person_of o JOIN calls c ON c.company_id = o.company_id AND c.id = o.call_id
WHERE o.company_id = :company_id AND o.person_id = :person AND c.caller LIKE '+%'
ORDER BY c.caller, c.started_at DESC;

-- name: letters
SELECT l.id, l.kind, l.received_at AS at, l.data::text AS data, l.url, l.title
FROM person_of o
JOIN leads l ON l.company_id = o.company_id AND l.id = o.lead_id
WHERE o.company_id = :company_id AND o.person_id = :person AND o.lead_id IS NOT NULL
  AND (:before::timestamptz IS NULL OR o.at < :before)
ORDER BY o.at DESC LIMIT :most;

-- name: visits
-- Visits of the browsers that are this person's alone.
SELECT visit.id, visit.visitor_id, visit.started_at AS at, visit.is_touch, visit.label, visit.campaign, visit.keyword, visit.url,
       visit.device, s.id AS source_id, s.name AS source_name, s.colour AS source_colour,
       (SELECT count(*) FROM page_views page WHERE page.company_id = :company_id AND page.visit_id = visit.id
        AND page.at >= visit.started_at - interval '1 minute' AND page.at < visit.started_at + interval '2 days') AS pages
FROM (
    SELECT v.* FROM visits v
    WHERE v.company_id = :company_id
      AND v.visitor_id = ANY (ARRAY(SELECT k.value::uuid FROM person_keys k WHERE k.company_id = :company_id
                                    AND k.person_id = :person AND k.kind = 'visitor' AND NOT k.is_shared))
      AND (:before::timestamptz IS NULL OR v.started_at < :before)
    ORDER BY v.started_at DESC LIMIT :most
) visit
LEFT JOIN source_labels named ON named.company_id = :company_id AND named.label = visit.label
LEFT JOIN sources s ON s.company_id = named.company_id AND s.id = named.source_id
ORDER BY visit.started_at DESC;

-- name: jobs
SELECT j.id, j.value, j.currency, j.booked_at AS at, array_agg(DISTINCT l.call_id) FILTER (WHERE l.call_id IS NOT NULL) AS calls
FROM jobs j JOIN job_leads l ON l.company_id = j.company_id AND l.job_id = j.id
WHERE j.company_id = :company_id AND j.id IN (
    SELECT b.job_id FROM person_of o JOIN job_leads b ON b.company_id = o.company_id AND b.call_id = o.call_id
    WHERE o.company_id = :company_id AND o.person_id = :person
    UNION SELECT b.job_id FROM person_of o JOIN job_leads b ON b.company_id = o.company_id AND b.lead_id = o.lead_id
    WHERE o.company_id = :company_id AND o.person_id = :person)
  AND (:before::timestamptz IS NULL OR j.booked_at < :before)
GROUP BY j.id, j.value, j.currency, j.booked_at
ORDER BY j.booked_at DESC LIMIT :most;

-- name: browsers
-- The browsers that are somebody's, and whether they were here lately.
SELECT k.value AS id, k.is_shared, v.last_seen FROM person_keys k
JOIN visitors v ON v.company_id = k.company_id AND v.id = k.value::uuid
WHERE k.company_id = :company_id AND k.person_id = :person AND k.kind = 'visitor'
ORDER BY v.last_seen DESC LIMIT 20;

-- What stands around one call: the visitor's way, and what else this caller did.

-- name: sources
-- Sources by id, for their marks.
SELECT id AS source_id, name AS source_name, colour AS source_colour FROM sources
WHERE company_id = :company_id AND id = ANY (:ids::bigint[]);

-- name: visits
-- The visits of a visitor (or the one visit, where its visitor may not be known again), the newest first.
SELECT visit.id, visit.started_at, visit.is_touch, visit.label, visit.channel, visit.campaign, visit.keyword,
       visit.url, visit.referrer, visit.country, visit.region, visit.city, visit.device
FROM visits visit
WHERE visit.company_id = :company_id AND visit.visitor_id = :visitor_id::uuid
  AND visit.started_at > :since::timestamptz AND visit.started_at <= :until::timestamptz
ORDER BY visit.started_at DESC LIMIT :most;

-- name: one_visit
SELECT visit.id, visit.started_at, visit.is_touch, visit.label, visit.channel, visit.campaign, visit.keyword,
       visit.url, visit.referrer, visit.country, visit.region, visit.city, visit.device
FROM visits visit
WHERE visit.company_id = :company_id AND visit.id = :visit_id::uuid
  AND visit.started_at > :since::timestamptz AND visit.started_at <= :until::timestamptz
LIMIT 1;

-- name: steps
-- Pages and taps of visits up to a moment, the last ones of each visit, in order.
SELECT step.visit_id, step.at, step.url, step.title, step.kind
FROM unnest(:visits::uuid[]) AS asked (visit_id)
CROSS JOIN LATERAL (
    (SELECT page.visit_id, page.at, page.url, page.title, 'page' AS kind FROM page_views page
     WHERE page.company_id = :company_id AND page.visit_id = asked.visit_id
       AND page.at > :since::timestamptz AND page.at <= :until::timestamptz
     ORDER BY page.at DESC LIMIT :most)
    UNION ALL
    (SELECT tap.visit_id, tap.at, '', tap.e164, 'tap' FROM taps tap
     WHERE tap.company_id = :company_id AND tap.visit_id = asked.visit_id
       AND tap.at > :since::timestamptz AND tap.at <= :until::timestamptz
     ORDER BY tap.at DESC LIMIT :most)
) AS step
ORDER BY step.at;

-- name: calls_of_caller
-- Other calls from the same number, the newest first.
SELECT c.id, c.state, c.outcome, c.did, c.started_at, c.talk_seconds, c.status,
       s.id AS source_id, s.name AS source_name, s.colour AS source_colour
FROM calls c
LEFT JOIN sources s ON s.company_id = c.company_id AND s.id = c.source_id
WHERE c.company_id = :company_id AND c.caller = :caller AND c.id <> :call_id
ORDER BY c.started_at DESC, c.id DESC LIMIT :most;

-- name: leads_of_caller
-- Forms, chats and the like with the caller's number, or of the visitor who called, the newest first.
SELECT found.id, found.kind, found.received_at, found.data::text AS data, found.url, found.title
FROM (
    (SELECT l.id, l.kind, l.received_at, l.data, l.url, l.title FROM leads l
     WHERE l.company_id = :company_id AND l.phone = :caller::text AND l.phone <> '' AND l.suspect = ''
     ORDER BY l.received_at DESC LIMIT :most)
    UNION
    (SELECT l.id, l.kind, l.received_at, l.data, l.url, l.title FROM leads l
     WHERE l.company_id = :company_id AND l.visitor_id = :visitor_id::uuid AND l.suspect = ''
     ORDER BY l.received_at DESC LIMIT :most)
) AS found
ORDER BY found.received_at DESC LIMIT :most;

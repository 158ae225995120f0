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

-- name: person^
-- Whom the call, or other lead, belongs to.
SELECT p.id, p.name, p.calls, p.forms, p.jobs FROM person_of o
JOIN people p ON p.company_id = o.company_id AND p.id = o.person_id
WHERE o.company_id = :company_id AND (o.call_id = :call_id::bigint OR o.lead_id = :lead_id::uuid);

-- name: other_calls
-- Other calls from the same number, and others of the same person, the newest first.
WITH found AS (
    (SELECT c.id FROM calls c WHERE c.company_id = :company_id AND c.caller = :caller::text
     ORDER BY c.started_at DESC, c.id DESC LIMIT :most)
    UNION
    (SELECT o.call_id FROM person_of o
     WHERE o.company_id = :company_id AND o.person_id = :person_id::bigint AND o.call_id IS NOT NULL
     ORDER BY o.at DESC LIMIT :most)
)
SELECT c.id, c.state, c.outcome, c.did, c.caller, c.started_at, c.talk_seconds, c.status, c.screened,
       s.id AS source_id, s.name AS source_name, s.colour AS source_colour
FROM found JOIN calls c ON c.company_id = :company_id AND c.id = found.id
LEFT JOIN sources s ON s.company_id = c.company_id AND s.id = c.source_id
WHERE c.id IS DISTINCT FROM :call_id::bigint
ORDER BY c.started_at DESC, c.id DESC LIMIT :most;

-- name: letters
-- Forms, chats and the like with the caller's number, of the visitor who called or of the same person, newest first.
WITH found AS (
    (SELECT l.id FROM leads l
     WHERE l.company_id = :company_id AND l.phone = :caller::text AND l.phone <> '' AND l.suspect = ''
     ORDER BY l.received_at DESC LIMIT :most)
    UNION
    (SELECT l.id FROM leads l
     WHERE l.company_id = :company_id AND l.visitor_id = :visitor_id::uuid AND l.suspect = ''
     ORDER BY l.received_at DESC LIMIT :most)
    UNION
    (SELECT o.lead_id FROM person_of o
     WHERE o.company_id = :company_id AND o.person_id = :person_id::bigint AND o.lead_id IS NOT NULL
     ORDER BY o.at DESC LIMIT :most)
)
SELECT l.id, l.kind, l.received_at, l.data::text AS data, l.url
FROM found JOIN leads l ON l.company_id = :company_id AND l.id = found.id
WHERE l.id IS DISTINCT FROM :lead_id::uuid
ORDER BY l.received_at DESC LIMIT :most;

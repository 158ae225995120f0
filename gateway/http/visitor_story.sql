-- All that one visitor did. Each reads over a connection that sees the viewer's company.

-- name: visit^
-- A visit by its id, whichever company's of those that the transaction sees.
SELECT company_id, id, visitor_id, started_at FROM visits WHERE id = :id LIMIT 1;

-- name: visitor^
-- Somebody known again, and what was said about being known.
SELECT v.company_id, v.id, v.first_seen, v.last_seen, v.consent, v.consent_at, v.consent_signal, site.name AS site,
       (SELECT k.person_id FROM person_keys k WHERE k.company_id = v.company_id AND k.kind = 'visitor'
        AND k.value = v.id::text AND NOT k.is_shared) AS person_id
FROM visitors v JOIN sites site ON site.company_id = v.company_id AND site.id = v.site_id
WHERE v.id = :id LIMIT 1;

-- name: visits
-- The visits of a visitor, or the one visit of somebody who is not known again, the newest first.
SELECT visit.id, visit.started_at, visit.is_touch, visit.label, visit.channel, visit.campaign, visit.keyword, visit.content,
       visit.medium, visit.ad_group, visit.url, visit.referrer, visit.country, visit.region, visit.city, visit.device,
       visit.language, visit.consent, visit.consent_signal, visit.click_id_type, visit.rule,
       s.id AS source_id, s.name AS source_name, s.colour AS source_colour
FROM visits visit
LEFT JOIN source_labels named ON named.company_id = visit.company_id AND named.label = visit.label
LEFT JOIN sources s ON s.company_id = named.company_id AND s.id = named.source_id
WHERE visit.company_id = :company_id
  AND (:visitor_id::uuid IS NOT NULL AND visit.visitor_id = :visitor_id OR :visitor_id IS NULL AND visit.id = :visit_id::uuid)
  AND (:before::timestamptz IS NULL OR visit.started_at < :before)
ORDER BY visit.started_at DESC, visit.id DESC LIMIT :most;

-- name: how_many_visits$
SELECT count(*) FROM visits WHERE company_id = :company_id AND visitor_id = :visitor_id;

-- name: pages
-- Pages of visits, in order.
SELECT page.visit_id, page.at, page.url, page.title FROM page_views page
WHERE page.company_id = :company_id AND page.visit_id = ANY (:visits::uuid[])
  AND page.at >= :since::timestamptz AND page.at < :until::timestamptz
ORDER BY page.at LIMIT :most;

-- name: exposures
-- The numbers that visits had on their screens, and how long.
SELECT shown.visit_id, shown.shown_at, shown.last_seen, shown.left_at, number.e164, pool.name AS pool
FROM exposures shown
JOIN tracking_numbers number ON number.company_id = shown.company_id AND number.id = shown.number_id
JOIN pools pool ON pool.company_id = number.company_id AND pool.id = number.pool_id
WHERE shown.company_id = :company_id AND shown.visit_id = ANY (:visits::uuid[])
  AND shown.shown_at >= :since::timestamptz AND shown.shown_at < :until::timestamptz
ORDER BY shown.shown_at LIMIT :most;

-- name: taps
SELECT tap.visit_id, tap.at, tap.e164 FROM taps tap
WHERE tap.company_id = :company_id AND tap.visit_id = ANY (:visits::uuid[])
  AND tap.at >= :since::timestamptz AND tap.at < :until::timestamptz
ORDER BY tap.at LIMIT :most;

-- name: calls
-- Calls that visits made, or may have made.
SELECT may.visit_id, may.is_answer, may.chance, c.id, c.started_at AS at, c.caller, c.state, c.outcome, c.talk_seconds
FROM call_candidates may JOIN calls c ON c.company_id = may.company_id AND c.id = may.call_id
WHERE may.company_id = :company_id AND may.visit_id = ANY (:visits::uuid[]) AND (may.is_answer OR may.chance >= 0.05)
ORDER BY c.started_at LIMIT :most;

-- name: letters
SELECT l.visit_id, l.id, l.kind, l.received_at AS at, l.data::text AS data, l.url FROM leads l
WHERE l.company_id = :company_id AND l.visit_id = ANY (:visits::uuid[]) AND l.suspect = ''
ORDER BY l.received_at LIMIT :most;

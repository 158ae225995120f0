-- Everything that reports are made of, of one company.

-- name: company^
SELECT time_zone, credit_half_life, credit_days, currency, qualified_seconds, qualified_first_only, qualified_voicemail,
       qualified_always, qualified_never, qualified_leads FROM companies WHERE id = :company_id;

-- name: sources
-- By what visits are named.
SELECT source_id AS id, label AS name FROM source_labels WHERE company_id = :company_id;

-- name: visits
SELECT id, visitor_id, site_id, started_at, is_touch, label, channel, source, medium, campaign, content, keyword,
       click_id_type, url, page, city, device
FROM visits WHERE company_id = :company_id ORDER BY started_at, id;

-- name: touches
SELECT call_id, at, visit_id, source_id, label, channel, source, medium, campaign, content, keyword, click_id_type
FROM call_touches WHERE company_id = :company_id ORDER BY call_id, position;

-- name: calls
-- Ended ones.
SELECT id, started_at, status, outcome, answered_at, caller, talk_seconds, ring_seconds, is_first, pool_id, did, region,
       answered_by, source_id, channel, campaign, keyword, NULL::uuid AS visit_id
FROM calls WHERE company_id = :company_id AND state = 'ended' ORDER BY started_at, id;

-- name: leads
-- Those that a person sent.
SELECT id, received_at, visit_id, visitor_id, status, is_first, source_id, channel, campaign, keyword, pool_id, number, region
FROM leads WHERE company_id = :company_id AND suspect = '' AND status <> 'spam' ORDER BY received_at, id;

-- name: job_leads
-- Each lead of each job, the earliest first, and whether it counts.
SELECT job.id, job.value, job.currency, part.call_id, part.lead_id, coalesce(call.started_at, lead.received_at) AS at,
       CASE WHEN part.call_id IS NULL THEN lead.suspect = '' AND lead.status <> 'spam'
            ELSE call.state = 'ended' AND call.outcome <> 'blocked' AND call.status <> 'spam' END AS counts
FROM job_leads part
JOIN jobs job ON job.company_id = part.company_id AND job.id = part.job_id
LEFT JOIN calls call ON call.company_id = part.company_id AND call.id = part.call_id
LEFT JOIN leads lead ON lead.company_id = part.company_id AND lead.id = part.lead_id
WHERE part.company_id = :company_id ORDER BY job.id, 6, part.id;

-- One form, chat or text, for its page.

-- name: lead_by_id^
SELECT l.id, l.company_id, l.kind, l.data::text AS data, l.phone, l.email, l.url, l.title, l.suspect, l.received_at,
       l.number, l.status, l.note, l.region, l.is_first, l.channel, l.campaign, l.keyword, l.confidence, l.pool_id,
       l.visit_id, l.visitor_id,
       s.id AS source_id, s.name AS source_name, s.colour AS source_colour, p.name AS pool_name, i.name AS site_name,
       j.id AS job_id, j.value AS job_value, j.currency AS job_currency,
       (SELECT array_agg(ROW(t.id, t.name) ORDER BY t.folded) FROM lead_tags m
        JOIN tags t ON t.company_id = m.company_id AND t.id = m.tag_id
        WHERE m.company_id = l.company_id AND m.lead_id = l.id) AS tags
FROM leads l
LEFT JOIN sources s ON s.company_id = l.company_id AND s.id = l.source_id
LEFT JOIN pools p ON p.company_id = l.company_id AND p.id = l.pool_id
LEFT JOIN sites i ON i.company_id = l.company_id AND i.id = l.site_id
LEFT JOIN job_leads b ON b.company_id = l.company_id AND b.lead_id = l.id
LEFT JOIN jobs j ON j.company_id = b.company_id AND j.id = b.job_id
WHERE l.id = :lead_id;

-- name: has_conversation$
-- Whether it is the beginning of a conversation by text.
SELECT EXISTS (SELECT FROM texts WHERE company_id = :company_id AND lead_id = :lead_id);

-- name: set_suspect$
-- Whether a program seems to have sent it; what was said before comes back.
WITH before AS (
    SELECT company_id, id, suspect FROM leads WHERE company_id = :company_id AND id = :lead_id FOR UPDATE
)
UPDATE leads l SET suspect = :suspect FROM before b WHERE l.company_id = b.company_id AND l.id = b.id
RETURNING b.suspect;

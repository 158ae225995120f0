-- What brought forms, chats and texts: decided once, kept without anything of the visitor.

-- name: to_credit
-- Leads whose source is still to be decided, the earliest first.
SELECT company_id, id FROM leads
WHERE credited_at IS NULL AND received_at <= :before::timestamptz AND NOT id = ANY (:not_these::uuid[])
ORDER BY received_at LIMIT :most;

-- name: take^
-- One of them, for this transaction alone, with how its company credits; nothing comes back where another is at it.
SELECT lead.id, lead.received_at, lead.visit_id, lead.visitor_id, lead.phone, lead.data, lead.number_id, lead.number,
       number.pool_id, pool.kind AS pool_kind, pool.window_seconds,
       company.credit_model, company.credit_days, company.credit_half_life,
       source.name, source.channel, source.source, source.medium, source.campaign
FROM leads lead
JOIN companies company ON company.id = lead.company_id
LEFT JOIN tracking_numbers number ON number.company_id = lead.company_id AND number.id = lead.number_id
LEFT JOIN pools pool ON pool.company_id = number.company_id AND pool.id = number.pool_id
LEFT JOIN sources source ON source.company_id = number.company_id AND source.id = number.source_id
WHERE lead.company_id = :company_id AND lead.id = :lead_id AND lead.credited_at IS NULL
FOR UPDATE OF lead SKIP LOCKED;

-- name: arrivals
-- The touches of a lead's visitor before it, else the visit in which it was sent: as gateway.reports.recount has them.
WITH theirs AS MATERIALIZED (
    SELECT * FROM visits
    WHERE company_id = :company_id AND visitor_id = :visitor_id::uuid AND is_touch
      AND started_at <= :at::timestamptz AND started_at > :since::timestamptz
), found AS (
    SELECT * FROM theirs
    UNION ALL
    (SELECT * FROM visits WHERE company_id = :company_id AND id = :visit_id::uuid AND started_at <= :at
       AND NOT EXISTS (SELECT FROM theirs) LIMIT 1)
)
SELECT id, started_at, label, channel, source, medium, campaign, content, keyword, click_id_type
FROM found ORDER BY started_at, id;

-- name: credit!
UPDATE leads SET source_id = :source_id::bigint, channel = :channel, campaign = :campaign, keyword = :keyword,
                 confidence = :confidence::real, region = :region, credited_at = :credited_at::timestamptz
WHERE company_id = :company_id AND id = :lead_id;

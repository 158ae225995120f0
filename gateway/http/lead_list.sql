-- Forms, chats and texts in the list of leads. As call_list.sql: each runs in a transaction that sees only the viewer's
-- companies, planned anew with its values.

-- name: fitting
-- What a lead that is no call must be to be shown. gateway.http.lead_list puts this condition where the others say "fits".
SELECT l.id FROM leads l WHERE l.company_id = :company_id
  AND (:since::timestamptz IS NULL OR l.received_at >= :since)
  AND (:until::timestamptz IS NULL OR l.received_at < :until)
  AND (:kind::text IS NULL OR l.kind = :kind)
  AND CASE WHEN :suspects::boolean THEN l.suspect <> '' ELSE l.suspect = '' END
  AND (:source::bigint IS NULL OR :credit::integer IS NOT NULL OR l.source_id = :source)
  AND (NOT :no_source::boolean OR :credit IS NOT NULL OR l.source_id IS NULL)
  AND (:channel::text IS NULL OR :credit IS NOT NULL OR l.channel = :channel)
  AND (:campaign::text IS NULL OR :credit IS NOT NULL OR l.campaign = :campaign)
  AND (:keyword::text IS NULL OR :credit IS NOT NULL OR l.keyword = :keyword)
  AND (:pool::bigint IS NULL OR l.pool_id = :pool)
  AND (NOT :no_pool::boolean OR l.pool_id IS NULL)
  AND (:number::text IS NULL OR l.number = :number)
  AND (:status::text IS NULL OR l.status = :status)
  AND (:tag::bigint IS NULL OR l.id IN (
          SELECT m.lead_id FROM lead_tags m WHERE m.company_id = :company_id AND m.tag_id = :tag))
  AND (:first::boolean IS NULL OR l.is_first = :first)
  AND (:qualified::boolean IS NULL OR :qualified = numberpool_lead_qualified(
          (SELECT qualified_leads FROM companies WHERE id = :company_id),
          (SELECT qualified_first_only FROM companies WHERE id = :company_id),
          (SELECT qualified_always FROM companies WHERE id = :company_id),
          (SELECT qualified_never FROM companies WHERE id = :company_id),
          l.status, l.is_first))
  AND (:sure::text IS NULL OR l.sure = :sure)
  AND (:region::text IS NULL OR l.region = :region)
  AND (NOT :counted::boolean OR l.status <> 'spam')
  AND (:credit IS NULL AND :job::boolean IS NULL OR EXISTS (
          SELECT FROM report_facts f WHERE f.company_id = :company_id AND f.lead_id = l.id
            AND (:credit IS NULL OR coalesce(f.shares[:credit], 1) > 0)
            AND (:source IS NULL OR :credit IS NULL OR f.source = :source::text)
            AND (NOT :no_source OR :credit IS NULL OR f.source = '')
            AND (:channel IS NULL OR :credit IS NULL OR f.channel = :channel)
            AND (:campaign IS NULL OR :credit IS NULL OR f.campaign = :campaign)
            AND (:keyword IS NULL OR :credit IS NULL OR f.keyword = :keyword)
            AND (:landing::text IS NULL OR f.landing = :landing)
            AND (:city::text IS NULL OR f.city = :city)
            AND (:device::text IS NULL OR f.device = :device)
            AND (:clicked_since::date IS NULL OR f.click_day >= :clicked_since)
            AND (:clicked_until::date IS NULL OR f.click_day < :clicked_until)
            AND (:job IS NULL OR :job = (f.jobs > 0))))
  AND (:caller::text IS NULL OR l.phone = :caller)
  AND (:weekday::integer IS NULL
       OR extract(isodow FROM l.received_at AT TIME ZONE :zone) = :weekday
          AND extract(hour FROM l.received_at AT TIME ZONE :zone) = :hour::integer)
  AND (:begins_low::text IS NULL
       OR l.phone COLLATE "C" >= :begins_low AND l.phone COLLATE "C" < :begins_high
       OR l.phone COLLATE "C" >= :also_low AND l.phone COLLATE "C" < :also_high
       OR l.phone_reversed >= :ends_low AND l.phone_reversed < :ends_high)
  -- The rarest word names the leads among which the others are looked for.
  AND (:words::text[] IS NULL OR l.id IN (
          SELECT w.lead_id FROM lead_words w WHERE w.company_id = :company_id
            AND w.word >= (:words::text[])[1] AND w.word < (:word_ends::text[])[1]))
  AND (:words IS NULL OR NOT EXISTS (
          SELECT FROM unnest(:words, :word_ends) AS sought (low, high)
          WHERE NOT EXISTS (SELECT FROM lead_words w WHERE w.company_id = :company_id AND w.lead_id = l.id
                              AND w.word >= sought.low AND w.word < sought.high)));

-- name: leads_page
-- Newest first, from a place in the order on.
WITH page AS MATERIALIZED (
    SELECT l.* FROM leads l
    WHERE l.company_id = :company_id AND /* fits */ true
      AND (:before_at::timestamptz IS NULL OR (l.received_at, l.id) < (:before_at, :before_id::uuid))
    ORDER BY l.received_at DESC, l.id DESC
    LIMIT :most
)
SELECT l.id, l.company_id, l.kind, l.data::text AS data, l.phone, l.email, l.url, l.title, l.suspect, l.received_at,
       l.number, l.status, l.note, l.region, l.is_first, l.channel, l.campaign, l.keyword, l.confidence, l.pool_id,
       l.visit_id, l.visitor_id,
       s.id AS source_id, s.name AS source_name, s.colour AS source_colour, p.name AS pool_name, i.name AS site_name,
       j.id AS job_id, j.value AS job_value, j.currency AS job_currency,
       (SELECT array_agg(ROW(t.id, t.name) ORDER BY t.folded) FROM lead_tags m
        JOIN tags t ON t.company_id = m.company_id AND t.id = m.tag_id
        WHERE m.company_id = l.company_id AND m.lead_id = l.id) AS tags
FROM page l
LEFT JOIN sources s ON s.company_id = l.company_id AND s.id = l.source_id
LEFT JOIN pools p ON p.company_id = l.company_id AND p.id = l.pool_id
LEFT JOIN sites i ON i.company_id = l.company_id AND i.id = l.site_id
LEFT JOIN job_leads b ON b.company_id = l.company_id AND b.lead_id = l.id
LEFT JOIN jobs j ON j.company_id = b.company_id AND j.id = b.job_id
ORDER BY l.received_at DESC, l.id DESC;

-- name: leads_in_short
-- The leads of a period that are no calls, at most so many, by source.
SELECT s.id AS source_id, s.name AS source_name, s.colour AS source_colour, n.leads
FROM (
    SELECT shown.source_id, count(*) AS leads
    FROM (SELECT l.source_id FROM leads l WHERE l.company_id = :company_id AND /* fits */ true LIMIT :most) shown
    GROUP BY shown.source_id
) n
LEFT JOIN sources s ON s.company_id = :company_id AND s.id = n.source_id;

-- name: count_leads$
SELECT count(*) FROM leads l WHERE l.company_id = :company_id AND /* fits */ true;

-- name: has_leads$
SELECT EXISTS (SELECT FROM leads WHERE company_id = :company_id);

-- name: has_suspects$
-- Whether programs seem to have sent any.
SELECT EXISTS (SELECT FROM leads WHERE company_id = :company_id AND suspect <> '');

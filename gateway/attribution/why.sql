-- Why a call has the source it has: all that a page about it shows.

-- name: call^
SELECT call.id, coalesce(number.e164, call.did) AS number, pool.name AS pool, pool.kind, call.started_at, call.caller,
       call.state, said.basis, said.confidence, said.source_confidence, said.nobody, said.others, said.because,
       said.window_seconds, said.learned_id, said.decided_at, said.settled_at, said.recomputed_at,
       coalesce(said.forgotten, false) AS forgotten, call.source_id, call.number_id,
       coalesce(nullif(said.label, ''), source.name) AS label,
       coalesce(nullif(said.channel, ''), source.channel, '') AS channel,
       coalesce(nullif(said.source, ''), source.source, '') AS source,
       coalesce(nullif(said.medium, ''), source.medium, '') AS medium,
       coalesce(nullif(said.campaign, ''), source.campaign, '') AS campaign,
       coalesce(said.content, '') AS content, coalesce(said.keyword, '') AS keyword,
       coalesce(said.click_id_type, '') AS click_id_type,
       coalesce(numberpool_kept_since(call.company_id), '-infinity'::date) <= (call.started_at - :horizon::interval)::date AS is_kept
FROM calls call
LEFT JOIN attributions said ON said.company_id = call.company_id AND said.call_id = call.id
LEFT JOIN sources source ON source.company_id = call.company_id AND source.id = call.source_id
LEFT JOIN tracking_numbers number ON number.company_id = call.company_id AND number.id = call.number_id
LEFT JOIN pools pool ON pool.company_id = number.company_id AND pool.id = number.pool_id
WHERE call.company_id = :company_id AND call.id = :call_id;

-- name: suspects
-- Whoever may have made it, with the page that their visit began on, where it is kept.
SELECT may.position, may.is_answer, may.chance, may.because, may.visit_id, may.visitor_id, may.shown_at, may.last_seen,
       may.left_at, may.replaced_at, may.source_id, may.label, coalesce(visit.url, '') AS landing_page
FROM call_candidates may
LEFT JOIN visits visit ON visit.id = may.visit_id AND visit.company_id = may.company_id
                      AND visit.started_at > :since::timestamptz AND visit.started_at <= :at::timestamptz
WHERE may.company_id = :company_id AND may.call_id = :call_id
ORDER BY may.position;

-- name: pages
-- The pages that visits opened up to a call, some for each.
SELECT viewed.visit_id, viewed.at, viewed.url, viewed.title
FROM unnest(:visits::uuid[]) AS asked (visit_id)
CROSS JOIN LATERAL (
    SELECT page.visit_id, page.at, page.url, page.title FROM page_views page
    WHERE page.company_id = :company_id AND page.visit_id = asked.visit_id
      AND page.at > :since::timestamptz AND page.at <= :at::timestamptz
    ORDER BY page.at DESC LIMIT :most
) AS viewed
ORDER BY viewed.at;

-- name: taps
SELECT visit_id, at FROM taps
WHERE company_id = :company_id AND number_id = :number_id AND at >= :since::timestamptz AND at <= :until::timestamptz
ORDER BY at;

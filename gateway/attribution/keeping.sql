-- Decisions as they are kept: one row a call, its candidates, its touches, and the source on the call itself.

-- name: source_named$
SELECT source_id FROM source_labels WHERE company_id = :company_id AND label = :name;

-- name: add_source$
-- The source of a label, made when the first call is credited to it; it takes the next colour of the palette.
INSERT INTO sources (company_id, name, channel, source, colour)
VALUES (:company_id, :name, :channel, :source,
        (SELECT coalesce(max(colour) + 1, 0) FROM sources WHERE company_id = :company_id))
ON CONFLICT (company_id, name) DO NOTHING RETURNING id;

-- name: keep_decision$
-- A decision: the first makes the row; one that was settled is changed only by one that settles it again. What was
-- decided of somebody who asked to be forgotten is never changed. No row: it was not to be changed; else whether it is new.
INSERT INTO attributions AS kept (
    company_id, call_id, basis, visit_id, visitor_id, exposure_id, confidence, source_confidence, nobody, others, because,
    evidence, window_seconds, learned_id, source_id, label, channel, source, medium, campaign, content, keyword,
    click_id_type, decided_at, settled_at
) VALUES (
    :company_id, :call_id, :basis, :visit_id, :visitor_id, :exposure_id, :confidence, :source_confidence, :nobody, :others,
    :because, :evidence, :window_seconds, :learned_id, :source_id, :label, :channel, :source, :medium, :campaign,
    :content, :keyword, :click_id_type, :now::timestamptz, CASE WHEN :settles::boolean THEN :now END
)
ON CONFLICT (company_id, call_id) DO UPDATE SET
    basis = excluded.basis, visit_id = excluded.visit_id, visitor_id = excluded.visitor_id,
    exposure_id = excluded.exposure_id, confidence = excluded.confidence, source_confidence = excluded.source_confidence,
    nobody = excluded.nobody, others = excluded.others, because = excluded.because, evidence = excluded.evidence,
    window_seconds = excluded.window_seconds, learned_id = excluded.learned_id, source_id = excluded.source_id,
    label = excluded.label, channel = excluded.channel, source = excluded.source, medium = excluded.medium,
    campaign = excluded.campaign, content = excluded.content, keyword = excluded.keyword,
    click_id_type = excluded.click_id_type,
    settled_at = coalesce(kept.settled_at, excluded.settled_at),
    recomputed_at = CASE WHEN kept.settled_at IS NOT NULL THEN excluded.settled_at ELSE kept.recomputed_at END
WHERE (kept.settled_at IS NULL OR :settles) AND NOT kept.forgotten
RETURNING xmax = 0 AS is_new;

-- name: drop_candidates!
DELETE FROM call_candidates WHERE company_id = :company_id AND call_id = :call_id;

-- name: drop_touches!
DELETE FROM call_touches WHERE company_id = :company_id AND call_id = :call_id;

-- name: add_candidates!
INSERT INTO call_candidates
SELECT given.* FROM jsonb_populate_recordset(null::call_candidates, :candidates::jsonb) AS given;

-- name: add_touches!
INSERT INTO call_touches
SELECT given.* FROM jsonb_populate_recordset(null::call_touches, :touches::jsonb) AS given;

-- name: credit_call!
-- The source on the call itself; only where it changes anything, because each change is told to whoever watches.
UPDATE calls SET source_id = :source_id::bigint, settled_at = CASE WHEN :settles::boolean THEN coalesce(settled_at, :now::timestamptz) ELSE settled_at END
WHERE company_id = :company_id AND id = :call_id
  AND (source_id IS DISTINCT FROM :source_id::bigint OR (:settles AND settled_at IS NULL));

-- name: settle_as_it_is!
-- Of somebody who asked to be forgotten: what was decided while it rang stays.
UPDATE calls SET settled_at = :now::timestamptz
WHERE company_id = :company_id AND id = :call_id AND settled_at IS NULL;

-- name: touches_of_calls
-- What the credit of calls is shared over, the oldest first.
SELECT call_id, at, visit_id, how, source_id, label, channel, source, medium, campaign, content, keyword, click_id_type
FROM call_touches WHERE company_id = :company_id AND call_id = ANY (:call_ids::bigint[])
ORDER BY call_id, position;

-- name: calls_between
-- The calls that came in a time.
SELECT id, started_at FROM calls
WHERE company_id = :company_id AND started_at >= :since::timestamptz AND started_at < :until::timestamptz
ORDER BY started_at, id;

-- name: half_life$
SELECT credit_half_life FROM companies WHERE id = :company_id;

-- name: credit_settings^
SELECT credit_model, credit_days, credit_half_life FROM companies WHERE id = :company_id;

-- name: set_credit!
-- What is not given stays.
UPDATE companies
SET credit_model = coalesce(:model::text, credit_model), credit_days = coalesce(:days::integer, credit_days),
    credit_half_life = coalesce(:half_life::interval, credit_half_life)
WHERE id = :company_id;

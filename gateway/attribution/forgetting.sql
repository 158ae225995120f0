-- What leads from calls to visitors is taken away when they ask for it, and when their visits are too old. The credit
-- names nobody, and stays.

-- name: forget_visits!
-- These visits (and their visitor, where one is known) are to be forgotten. What is decided of their calls is decided for
-- good: computed again without them it would come out otherwise.
WITH theirs AS MATERIALIZED (
    SELECT call_id, position, is_answer FROM call_candidates
    WHERE company_id = :company_id AND visit_id = ANY (:visit_ids::uuid[])
    UNION
    SELECT call_id, position, is_answer FROM call_candidates
    WHERE company_id = :company_id AND visitor_id = :visitor_id::uuid
), kept AS (
    UPDATE attributions SET visit_id = NULL, visitor_id = NULL, exposure_id = NULL, forgotten = true
    WHERE company_id = :company_id AND call_id IN (SELECT call_id FROM theirs WHERE is_answer)
), touched AS (
    UPDATE call_touches SET visit_id = NULL WHERE company_id = :company_id AND visit_id = ANY (:visit_ids)
)
UPDATE call_candidates may SET visit_id = NULL, visitor_id = NULL, exposure_id = NULL
FROM theirs
WHERE may.company_id = :company_id AND may.call_id = theirs.call_id AND may.position = theirs.position;

-- name: evidence_ends!
-- Visits before this day are kept no longer.
INSERT INTO evidence_kept (since) VALUES (:since)
ON CONFLICT (id) DO UPDATE SET since = greatest(evidence_kept.since, excluded.since);

-- name: forget_old!
-- Calls before a moment lead to nobody any more; of one company, where one is named.
WITH old AS MATERIALIZED (
    SELECT said.company_id, said.call_id FROM attributions said
    JOIN calls call ON call.company_id = said.company_id AND call.id = said.call_id
    WHERE call.started_at < :before::timestamptz AND (:company_id::bigint IS NULL OR said.company_id = :company_id)
      AND (said.visit_id IS NOT NULL OR said.visitor_id IS NOT NULL
           OR EXISTS (SELECT FROM call_candidates may WHERE may.company_id = said.company_id AND may.call_id = said.call_id
                      AND (may.visit_id IS NOT NULL OR may.visitor_id IS NOT NULL)))
), kept AS (
    UPDATE attributions said SET visit_id = NULL, visitor_id = NULL, exposure_id = NULL
    FROM old WHERE said.company_id = old.company_id AND said.call_id = old.call_id
), touched AS (
    UPDATE call_touches touch SET visit_id = NULL
    FROM old WHERE touch.company_id = old.company_id AND touch.call_id = old.call_id AND touch.visit_id IS NOT NULL
)
UPDATE call_candidates may SET visit_id = NULL, visitor_id = NULL, exposure_id = NULL
FROM old WHERE may.company_id = old.company_id AND may.call_id = old.call_id;

-- Changes that can be taken back for a while by whoever made them.

-- name: insert_undo_step$
-- How to take a change back; what is too old is forgotten.
WITH old AS (
    DELETE FROM undo_steps WHERE company_id = :company_id AND created_at < now() - :lasts::interval
)
INSERT INTO undo_steps (company_id, user_id, kind, reverse)
VALUES (:company_id, :user_id, :kind, :reverse::text::jsonb)
RETURNING id;

-- name: use_undo_step^
-- Use a step up; nothing comes back where it was used, is too old, or somebody else's.
UPDATE undo_steps SET used_at = now()
WHERE id = :id AND user_id = :user_id AND used_at IS NULL AND created_at >= now() - :lasts::interval
RETURNING company_id, kind, reverse::text AS reverse;

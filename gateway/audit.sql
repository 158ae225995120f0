-- The audit log: who did what. Lines are only ever added; a trigger refuses anything else.

-- name: note!
-- One line.
INSERT INTO audit_log (company_id, user_id, actor, via, address, action, subject, details)
VALUES (:company_id, :user_id, :actor, :via, :address, :action, :subject, :details::text::jsonb);

-- name: take_turn$
-- Those who do the same thing at once take turns; a statement of its own, so that the next one sees what they wrote.
SELECT pg_advisory_xact_lock(hashtextextended('audit/' || :subject || '/' || :action || '/' || :user_id::bigint::text, 0));

-- name: note_once$
-- One line, unless the same person's same doing has its line since a while ago.
INSERT INTO audit_log (company_id, user_id, actor, via, address, action, subject, details)
SELECT :company_id::bigint, :user_id::bigint, :actor::text, :via::text, :address::text, :action::text, :subject::text,
       :details::text::jsonb
WHERE NOT EXISTS (
    SELECT FROM audit_log
    WHERE company_id = :company_id AND subject = :subject AND user_id = :user_id AND action = :action
      AND details = :details::text::jsonb AND at > now() - :within::interval
)
RETURNING id;

-- name: has_written$
-- Whether this transaction has changed anything so far.
SELECT pg_current_xact_id_if_assigned() IS NOT NULL;

-- name: companies_by_name
-- The companies of a name; all of them where none is given.
SELECT id FROM companies WHERE :name::text IS NULL OR name = :name ORDER BY id;

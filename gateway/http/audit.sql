-- The audit log, as its page reads it.

-- name: audit_lines
-- Newest first, from a place in the order on; every filter is optional. What a call's line is about is read as it is now.
SELECT a.id, a.at, a.user_id, coalesce(nullif(a.actor, ''), nullif(u.name, ''), u.email, '') AS who, a.via, a.address,
       a.action, a.subject, a.details::text AS details, c.id AS call_id, c.caller, c.started_at AS called_at
FROM audit_log a
LEFT JOIN users u ON u.id = a.user_id
LEFT JOIN calls c ON c.company_id = a.company_id AND c.id = substring(a.subject FROM '^call/([0-9]{1,18})$')::bigint
WHERE a.company_id = :company_id
  AND (:user_id::bigint IS NULL OR a.user_id = :user_id)
  AND (:via::text IS NULL OR a.via = :via)
  AND (:group::text IS NULL OR a.action LIKE :group || '.%')
  AND (:subject::text IS NULL OR a.subject = :subject)
  AND (:since::timestamptz IS NULL OR a.at >= :since)
  AND (:until::timestamptz IS NULL OR a.at < :until)
  AND (:before_at::timestamptz IS NULL OR (a.at, a.id) < (:before_at, :before_id::bigint))
ORDER BY a.at DESC, a.id DESC
LIMIT :most;

-- name: audit_count$
-- How many lines a filter leaves.
SELECT count(*) FROM audit_log a
WHERE a.company_id = :company_id
  AND (:user_id::bigint IS NULL OR a.user_id = :user_id)
  AND (:via::text IS NULL OR a.via = :via)
  AND (:group::text IS NULL OR a.action LIKE :group || '.%')
  AND (:subject::text IS NULL OR a.subject = :subject)
  AND (:since::timestamptz IS NULL OR a.at >= :since)
  AND (:until::timestamptz IS NULL OR a.at < :until);

-- name: audit_people
-- Who stands in a company's log, without reading all of it; with the name he has now.
WITH RECURSIVE people (user_id) AS (
    (SELECT user_id FROM audit_log WHERE company_id = :company_id AND user_id IS NOT NULL ORDER BY user_id LIMIT 1)
    UNION ALL
    SELECT (SELECT a.user_id FROM audit_log a
            WHERE a.company_id = :company_id AND a.user_id > people.user_id ORDER BY a.user_id LIMIT 1)
    FROM people WHERE people.user_id IS NOT NULL
)
SELECT u.id, coalesce(nullif(u.name, ''), u.email) AS name
FROM (SELECT user_id FROM people WHERE user_id IS NOT NULL LIMIT 500) known
JOIN users u ON u.id = known.user_id
ORDER BY lower(coalesce(nullif(u.name, ''), u.email));

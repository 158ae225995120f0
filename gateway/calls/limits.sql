-- name: turned_away_lately
-- Companies of which a limit turned calls away lately, and nobody has been told for so long.
SELECT DISTINCT c.company_id
FROM calls c
LEFT JOIN limit_letters l ON l.company_id = c.company_id
WHERE c.screened IN ('company-full', 'trunk-full') AND c.started_at >= greatest(:since::timestamptz, l.told_at)
  AND (l.told_at IS NULL OR l.told_at <= :since::timestamptz OR l.told_at > now() + interval '1 minute');

-- name: take_hour$
-- Take the turn of telling; none where another has told within the hour. A time in the future counts as none.
INSERT INTO limit_letters (company_id, told_at) VALUES (:company_id, :now)
ON CONFLICT (company_id) DO UPDATE SET told_at = excluded.told_at
    WHERE limit_letters.told_at <= :before::timestamptz OR limit_letters.told_at > excluded.told_at + interval '1 minute'
RETURNING company_id;

-- name: turned_away^
SELECT count(*) AS calls, max(id) AS newest FROM calls
WHERE company_id = :company_id AND started_at >= :since::timestamptz AND screened IN ('company-full', 'trunk-full');

-- name: who_is_told
SELECT u.id FROM memberships m JOIN users u ON u.id = m.user_id
WHERE m.company_id = :company_id AND m.role IN ('owner', 'manager') ORDER BY u.id;

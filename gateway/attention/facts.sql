-- What the overview looks at to say what needs somebody. Each runs in a transaction that sees one company.

-- name: silences
-- What fell silent and has not been heard of since; of a number, since it was last looked at.
SELECT s.kind, s.subject_id AS id, s.since, s.a_day, coalesce(n.e164, i.name) AS name
FROM silences s
LEFT JOIN tracking_numbers n ON s.kind = 'number' AND n.company_id = s.company_id AND n.id = s.subject_id
LEFT JOIN sites i ON s.kind = 'site' AND i.company_id = s.company_id AND i.id = s.subject_id
WHERE s.company_id = :company_id AND (i.id IS NOT NULL OR n.id IS NOT NULL AND n.retired_at IS NULL AND NOT EXISTS (
    SELECT FROM calls c
    WHERE c.company_id = s.company_id AND c.did = n.e164 AND c.started_at >= s.since + interval '1 hour'))
ORDER BY s.kind, s.subject_id;

-- name: failed_recordings^
-- Recordings that could not be made lately, and the newest of those calls.
SELECT count(*) AS count, max(r.call_id) AS newest
FROM calls c JOIN recordings r ON r.company_id = c.company_id AND r.call_id = c.id
WHERE c.company_id = :company_id AND c.started_at >= :since::timestamptz AND r.state = 'failed';

-- name: turned_away_by_limits^
-- Calls that came when there was no line left.
SELECT count(*) AS count, min(started_at) AS since, max(id) AS newest FROM calls
WHERE company_id = :company_id AND started_at >= :since::timestamptz AND screened IN ('company-full', 'trunk-full')
  AND outcome = 'blocked';

-- name: months_with_spend
-- The months, of the last few, in which something was spent.
SELECT DISTINCT month::date AS month
FROM generate_series(:since::date::timestamp, :until::date::timestamp, interval '1 month') AS month
JOIN spend s ON s.company_id = :company_id AND s.removed_at IS NULL AND s.amount > 0
            AND s.first_day < (month + interval '1 month')::date AND s.last_day >= month::date;

-- name: put_off_now
-- What nobody is to be told of yet.
SELECT need FROM put_off WHERE company_id = :company_id AND until > :now::timestamptz;

-- name: put_off!
INSERT INTO put_off (company_id, need, until, user_id) VALUES (:company_id, :need, :until, :user_id)
ON CONFLICT (company_id, need) DO UPDATE
SET until = excluded.until, user_id = excluded.user_id, put_at = now();

-- name: take_up!
DELETE FROM put_off WHERE company_id = :company_id AND need = :need;

-- name: forget_put_off!
-- What was put off until long ago.
DELETE FROM put_off WHERE company_id = :company_id AND until < :before::timestamptz;

-- Looking for what fell silent. Runs for all companies, in the gateway.

-- name: companies
-- Every company, with its time zone.
SELECT id, time_zone FROM companies ORDER BY id;

-- name: calls_by_hour
-- Calls to each number that is in use, by hour of the company's clock.
SELECT n.id, date_trunc('hour', c.started_at AT TIME ZONE :zone) AS hour, count(*) AS events
FROM tracking_numbers n
JOIN calls c ON c.company_id = n.company_id AND c.number_id = n.id
WHERE n.company_id = :company_id AND n.retired_at IS NULL
  AND c.started_at >= :since::timestamptz AND c.started_at < :until::timestamptz
GROUP BY n.id, date_trunc('hour', c.started_at AT TIME ZONE :zone);

-- name: visits_by_hour
-- Visits of each site, by hour of the company's clock.
SELECT s.id, date_trunc('hour', v.started_at AT TIME ZONE :zone) AS hour, count(*) AS events
FROM sites s
JOIN visits v ON v.company_id = s.company_id AND v.site_id = s.id
WHERE s.company_id = :company_id AND s.removed_at IS NULL AND v.started_at >= :since::timestamptz AND v.started_at < :until::timestamptz
GROUP BY s.id, date_trunc('hour', v.started_at AT TIME ZONE :zone);

-- name: forget_silences!
-- What was heard of again, or is gone.
DELETE FROM silences
WHERE company_id = :company_id AND kind = :kind AND NOT subject_id = ANY (:silent::bigint[]);

-- name: note_silences!
INSERT INTO silences AS known (company_id, kind, subject_id, since, a_day)
SELECT :company_id, :kind, found.* FROM unnest(:silent::bigint[], :since::timestamptz[], :a_day::float8[]) AS found
ON CONFLICT (company_id, kind, subject_id) DO UPDATE SET since = excluded.since, a_day = excluded.a_day
WHERE (known.since, known.a_day) IS DISTINCT FROM (excluded.since, excluded.a_day);

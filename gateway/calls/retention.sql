-- name: companies_that_forget
-- Those that keep recordings for a time only, where that time counts by now.
SELECT id, recordings_kept_days FROM companies
WHERE recordings_kept_days IS NOT NULL AND coalesce(recordings_kept_from, '-infinity') <= :now
ORDER BY id;

-- name: recordings_before
SELECT r.call_id FROM recordings r
JOIN calls c ON c.company_id = r.company_id AND c.id = r.call_id
WHERE r.company_id = :company_id AND r.state = 'ready' AND c.started_at < :before
ORDER BY c.started_at;

-- name: mark_deleted$
-- Only of one that is there; nothing comes back of any other.
UPDATE recordings SET state = 'deleted', deleted_at = now(), peaks = NULL, fault = NULL
WHERE company_id = :company_id AND call_id = :call_id AND state = 'ready'
RETURNING call_id;

-- name: files_to_go
SELECT company_id, call_id, file FROM recordings
WHERE state = 'deleted' AND file IS NOT NULL AND company_id = ANY (:companies);

-- name: file_is_gone!
UPDATE recordings SET file = NULL, bytes = NULL WHERE company_id = :company_id AND call_id = :call_id AND state = 'deleted';

-- name: all_companies
SELECT id FROM companies ORDER BY id;

-- name: kept^
-- What the rules of a company say of its recordings.
SELECT record_calls, announcement, recordings_kept_days, recordings_kept_from FROM companies WHERE id = :company_id;

-- name: hold_kept^
SELECT record_calls, announcement, recordings_kept_days, recordings_kept_from
FROM companies WHERE id = :company_id FOR UPDATE;

-- name: save_kept!
UPDATE companies
SET record_calls = :record_calls, announcement = :announcement, recordings_kept_days = :recordings_kept_days,
    recordings_kept_from = :recordings_kept_from
WHERE id = :company_id;

-- name: on_disk^
SELECT count(*) AS recordings, coalesce(sum(bytes), 0)::bigint AS bytes, coalesce(sum(seconds), 0)::float8 AS seconds
FROM recordings WHERE company_id = :company_id AND state = 'ready';

-- name: recordings_older$
SELECT count(*) FROM recordings r
JOIN calls c ON c.company_id = r.company_id AND c.id = r.call_id
WHERE r.company_id = :company_id AND r.state = 'ready' AND c.started_at < :before;

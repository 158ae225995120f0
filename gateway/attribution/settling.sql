-- Calls that are over and still to be settled.

-- name: unsettled
-- Those that ended long enough ago for everything about them to have come, the earliest first. One whose times are of a
-- clock that was wrong is settled a day after it was written.
SELECT company_id, id FROM calls
WHERE state = 'ended' AND settled_at IS NULL
  AND (coalesce(ended_at, started_at) <= :before::timestamptz OR created_at <= :before - interval '1 day')
  AND NOT id = ANY (:not_these::bigint[])
ORDER BY started_at, id LIMIT :most;

-- name: take^
-- One of them, unless another gateway is at it or has done it.
SELECT id FROM calls
WHERE company_id = :company_id AND id = :call_id AND settled_at IS NULL
  AND pg_try_advisory_xact_lock(hashtextextended('attribution/' || id, 0));

-- Calls that are over and still to be settled.

-- name: unsettled
-- Those that ended long enough ago for everything about them to have come, the earliest first. One whose times are of a
-- clock that was wrong is settled a day after it was written.
SELECT company_id, id FROM calls
WHERE state = 'ended' AND settled_at IS NULL
  AND (coalesce(ended_at, started_at) <= :before::timestamptz OR created_at <= :before - interval '1 day')
  AND NOT id = ANY (:not_these::bigint[])
ORDER BY started_at, id LIMIT :most;

-- name: settle_by_number$
-- Calls whose source is said by the number alone (or that came to none of ours), many at once; how many that were.
WITH taken AS MATERIALIZED (
    SELECT call.company_id, call.id, coalesce(call.source_id, number.source_id) AS source_id,
           call.started_at, CASE WHEN number.id IS NULL THEN 'no number' ELSE 'static number' END AS basis
    FROM calls call
    LEFT JOIN tracking_numbers number ON number.company_id = call.company_id AND number.id = call.number_id
    LEFT JOIN pools pool ON pool.company_id = number.company_id AND pool.id = number.pool_id
    WHERE call.state = 'ended' AND call.settled_at IS NULL
      AND (coalesce(call.ended_at, call.started_at) <= :before::timestamptz
           OR call.created_at <= :before - interval '1 day')
      AND pool.kind IS DISTINCT FROM 'dynamic'
      AND NOT EXISTS (SELECT FROM attributions said WHERE said.company_id = call.company_id AND said.call_id = call.id)
    ORDER BY call.started_at, call.id LIMIT :most FOR UPDATE OF call SKIP LOCKED
), said AS (
    INSERT INTO attributions (company_id, call_id, basis, confidence, source_confidence, because, source_id, label,
                              channel, source, medium, campaign, decided_at, settled_at)
    SELECT taken.company_id, taken.id, taken.basis, 1, 1, ARRAY[taken.basis], source.id, coalesce(source.name, ''),
           coalesce(source.channel, ''), coalesce(source.source, ''), coalesce(source.medium, ''),
           coalesce(source.campaign, ''), :now::timestamptz, :now
    FROM taken LEFT JOIN sources source ON source.company_id = taken.company_id AND source.id = taken.source_id
), touched AS (
    INSERT INTO call_touches (company_id, call_id, position, at, how, source_id, label, channel, source, medium, campaign)
    SELECT taken.company_id, taken.id, 0, taken.started_at, 'number', source.id, source.name, source.channel,
           source.source, source.medium, source.campaign
    FROM taken JOIN sources source ON source.company_id = taken.company_id AND source.id = taken.source_id
), settled AS (
    UPDATE calls SET settled_at = :now, source_id = taken.source_id
    FROM taken WHERE calls.company_id = taken.company_id AND calls.id = taken.id
    RETURNING calls.id
)
SELECT count(*) FROM settled;

-- name: take^
-- One of them, unless another gateway is at it or has done it.
SELECT id FROM calls
WHERE company_id = :company_id AND id = :call_id AND settled_at IS NULL
  AND pg_try_advisory_xact_lock(hashtextextended('attribution/' || id, 0));

-- name: expect^
-- A call ended that was recorded. Says which node holds the sound, or nothing where the recording was expected before.
WITH expected AS (
    INSERT INTO recordings (company_id, call_id, state, sides, rate)
    VALUES (:company_id, :call_id, 'pending', :sides, :rate)
    ON CONFLICT DO NOTHING
    RETURNING company_id, call_id
)
SELECT nodes.name AS node
FROM expected
JOIN calls ON calls.company_id = expected.company_id AND calls.id = expected.call_id
JOIN nodes ON nodes.id = calls.node_id;

-- name: take^
-- The recording to be made, unless another worker is at it.
SELECT recordings.state, recordings.sides, recordings.rate, recordings.file,
       calls.started_at, calls.talk_seconds
FROM recordings
JOIN calls USING (company_id)
WHERE recordings.company_id = :company_id AND recordings.call_id = :call_id AND calls.id = recordings.call_id
FOR UPDATE OF recordings SKIP LOCKED;

-- name: sides^
SELECT sides, rate FROM recordings WHERE company_id = :company_id AND call_id = :call_id;

-- name: settle_ready!
UPDATE recordings
SET state = 'ready', file = :file, seconds = :seconds, bytes = :bytes, peaks = :peaks, fault = NULL, ready_at = now()
WHERE company_id = :company_id AND call_id = :call_id;

-- name: settle_without!
-- There is no recording, and why. Never said of one that is there.
UPDATE recordings
SET state = :state, fault = :fault, ready_at = now()
WHERE company_id = :company_id AND call_id = :call_id AND state NOT IN ('ready', 'deleted');

-- name: forgotten
-- Recordings of a node that wait to be made while no job, queued, under way or held, knows of them.
SELECT recordings.company_id, recordings.call_id
FROM recordings
JOIN calls ON calls.company_id = recordings.company_id AND calls.id = recordings.call_id
JOIN nodes ON nodes.id = calls.node_id
WHERE recordings.state = 'pending' AND nodes.name = :node
  AND NOT EXISTS (SELECT FROM pgqueuer WHERE dedupe_key = 'recording:' || recordings.call_id);

-- name: calls_of_leftovers
-- Which calls files in the spool belong to, by the key they are named after.
SELECT calls.asterisk_id, calls.company_id, calls.id AS call_id, calls.state = 'ended' AS ended,
       calls.answered_at IS NOT NULL AS answered,
       recordings.state AS state,
       EXISTS (SELECT FROM pgqueuer WHERE dedupe_key = 'recording:' || calls.id AND status = 'failed') AS held
FROM calls
JOIN nodes ON nodes.id = calls.node_id
LEFT JOIN recordings ON recordings.company_id = calls.company_id AND recordings.call_id = calls.id
WHERE nodes.name = :node AND calls.asterisk_id = ANY(:keys);

-- name: give_key!
-- The demonstration's site has a key that people can type.
UPDATE sites SET public_key = :public_key WHERE company_id = :company_id AND id = :site_id;

-- name: move_destination!
-- A demonstration that was set up by an earlier version rang a line that is a tracking number now.
UPDATE destinations SET dial = :dial WHERE company_id = :company_id AND name = :name AND dial = :former;

-- name: calls_since
-- Every call since then, oldest first, with its recording where it is ready, and the visit that made it where one did.
SELECT c.did, c.caller, s.name AS source, c.outcome, c.ring_seconds, c.talk_seconds,
       CASE WHEN r.state = 'ready' THEN r.file END AS file, c.decided_by, c.decision_ms,
       v.id AS visit_id, v.label, v.url, a.confidence
FROM calls c
LEFT JOIN sources s ON s.company_id = c.company_id AND s.id = c.source_id
LEFT JOIN recordings r ON r.company_id = c.company_id AND r.call_id = c.id
LEFT JOIN attributions a ON a.company_id = c.company_id AND a.call_id = c.id
LEFT JOIN visits v ON v.company_id = c.company_id AND v.id = a.visit_id
WHERE c.started_at >= :began
ORDER BY c.started_at, c.id;

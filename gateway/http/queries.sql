-- What the pages and the API read. Each runs in a transaction that sees only the viewer's companies.

-- name: source_by_id^
-- A source, for the words of a filter.
SELECT id AS source_id, name AS source_name, colour AS source_colour FROM sources
WHERE company_id = :company_id AND id = :source_id;

-- name: call_by_id^
-- One call with all that is known of it.
SELECT c.id, c.company_id, c.state, c.outcome, c.did, c.number_id, c.caller, c.caller_name, c.started_at, c.answered_at,
       c.ended_at, c.ring_seconds, c.talk_seconds, c.answered_by, c.last_answered_by, c.recorded,
       c.trunk, c.hung_up_by, c.hangup_cause, c.decided_by, c.decision_ms, c.asterisk_id, c.evidence::text AS evidence,
       n.name AS node_name, p.name AS pool_name,
       s.id AS source_id, s.name AS source_name, s.colour AS source_colour,
       r.state AS recording_state, r.seconds AS recording_seconds, r.peaks, r.fault AS recording_fault,
       r.file AS recording_file, r.bytes AS recording_bytes, r.deleted_at AS recording_deleted_at,
       c.status, c.note, c.region, c.is_first, c.channel, c.campaign, c.keyword, c.confidence, c.pool_id, c.screened,
       j.id AS job_id, j.value AS job_value, j.currency AS job_currency,
       (SELECT d.name FROM destinations d WHERE d.company_id = c.company_id AND d.dial = c.answered_by
        ORDER BY d.id LIMIT 1) AS person,
       (SELECT array_agg(ROW(t.id, t.name) ORDER BY t.folded) FROM call_tags m
        JOIN tags t ON t.company_id = m.company_id AND t.id = m.tag_id
        WHERE m.company_id = c.company_id AND m.call_id = c.id) AS tags
FROM calls c
JOIN nodes n ON n.id = c.node_id
LEFT JOIN pools p ON p.company_id = c.company_id AND p.id = c.pool_id
LEFT JOIN job_leads l ON l.company_id = c.company_id AND l.call_id = c.id
LEFT JOIN jobs j ON j.company_id = l.company_id AND j.id = l.job_id
LEFT JOIN sources s ON s.company_id = c.company_id AND s.id = c.source_id
LEFT JOIN recordings r ON r.company_id = c.company_id AND r.call_id = c.id
WHERE c.id = :call_id;

-- name: legs_of_call
-- Each attempt to reach somebody and each transfer, in order, with the names that destinations have now.
SELECT l.position, l.kind, l.dial, l.ring_seconds, l.talk_seconds, l.result, l.hangup_cause, l.answered_by,
       (SELECT d.name FROM destinations d
        WHERE d.company_id = l.company_id AND (d.dial = l.dial OR d.dial LIKE 'Trunk/%' AND d.dial LIKE '%' || outside.number)
        ORDER BY d.dial = l.dial DESC, d.id LIMIT 1) AS destination,
       (SELECT d.name FROM destinations d
        WHERE d.company_id = l.company_id AND d.dial = l.answered_by ORDER BY d.id LIMIT 1) AS person
FROM legs l
-- A number outside, as this trunk was given it: a destination's own number ends with it. Short ones tell nothing.
LEFT JOIN LATERAL (SELECT substring(l.dial FROM '^[^/]+/[+]?([0-9]{7,})@') AS number) outside ON true
WHERE l.company_id = :company_id AND l.call_id = :call_id
ORDER BY l.position;

-- name: hearings_of_call
-- Who heard or took away a recording, newest first.
SELECT a.at, a.action, u.name, u.email
FROM audit_log a
LEFT JOIN users u ON u.id = a.user_id
WHERE a.company_id = :company_id AND a.subject = :subject AND a.action IN ('recording.heard', 'recording.downloaded')
ORDER BY a.at DESC, a.id DESC
LIMIT 50;

-- What the pages and the API read. Each runs in a transaction that sees only the viewer's companies.

-- name: calls_page
-- Ended calls of a company, newest first, from a place in the order on; every filter is optional.
SELECT c.id, c.company_id, c.state, c.outcome, c.did, c.number_id, c.caller, c.caller_name, c.started_at, c.answered_at,
       c.ended_at, c.ring_seconds, c.talk_seconds, c.answered_by, c.last_answered_by, c.recorded,
       s.id AS source_id, s.name AS source_name, s.colour AS source_colour,
       r.state AS recording_state, r.seconds AS recording_seconds, r.peaks
FROM calls c
LEFT JOIN sources s ON s.company_id = c.company_id AND s.id = c.source_id
LEFT JOIN recordings r ON r.company_id = c.company_id AND r.call_id = c.id
WHERE c.company_id = :company_id AND c.state = 'ended'
  AND (:source_id::bigint IS NULL OR c.source_id = :source_id)
  AND (NOT :no_source::boolean OR c.source_id IS NULL)
  AND (:outcomes::text[] IS NULL OR c.outcome = ANY (:outcomes))
  AND (:did::text IS NULL OR c.did = :did)
  AND (:caller::text IS NULL OR c.caller = :caller)
  AND (NOT :withheld::boolean OR c.caller IS NULL)
  AND (:since::timestamptz IS NULL OR c.started_at >= :since)
  AND (:until::timestamptz IS NULL OR c.started_at < :until)
  AND (:before_at::timestamptz IS NULL OR (c.started_at, c.id) < (:before_at, :before_id::bigint))
ORDER BY c.started_at DESC, c.id DESC
LIMIT :most;

-- name: calls_now
-- Calls that ring or talk, newest first.
SELECT c.id, c.company_id, c.state, c.outcome, c.did, c.number_id, c.caller, c.caller_name, c.started_at, c.answered_at,
       c.ended_at, c.ring_seconds, c.talk_seconds, c.answered_by, c.last_answered_by, c.recorded,
       s.id AS source_id, s.name AS source_name, s.colour AS source_colour,
       NULL AS recording_state, NULL::real AS recording_seconds, NULL::bytea AS peaks
FROM calls c
LEFT JOIN sources s ON s.company_id = c.company_id AND s.id = c.source_id
WHERE c.company_id = :company_id AND c.state <> 'ended'
  AND (:source_id::bigint IS NULL OR c.source_id = :source_id)
  AND (NOT :no_source::boolean OR c.source_id IS NULL)
  AND (:did::text IS NULL OR c.did = :did)
  AND (:caller::text IS NULL OR c.caller = :caller)
  AND (NOT :withheld::boolean OR c.caller IS NULL)
ORDER BY c.started_at DESC, c.id DESC
LIMIT 200;

-- name: calls_summary
-- A period, and how many calls there were in the one it is compared with: what each source brought, and what became of
-- the calls. Calls that still ring count as calls.
WITH spanned AS (
    SELECT c.source_id, c.outcome, c.talk_seconds,
           (:since::timestamptz IS NULL OR c.started_at >= :since)
           AND (:until::timestamptz IS NULL OR c.started_at < :until) AS is_in
    FROM calls c
    WHERE c.company_id = :company_id
      AND (:since::timestamptz IS NULL OR c.started_at >= least(:since, :compared_since::timestamptz))
      AND (:until::timestamptz IS NULL OR c.started_at < :until)
      AND ((:since::timestamptz IS NULL OR c.started_at >= :since) OR c.started_at < :compared_until::timestamptz)
      AND (:source_id::bigint IS NULL OR c.source_id = :source_id)
      AND (NOT :no_source::boolean OR c.source_id IS NULL)
      AND (:did::text IS NULL OR c.did = :did)
      AND (:caller::text IS NULL OR c.caller = :caller)
      AND (NOT :withheld::boolean OR c.caller IS NULL)
), counted AS (
    SELECT source_id,
           count(*) FILTER (WHERE is_in) AS calls,
           count(*) FILTER (WHERE is_in AND outcome = 'answered') AS answered,
           count(*) FILTER (WHERE is_in AND outcome IN ('busy', 'no_answer', 'abandoned', 'failed')) AS missed,
           coalesce(sum(talk_seconds) FILTER (WHERE is_in AND outcome = 'answered'), 0)::float8 AS talk_seconds,
           count(*) FILTER (WHERE NOT is_in) AS calls_before
    FROM spanned GROUP BY source_id
)
SELECT s.id AS source_id, s.name AS source_name, s.colour AS source_colour,
       n.calls, n.answered, n.missed, n.talk_seconds, n.calls_before
FROM counted n
LEFT JOIN sources s ON s.company_id = :company_id AND s.id = n.source_id
ORDER BY n.calls DESC, s.name;

-- name: calls_totals^
-- All calls of a period in a few numbers, and how many there were in the one it is compared with.
SELECT count(*) FILTER (WHERE is_in) AS calls,
       count(*) FILTER (WHERE is_in AND outcome = 'answered') AS answered,
       count(*) FILTER (WHERE is_in AND outcome IN ('busy', 'no_answer', 'abandoned', 'failed')) AS missed,
       coalesce(sum(talk_seconds) FILTER (WHERE is_in AND outcome = 'answered'), 0)::float8 AS talk_seconds,
       count(*) FILTER (WHERE NOT is_in) AS calls_before
FROM (
    SELECT outcome, talk_seconds,
           (:since::timestamptz IS NULL OR started_at >= :since)
           AND (:until::timestamptz IS NULL OR started_at < :until) AS is_in
    FROM calls
    WHERE company_id = :company_id
      AND (:since::timestamptz IS NULL OR started_at >= least(:since, :compared_since::timestamptz))
      AND (:until::timestamptz IS NULL OR started_at < :until)
      AND ((:since::timestamptz IS NULL OR started_at >= :since) OR started_at < :compared_until::timestamptz)
) spanned;

-- name: has_calls$
-- Whether the company has had any call at all.
SELECT EXISTS (SELECT FROM calls WHERE company_id = :company_id);

-- name: numbers_of_company
-- The company's numbers and what each stands for, for a page that has no call to show.
SELECT n.e164, s.id AS source_id, s.name AS source_name, s.colour AS source_colour
FROM tracking_numbers n
LEFT JOIN sources s ON s.company_id = n.company_id AND s.id = n.source_id
WHERE n.company_id = :company_id
ORDER BY n.e164
LIMIT 12;

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
       r.file AS recording_file, r.bytes AS recording_bytes
FROM calls c
JOIN nodes n ON n.id = c.node_id
LEFT JOIN tracking_numbers t ON t.company_id = c.company_id AND t.id = c.number_id
LEFT JOIN pools p ON p.company_id = t.company_id AND p.id = t.pool_id
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

-- name: note_hearing$
-- One line in the audit log a listening session, however many parts of the file the browser asks for.
WITH turn AS MATERIALIZED (
    SELECT pg_advisory_xact_lock(hashtextextended(:subject || '/' || :user_id::bigint::text, 0))
)
INSERT INTO audit_log (company_id, user_id, action, subject, details)
SELECT :company_id, :user_id::bigint, 'recording.heard', :subject, jsonb_build_object('session', :session::text)
FROM turn
WHERE NOT EXISTS (
    SELECT FROM audit_log
    WHERE company_id = :company_id AND subject = :subject AND user_id = :user_id::bigint AND action = 'recording.heard'
      AND details ->> 'session' = :session::text AND at > now() - :within::interval
)
RETURNING id;

-- name: note_download!
-- Every download is a line of its own.
INSERT INTO audit_log (company_id, user_id, action, subject, details)
VALUES (:company_id, :user_id, 'recording.downloaded', :subject, jsonb_build_object('session', :session::text));

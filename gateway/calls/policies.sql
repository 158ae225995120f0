-- name: directory_policies
-- The rules of every company, with how long a conversation of it must be.
SELECT p.company_id, p.body, c.qualified_seconds FROM call_policies p JOIN companies c ON c.id = p.company_id;

-- name: directory_traps
-- Numbers that nobody is shown: those that were marked so; and of pools that lend, where the company wants it, those that
-- nobody was shown for so many days, as far as its visits reach back at all.
SELECT n.id
FROM call_policies p
JOIN tracking_numbers n ON n.company_id = p.company_id AND n.retired_at IS NULL
JOIN pools o ON o.company_id = n.company_id AND o.id = n.pool_id
CROSS JOIN LATERAL (SELECT now() - make_interval(days => (p.body->>'trap_days')::integer) AS since) AS w
WHERE (p.body->>'traps')::boolean AND NOT n.fax AND (n.is_trap OR (
    o.kind = 'dynamic' AND n.source_id IS NULL AND n.created_at < w.since
    AND EXISTS (SELECT FROM exposures e WHERE e.company_id = p.company_id AND e.shown_at < w.since)
    AND NOT EXISTS (
        SELECT FROM exposures e
        WHERE e.company_id = n.company_id AND e.number_id = n.id AND (e.shown_at >= w.since OR e.last_seen >= w.since))));

-- name: policy_of^
SELECT body FROM call_policies WHERE company_id = :company_id;

-- name: hold_company^
-- One after the other changes the rules of a company.
SELECT id, region, main_number, announcement, record_calls FROM companies WHERE id = :company_id FOR UPDATE;

-- name: save_policy!
INSERT INTO call_policies (company_id, body) VALUES (:company_id, :body)
ON CONFLICT (company_id) DO UPDATE SET body = excluded.body, changed_at = now() WHERE call_policies.body <> excluded.body;

-- name: mark_trap$
UPDATE tracking_numbers SET is_trap = :is_trap WHERE company_id = :company_id AND e164 = :e164 AND is_trap <> :is_trap
RETURNING id;

-- name: trap_numbers
-- Those that were marked.
SELECT id, e164 FROM tracking_numbers WHERE company_id = :company_id AND is_trap ORDER BY e164;

-- name: lately_called
-- Calls of those companies that look at how often somebody calls, youngest last.
SELECT c.company_id, c.caller, c.asterisk_id, extract(epoch FROM now() - c.started_at)::float8 AS age
FROM call_policies p
JOIN calls c ON c.company_id = p.company_id
WHERE p.body ? 'often_calls' AND c.started_at > now() - interval '1 day' AND c.caller IS NOT NULL
ORDER BY c.started_at;

-- name: lately_trapped
-- Who dialled a trap lately.
SELECT c.company_id, c.caller, extract(epoch FROM now() - c.started_at)::float8 AS age
FROM calls c
WHERE c.screened = 'trap' AND c.started_at > now() - interval '30 days' AND c.caller IS NOT NULL
ORDER BY c.started_at;

-- name: known_callers
-- Who has talked with a company that looks at its callers for as long as it says, or bought of it; newest first.
SELECT company_id, caller FROM (
    SELECT c.company_id, c.caller, max(c.started_at) AS at
    FROM call_policies p
    JOIN companies o ON o.id = p.company_id
    JOIN calls c ON c.company_id = p.company_id
    LEFT JOIN job_leads j ON j.company_id = c.company_id AND j.call_id = c.id
    WHERE (p.body ? 'often_calls' OR p.body ? 'traps') AND c.caller IS NOT NULL AND c.status <> 'spam'
      AND (c.talk_seconds >= greatest(o.qualified_seconds, 1) OR j.id IS NOT NULL)
    GROUP BY c.company_id, c.caller
) AS known
ORDER BY at DESC
LIMIT :most;

-- name: calls_going_on
SELECT c.asterisk_id, c.company_id, c.trunk, extract(epoch FROM now() - c.started_at)::float8 AS age
FROM calls c WHERE c.state <> 'ended' AND c.started_at > now() - interval '1 day';

-- name: speaking_companies
-- What may have to be said by whom, and in which language.
SELECT p.company_id, p.body, c.region, c.whisper_language, c.announcement
FROM call_policies p JOIN companies c ON c.id = p.company_id;

-- name: dials_of
SELECT name, dial FROM destinations WHERE company_id = :company_id ORDER BY name;

-- name: trunks_of
-- Over which calls came, by how many.
SELECT trunk FROM calls WHERE company_id = :company_id AND started_at >= :since::timestamptz AND trunk <> ''
GROUP BY trunk ORDER BY count(*) DESC, trunk LIMIT 20;

-- name: acted
-- What each rule did: the calls it met, and those that it kept from ringing.
SELECT screened, count(*) AS calls, count(*) FILTER (WHERE outcome = 'blocked') AS turned_away
FROM calls WHERE company_id = :company_id AND started_at >= :since::timestamptz AND screened IS NOT NULL
GROUP BY screened;

-- name: ended_by_length$
SELECT count(*) FROM calls
WHERE company_id = :company_id AND started_at >= :since::timestamptz AND state = 'ended' AND evidence ? 'longest';

-- name: let_through^
-- A call that a rule turned away counts again, as one that nobody answered.
UPDATE calls SET outcome = 'no_answer'
WHERE company_id = :company_id AND id = :id AND outcome = 'blocked' RETURNING id, caller, screened;

-- name: turn_away_again!
UPDATE calls SET outcome = 'blocked'
WHERE company_id = :company_id AND id = :id AND outcome = 'no_answer' AND answered_at IS NULL;

-- name: subscriptions
-- A company's subscriptions, those of one user alone where one is given; with how to reach them.
SELECT s.id, s.company_id, s.user_id, coalesce(u.email, s.address) AS address, coalesce(u.name, '') AS name, s.kind, s.hour,
       s.weekday, s.quiet_from, s.quiet_until, s.language, s.secret, s.created_at, s.confirmed_at, s.counts_from,
       s.sent_until, s.alerted_at, s.paused_at, s.paused_why, s.removed_at, m.role
FROM mail_subscriptions s
LEFT JOIN users u ON u.id = s.user_id
LEFT JOIN memberships m ON m.company_id = s.company_id AND m.user_id = s.user_id
WHERE s.company_id = :company_id AND s.removed_at IS NULL AND (:user_id::bigint IS NULL OR s.user_id = :user_id)
ORDER BY s.user_id IS NULL, lower(coalesce(nullif(u.name, ''), u.email, s.address)),
         array_position(ARRAY['daily', 'weekly', 'monthly', 'missed', 'missed_hourly', 'messages'], s.kind), s.id;

-- name: subscription^
-- One of them, removed ones too; of all companies that the transaction sees.
SELECT s.id, s.company_id, s.user_id, coalesce(u.email, s.address) AS address, coalesce(u.name, '') AS name, s.kind, s.hour,
       s.weekday, s.quiet_from, s.quiet_until, s.language, s.secret, s.created_at, s.confirmed_at, s.counts_from,
       s.sent_until, s.alerted_at, s.paused_at, s.paused_why, s.removed_at, m.role
FROM mail_subscriptions s
LEFT JOIN users u ON u.id = s.user_id
LEFT JOIN memberships m ON m.company_id = s.company_id AND m.user_id = s.user_id
WHERE s.id = :id;

-- name: hold_subscription^
-- The same in short, until the end of the transaction nobody else's; none where somebody else has it.
SELECT id, alerted_at, counts_from, sent_until FROM mail_subscriptions
WHERE company_id = :company_id AND id = :id AND paused_at IS NULL AND removed_at IS NULL
FOR UPDATE SKIP LOCKED;

-- name: running
-- All that may be written to now, with their company's time zone. An agent gets no figures of the whole company; of a
-- user who has left, nothing is left to be sent.
SELECT s.id, s.company_id, s.user_id, s.kind, s.hour, s.weekday, s.quiet_from, s.quiet_until, s.counts_from, s.sent_until,
       s.alerted_at, m.role, c.time_zone,
       EXISTS (SELECT FROM alert_calls a WHERE a.company_id = s.company_id AND a.subscription_id = s.id
                                           AND a.settled_at IS NULL) AS has_waiting
FROM mail_subscriptions s
JOIN companies c ON c.id = s.company_id
LEFT JOIN memberships m ON m.company_id = s.company_id AND m.user_id = s.user_id
WHERE s.paused_at IS NULL AND s.removed_at IS NULL AND s.confirmed_at IS NOT NULL
  AND (s.user_id IS NULL OR m.role IS NOT NULL)
  AND (m.role IS DISTINCT FROM 'agent' OR s.kind IN ('missed', 'missed_hourly', 'messages'))
ORDER BY s.id;

-- name: add_subscription$
-- None where this person has that kind already.
INSERT INTO mail_subscriptions (
    company_id, user_id, address, kind, hour, weekday, quiet_from, quiet_until, language, secret, created_by, confirmed_at
) VALUES (
    :company_id, :user_id, :address, :kind, :hour, :weekday, :quiet_from, :quiet_until, :language, :secret, :created_by,
    CASE WHEN :user_id::bigint IS NOT NULL THEN now() END
)
ON CONFLICT DO NOTHING
RETURNING id;

-- name: change_subscription!
-- Another hour begins with the next time it comes.
UPDATE mail_subscriptions SET hour = :hour, weekday = :weekday, quiet_from = :quiet_from, quiet_until = :quiet_until,
       language = :language,
       counts_from = CASE WHEN (hour, weekday) = (:hour::smallint, :weekday::smallint) THEN counts_from ELSE now() END
WHERE company_id = :company_id AND id = :id AND removed_at IS NULL;

-- name: pause!
UPDATE mail_subscriptions SET paused_at = now(), paused_why = :why
WHERE company_id = :company_id AND id = :id AND paused_at IS NULL;

-- name: resume!
-- It goes on with what comes due from now. Calls that waited are not told of any more.
WITH waited AS (
    UPDATE alert_calls SET settled_at = now()
    WHERE company_id = :company_id AND subscription_id = :id AND settled_at IS NULL
)
UPDATE mail_subscriptions SET paused_at = NULL, paused_why = NULL, refusals = 0, counts_from = now()
WHERE company_id = :company_id AND id = :id;

-- name: ask_again!
-- Whoever ended it by the link in a mail is asked before anything is sent again.
UPDATE mail_subscriptions SET confirmed_at = NULL WHERE company_id = :company_id AND id = :id AND user_id IS NULL;

-- name: confirm!
UPDATE mail_subscriptions SET confirmed_at = coalesce(confirmed_at, now()), counts_from = now()
WHERE company_id = :company_id AND id = :id AND confirmed_at IS NULL;

-- name: remove_subscription$
UPDATE mail_subscriptions SET removed_at = now()
WHERE company_id = :company_id AND id = :id AND removed_at IS NULL RETURNING id;

-- name: restore_subscription$
-- Unless the same has been added again meanwhile.
UPDATE mail_subscriptions s SET removed_at = NULL, counts_from = now()
WHERE s.company_id = :company_id AND s.id = :id AND NOT EXISTS (
    SELECT FROM mail_subscriptions o WHERE o.company_id = s.company_id AND o.kind = s.kind AND o.removed_at IS NULL
      AND (o.user_id = s.user_id OR o.address = s.address))
RETURNING s.id;

-- ------------------------------------------------------------------------------------------------------------ the mails

-- name: told_until!
UPDATE mail_subscriptions SET sent_until = :until WHERE company_id = :company_id AND id = :id;

-- name: was_alerted!
UPDATE mail_subscriptions SET alerted_at = :at WHERE company_id = :company_id AND id = :id;

-- name: add_mail$
-- None where it was written already.
INSERT INTO report_mails (company_id, subscription_id, what, since, until)
VALUES (:company_id, :subscription_id, :what, :since, :until)
ON CONFLICT (company_id, subscription_id, what) DO NOTHING
RETURNING id;

-- name: mail_by_id^
SELECT id, company_id, subscription_id, what, since, until, state, queued_at, tries FROM report_mails
WHERE company_id = :company_id AND id = :id;

-- name: claim$
-- Take a mail into one's hands for a while; none where another has it, or it is settled.
UPDATE report_mails SET claimed_until = clock_timestamp() + :seconds * interval '1 second', tries = tries + 1
WHERE company_id = :company_id AND id = :id AND state = 'waiting'
  AND (claimed_until IS NULL OR claimed_until < clock_timestamp())
RETURNING id;

-- name: let_go!
UPDATE report_mails SET claimed_until = NULL, answer = :answer
WHERE company_id = :company_id AND id = :id AND state = 'waiting';

-- name: settle_mail!
UPDATE report_mails SET state = :state, answer = :answer, settled_at = clock_timestamp(), claimed_until = NULL
WHERE company_id = :company_id AND id = :id AND state = 'waiting';

-- name: was_taken!
UPDATE mail_subscriptions SET refusals = 0 WHERE company_id = :company_id AND id = :id AND refusals > 0;

-- name: was_refused$
-- How often in a row by now.
UPDATE mail_subscriptions SET refusals = refusals + 1 WHERE company_id = :company_id AND id = :id RETURNING refusals;

-- name: last_mails
-- The newest of each subscription.
SELECT m.id, m.subscription_id, m.what, m.since, m.until, m.state, m.queued_at, m.settled_at, m.tries, m.answer,
       (SELECT count(*) FROM alert_calls a WHERE a.company_id = m.company_id AND a.mail_id = m.id) AS calls
FROM unnest(:ids::bigint[]) AS wanted (id)
CROSS JOIN LATERAL (
    SELECT * FROM report_mails
    WHERE company_id = :company_id AND subscription_id = wanted.id ORDER BY queued_at DESC, id DESC LIMIT :most
) m
ORDER BY m.queued_at DESC, m.id DESC;

-- name: forget_old_mails!
DELETE FROM report_mails WHERE company_id = :company_id AND subscription_id = :id AND settled_at < now() - interval '180 days';

-- ----------------------------------------------------------------------------------------------------------- the alerts

-- name: note_missed!
-- Whoever wants to know of missed calls is to be told of this one.
INSERT INTO alert_calls (company_id, subscription_id, call_id)
SELECT company_id, id, :call_id FROM mail_subscriptions
WHERE company_id = :company_id AND kind IN ('missed', 'missed_hourly') AND paused_at IS NULL AND removed_at IS NULL
  AND confirmed_at IS NOT NULL
ON CONFLICT DO NOTHING;

-- name: note_message!
-- Whoever wants to know of messages is to be told of this one.
INSERT INTO alert_calls (company_id, subscription_id, call_id)
SELECT s.company_id, s.id, c.id
FROM mail_subscriptions s JOIN calls c ON c.company_id = s.company_id
WHERE s.company_id = :company_id AND s.kind = 'messages' AND s.paused_at IS NULL AND s.removed_at IS NULL
  AND s.confirmed_at IS NOT NULL AND c.id = :call_id AND c.outcome = 'voicemail'
ON CONFLICT DO NOTHING;

-- name: newest_messages
-- The last messages there were, to show what such a mail looks like.
SELECT id AS call_id FROM calls
WHERE company_id = :company_id AND outcome = 'voicemail' AND status <> 'spam'
ORDER BY started_at DESC, id DESC
LIMIT :most;

-- name: user_at$
-- The user of a company whose address that is; none where it is nobody's.
SELECT u.id FROM users u JOIN memberships m ON m.user_id = u.id
WHERE m.company_id = :company_id AND lower(u.email) = lower(:address);

-- name: waiting_calls
-- Calls that are to be told of; without an end where the transaction does not see them. A caller counts as answered who
-- was, on whichever line, after the call was missed, who was called back from here, or of whom somebody says so.
SELECT a.call_id, coalesce(c.ended_at, c.started_at) AS ended_at,
       coalesce(c.status = 'spam' OR c.outcome = 'blocked' OR EXISTS (
           SELECT FROM caller_rules r
           WHERE r.company_id = c.company_id AND r.caller = c.caller AND r.verdict = 'block'), true) AS is_spam,
       EXISTS (SELECT FROM call_backs b WHERE b.company_id = c.company_id AND b.call_id = c.id) OR EXISTS (
           SELECT FROM calls o WHERE o.company_id = c.company_id AND o.caller = c.caller
             AND o.started_at > c.started_at - interval '1 day' AND o.answered_at >= c.started_at) OR EXISTS (
           SELECT FROM placed_calls p WHERE p.company_id = c.company_id AND p.callee = c.caller
             AND p.answered_at >= c.started_at) AS answered_since
FROM alert_calls a
LEFT JOIN calls c ON c.company_id = a.company_id AND c.id = a.call_id
WHERE a.company_id = :company_id AND a.subscription_id = :id AND a.settled_at IS NULL;

-- name: settle_calls!
UPDATE alert_calls SET settled_at = now(), mail_id = :mail_id
WHERE company_id = :company_id AND subscription_id = :id AND call_id = ANY (:calls::bigint[]);

-- name: calls_of_mail
SELECT call_id FROM alert_calls WHERE company_id = :company_id AND mail_id = :mail_id;

-- name: newest_missed
-- The last missed calls there were, to show what an alert looks like.
SELECT id AS call_id FROM calls
WHERE company_id = :company_id AND outcome IN ('busy', 'no_answer', 'abandoned', 'failed', 'voicemail') AND status <> 'spam'
ORDER BY started_at DESC, id DESC
LIMIT :most;

-- name: told_calls
-- Missed calls, the oldest first, with what is known of their callers: how often they called that day by the clocks of
-- the zone, up to this call; how often before it; and when somebody last talked with them before.
SELECT c.id, c.caller, coalesce(nullif(p.name, ''), c.caller_name) AS caller_name, c.did, c.started_at, c.outcome,
       c.ring_seconds, s.name AS source, s.colour, c.campaign, c.keyword,
       (SELECT r.seconds FROM recordings r WHERE r.company_id = c.company_id AND r.call_id = c.id) AS message_seconds,
       count(o.id) FILTER (WHERE o.started_at >= date_trunc('day', c.started_at, :zone)) + 1 AS times,
       count(o.id) AS earlier, max(o.started_at) FILTER (WHERE o.answered_at IS NOT NULL) AS talked_at
FROM calls c
LEFT JOIN sources s ON s.company_id = c.company_id AND s.id = c.source_id
LEFT JOIN person_of l ON l.company_id = c.company_id AND l.call_id = c.id
LEFT JOIN people p ON p.company_id = l.company_id AND p.id = l.person_id
LEFT JOIN calls o ON o.company_id = c.company_id AND o.caller = c.caller AND (o.started_at, o.id) < (c.started_at, c.id)
WHERE c.company_id = :company_id AND c.id = ANY (:ids::bigint[])
GROUP BY c.company_id, c.id, p.name, s.name, s.colour
ORDER BY c.started_at, c.id;

-- name: company_by_id^
SELECT id, name, time_zone, region, currency FROM companies WHERE id = :id;

-- name: calls_seen^
-- When a company's first call came, and its last.
SELECT (SELECT started_at FROM calls WHERE company_id = :company_id ORDER BY started_at, id LIMIT 1) AS first,
       (SELECT started_at FROM calls WHERE company_id = :company_id ORDER BY started_at DESC, id DESC LIMIT 1) AS last;

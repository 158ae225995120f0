-- Several companies at one glance.

-- name: companies_today
-- Of each company: what came since its own midnight and is over, what of it was missed, and what rings or talks now. As
-- reports count: neither blocked nor spam.
SELECT t.company_id,
       (SELECT count(*) FROM calls c
        WHERE c.company_id = t.company_id AND c.started_at >= t.midnight
          AND c.outcome <> 'blocked' AND c.status <> 'spam') AS calls,
       (SELECT count(*) FROM calls c
        WHERE c.company_id = t.company_id AND c.started_at >= t.midnight
          AND c.outcome <> 'blocked' AND c.status <> 'spam'
          AND NOT (c.outcome = 'answered' OR c.outcome = 'cut_off' AND c.answered_at IS NOT NULL)) AS missed,
       (SELECT count(*) FROM calls c WHERE c.company_id = t.company_id AND c.state = 'ringing') AS ringing,
       (SELECT count(*) FROM calls c WHERE c.company_id = t.company_id AND c.state = 'answered') AS talking
FROM unnest(:ids::bigint[], :midnights::timestamptz[]) AS t (company_id, midnight);

-- name: companies_period
-- Of each company: a period on its own calendar in a few numbers, and how many calls there were in the one it is compared
-- with; as reports count. What is open has no bound. An index holds what most calls are counted by; spam and calls that
-- were cut off are few, and are looked at by themselves.
SELECT t.company_id,
       common.calls - rare.spam AS calls,
       common.answered + rare.answered AS answered,
       common.calls - rare.spam - common.answered - rare.answered AS missed,
       (common.talk_seconds + rare.talk_seconds)::float8 AS talk_seconds,
       common.calls_before - rare.spam_before AS calls_before
FROM unnest(:ids::bigint[], :since::timestamptz[], :until::timestamptz[], :compared_since::timestamptz[],
            :compared_until::timestamptz[]) AS t (company_id, since, until, compared_since, compared_until)
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE is_in) AS calls,
           count(*) FILTER (WHERE is_in AND outcome = 'answered') AS answered,
           coalesce(sum(talk_seconds) FILTER (WHERE is_in AND outcome = 'answered'), 0) AS talk_seconds,
           count(*) FILTER (WHERE started_at >= t.compared_since AND started_at < t.compared_until) AS calls_before
    FROM (
        SELECT c.outcome, c.talk_seconds, c.started_at,
               c.started_at >= coalesce(t.since, '-infinity') AS is_in
        FROM calls c
        WHERE c.company_id = t.company_id AND c.outcome <> 'blocked'
          AND c.started_at >= coalesce(least(t.since, t.compared_since), '-infinity')
          AND c.started_at < coalesce(t.until, 'infinity')
    ) spanned
) common
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE is_in AND is_spam) AS spam,
           count(*) FILTER (WHERE is_in AND NOT is_spam AND outcome = 'cut_off' AND answered_at IS NOT NULL)
             - count(*) FILTER (WHERE is_in AND is_spam AND outcome = 'answered') AS answered,
           coalesce(sum(talk_seconds) FILTER (
               WHERE is_in AND NOT is_spam AND outcome = 'cut_off' AND answered_at IS NOT NULL), 0)
             - coalesce(sum(talk_seconds) FILTER (WHERE is_in AND is_spam AND outcome = 'answered'), 0) AS talk_seconds,
           count(*) FILTER (
               WHERE is_spam AND started_at >= t.compared_since AND started_at < t.compared_until) AS spam_before
    FROM (
        SELECT c.outcome, c.talk_seconds, c.started_at, c.answered_at, c.status = 'spam' AS is_spam,
               c.started_at >= coalesce(t.since, '-infinity') AS is_in
        FROM calls c
        WHERE c.company_id = t.company_id AND c.outcome <> 'blocked' AND (c.status = 'spam' OR c.outcome = 'cut_off')
          AND c.started_at >= coalesce(least(t.since, t.compared_since), '-infinity')
          AND c.started_at < coalesce(t.until, 'infinity')
    ) looked_at
) rare;

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

-- name: currencies
SELECT id, currency FROM companies WHERE id = ANY (:ids::bigint[]);

-- name: companies_money
-- Of each company: the jobs of a period of its own days (until: not included) and what it cost, as reports count; spent is
-- null where nothing was entered. A period without a first day begins with the first call.
SELECT t.company_id, company.currency, booked.jobs, entered.amount AS spent, numbers.amount AS numbers
FROM unnest(:ids::bigint[], :since::date[], :until::date[], :digits::integer[]) AS t (company_id, since, until, digits)
JOIN companies company ON company.id = t.company_id
CROSS JOIN LATERAL (
    SELECT coalesce(t.since, (
        SELECT (min(c.started_at) AT TIME ZONE company.time_zone)::date FROM calls c WHERE c.company_id = t.company_id
    ), t.until - 1) AS since
) span
CROSS JOIN LATERAL (
    -- A call's touches share it: their parts add up to one.
    SELECT coalesce(sum(fact.jobs * coalesce(fact.shares[1], 1)), 0)::float8 AS jobs FROM report_facts fact
    WHERE fact.company_id = t.company_id AND fact.jobs > 0
      AND fact.call_day >= span.since AND fact.call_day < t.until
) booked
CROSS JOIN LATERAL (
    SELECT sum(numberpool_part_of(s.amount, s.first_day, s.last_day, span.since, t.until, t.digits)) AS amount
    FROM spend s
    WHERE s.company_id = t.company_id AND s.removed_at IS NULL AND s.currency = company.currency
      AND s.last_day >= span.since AND s.first_day < t.until
) entered
CROSS JOIN LATERAL (
    SELECT sum(numberpool_part_of(
        coalesce(n.monthly_price, p.monthly_price), month.first_day, month.last_day,
        greatest(span.since, month.first_day, (n.created_at AT TIME ZONE company.time_zone)::date),
        least(t.until, month.last_day + 1), t.digits)) AS amount
    FROM tracking_numbers n
    JOIN pools p ON p.company_id = n.company_id AND p.id = n.pool_id
    CROSS JOIN LATERAL (
        SELECT first::date AS first_day, (first + interval '1 month')::date - 1 AS last_day
        FROM generate_series(date_trunc('month', span.since::timestamp), t.until - interval '1 day', '1 month') AS first
    ) month
    WHERE n.company_id = t.company_id AND coalesce(n.monthly_price, p.monthly_price) > 0
      AND (n.created_at AT TIME ZONE company.time_zone)::date <= month.last_day
      AND (n.created_at AT TIME ZONE company.time_zone)::date < t.until
) numbers;

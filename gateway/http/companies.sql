-- Several companies at one glance.

-- name: companies_today
-- Of each company: what came since its own midnight, what of it was missed, and what rings or talks now.
SELECT t.company_id,
       (SELECT count(*) FROM calls c WHERE c.company_id = t.company_id AND c.started_at >= t.midnight) AS calls,
       (SELECT count(*) FROM calls c
        WHERE c.company_id = t.company_id AND c.started_at >= t.midnight
          AND c.outcome IN ('busy', 'no_answer', 'abandoned', 'failed', 'voicemail')) AS missed,
       (SELECT count(*) FROM calls c WHERE c.company_id = t.company_id AND c.state = 'ringing') AS ringing,
       (SELECT count(*) FROM calls c WHERE c.company_id = t.company_id AND c.state = 'answered') AS talking
FROM unnest(:ids::bigint[], :midnights::timestamptz[]) AS t (company_id, midnight);

-- name: companies_period
-- Of each company: a period on its own calendar in a few numbers, and how many calls there were in the one it is compared
-- with. What is open has no bound.
SELECT t.company_id, found.*
FROM unnest(:ids::bigint[], :since::timestamptz[], :until::timestamptz[], :compared_since::timestamptz[],
            :compared_until::timestamptz[]) AS t (company_id, since, until, compared_since, compared_until)
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE is_in) AS calls,
           count(*) FILTER (WHERE is_in AND outcome = 'answered') AS answered,
           count(*) FILTER (WHERE is_in AND outcome IN ('busy', 'no_answer', 'abandoned', 'failed', 'voicemail')) AS missed,
           coalesce(sum(talk_seconds) FILTER (WHERE is_in AND outcome = 'answered'), 0)::float8 AS talk_seconds,
           count(*) FILTER (WHERE started_at >= t.compared_since AND started_at < t.compared_until) AS calls_before
    FROM (
        SELECT c.outcome, c.talk_seconds, c.started_at,
               c.started_at >= coalesce(t.since, '-infinity') AS is_in
        FROM calls c
        WHERE c.company_id = t.company_id
          AND c.started_at >= coalesce(least(t.since, t.compared_since), '-infinity')
          AND c.started_at < coalesce(t.until, 'infinity')
    ) spanned
) found;

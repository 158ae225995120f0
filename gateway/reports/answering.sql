-- Who answers. Runs in a transaction that sees one company.

-- name: people_who_answer
-- Each person whose telephone rang in a period ("" and no hour: all together), and when of the day he answered ("hour").
-- A person is a user to whom a telephone belongs alone, else the telephone itself.
WITH counted AS MATERIALIZED (
    SELECT c.id, c.outcome, c.status, c.answered_by, c.ring_seconds, c.talk_seconds, c.started_at,
           c.outcome = 'answered' OR c.outcome = 'cut_off' AND c.answered_at IS NOT NULL AS was_answered,
           numberpool_qualified(own.qualified_seconds, own.qualified_first_only, own.qualified_always, own.qualified_never,
                                own.qualified_voicemail, c.status, c.outcome, c.talk_seconds, c.is_first) AS is_qualified
    FROM calls c JOIN companies own ON own.id = c.company_id
    WHERE c.company_id = :company_id AND c.state = 'ended' AND c.outcome <> 'blocked' AND c.status <> 'spam'
      AND (:since::timestamptz IS NULL OR c.started_at >= :since)
      AND (:until::timestamptz IS NULL OR c.started_at < :until)
),
-- What each leg rang: several telephones at once, one, or a place of the dialplan that names none.
rung AS (
    SELECT l.call_id, l.position, l.result, l.answered_by, l.ring_seconds, l.talk_seconds, part.telephone,
           -- A number outside answers under the name of its trunk; where it rang alone, nobody else can have.
           l.result = 'answered' AND (l.answered_by IN (part.telephone, part.shows_as) OR part.is_alone) AS answered
    FROM legs l
    JOIN counted c ON c.id = l.call_id
    CROSS JOIN LATERAL (
        SELECT telephone, regexp_replace(telephone, '/.*@', '/') AS shows_as, position('&' IN l.dial) = 0 AS is_alone
        FROM unnest(string_to_array(l.dial, '&')) AS telephone
    ) part
    WHERE l.company_id = :company_id AND l.kind = 'destination' AND l.dial !~ '^(Dialplan|Sound|Menu|Voicemail|Hangup)/'
),
attempts AS (
    SELECT call_id, position, telephone, true AS by_name, answered, result IN ('no_answer', 'abandoned') AS rang_out,
           result IN ('busy', 'failed') AS unreachable, ring_seconds, talk_seconds
    FROM rung
    UNION ALL
    -- Reached by a queue, a menu or a transfer: only who answered is known.
    SELECT l.call_id, l.position, l.answered_by, false, true, false, false, l.ring_seconds, l.talk_seconds
    FROM legs l
    JOIN counted c ON c.id = l.call_id
    WHERE l.company_id = :company_id AND l.answered_by IS NOT NULL
      AND NOT EXISTS (SELECT FROM rung r WHERE r.call_id = l.call_id AND r.position = l.position AND r.answered)
    UNION ALL
    -- Of calls that nobody watched nothing else may be there.
    SELECT c.id, 0, c.answered_by, false, true, false, false, c.ring_seconds, c.talk_seconds
    FROM counted c
    WHERE c.answered_by IS NOT NULL AND NOT EXISTS (
        SELECT FROM legs l WHERE l.company_id = :company_id AND l.call_id = c.id AND l.result = 'answered')
),
owners AS (
    SELECT endpoint, min(user_id) AS user_id FROM member_endpoints
    WHERE company_id = :company_id GROUP BY endpoint HAVING count(*) = 1
),
-- A job counts once, on the earliest of its leads.
won AS (
    SELECT DISTINCT ON (part.job_id) part.call_id, job.value
    FROM job_leads part
    JOIN jobs job ON job.company_id = part.company_id AND job.id = part.job_id
    LEFT JOIN calls call ON call.company_id = part.company_id AND call.id = part.call_id
    LEFT JOIN leads lead ON lead.company_id = part.company_id AND lead.id = part.lead_id
    WHERE part.company_id = :company_id
      AND part.job_id IN (SELECT job_id FROM job_leads WHERE company_id = :company_id
                          AND call_id IN (SELECT id FROM counted))
    ORDER BY part.job_id, coalesce(call.started_at, lead.received_at), part.id
),
told AS (
    SELECT coalesce('user:' || o.user_id, a.telephone) AS person, o.user_id, a.telephone, a.call_id, a.by_name, a.answered,
           a.rang_out, a.unreachable, a.ring_seconds,
           coalesce(a.talk_seconds, CASE WHEN count(*) FILTER (WHERE a.answered) OVER of_call = 1 THEN c.talk_seconds END)
               AS talk_seconds,
           a.answered AND row_number() OVER (PARTITION BY a.call_id, a.answered ORDER BY a.position, a.telephone) = 1
               AS is_first,
           c.is_qualified, c.started_at, w.value AS job_value, w.call_id IS NOT NULL AS is_job,
           extract(hour FROM c.started_at AT TIME ZONE :zone::text)::int AS hour
    FROM attempts a
    JOIN counted c ON c.id = a.call_id
    LEFT JOIN owners o ON o.endpoint = a.telephone
    LEFT JOIN won w ON w.call_id = a.call_id
    WINDOW of_call AS (PARTITION BY a.call_id)
),
summed AS (
    SELECT person, user_id, hour, grouping(person) = 1 AS is_all,
           array_agg(DISTINCT telephone ORDER BY telephone) AS telephones,
           count(*) FILTER (WHERE is_first) AS calls,
           count(*) FILTER (WHERE answered AND NOT is_first) AS taken_over,
           count(*) FILTER (WHERE by_name AND answered) AS answered_here,
           count(*) FILTER (WHERE by_name AND rang_out) AS rang_out,
           count(*) FILTER (WHERE by_name AND unreachable) AS unreachable,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY ring_seconds) FILTER (WHERE answered) AS ring_seconds,
           coalesce(sum(talk_seconds) FILTER (WHERE answered), 0)::float8 AS talk_seconds,
           count(*) FILTER (WHERE is_first AND is_qualified) AS qualified,
           count(*) FILTER (WHERE is_first AND is_job) AS jobs,
           coalesce(sum(job_value) FILTER (WHERE is_first), 0) AS job_value
    FROM told
    GROUP BY GROUPING SETS ((person, user_id), (person, user_id, hour), ())
)
SELECT coalesce(s.person, '') AS person, s.user_id, s.hour, s.is_all, s.telephones, s.calls, s.taken_over, s.answered_here,
       s.rang_out, s.unreachable, s.ring_seconds, s.talk_seconds, s.qualified, s.jobs, s.job_value,
       coalesce(nullif(u.name, ''), u.email, d.name, '') AS name,
       (SELECT count(*) FROM counted) AS all_calls,
       (SELECT count(*) FROM counted WHERE was_answered) AS all_answered
FROM summed s
LEFT JOIN users u ON u.id = s.user_id
LEFT JOIN LATERAL (
    SELECT name FROM destinations WHERE company_id = :company_id AND dial = s.person ORDER BY id LIMIT 1
) d ON true
ORDER BY s.calls DESC, name, person;

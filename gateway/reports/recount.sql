-- Counting calls and leads again that have changed. One transaction of a company at a time: it holds the lock.

-- name: lock_reports!
SELECT pg_advisory_xact_lock(hashtextextended('reports/' || :company_id::bigint, 0));

-- name: try_lock_reports$
SELECT pg_try_advisory_xact_lock(hashtextextended('reports/' || :company_id::bigint, 0));

-- name: is_limited$
-- Whether this transaction sees only some calls of the company.
SELECT :company_id::bigint = ANY (numberpool_agent_in());

-- name: standing^
-- What is asked before every answer: whether only some calls are seen, how many changes wait (at most so many), whether
-- a rule has changed that holds for every call, and the first day that anything counts on.
SELECT :company_id::bigint = ANY (numberpool_agent_in()) AS is_limited,
       (SELECT count(*) FROM (SELECT FROM report_due WHERE company_id = :company_id LIMIT :most) few) AS due,
       least((SELECT min(call_day) FROM report_facts WHERE company_id = :company_id),
             (SELECT min(click_day) FROM report_facts WHERE company_id = :company_id)) AS first_day;

-- name: oldest_due$
-- The company whose change waits longest.
SELECT company_id FROM report_due WHERE NOT company_id = ANY (:not_these::bigint[]) ORDER BY id LIMIT 1;

-- name: all_due!
-- A rule that holds for every call has changed: each is due.
WITH rule AS (DELETE FROM report_due WHERE company_id = :company_id AND call_id IS NULL AND lead_id IS NULL RETURNING id)
INSERT INTO report_due (company_id, call_id, lead_id)
SELECT :company_id, every.call_id, every.lead_id FROM (
    SELECT id AS call_id, NULL::uuid AS lead_id, started_at AS at FROM calls
    WHERE company_id = :company_id AND state = 'ended'
    UNION ALL SELECT NULL, id, received_at FROM leads WHERE company_id = :company_id
) every
WHERE EXISTS (SELECT FROM rule)
-- The newest days are what people look at.
ORDER BY every.at DESC;

-- name: has_rule_due$
SELECT EXISTS (SELECT FROM report_due WHERE company_id = :company_id AND call_id IS NULL AND lead_id IS NULL);

-- name: how_many_due$
-- At most so many.
SELECT count(*) FROM (SELECT FROM report_due WHERE company_id = :company_id LIMIT :most) few;

-- name: make_all_due!
INSERT INTO report_due (company_id) VALUES (:company_id);

-- name: take_due
-- What waits longest, at most so many rows, and as many of the newest: who changes something while a long history is
-- counted does not wait for it.
WITH few AS (
    (SELECT id FROM report_due WHERE company_id = :company_id ORDER BY id LIMIT :most)
    UNION (SELECT id FROM report_due WHERE company_id = :company_id ORDER BY id DESC LIMIT :newest)
)
DELETE FROM report_due due USING few WHERE due.company_id = :company_id AND due.id = few.id
RETURNING due.call_id, due.lead_id;

-- name: with_related
-- Calls and leads, and those whose figures hang on theirs: the next call of the same caller, and the leads of the same job.
WITH given AS (
    SELECT id AS call_id, NULL::uuid AS lead_id FROM unnest(:calls::bigint[]) AS id
    UNION ALL SELECT NULL, id FROM unnest(:leads::uuid[]) AS id
)
SELECT call_id, lead_id FROM given
UNION
SELECT next.id, NULL FROM calls mine
CROSS JOIN LATERAL (
    SELECT theirs.id FROM calls theirs
    WHERE theirs.company_id = mine.company_id AND theirs.caller = mine.caller
      AND (theirs.started_at, theirs.id) > (mine.started_at, mine.id)
      AND theirs.state = 'ended' AND theirs.outcome <> 'blocked' AND theirs.status <> 'spam'
    ORDER BY theirs.started_at, theirs.id LIMIT 1
) next
WHERE mine.company_id = :company_id AND mine.id = ANY (:calls)
UNION
SELECT part.call_id, part.lead_id FROM job_leads mine
JOIN job_leads part ON part.company_id = mine.company_id AND part.job_id = mine.job_id
WHERE mine.company_id = :company_id AND (mine.call_id = ANY (:calls) OR mine.lead_id = ANY (:leads));

-- name: missing_labels
-- What brought leads and leads to no source yet.
SELECT DISTINCT ON (visit.label) visit.label, visit.channel, visit.source, visit.medium
FROM leads lead
JOIN visits visit ON visit.company_id = lead.company_id AND visit.visitor_id = lead.visitor_id AND visit.is_touch
                 AND visit.started_at <= lead.received_at OR visit.company_id = lead.company_id AND visit.id = lead.visit_id
WHERE lead.company_id = :company_id AND lead.id = ANY (:leads::uuid[]) AND visit.label <> ''
  AND NOT EXISTS (SELECT FROM source_labels known WHERE known.company_id = :company_id AND known.label = visit.label);

-- name: recount
-- Count calls and leads again; the days whose figures that has changed. Shares are those of gateway.attribution.credit
-- (a test compares the two). What is known of a visit that is gone stays as it was.
WITH company AS MATERIALIZED (
    SELECT own.id, own.time_zone, own.currency, own.credit_days, own.qualified_seconds, own.qualified_first_only,
           own.qualified_always, own.qualified_never, own.qualified_voicemail, own.qualified_leads,
           extract(epoch FROM own.credit_half_life)::double precision AS half_life,
           (SELECT min(site.id) FROM sites site WHERE site.company_id = own.id) AS first_site
    FROM companies own WHERE own.id = :company_id
), asked AS MATERIALIZED (
    SELECT call.id::text AS subject, call.id AS call_id, NULL::uuid AS lead_id, call.started_at AS at,
           CASE WHEN call.status = 'spam' THEN 'spam' WHEN call.outcome = 'blocked' THEN 'blocked' ELSE 'call' END AS kind,
           coalesce(call.source_id::text, '') AS source, call.channel, call.campaign, call.keyword,
           coalesce(call.pool_id::text, '') AS pool, call.did AS number, call.region,
           coalesce(call.answered_by, '') AS person,
           call.outcome = 'answered' OR call.outcome = 'cut_off' AND call.answered_at IS NOT NULL AS answered,
           call.is_first AS first_time,
           numberpool_qualified(company.qualified_seconds, company.qualified_first_only, company.qualified_always,
                                company.qualified_never, company.qualified_voicemail,
                                call.status, call.outcome, call.talk_seconds, call.is_first) AS qualified,
           coalesce(call.talk_seconds, 0)::double precision AS talk_seconds,
           coalesce(call.ring_seconds, 0)::double precision AS ring_seconds,
           (SELECT (earlier.started_at AT TIME ZONE company.time_zone)::date FROM calls earlier
            WHERE earlier.company_id = call.company_id AND earlier.caller = call.caller
              AND (earlier.started_at, earlier.id) < (call.started_at, call.id)
              AND earlier.state = 'ended' AND earlier.outcome <> 'blocked' AND earlier.status <> 'spam'
            ORDER BY earlier.started_at DESC, earlier.id DESC LIMIT 1) AS before_day,
           NULL::uuid AS visit_id, NULL::uuid AS visitor_id
    FROM calls call CROSS JOIN company
    WHERE call.company_id = :company_id AND call.id = ANY (:calls::bigint[]) AND call.state = 'ended'
    UNION ALL
    SELECT lead.id::text, NULL, lead.id, lead.received_at, 'lead', coalesce(lead.source_id::text, ''), lead.channel,
           lead.campaign, lead.keyword, coalesce(lead.pool_id::text, ''), lead.number, lead.region, '', false, false,
           numberpool_lead_qualified(company.qualified_leads, company.qualified_first_only, company.qualified_always,
                                     company.qualified_never, lead.status, lead.is_first),
           0, 0, NULL, lead.visit_id, lead.visitor_id
    FROM leads lead CROSS JOIN company
    WHERE lead.company_id = :company_id AND lead.id = ANY (:leads::uuid[]) AND lead.suspect = '' AND lead.status <> 'spam'
), parts AS (
    -- Of jobs: each lead that counts, with its place among the job's.
    SELECT coalesce(part.call_id::text, part.lead_id::text) AS subject, job.value, job.currency,
           row_number() OVER (PARTITION BY part.job_id
                              ORDER BY coalesce(call.started_at, lead.received_at), part.id) AS place
    FROM job_leads part
    JOIN jobs job ON job.company_id = part.company_id AND job.id = part.job_id
    -- Looked up one by one, whatever the planner believes of how many jobs there are.
    LEFT JOIN LATERAL (
        SELECT one.started_at, one.state, one.outcome, one.status FROM calls one
        WHERE one.company_id = part.company_id AND one.id = part.call_id LIMIT 1
    ) call ON true
    LEFT JOIN LATERAL (
        SELECT one.received_at, one.suspect, one.status FROM leads one
        WHERE one.company_id = part.company_id AND one.id = part.lead_id LIMIT 1
    ) lead ON true
    WHERE part.company_id = :company_id
      AND part.job_id IN (SELECT job_id FROM job_leads mine WHERE mine.company_id = :company_id
                          AND (mine.call_id = ANY (:calls) OR mine.lead_id = ANY (:leads)))
      AND CASE WHEN part.call_id IS NULL THEN lead.suspect = '' AND lead.status <> 'spam'
               ELSE call.state = 'ended' AND call.outcome <> 'blocked' AND call.status <> 'spam' END
), stored AS MATERIALIZED (
    SELECT *, call_id::text AS subject FROM report_facts WHERE company_id = :company_id AND call_id = ANY (:calls)
    UNION ALL
    SELECT *, lead_id::text FROM report_facts WHERE company_id = :company_id AND lead_id = ANY (:leads)
), arrivals AS MATERIALIZED (
    -- The touches of leads: their visitor's, else the visit in which they were sent. Each is looked up by itself, whatever
    -- the planner believes of how many there are.
    SELECT asked.lead_id, visit.* FROM asked CROSS JOIN company
    CROSS JOIN LATERAL (
        WITH theirs AS MATERIALIZED (
            SELECT one.* FROM visits one
            WHERE one.company_id = :company_id AND one.visitor_id = asked.visitor_id AND one.is_touch
              AND one.started_at <= asked.at AND one.started_at > asked.at - company.credit_days * interval '1 day'
        )
        SELECT * FROM theirs
        UNION ALL
        (SELECT one.* FROM visits one
         WHERE one.company_id = :company_id AND one.id = asked.visit_id AND one.started_at <= asked.at
           AND NOT EXISTS (SELECT FROM theirs) LIMIT 1)
        OFFSET 0
    ) visit
    WHERE asked.lead_id IS NOT NULL
), touches AS MATERIALIZED (
    SELECT asked.subject, touch.at, touch.position::bigint AS position, touch.visit_id,
           coalesce(touch.source_id::text, '') AS source, touch.channel, touch.campaign, touch.keyword, '' AS label,
           touch.source = '(direct)' AS is_direct,
           lower(touch.channel) = ANY (:paid_channels::text[]) OR lower(touch.medium) = ANY (:paid_media::text[])
               OR lower(touch.medium) LIKE 'paid%' AS is_paid
    FROM asked JOIN call_touches touch ON touch.company_id = :company_id AND touch.call_id = asked.call_id
    WHERE touch.at <= asked.at
    UNION ALL
    SELECT asked.subject, visit.started_at,
           row_number() OVER (PARTITION BY asked.lead_id ORDER BY visit.started_at, visit.id), visit.id,
           coalesce(known.source_id::text, ''), visit.channel, visit.campaign, visit.keyword, visit.label,
           visit.source = '(direct)',
           lower(visit.channel) = ANY (:paid_channels) OR lower(visit.medium) = ANY (:paid_media)
               OR lower(visit.medium) LIKE 'paid%'
    FROM asked JOIN arrivals visit ON visit.lead_id = asked.lead_id
    LEFT JOIN source_labels known ON known.company_id = :company_id AND known.label = visit.label
), placed AS (
    SELECT touches.*, row_number() OVER called AS turn, count(*) OVER whole AS many, last_value(at) OVER whole AS last_at
    FROM touches
    WINDOW called AS (PARTITION BY subject ORDER BY at, position),
           whole AS (PARTITION BY subject ORDER BY at, position
                     ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
), weighed AS (
    SELECT placed.*,
           coalesce(max(turn) FILTER (WHERE NOT is_direct) OVER whole, many) AS last_non_direct,
           coalesce(max(turn) FILTER (WHERE is_paid) OVER whole, many) AS last_paid,
           power(2.0, -least(extract(epoch FROM last_at - at)::double precision / company.half_life,
                             :most_halvings::double precision)) AS weight
    FROM placed CROSS JOIN company
    WINDOW whole AS (PARTITION BY subject)
), shared AS (
    SELECT weighed.*,
           CASE WHEN many > 1 THEN ARRAY[
               (turn = 1)::integer::double precision,
               (turn = many)::integer::double precision,
               (turn = last_non_direct)::integer::double precision,
               (turn = last_paid)::integer::double precision,
               1.0 / many,
               CASE WHEN many = 2 THEN 0.5 WHEN turn IN (1, many) THEN :ends::double precision
                    ELSE (1 - 2 * :ends) / (many - 2) END,
               weight / sum(weight) OVER (PARTITION BY subject)
           ] END AS shares
    FROM weighed
), was AS (
    SELECT DISTINCT ON (shared.subject, shared.turn) shared.subject, shared.turn, s.landing, s.city, s.device
    FROM shared JOIN stored s ON s.subject = shared.subject AND s.touch_at = shared.at
    ORDER BY shared.subject, shared.turn, s.place = shared.turn DESC
), seen AS MATERIALIZED (
    -- With what is known of each visit, or was as long as it was there.
    SELECT shared.subject, shared.at AS touch_at, shared.turn::smallint AS place, shared.shares, shared.source,
           shared.channel, shared.campaign, shared.keyword, shared.label,
           coalesce(CASE WHEN visit.site_id = company.first_site THEN '' ELSE
                        coalesce(lower(split_part(split_part(regexp_replace(visit.url, '^[a-zA-Z]+://([^/?#@]*@)?', ''),
                                                             '/', 1), ':', 1)), '') END
                    || visit.page, was.landing, '') AS landing,
           coalesce(visit.city, was.city, '') AS city, coalesce(visit.device, was.device, '') AS device
    FROM shared CROSS JOIN company
    LEFT JOIN LATERAL (
        SELECT v.site_id, v.url, v.page, v.city, v.device FROM visits v
        WHERE v.company_id = :company_id AND v.id = shared.visit_id
          AND v.started_at >= shared.at - interval '1 day' AND v.started_at <= shared.at + interval '1 day' LIMIT 1
    ) visit ON true
    LEFT JOIN was ON was.subject = shared.subject AND was.turn = shared.turn
), seen_of AS MATERIALIZED (
    SELECT subject, count(*) AS touches FROM seen GROUP BY subject
), kept AS MATERIALIZED (
    -- A lead some of whose visits are gone keeps the touches that it had.
    SELECT known.* FROM (
        SELECT stored.*, count(*) OVER (PARTITION BY subject) AS touches FROM stored
        WHERE lead_id IS NOT NULL AND touch_at IS NOT NULL
    ) known
    LEFT JOIN seen_of ON seen_of.subject = known.subject
    WHERE known.touches > coalesce(seen_of.touches, 0)
), credited AS (
    SELECT * FROM seen WHERE NOT EXISTS (SELECT FROM kept WHERE kept.subject = seen.subject)
    UNION ALL
    SELECT kept.subject, kept.touch_at, kept.place, kept.shares, coalesce(known.source_id::text, ''), kept.channel,
           kept.campaign, kept.keyword, kept.label, kept.landing, kept.city, kept.device
    FROM kept LEFT JOIN source_labels known ON known.company_id = :company_id AND known.label = kept.label
), fresh AS MATERIALIZED (
    SELECT asked.call_id, asked.lead_id, asked.kind, (asked.at AT TIME ZONE company.time_zone)::date AS call_day,
           (coalesce(credited.touch_at, asked.at) AT TIME ZONE company.time_zone)::date AS click_day,
           credited.touch_at, coalesce(credited.place, 0::smallint) AS place, credited.shares,
           coalesce(credited.source, asked.source) AS source, coalesce(credited.channel, asked.channel) AS channel,
           coalesce(credited.campaign, asked.campaign) AS campaign, coalesce(credited.keyword, asked.keyword) AS keyword,
           coalesce(credited.landing, '') AS landing, asked.pool, asked.number, asked.region,
           coalesce(credited.city, '') AS city, coalesce(credited.device, '') AS device, asked.person,
           ((extract(isodow FROM asked.at AT TIME ZONE company.time_zone) - 1) * 24
            + extract(hour FROM asked.at AT TIME ZONE company.time_zone))::integer::text AS hour,
           coalesce(credited.label, '') AS label,
           is_call.yes AND asked.answered AS answered, is_call.yes AND asked.first_time AS first_time,
           (is_call.yes OR asked.kind = 'lead') AND asked.qualified AS qualified,
           CASE WHEN parts.place = 1 AND asked.kind IN ('call', 'lead') THEN 1 ELSE 0 END::smallint AS jobs,
           CASE WHEN parts.place = 1 AND asked.kind IN ('call', 'lead') AND parts.currency = company.currency
                THEN parts.value ELSE 0 END::double precision AS value,
           CASE WHEN is_call.yes AND asked.answered THEN asked.talk_seconds ELSE 0 END AS talk_seconds,
           CASE WHEN is_call.yes THEN asked.ring_seconds ELSE 0 END AS ring_seconds,
           CASE WHEN is_call.yes THEN asked.before_day END AS before_day
    FROM asked CROSS JOIN company
    CROSS JOIN LATERAL (SELECT asked.kind = 'call' AS yes) is_call
    LEFT JOIN parts ON parts.subject = asked.subject
    LEFT JOIN credited ON credited.subject = asked.subject
), old AS (
    SELECT call_id, lead_id, kind, call_day, click_day, touch_at, place, shares, source, channel, campaign, keyword, landing, pool,
           number, region, city, device, person, hour, label, answered, first_time, qualified, jobs, value, talk_seconds,
           ring_seconds, before_day
    FROM stored
), differs AS MATERIALIZED (
    (SELECT * FROM fresh EXCEPT ALL SELECT * FROM old) UNION ALL (SELECT * FROM old EXCEPT ALL SELECT * FROM fresh)
), changed AS MATERIALIZED (
    SELECT DISTINCT coalesce(call_id::text, lead_id::text) AS subject FROM differs
), removed AS (
    -- By their ids, gathered first: however many rows the planner takes them for.
    DELETE FROM report_facts
    WHERE company_id = :company_id
      AND id = ANY ((SELECT array_agg(stored.id) FROM stored JOIN changed USING (subject))::bigint[])
), added AS (
    INSERT INTO report_facts (company_id, call_id, lead_id, kind, call_day, click_day, touch_at, place, shares, source,
                              channel, campaign, keyword, landing, pool, number, region, city, device, person, hour, label,
                              answered, first_time, qualified, jobs, value, talk_seconds, ring_seconds, before_day)
    SELECT :company_id, fresh.* FROM fresh
    JOIN changed ON changed.subject = coalesce(fresh.call_id::text, fresh.lead_id::text)
)
SELECT call_day AS day FROM differs UNION SELECT click_day FROM differs;

-- name: recount_chances
-- The same of expected calls, as gateway/attribution/expected.sql splits them; the days whose figures that has changed.
WITH asked AS MATERIALIZED (
    SELECT call.id, (call.started_at AT TIME ZONE company.time_zone)::date AS day,
           coalesce(call.source_id::text, '') AS source, call.channel, said.basis, said.nobody + said.others AS none
    FROM calls call JOIN companies company ON company.id = call.company_id
    LEFT JOIN attributions said ON said.company_id = call.company_id AND said.call_id = call.id
    WHERE call.company_id = :company_id AND call.id = ANY (:calls::bigint[])
      AND call.state = 'ended' AND call.outcome <> 'blocked' AND call.status <> 'spam'
), parts AS (
    SELECT asked.id, asked.day, told.told_by, told.key, 1.0::double precision AS chance
    FROM asked CROSS JOIN LATERAL (VALUES (1, asked.source), (2, asked.channel)) AS told (told_by, key)
    WHERE asked.basis IS DISTINCT FROM 'visits'
    UNION ALL
    SELECT asked.id, asked.day, told.told_by, told.key, may.chance
    FROM asked JOIN call_candidates may ON may.company_id = :company_id AND may.call_id = asked.id
    LEFT JOIN sources source ON source.company_id = :company_id AND source.id = may.source_id
    CROSS JOIN LATERAL (VALUES (1, coalesce(may.source_id::text, '')), (2, coalesce(source.channel, ''))) AS told (told_by, key)
    WHERE asked.basis = 'visits'
    UNION ALL
    SELECT asked.id, asked.day, told.told_by, '', asked.none FROM asked CROSS JOIN (VALUES (1), (2)) AS told (told_by)
    WHERE asked.basis = 'visits'
), fresh AS MATERIALIZED (
    SELECT id AS call_id, day AS call_day, told_by, key, least(sum(chance), 1.0)::double precision AS chance
    FROM parts GROUP BY id, day, told_by, key
), old AS MATERIALIZED (
    SELECT call_id, call_day, told_by, key, chance FROM report_chances
    WHERE company_id = :company_id AND call_id = ANY (:calls)
), differs AS MATERIALIZED (
    (SELECT * FROM fresh EXCEPT SELECT * FROM old) UNION ALL (SELECT * FROM old EXCEPT SELECT * FROM fresh)
), changed AS MATERIALIZED (
    SELECT DISTINCT call_id FROM differs
), removed AS (
    DELETE FROM report_chances
    WHERE company_id = :company_id AND call_id = ANY ((SELECT array_agg(call_id) FROM changed)::bigint[])
), added AS (
    INSERT INTO report_chances SELECT :company_id, fresh.* FROM fresh JOIN changed USING (call_id)
)
SELECT DISTINCT call_day AS day FROM differs;

-- name: take_out_blocks!
-- Blocks with these days hold no longer.
DELETE FROM report_blocks block USING (
    SELECT DISTINCT level, (day - date '1970-01-01') >> (2 * level) AS block
    FROM unnest(:days::date[]) AS day CROSS JOIN generate_series(0, :highest::integer) AS level
) changed
WHERE block.company_id = :company_id AND block.level = changed.level AND block.block = changed.block;

-- name: take_out_all!
DELETE FROM report_blocks WHERE company_id = :company_id;

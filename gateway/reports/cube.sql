-- The sums of blocks of days: made of what gateway/reports/recount.sql counted, and read.

-- name: today^
-- The present day of a company's calendar, and the first and last one that something counts on.
SELECT (now() AT TIME ZONE own.time_zone)::date AS today,
       least((SELECT min(call_day) FROM report_facts WHERE company_id = :company_id),
             (SELECT min(click_day) FROM report_facts WHERE company_id = :company_id)) AS first
FROM companies own WHERE own.id = :company_id;

-- name: blocks_between
-- The blocks that hold and lie within some days (numbers of days since 1970; until is not included).
SELECT held.level, held.block FROM generate_series(0, :highest::integer) AS asked (level)
CROSS JOIN LATERAL (
    SELECT level, block FROM report_blocks
    WHERE company_id = :company_id AND level = asked.level
      AND block >= :since::integer >> (2 * asked.level) AND block < (:until::integer >> (2 * asked.level)) + 1
) held;

-- name: remove_sums!
-- What was made of some blocks of a level, before they are made anew.
DELETE FROM report_sums
WHERE company_id = :company_id AND level = :level::smallint AND block = ANY (:blocks::integer[]);

-- name: remove_returns!
DELETE FROM report_returns WHERE company_id = :company_id AND day = ANY (:days::date[]);

-- name: make_days!
-- The sums of days: of all, and by each dimension. Models that give a touch the same share are one row.
WITH counted AS (
    SELECT call_day AS day, CASE WHEN click_day = call_day THEN 0 ELSE 1 END::smallint AS basis, fact.*
    FROM report_facts fact WHERE company_id = :company_id AND call_day = ANY (:days::date[])
    UNION ALL
    SELECT click_day, 2::smallint, fact.*
    FROM report_facts fact WHERE company_id = :company_id AND click_day = ANY (:days) AND click_day <> call_day
), shared AS (
    SELECT counted.*, given.models, given.share FROM counted
    CROSS JOIN LATERAL (
        SELECT 127::smallint AS models, 1.0::double precision AS share WHERE counted.shares IS NULL
        UNION ALL
        SELECT sum(1 << (place - 1)::integer)::smallint, part
        FROM unnest(counted.shares) WITH ORDINALITY AS parts (part, place) WHERE part > 0 GROUP BY part
    ) given
)
INSERT INTO report_sums
SELECT :company_id, 0, day - date '1970-01-01',
       4095 - GROUPING(hour, person, device, city, region, number, pool, landing, keyword, campaign, channel, source),
       basis, models,
       coalesce(source, channel, campaign, keyword, landing, pool, number, region, city, device, person, hour, ''), '',
       coalesce(sum(share) FILTER (WHERE kind = 'call'), 0), coalesce(sum(share) FILTER (WHERE answered), 0),
       coalesce(sum(share) FILTER (WHERE first_time), 0), coalesce(sum(share) FILTER (WHERE qualified), 0),
       sum(share * jobs), sum(share * value), sum(share * talk_seconds), sum(share * ring_seconds),
       coalesce(sum(share) FILTER (WHERE kind = 'lead'), 0), coalesce(sum(share) FILTER (WHERE kind = 'spam'), 0),
       coalesce(sum(share) FILTER (WHERE kind = 'blocked'), 0), 0, 0
FROM shared
GROUP BY GROUPING SETS (
        (day, basis, models), (day, basis, models, source), (day, basis, models, channel),
        (day, basis, models, campaign), (day, basis, models, keyword), (day, basis, models, landing),
        (day, basis, models, pool), (day, basis, models, number), (day, basis, models, region),
        (day, basis, models, city), (day, basis, models, device), (day, basis, models, person),
        (day, basis, models, hour)
);

-- name: make_pairs!
-- The sums of days by source and each other dimension: by the day of the call, of the models that credit one touch.
WITH shared AS (
    SELECT fact.call_day AS day, 1::smallint AS basis, given.models, 1.0::double precision AS share, fact.*
    FROM report_facts fact
    CROSS JOIN LATERAL (
        SELECT 15::smallint AS models WHERE fact.shares IS NULL
        UNION ALL
        SELECT sum(1 << (place - 1)::integer)::smallint
        FROM unnest(fact.shares[1 : 4]) WITH ORDINALITY AS parts (part, place) WHERE part > 0 HAVING count(*) > 0
    ) given
    WHERE fact.company_id = :company_id AND fact.call_day = ANY (:days::date[])
)
INSERT INTO report_sums
SELECT :company_id, 0, day - date '1970-01-01',
       4095 - GROUPING(hour, person, device, city, region, number, pool, landing, keyword, campaign, channel, source),
       basis, models, source, coalesce(channel, campaign, keyword, landing, pool, number, region, city, device, person, hour),
       coalesce(sum(share) FILTER (WHERE kind = 'call'), 0), coalesce(sum(share) FILTER (WHERE answered), 0),
       coalesce(sum(share) FILTER (WHERE first_time), 0), coalesce(sum(share) FILTER (WHERE qualified), 0),
       sum(share * jobs), sum(share * value), sum(share * talk_seconds), sum(share * ring_seconds),
       coalesce(sum(share) FILTER (WHERE kind = 'lead'), 0), coalesce(sum(share) FILTER (WHERE kind = 'spam'), 0),
       coalesce(sum(share) FILTER (WHERE kind = 'blocked'), 0), 0, 0
FROM shared
GROUP BY GROUPING SETS (
        (day, basis, models, source, channel), (day, basis, models, source, campaign), (day, basis, models, source, keyword),
        (day, basis, models, source, landing), (day, basis, models, source, pool), (day, basis, models, source, number),
        (day, basis, models, source, region), (day, basis, models, source, city), (day, basis, models, source, device),
        (day, basis, models, source, person), (day, basis, models, source, hour)
);

-- name: make_chances!
-- The expected calls of days, beside the sums by source and by channel.
INSERT INTO report_sums
SELECT :company_id, 0, call_day - date '1970-01-01', told_by, 1, 127, key, '', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
       sum(chance), sum(chance * (1 - chance))
FROM report_chances WHERE company_id = :company_id AND call_day = ANY (:days::date[])
GROUP BY call_day, told_by, key;

-- name: make_returns!
-- Of each call one row, as one touch of it is the first.
INSERT INTO report_returns
SELECT :company_id, call_day, before_day, count(*) FROM report_facts
WHERE company_id = :company_id AND call_day = ANY (:days::date[]) AND before_day IS NOT NULL AND kind = 'call'
  AND (shares IS NULL OR shares[1] > 0)
GROUP BY call_day, before_day;

-- name: make_blocks!
-- The sums of blocks from those of the four below each.
INSERT INTO report_sums
SELECT :company_id, :level::smallint, block >> 2, told_by, basis, models, key1, key2,
       sum(calls), sum(answered), sum(first_time), sum(qualified), sum(jobs), sum(value), sum(talk_seconds),
       sum(ring_seconds), sum(leads), sum(spam), sum(blocked), sum(expected), sum(variance)
FROM report_sums
WHERE company_id = :company_id AND level = :level::smallint - 1 AND block = ANY (:below::integer[])
GROUP BY block >> 2, told_by, basis, models, key1, key2;

-- name: hold_blocks!
-- These blocks hold from now on.
INSERT INTO report_blocks (company_id, level, block) SELECT :company_id, :level::smallint, unnest(:blocks::integer[])
ON CONFLICT DO NOTHING;

-- name: sums
-- The sums of blocks, each part of the stretch of time it belongs to. Each is looked up by itself, whatever the planner
-- believes of how many there are.
SELECT part.stretch, held.key1, held.key2,
       sum(held.calls) AS calls, sum(held.answered) AS answered, sum(held.first_time) AS first_time,
       sum(held.qualified) AS qualified, sum(held.jobs) AS jobs, sum(held.value) AS value,
       sum(held.talk_seconds) AS talk_seconds, sum(held.ring_seconds) AS ring_seconds, sum(held.leads) AS leads,
       sum(held.spam) AS spam, sum(held.blocked) AS blocked, sum(held.expected) AS expected,
       sum(held.variance) AS variance
FROM unnest(:levels::smallint[], :blocks::integer[], :stretches::integer[]) AS part (level, block, stretch)
CROSS JOIN LATERAL (
    SELECT * FROM report_sums found
    WHERE found.company_id = :company_id AND found.level = part.level AND found.block = part.block
      AND found.told_by = :told_by AND found.basis = ANY (:bases::smallint[])
      AND found.models & :models::smallint <> 0
      AND (:key1::text IS NULL OR found.key1 = :key1) AND (:key2::text IS NULL OR found.key2 = :key2)
    OFFSET 0
) held
GROUP BY part.stretch, held.key1, held.key2;

-- name: facts
-- The same of days that no block holds, from each call and lead. gateway.reports.cube puts other columns and conditions
-- in the place of those with a comment before them.
SELECT part.stretch, /* first */ '' AS key1, /* second */ '' AS key2,
       coalesce(sum(share) FILTER (WHERE kind = 'call'), 0) AS calls,
       coalesce(sum(share) FILTER (WHERE answered), 0) AS answered,
       coalesce(sum(share) FILTER (WHERE first_time), 0) AS first_time,
       coalesce(sum(share) FILTER (WHERE qualified), 0) AS qualified, sum(share * jobs) AS jobs,
       sum(share * value) AS value, sum(share * talk_seconds) AS talk_seconds,
       sum(share * ring_seconds) AS ring_seconds, coalesce(sum(share) FILTER (WHERE kind = 'lead'), 0) AS leads,
       coalesce(sum(share) FILTER (WHERE kind = 'spam'), 0) AS spam,
       coalesce(sum(share) FILTER (WHERE kind = 'blocked'), 0) AS blocked,
       0::double precision AS expected, 0::double precision AS variance
FROM unnest(:sinces::date[], :untils::date[], :stretches::integer[]) AS part (since, until, stretch)
CROSS JOIN LATERAL (
    SELECT fact.*, coalesce(fact.shares[:model::integer], 1.0) AS share FROM report_facts fact
    WHERE fact.company_id = :company_id AND /* day */ fact.call_day >= part.since
      AND /* day */ fact.call_day < part.until AND /* fits */ cardinality(:wanted::text[]) >= 0
    OFFSET 0
) fact
WHERE share > 0
GROUP BY 1, 2, 3;

-- name: chances
-- Expected calls of days that no block holds.
SELECT part.stretch, found.key AS key1, '' AS key2,
       sum(found.chance) AS expected, sum(found.chance * (1 - found.chance)) AS variance
FROM unnest(:sinces::date[], :untils::date[], :stretches::integer[]) AS part (since, until, stretch)
JOIN report_chances found ON found.company_id = :company_id AND found.call_day >= part.since AND found.call_day < part.until
WHERE found.told_by = :told_by AND (:key1::text IS NULL OR found.key = :key1)
GROUP BY 1, 2;

-- name: returns$
-- How many calls of some days are of callers who had called since a day: of days that hold, and of the others (given).
SELECT coalesce((
    SELECT sum(back.calls) FROM report_returns back
    WHERE back.company_id = :company_id AND back.day >= :since::date AND back.day < :until::date
      AND back.before_day >= :since
      AND NOT EXISTS (SELECT FROM unnest(:sinces::date[], :untils::date[]) AS part (since, until)
                      WHERE back.day >= part.since AND back.day < part.until)
), 0) + (
    SELECT count(*) FROM unnest(:sinces, :untils) AS part (since, until)
    JOIN report_facts fact ON fact.company_id = :company_id AND fact.call_day >= part.since AND fact.call_day < part.until
    WHERE fact.kind = 'call' AND fact.before_day >= :since AND (fact.shares IS NULL OR fact.shares[1] > 0)
);

-- name: callers$
-- How many people called, among the calls that have a share here.
SELECT count(DISTINCT coalesce(call.caller, call.id::text)) FROM report_facts fact
JOIN calls call ON call.company_id = fact.company_id AND call.id = fact.call_id
WHERE fact.company_id = :company_id AND fact.kind = 'call'
  AND /* day */ fact.call_day >= :since::date AND /* day */ fact.call_day < :until::date
  AND coalesce(fact.shares[:model::integer], 1.0) > 0 AND /* fits */ cardinality(:wanted::text[]) >= 0;

-- name: stale_days$
-- How many days between two moments have calls or leads that are still to be counted, of so many that are looked at.
SELECT count(DISTINCT (coalesce(call.started_at, lead.received_at) AT TIME ZONE own.time_zone)::date)
FROM (SELECT * FROM report_due WHERE company_id = :company_id ORDER BY id LIMIT :most) due
JOIN companies own ON own.id = :company_id
LEFT JOIN calls call ON call.company_id = due.company_id AND call.id = due.call_id
LEFT JOIN leads lead ON lead.company_id = due.company_id AND lead.id = due.lead_id
WHERE (coalesce(call.started_at, lead.received_at) AT TIME ZONE own.time_zone)::date >= :since::date
  AND (coalesce(call.started_at, lead.received_at) AT TIME ZONE own.time_zone)::date < :until::date;

-- name: companies
SELECT id FROM companies ORDER BY id;

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

-- name: day_facts^
-- A day's calls and leads, a column of them after the other, with the share of each group of models that agree on it. The
-- basis is 0 where the call and its touch are of this day, 1 where only the call is, 2 where only the touch is.
WITH counted AS (
    SELECT CASE WHEN click_day = call_day THEN 0 ELSE 1 END AS basis, fact.*
    FROM report_facts fact WHERE company_id = :company_id AND call_day = :day::date
    UNION ALL
    SELECT 2, fact.* FROM report_facts fact
    WHERE company_id = :company_id AND click_day = :day AND click_day <> call_day
), shared AS (
    SELECT counted.*, given.models, given.share FROM counted
    CROSS JOIN LATERAL (
        SELECT 127::bigint AS models, 1.0::double precision AS share WHERE counted.shares IS NULL
        UNION ALL
        SELECT sum(1 << (place - 1)::integer), part
        FROM unnest(counted.shares) WITH ORDINALITY AS parts (part, place) WHERE part > 0 GROUP BY part
    ) given
)
SELECT array_agg(basis * 128 + models) AS kind,
       array_agg(source) AS source, array_agg(channel) AS channel, array_agg(campaign) AS campaign,
       array_agg(keyword) AS keyword, array_agg(landing) AS landing, array_agg(pool) AS pool, array_agg(number) AS number,
       array_agg(region) AS region, array_agg(city) AS city, array_agg(device) AS device, array_agg(person) AS person,
       array_agg(hour) AS hour,
       array_agg(share * (shared.kind = 'call')::integer) AS calls, array_agg(share * answered::integer) AS answered,
       array_agg(share * first_time::integer) AS first_time, array_agg(share * qualified::integer) AS qualified,
       array_agg(share * jobs) AS jobs, array_agg(share * value) AS value,
       array_agg(share * talk_seconds) AS talk_seconds, array_agg(share * ring_seconds) AS ring_seconds,
       array_agg(share * (shared.kind = 'lead')::integer) AS leads,
       array_agg(share * (shared.kind = 'spam')::integer) AS spam,
       array_agg(share * (shared.kind = 'blocked')::integer) AS blocked
FROM shared HAVING count(*) > 0;

-- name: day_chances
-- The expected calls of a day.
SELECT told_by, key, sum(chance) AS expected, sum(chance * (1 - chance)) AS variance
FROM report_chances WHERE company_id = :company_id AND call_day = :day::date
GROUP BY told_by, key;

-- name: keys_of
-- The ids of values; those that have none yet are missing.
SELECT known.id, known.value FROM unnest(:values::text[]) AS asked (value)
CROSS JOIN LATERAL (
    SELECT id, value FROM report_keys one
    WHERE one.company_id = :company_id AND one.digest = hashtextextended(asked.value, 0) AND one.value = asked.value
    OFFSET 0
) known;

-- name: add_keys
-- Ids for values that have none yet. For whoever holds the lock.
INSERT INTO report_keys (company_id, digest, value)
SELECT :company_id, hashtextextended(value, 0), value FROM unnest(:values::text[]) AS value
RETURNING id, value;

-- name: values_of
SELECT id, value FROM report_keys WHERE company_id = :company_id AND id = ANY (:ids::integer[]);

-- name: add_sums!
INSERT INTO report_sums (company_id, level, block, told_by, sums)
SELECT :company_id, :level::smallint, :block::integer, told_by, sums
FROM unnest(:told_bys::integer[], :sums::bytea[]) AS made (told_by, sums);

-- name: sums_below
-- What blocks are made of that lie four to one above these, told by one thing after the other.
SELECT told_by, array_agg(sums) AS sums FROM report_sums
WHERE company_id = :company_id AND level = :level::smallint AND block = ANY (:blocks::integer[])
GROUP BY told_by;

-- name: make_returns!
-- Of each call one row, as one touch of it is the first.
INSERT INTO report_returns
SELECT :company_id, call_day, before_day, count(*) FROM report_facts
WHERE company_id = :company_id AND call_day = ANY (:days::date[]) AND before_day IS NOT NULL AND kind = 'call'
  AND (shares IS NULL OR shares[1] > 0)
GROUP BY call_day, before_day;

-- name: hold_blocks!
-- These blocks hold from now on.
INSERT INTO report_blocks (company_id, level, block) SELECT :company_id, :level::smallint, unnest(:blocks::integer[])
ON CONFLICT DO NOTHING;

-- name: sums
-- What blocks hold, each part of the stretch of time it belongs to. Each is looked up by itself, whatever the planner
-- believes of how many there are.
SELECT part.stretch, held.sums
FROM unnest(:levels::smallint[], :blocks::integer[], :stretches::integer[]) AS part (level, block, stretch)
CROSS JOIN LATERAL (
    SELECT sums FROM report_sums found
    WHERE found.company_id = :company_id AND found.level = part.level AND found.block = part.block
      AND found.told_by = :told_by
    OFFSET 0
) held;

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

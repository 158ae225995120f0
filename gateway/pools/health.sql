-- name: add_hours!
-- Add to the hours of pools what a worker counted. A pool that is gone counts no more.
INSERT INTO pool_hours AS known (company_id, pool_id, hour, leased, displaced, hurried, refused)
SELECT added.* FROM unnest(:companies::bigint[], :pools::bigint[], :hours::timestamptz[], :leased::integer[],
                           :displaced::integer[], :hurried::integer[], :refused::integer[])
    AS added (company_id, pool_id, hour, leased, displaced, hurried, refused)
JOIN pools ON pools.company_id = added.company_id AND pools.id = added.pool_id
ORDER BY added.company_id, added.pool_id, added.hour
ON CONFLICT (company_id, pool_id, hour) DO UPDATE SET
    leased = known.leased + excluded.leased, displaced = known.displaced + excluded.displaced,
    hurried = known.hurried + excluded.hurried, refused = known.refused + excluded.refused;

-- name: add_misses!
-- Add to the visits that found a pool full, by their source.
INSERT INTO pool_misses AS known (company_id, pool_id, hour, source, displaced, refused)
SELECT added.* FROM unnest(:companies::bigint[], :pools::bigint[], :hours::timestamptz[], :sources::text[],
                           :displaced::integer[], :refused::integer[])
    AS added (company_id, pool_id, hour, source, displaced, refused)
JOIN pools ON pools.company_id = added.company_id AND pools.id = added.pool_id
ORDER BY added.company_id, added.pool_id, added.hour, added.source
ON CONFLICT (company_id, pool_id, hour, source) DO UPDATE SET
    displaced = known.displaced + excluded.displaced, refused = known.refused + excluded.refused;

-- name: sample!
-- Look at every pool that lends: how many of its numbers are somebody's at this moment.
INSERT INTO pool_hours AS known (company_id, pool_id, hour, samples, occupied_sum, occupied_most, numbers)
SELECT pool.company_id, pool.id, date_trunc('hour', :now::timestamptz), 1, held.count, held.count, held.numbers
FROM pools pool
CROSS JOIN LATERAL (
    SELECT count(*) AS numbers,
           count(*) FILTER (
               WHERE number.lease_id IS NOT NULL
                 AND number.idle_since > :now::timestamptz - make_interval(secs => pool.reserve_seconds)
           ) AS count
    FROM lendable_numbers number
    WHERE number.company_id = pool.company_id AND number.pool_id = pool.id
      AND (number.resting_until IS NULL OR number.resting_until <= :now::timestamptz)
) AS held
WHERE pool.kind = 'dynamic' AND pool.removed_at IS NULL
ORDER BY pool.company_id, pool.id
ON CONFLICT (company_id, pool_id, hour) DO UPDATE SET
    samples = known.samples + 1, occupied_sum = known.occupied_sum + excluded.occupied_sum,
    occupied_most = greatest(known.occupied_most, excluded.occupied_most), numbers = excluded.numbers;

-- name: pools_now
-- How the pools of a company that lend are doing at this moment.
SELECT pool.id, pool.name, pool.when_full, pool.reserve_seconds,
       count(number.number_id) AS numbers,
       count(*) FILTER (WHERE number.resting_until > :now::timestamptz) AS resting,
       count(*) FILTER (
           WHERE number.lease_id IS NOT NULL
             AND number.idle_since > :now::timestamptz - make_interval(secs => pool.reserve_seconds)
       ) AS held
FROM pools pool
LEFT JOIN lendable_numbers number ON number.company_id = pool.company_id AND number.pool_id = pool.id
WHERE pool.company_id = :company_id AND pool.kind = 'dynamic' AND pool.removed_at IS NULL
GROUP BY pool.company_id, pool.id
ORDER BY pool.id;

-- name: hours
-- The hours of a company's pools within a time, oldest first.
SELECT pool_id, hour, leased, displaced, hurried, refused, samples, occupied_sum, occupied_most, numbers
FROM pool_hours
WHERE company_id = :company_id AND hour >= :start::timestamptz AND hour < :finish::timestamptz
ORDER BY pool_id, hour;

-- name: misses
-- What brought the visits that found a pool full within a time, the most frequent first.
SELECT pool_id, source, sum(displaced)::bigint AS displaced, sum(refused)::bigint AS refused
FROM pool_misses
WHERE company_id = :company_id AND hour >= :start::timestamptz AND hour < :finish::timestamptz
GROUP BY pool_id, source
ORDER BY pool_id, sum(displaced) + sum(refused) DESC, source;

-- name: forget_hours!
-- Hours older than anybody asks for.
WITH forgotten AS (DELETE FROM pool_misses WHERE hour < :before::timestamptz)
DELETE FROM pool_hours WHERE hour < :before::timestamptz;

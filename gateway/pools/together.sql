-- name: lend_together
-- Numbers for many visits at once, where nothing stands in the way: each holder's own, else those idle longest of the
-- ones that are free, with the exposures noted. The rules are those of lend in leases.sql; a visit without a row here
-- is served by that one. Rows are locked in one order, so that two workers do not wait for each other in a circle.
WITH asked AS MATERIALIZED (
    SELECT * FROM unnest(:companies::bigint[], :pools::bigint[], :holders::text[], :combinations::jsonb[], :visits::uuid[],
                         :exposures::uuid[], :shown::timestamptz[], :idle_before::timestamptz[],
                         :silent_since::timestamptz[]) WITH ORDINALITY
                  AS asked (company_id, pool_id, holder, combination, visit_id, exposure_id, shown_at, idle_before,
                            silent_since, place)
), wanted AS MATERIALIZED (
    SELECT DISTINCT ON (company_id, pool_id, holder) company_id, pool_id, holder, combination, idle_before, silent_since
    FROM asked ORDER BY company_id, pool_id, holder, place
), held AS MATERIALIZED (
    SELECT number.company_id, number.number_id, number.lease_id, number.pool_id, lease.holder
    FROM wanted
    JOIN leases lease ON lease.company_id = wanted.company_id AND lease.pool_id = wanted.pool_id
                     AND lease.holder = wanted.holder AND lease.closed_as IS NULL
    JOIN lendable_numbers number ON number.lease_id = lease.id AND number.company_id = lease.company_id
                                AND number.number_id = lease.number_id
    ORDER BY number.company_id, number.number_id FOR UPDATE OF number
), own AS (
    UPDATE lendable_numbers number SET idle_since = greatest(number.idle_since, :now::timestamptz)
    FROM held
    WHERE number.company_id = held.company_id AND number.number_id = held.number_id AND number.lease_id = held.lease_id
    RETURNING number.company_id, held.pool_id, held.holder, number.number_id, number.lease_id
), missing AS MATERIALIZED (
    SELECT wanted.*, row_number() OVER (PARTITION BY company_id, pool_id ORDER BY holder) AS turn
    FROM wanted
    WHERE NOT EXISTS (SELECT FROM held WHERE held.company_id = wanted.company_id AND held.pool_id = wanted.pool_id
                                         AND held.holder = wanted.holder)
), pools_asked AS MATERIALIZED (
    SELECT company_id, pool_id, count(*) AS many, min(idle_before) AS idle_before, min(silent_since) AS silent_since
    FROM missing GROUP BY company_id, pool_id
), longest_idle AS MATERIALIZED (
    SELECT free.*
    FROM pools_asked CROSS JOIN LATERAL (
        SELECT number.company_id, number.pool_id, number.number_id, number.lease_id, number.idle_since, number.ended_at
        FROM lendable_numbers number
        WHERE number.company_id = pools_asked.company_id AND number.pool_id = pools_asked.pool_id
          AND number.idle_since <= pools_asked.idle_before
          AND (number.resting_until IS NULL OR number.resting_until <= :now::timestamptz)
          AND (SELECT rung.started_at FROM calls rung
               WHERE rung.company_id = number.company_id AND rung.started_at > pools_asked.silent_since
                 AND rung.did = (SELECT e164 FROM tracking_numbers
                                 WHERE company_id = number.company_id AND id = number.number_id)
               LIMIT 1) IS NULL
        ORDER BY number.idle_since, number.number_id
        LIMIT pools_asked.many FOR UPDATE SKIP LOCKED
    ) AS free
), taken AS (
    SELECT *, row_number() OVER (PARTITION BY company_id, pool_id ORDER BY idle_since, number_id) AS turn FROM longest_idle
), closed AS (
    UPDATE leases lease
    SET period = tstzrange(lower(lease.period), greatest(:now::timestamptz, lower(lease.period) + interval '1 microsecond')),
        last_seen = taken.idle_since, closed_as = 'expired'
    FROM taken JOIN missing USING (company_id, pool_id, turn)
    WHERE lease.company_id = taken.company_id AND lease.id = taken.lease_id
    RETURNING lease.id, upper(lease.period) AS ended_at
), made AS (
    INSERT INTO leases (company_id, pool_id, number_id, holder, combination, period)
    SELECT company_id, pool_id, taken.number_id, missing.holder, missing.combination,
           tstzrange(greatest(:now::timestamptz, closed.ended_at, taken.ended_at), NULL)
    FROM missing JOIN taken USING (company_id, pool_id, turn) LEFT JOIN closed ON closed.id = taken.lease_id
    WHERE taken.lease_id IS NULL OR closed.ended_at IS NOT NULL
    ORDER BY company_id, pool_id, missing.holder
    RETURNING id, company_id, pool_id, holder, number_id, lower(period) AS start
), lent AS (
    UPDATE lendable_numbers number
    SET lease_id = made.id, idle_since = greatest(number.idle_since, made.start), ended_at = made.start
    FROM made
    WHERE number.company_id = made.company_id AND number.number_id = made.number_id
    RETURNING number.company_id, made.pool_id, made.holder, number.number_id, number.lease_id
), given AS (
    SELECT *, false AS is_new FROM own
    UNION ALL
    SELECT *, true FROM lent
), served AS MATERIALIZED (
    SELECT asked.place, asked.company_id, asked.visit_id, asked.exposure_id, asked.shown_at, given.number_id,
           given.lease_id, given.is_new
    FROM asked JOIN given USING (company_id, pool_id, holder)
), shown AS (
    INSERT INTO exposures (company_id, id, visit_id, number_id, lease_id, shown_at, last_seen)
    SELECT company_id, exposure_id, visit_id, number_id, lease_id, shown_at, shown_at FROM served
)
SELECT served.place, served.number_id, served.lease_id, served.is_new, tracking.e164
FROM served JOIN tracking_numbers tracking ON tracking.company_id = served.company_id AND tracking.id = served.number_id;

-- name: expose_together!
-- Visits were shown tracking numbers that nobody holds.
INSERT INTO exposures (company_id, id, visit_id, number_id, shown_at, last_seen)
SELECT asked.company_id, asked.exposure_id, asked.visit_id, number.id, asked.shown_at, asked.shown_at
FROM unnest(:companies::bigint[], :exposures::uuid[], :visits::uuid[], :numbers::bigint[], :shown::timestamptz[])
         AS asked (company_id, exposure_id, visit_id, number_id, shown_at)
JOIN tracking_numbers number ON number.company_id = asked.company_id AND number.id = asked.number_id;

-- Numbers for many visits at once, where nothing stands in the way. The rules are those of lend in leases.sql, which
-- serves whoever gets no row here. Rows are locked in one order, so that two workers do not wait in a circle. Holders
-- come once each, with their place; shown to: the place of the holder of each visit.

-- name: keep_together
-- Holders who have a number already, with the exposures of their visits noted.
WITH known AS MATERIALIZED (
    SELECT asked.place, lease.*
    FROM unnest(:companies::bigint[], :pools::bigint[], :holders::text[]) WITH ORDINALITY
             AS asked (company_id, pool_id, holder, place)
    -- Looked up one by one, whatever the planner believes of how many leases are open.
    CROSS JOIN LATERAL (
        SELECT open.company_id, open.number_id, open.id AS lease_id FROM leases open
        WHERE open.company_id = asked.company_id AND open.pool_id = asked.pool_id AND open.holder = asked.holder
          AND open.closed_as IS NULL
        LIMIT 1
    ) AS lease
), held AS MATERIALIZED (
    SELECT known.place, number.company_id, number.number_id, number.lease_id
    FROM known JOIN lendable_numbers number ON number.company_id = known.company_id
                                           AND number.number_id = known.number_id AND number.lease_id = known.lease_id
    ORDER BY number.company_id, number.number_id FOR UPDATE OF number
), own AS (
    UPDATE lendable_numbers number SET idle_since = greatest(number.idle_since, :now::timestamptz)
    FROM held
    WHERE number.company_id = held.company_id AND number.number_id = held.number_id
    RETURNING held.place, number.company_id, number.number_id, number.lease_id
), shown AS (
    INSERT INTO exposures (company_id, id, visit_id, number_id, lease_id, shown_at, last_seen)
    SELECT own.company_id, page.exposure_id, page.visit_id, own.number_id, own.lease_id, page.shown_at, page.shown_at
    FROM unnest(:exposures::uuid[], :visits::uuid[], :shown::timestamptz[], :shown_to::bigint[])
             AS page (exposure_id, visit_id, shown_at, place)
    JOIN own USING (place)
)
SELECT own.place, own.number_id, own.lease_id, tracking.e164
FROM own JOIN tracking_numbers tracking ON tracking.company_id = own.company_id AND tracking.id = own.number_id;

-- name: lend_together
-- Holders who have none get the numbers idle longest of those that are free; their visits' exposures are noted. A pool
-- comes once with the number of its holders; turn: which of its pool's a holder is.
WITH longest_idle AS MATERIALIZED (
    SELECT free.*
    FROM unnest(:pool_companies::bigint[], :pool_ids::bigint[], :many::bigint[], :idle_before::timestamptz[],
                :silent_since::timestamptz[]) AS pool (company_id, pool_id, many, idle_before, silent_since)
    CROSS JOIN LATERAL (
        SELECT number.company_id, number.pool_id, number.number_id, number.lease_id, number.idle_since, number.ended_at
        FROM lendable_numbers number
        WHERE number.company_id = pool.company_id AND number.pool_id = pool.pool_id
          AND number.idle_since <= pool.idle_before
          AND (number.resting_until IS NULL OR number.resting_until <= :now::timestamptz)
          AND (SELECT rung.started_at FROM calls rung
               WHERE rung.company_id = number.company_id AND rung.started_at > pool.silent_since
                 AND rung.did = (SELECT e164 FROM tracking_numbers
                                 WHERE company_id = number.company_id AND id = number.number_id)
               LIMIT 1) IS NULL
        ORDER BY number.idle_since, number.number_id
        LIMIT pool.many FOR UPDATE SKIP LOCKED
    ) AS free
), taken AS MATERIALIZED (
    SELECT asked.place, asked.holder, asked.combination, number.*
    FROM (SELECT *, row_number() OVER (PARTITION BY company_id, pool_id ORDER BY idle_since, number_id) AS turn
          FROM longest_idle) AS number
    JOIN unnest(:companies::bigint[], :pools::bigint[], :holders::text[], :combinations::jsonb[], :turns::bigint[])
             WITH ORDINALITY AS asked (company_id, pool_id, holder, combination, turn, place)
      USING (company_id, pool_id, turn)
), closed AS (
    UPDATE leases lease
    SET period = tstzrange(lower(lease.period), greatest(:now::timestamptz, lower(lease.period) + interval '1 microsecond')),
        last_seen = taken.idle_since, closed_as = 'expired'
    FROM taken
    WHERE lease.company_id = taken.company_id AND lease.id = taken.lease_id
    RETURNING lease.id, upper(lease.period) AS ended_at
), made AS (
    INSERT INTO leases (company_id, pool_id, number_id, holder, combination, period)
    SELECT taken.company_id, taken.pool_id, taken.number_id, taken.holder, taken.combination,
           tstzrange(greatest(:now::timestamptz, closed.ended_at, taken.ended_at), NULL)
    FROM taken LEFT JOIN closed ON closed.id = taken.lease_id
    -- Lent anew since this statement began: that lease is not to be seen yet.
    WHERE taken.lease_id IS NULL OR closed.ended_at IS NOT NULL
    ORDER BY taken.company_id, taken.pool_id, taken.holder
    RETURNING id, number_id, lower(period) AS start
), lent AS (
    UPDATE lendable_numbers number
    SET lease_id = made.id, idle_since = greatest(number.idle_since, made.start), ended_at = made.start
    FROM made JOIN taken USING (number_id)
    WHERE number.company_id = taken.company_id AND number.number_id = made.number_id
    RETURNING taken.place, number.company_id, number.number_id, number.lease_id
), shown AS (
    INSERT INTO exposures (company_id, id, visit_id, number_id, lease_id, shown_at, last_seen)
    SELECT lent.company_id, page.exposure_id, page.visit_id, lent.number_id, lent.lease_id, page.shown_at, page.shown_at
    FROM unnest(:exposures::uuid[], :visits::uuid[], :shown::timestamptz[], :shown_to::bigint[])
             AS page (exposure_id, visit_id, shown_at, place)
    JOIN lent USING (place)
)
SELECT lent.place, lent.number_id, lent.lease_id, tracking.e164
FROM lent JOIN tracking_numbers tracking ON tracking.company_id = lent.company_id AND tracking.id = lent.number_id;

-- name: expose_together!
-- Visits were shown tracking numbers that nobody holds.
INSERT INTO exposures (company_id, id, visit_id, number_id, shown_at, last_seen)
SELECT asked.company_id, asked.exposure_id, asked.visit_id, number.id, asked.shown_at, asked.shown_at
FROM unnest(:companies::bigint[], :exposures::uuid[], :visits::uuid[], :numbers::bigint[], :shown::timestamptz[])
         AS asked (company_id, exposure_id, visit_id, number_id, shown_at)
JOIN tracking_numbers number ON number.company_id = asked.company_id AND number.id = asked.number_id;

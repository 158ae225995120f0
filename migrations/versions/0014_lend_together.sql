-- What visits ask while their pages wait. Each call is a transaction of its own, so that a page waits for one answer of
-- Postgres and not for five; it begins with what gateway.store.database begins such transactions with.

-- See these companies ("all", or numbers joined by commas) until the end of the transaction, and commit it without waiting
-- for the disk. The statements take their rows by keys, so a plan made once serves every time.
CREATE FUNCTION numberpool_hasty(scope text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('numberpool.companies', scope, true), set_config('synchronous_commit', 'off', true),
            set_config('plan_cache_mode', 'force_generic_plan', true);
END $$;

-- The last touch of each visitor that was not direct, with the place of the visitor among those asked for.
CREATE FUNCTION numberpool_touches(scope text, asked_companies bigint[], asked_visitors uuid[])
RETURNS TABLE (place bigint, touch jsonb) LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    PERFORM numberpool_hasty(scope);
    RETURN QUERY
    SELECT asked.place, known.touch
    FROM unnest(asked_companies, asked_visitors) WITH ORDINALITY AS asked (company_id, visitor_id, place)
    -- Looked up one by one, whatever the planner believes of how many visitors there are.
    CROSS JOIN LATERAL (
        SELECT visitor.touch FROM visitors visitor
        WHERE visitor.company_id = asked.company_id AND visitor.id = asked.visitor_id
        LIMIT 1
    ) AS known
    WHERE known.touch IS NOT NULL;
END $$;

-- Numbers for many pages at once, where nothing stands in the way, and their exposures. The rules are those of lend in
-- gateway/pools/leases.sql, which serves whoever gets no row here. Rows are locked in one order, so that two workers do
-- not wait in a circle.
--   holder_…: each holder of a pool once, in the order of pools and keys; its place counts from 1
--   pool_…:   their pools, each once; numbers seen later than idle_before are not lent, nor those rung after silent_since
--   lent_…:   an exposure for each page and holder, with the place of the holder and that of the page
--   bare_…:   exposures to numbers that nobody holds; not noted where a page's holders were not all served
CREATE FUNCTION numberpool_lend_together(
    scope text, moment timestamptz,
    holder_companies bigint[], holder_pools bigint[], holder_keys text[], holder_combinations jsonb[],
    pool_companies bigint[], pool_ids bigint[], pool_idle_before timestamptz[], pool_silent_since timestamptz[],
    lent_exposures uuid[], lent_visits uuid[], lent_shown timestamptz[], lent_places bigint[], lent_pages bigint[],
    bare_companies bigint[], bare_exposures uuid[], bare_visits uuid[], bare_shown timestamptz[], bare_numbers bigint[],
    bare_pages bigint[]
) RETURNS TABLE (place bigint, is_own boolean, number_id bigint, lease_id bigint, e164 text) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    own_places bigint[] := '{}'; own_numbers bigint[] := '{}'; own_leases bigint[] := '{}';
    new_places bigint[] := '{}'; new_numbers bigint[] := '{}'; new_leases bigint[] := '{}';
BEGIN
    PERFORM numberpool_hasty(scope);

    -- Holders who have a number already.
    IF cardinality(holder_keys) > 0 THEN
        WITH known AS MATERIALIZED (
            SELECT asked.place, lease.*
            FROM unnest(holder_companies, holder_pools, holder_keys) WITH ORDINALITY
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
                                                   AND number.number_id = known.number_id
                                                   AND number.lease_id = known.lease_id
            ORDER BY number.company_id, number.number_id FOR UPDATE OF number
        ), own AS (
            UPDATE lendable_numbers number SET idle_since = greatest(number.idle_since, moment)
            FROM held
            WHERE number.company_id = held.company_id AND number.number_id = held.number_id
            RETURNING held.place, number.company_id, number.number_id, number.lease_id
        ), shown AS (
            INSERT INTO exposures (company_id, id, visit_id, number_id, lease_id, shown_at, last_seen)
            SELECT own.company_id, page.exposure_id, page.visit_id, own.number_id, own.lease_id, page.shown_at, page.shown_at
            FROM unnest(lent_exposures, lent_visits, lent_shown, lent_places)
                     AS page (exposure_id, visit_id, shown_at, place)
            JOIN own USING (place)
        )
        SELECT coalesce(array_agg(own.place), '{}'), coalesce(array_agg(own.number_id), '{}'),
               coalesce(array_agg(own.lease_id), '{}')
        INTO own_places, own_numbers, own_leases FROM own;
    END IF;

    -- The others get the numbers idle longest of those that are free.
    IF cardinality(own_places) < cardinality(holder_keys) THEN
        WITH missing AS MATERIALIZED (
            SELECT *, row_number() OVER (PARTITION BY company_id, pool_id ORDER BY place) AS turn
            FROM unnest(holder_companies, holder_pools, holder_keys, holder_combinations) WITH ORDINALITY
                     AS asked (company_id, pool_id, holder, combination, place)
            WHERE asked.place <> ALL (own_places)
        ), longest_idle AS MATERIALIZED (
            SELECT free.*
            FROM unnest(pool_companies, pool_ids, pool_idle_before, pool_silent_since)
                     AS pool (company_id, pool_id, idle_before, silent_since)
            CROSS JOIN LATERAL (
                SELECT number.company_id, number.pool_id, number.number_id, number.lease_id, number.idle_since,
                       number.ended_at
                FROM lendable_numbers number
                WHERE number.company_id = pool.company_id AND number.pool_id = pool.pool_id
                  AND number.idle_since <= pool.idle_before
                  AND (number.resting_until IS NULL OR number.resting_until <= moment)
                  AND (SELECT rung.started_at FROM calls rung
                       WHERE rung.company_id = number.company_id AND rung.started_at > pool.silent_since
                         AND rung.did = (SELECT tracking.e164 FROM tracking_numbers tracking
                                         WHERE tracking.company_id = number.company_id AND tracking.id = number.number_id)
                       LIMIT 1) IS NULL
                ORDER BY number.idle_since, number.number_id
                LIMIT (SELECT count(*) FROM missing
                       WHERE missing.company_id = pool.company_id AND missing.pool_id = pool.pool_id)
                FOR UPDATE SKIP LOCKED
            ) AS free
        ), taken AS MATERIALIZED (
            SELECT missing.place, missing.holder, missing.combination, number.*
            FROM (SELECT *, row_number() OVER (PARTITION BY company_id, pool_id ORDER BY idle_since, number_id) AS turn
                  FROM longest_idle) AS number
            JOIN missing USING (company_id, pool_id, turn)
        ), closed AS (
            UPDATE leases lease
            SET period = tstzrange(lower(lease.period), greatest(moment, lower(lease.period) + interval '1 microsecond')),
                last_seen = taken.idle_since, closed_as = 'expired'
            FROM taken
            WHERE lease.company_id = taken.company_id AND lease.id = taken.lease_id
            RETURNING lease.id, upper(lease.period) AS ended_at
        ), made AS (
            INSERT INTO leases (company_id, pool_id, number_id, holder, combination, period)
            SELECT taken.company_id, taken.pool_id, taken.number_id, taken.holder, taken.combination,
                   tstzrange(greatest(moment, closed.ended_at, taken.ended_at), NULL)
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
            SELECT lent.company_id, page.exposure_id, page.visit_id, lent.number_id, lent.lease_id, page.shown_at,
                   page.shown_at
            FROM unnest(lent_exposures, lent_visits, lent_shown, lent_places)
                     AS page (exposure_id, visit_id, shown_at, place)
            JOIN lent USING (place)
        )
        SELECT coalesce(array_agg(lent.place), '{}'), coalesce(array_agg(lent.number_id), '{}'),
               coalesce(array_agg(lent.lease_id), '{}')
        INTO new_places, new_numbers, new_leases FROM lent;
    END IF;

    IF cardinality(bare_exposures) > 0 THEN
        INSERT INTO exposures (company_id, id, visit_id, number_id, shown_at, last_seen)
        SELECT bare.company_id, bare.exposure_id, bare.visit_id, number.id, bare.shown_at, bare.shown_at
        FROM unnest(bare_companies, bare_exposures, bare_visits, bare_shown, bare_numbers, bare_pages)
                 AS bare (company_id, exposure_id, visit_id, shown_at, number_id, page)
        JOIN tracking_numbers number ON number.company_id = bare.company_id AND number.id = bare.number_id
        WHERE NOT EXISTS (
            SELECT FROM unnest(lent_pages, lent_places) AS lent (page, place)
            WHERE lent.page = bare.page AND lent.place <> ALL (own_places || new_places)
        );
    END IF;

    RETURN QUERY
    SELECT given.place, given.place = ANY (own_places), given.number_id, given.lease_id, tracking.e164
    FROM unnest(own_places || new_places, own_numbers || new_numbers, own_leases || new_leases)
             AS given (place, number_id, lease_id)
    JOIN tracking_numbers tracking ON tracking.company_id = holder_companies[given.place] AND tracking.id = given.number_id;
END $$;

-- name: lend^
-- The number of a holder: his own while he still has it, else the one idle longest of those that may be lent, with its
-- lease closed and his made, and the exposure noted. No row: none may be lent, or all that may are being lent right now.
--   idle_before: numbers seen later are not lent          silent_since: nor are those that somebody rang after it
--   reserved_since: a lease whose number was seen later than this is ended early
WITH own AS (
    UPDATE lendable_numbers number SET idle_since = greatest(number.idle_since, :now::timestamptz)
    FROM leases lease
    WHERE lease.company_id = :company_id AND lease.pool_id = :pool_id AND lease.holder = :holder
      AND lease.closed_as IS NULL AND number.company_id = :company_id AND number.number_id = lease.number_id
      AND number.lease_id = lease.id
    RETURNING number.number_id, number.lease_id
), longest_idle AS (
    SELECT number.number_id, number.lease_id, number.idle_since, number.ended_at
    FROM lendable_numbers number
    WHERE NOT EXISTS (SELECT FROM own) AND number.company_id = :company_id AND number.pool_id = :pool_id
      AND number.idle_since <= :idle_before::timestamptz
      AND (number.resting_until IS NULL OR number.resting_until <= :now::timestamptz)
      AND (SELECT rung.started_at FROM calls rung
           WHERE rung.company_id = number.company_id AND rung.started_at > :silent_since::timestamptz
             AND rung.did = (SELECT e164 FROM tracking_numbers
                             WHERE company_id = number.company_id AND id = number.number_id)
           LIMIT 1) IS NULL
    ORDER BY number.idle_since, number.number_id
    LIMIT 1 FOR UPDATE SKIP LOCKED
), closed AS (
    UPDATE leases lease
    SET period = tstzrange(lower(lease.period), greatest(:now::timestamptz, lower(lease.period) + interval '1 microsecond')),
        last_seen = longest_idle.idle_since,
        closed_as = CASE WHEN longest_idle.idle_since > :reserved_since::timestamptz THEN 'displaced' ELSE 'expired' END
    FROM longest_idle
    WHERE lease.company_id = :company_id AND lease.id = longest_idle.lease_id
    RETURNING upper(lease.period) AS ended_at, lease.closed_as
), made AS (
    INSERT INTO leases (company_id, pool_id, number_id, holder, combination, period)
    SELECT :company_id, :pool_id, longest_idle.number_id, :holder, :combination,
           tstzrange(greatest(:now::timestamptz, closed.ended_at, longest_idle.ended_at), NULL)
    FROM longest_idle LEFT JOIN closed ON true
    -- Lent anew since this statement began: that lease is not to be seen yet, and the next try closes it.
    WHERE longest_idle.lease_id IS NULL OR closed.ended_at IS NOT NULL
    RETURNING id, number_id, lower(period) AS start
), lent AS (
    UPDATE lendable_numbers number
    SET lease_id = made.id, idle_since = greatest(number.idle_since, made.start), ended_at = made.start
    FROM made
    WHERE number.company_id = :company_id AND number.number_id = made.number_id
    RETURNING number.number_id, number.lease_id
), given AS (
    SELECT number_id, lease_id, false AS is_new FROM own
    UNION ALL
    SELECT number_id, lease_id, true FROM lent
), shown AS (
    INSERT INTO exposures (company_id, id, visit_id, number_id, lease_id, shown_at, last_seen)
    SELECT :company_id, :exposure_id, :visit_id, number_id, lease_id, :shown_at, :shown_at FROM given
)
SELECT given.number_id, given.lease_id, given.is_new, tracking.e164,
       coalesce((SELECT closed_as = 'displaced' FROM closed), false) AS displaced
FROM given JOIN tracking_numbers tracking ON tracking.company_id = :company_id AND tracking.id = given.number_id;

-- name: room^
-- Why nothing was lent: whether the pool has a number that is not resting, and whether one may be lent after all.
SELECT EXISTS (
           SELECT FROM lendable_numbers number
           WHERE number.company_id = :company_id AND number.pool_id = :pool_id
             AND (number.resting_until IS NULL OR number.resting_until <= :now::timestamptz)
       ) AS has_numbers,
       EXISTS (
           SELECT FROM lendable_numbers number
           WHERE number.company_id = :company_id AND number.pool_id = :pool_id
             AND number.idle_since <= :idle_before::timestamptz
             AND (number.resting_until IS NULL OR number.resting_until <= :now::timestamptz)
             AND (SELECT rung.started_at FROM calls rung
                  WHERE rung.company_id = number.company_id AND rung.started_at > :silent_since::timestamptz
                    AND rung.did = (SELECT e164 FROM tracking_numbers
                                    WHERE company_id = number.company_id AND id = number.number_id)
                  LIMIT 1) IS NULL
       ) AS has_free;

-- name: expose!
-- A visit was shown a tracking number that nobody holds: a static one, a fallback, the page's own.
INSERT INTO exposures (company_id, id, visit_id, number_id, shown_at, last_seen)
SELECT :company_id, :exposure_id, :visit_id, id, :shown_at, :shown_at
FROM tracking_numbers WHERE company_id = :company_id AND id = :number_id;

-- name: keep_alive
-- What pages said of themselves since the last time: exposures are alive, and with them the numbers that are lent. A
-- number that is being lent at this moment is passed over (still open, not kept) and tried again the next time.
WITH told AS (
    SELECT * FROM unnest(:companies::bigint[], :exposures::uuid[], :shown::timestamptz[], :seen::timestamptz[],
                         :leaving::timestamptz[]) AS told (company_id, id, shown_at, seen_at, left_at)
), alive AS (
    UPDATE exposures exposure
    SET last_seen = greatest(exposure.last_seen, told.seen_at), left_at = told.left_at
    FROM told
    WHERE exposure.id = told.id AND exposure.shown_at = told.shown_at AND exposure.company_id = told.company_id
      AND exposure.shown_at BETWEEN :earliest AND :latest
    RETURNING exposure.company_id, exposure.id, exposure.number_id, exposure.lease_id, told.seen_at
), held AS (
    SELECT number.company_id, number.number_id, seen.seen_at
    FROM lendable_numbers number
    JOIN (SELECT company_id, number_id, lease_id, max(seen_at) AS seen_at FROM alive
          WHERE lease_id IS NOT NULL GROUP BY company_id, number_id, lease_id) AS seen
      ON seen.company_id = number.company_id AND seen.number_id = number.number_id AND seen.lease_id = number.lease_id
    FOR UPDATE OF number SKIP LOCKED
), kept AS (
    UPDATE lendable_numbers number SET idle_since = greatest(number.idle_since, held.seen_at)
    FROM held
    WHERE number.company_id = held.company_id AND number.number_id = held.number_id
    RETURNING number.lease_id
)
SELECT alive.company_id, alive.id, alive.lease_id, lease.closed_as, kept.lease_id IS NOT NULL AS kept
FROM alive
LEFT JOIN leases lease ON lease.company_id = alive.company_id AND lease.id = alive.lease_id
LEFT JOIN kept ON kept.lease_id = alive.lease_id;

-- name: hold_numbers
-- Have numbers lent to nobody until the end of the transaction. By itself: what closes their leases has to begin after
-- it, to see a lease that was made while this waited.
SELECT number_id FROM lendable_numbers
WHERE company_id = :company_id AND number_id = ANY (:number_ids::bigint[])
ORDER BY number_id FOR UPDATE;

-- name: end_leases
-- Close the leases of numbers because a person takes the numbers back; the numbers whose lease was open.
WITH taken AS (
    SELECT company_id, number_id, lease_id, idle_since FROM lendable_numbers
    WHERE company_id = :company_id AND number_id = ANY (:number_ids::bigint[])
), closed AS (
    UPDATE leases lease
    SET period = tstzrange(lower(lease.period), greatest(:now::timestamptz, lower(lease.period) + interval '1 microsecond')),
        last_seen = taken.idle_since, closed_as = 'released'
    FROM taken
    WHERE lease.company_id = taken.company_id AND lease.id = taken.lease_id
    RETURNING lease.number_id, upper(lease.period) AS ended_at
)
UPDATE lendable_numbers number SET lease_id = NULL, ended_at = closed.ended_at
FROM closed
WHERE number.company_id = :company_id AND number.number_id = closed.number_id
RETURNING number.number_id;

-- name: forget_holder!
-- Leases of a visitor who is to be forgotten: nobody known held them.
UPDATE leases SET holder = 'visitor:' || gen_random_uuid()
WHERE company_id = :company_id AND id = ANY (:lease_ids::bigint[]) AND holder = :holder;

-- name: forget_leases!
-- Leases that ended so long ago that the visits they belonged to are forgotten as well.
DELETE FROM leases WHERE closed_as IS NOT NULL AND upper(period) < :before::timestamptz;

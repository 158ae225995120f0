-- name: hold_numbers
-- Numbers of a company, until the end of the transaction.
SELECT id, e164, pool_id, source_id, resting_until, retired_at FROM tracking_numbers
WHERE company_id = :company_id AND e164 = ANY (:numbers::text[])
ORDER BY id FOR NO KEY UPDATE;

-- name: count_as_seen!
-- A static number that people have seen or rung may stand anywhere: it counts as seen until now.
UPDATE lendable_numbers l SET idle_since = :now::timestamptz
FROM pools p
WHERE l.company_id = :company_id AND l.number_id = ANY (:number_ids::bigint[])
  AND p.company_id = l.company_id AND p.id = l.pool_id AND p.kind = 'static'
  AND (EXISTS (SELECT FROM exposures e WHERE e.company_id = l.company_id AND e.number_id = l.number_id)
       OR EXISTS (SELECT FROM calls c WHERE c.company_id = l.company_id AND c.number_id = l.number_id));

-- name: move!
UPDATE tracking_numbers SET pool_id = :pool_id, source_id = :source_id
WHERE company_id = :company_id AND id = ANY (:number_ids::bigint[]);

-- name: rest!
UPDATE tracking_numbers SET resting_until = :until::timestamptz
WHERE company_id = :company_id AND id = ANY (:number_ids::bigint[]);

-- name: rest_for_ever!
UPDATE tracking_numbers SET resting_until = 'infinity'
WHERE company_id = :company_id AND id = ANY (:number_ids::bigint[]);

-- name: retire!
UPDATE tracking_numbers SET retired_at = :at::timestamptz
WHERE company_id = :company_id AND id = ANY (:number_ids::bigint[]);

-- name: with_history
-- Those of some numbers that have been called, lent or shown.
SELECT n.e164 FROM tracking_numbers n
WHERE n.company_id = :company_id AND n.id = ANY (:number_ids::bigint[])
  AND (EXISTS (SELECT FROM leases l WHERE l.company_id = n.company_id AND l.number_id = n.id)
       OR EXISTS (SELECT FROM exposures e WHERE e.company_id = n.company_id AND e.number_id = n.id)
       OR EXISTS (SELECT FROM calls c WHERE c.company_id = n.company_id AND c.number_id = n.id))
ORDER BY n.id;

-- name: remove!
DELETE FROM tracking_numbers WHERE company_id = :company_id AND id = ANY (:number_ids::bigint[]);

-- name: standings
-- The numbers of a company with what their standing follows from.
SELECT n.id, n.e164, n.pool_id, n.retired_at, n.note, l.lease_id IS NOT NULL AS is_leased,
       CASE WHEN isfinite(l.idle_since) THEN l.idle_since END AS idle_since,
       n.resting_until = 'infinity' AS rests_for_ever,
       CASE WHEN isfinite(n.resting_until) THEN n.resting_until END AS resting_until,
       (SELECT max(c.started_at) FROM calls c WHERE c.company_id = n.company_id AND c.did = n.e164) AS last_dialled,
       coalesce(n.monthly_price, p.monthly_price) AS monthly_price
FROM tracking_numbers n
JOIN pools p ON p.company_id = n.company_id AND p.id = n.pool_id
LEFT JOIN lendable_numbers l ON l.company_id = n.company_id AND l.number_id = n.id
WHERE n.company_id = :company_id ORDER BY n.id;

-- name: known_numbers
-- Of some numbers those that are tracking numbers already, of whatever company.
SELECT n.e164, p.name AS pool, n.company_id
FROM tracking_numbers n JOIN pools p ON p.company_id = n.company_id AND p.id = n.pool_id
WHERE n.e164 = ANY (:numbers::text[]);

-- name: import_numbers
-- Many at once; those that were made.
INSERT INTO tracking_numbers (company_id, pool_id, e164, source_id, destination_id, whisper, monthly_price, note)
SELECT :company_id, pool_id, e164, source_id, destination_id, whisper, monthly_price, note
FROM unnest(:pools::bigint[], :numbers::text[], :sources::bigint[], :destinations::bigint[], :whispers::text[],
            :prices::numeric[], :notes::text[])
     WITH ORDINALITY AS given (pool_id, e164, source_id, destination_id, whisper, monthly_price, note, place)
ORDER BY place
ON CONFLICT (e164) DO NOTHING
RETURNING e164;

-- name: dial_strings
-- Of every company: a call that leads to any of our numbers comes back to this Asterisk.
SELECT dial FROM destinations;

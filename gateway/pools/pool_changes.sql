-- What a page of the settings reads and changes of pools and their numbers.

-- name: one_pool^
SELECT p.id, p.name, p.kind, p.priority, p.conditions, p.bound_to, p.reserve_seconds, p.quarantine_seconds,
       p.dialled_quarantine_seconds, p.window_seconds, p.when_full, p.fallback_number, p.monthly_price, p.record_calls,
       p.removed_at, c.currency,
       array(SELECT s.swap_target_id FROM pool_swap_targets s
             WHERE s.company_id = p.company_id AND s.pool_id = p.id ORDER BY s.swap_target_id) AS targets
FROM pools p JOIN companies c ON c.id = p.company_id
WHERE p.company_id = :company_id AND p.id = :pool_id;

-- name: currency$
SELECT currency FROM companies WHERE id = :company_id;

-- name: rename_pool$
-- Nothing where another pool of the company has that name.
UPDATE pools SET name = :name
WHERE company_id = :company_id AND id = :pool_id
  AND NOT EXISTS (SELECT FROM pools other WHERE other.company_id = :company_id AND other.name = :name
                  AND other.id <> :pool_id AND other.removed_at IS NULL)
RETURNING id;

-- name: restore_pool!
UPDATE pools SET priority = :priority, conditions = :conditions, bound_to = :bound_to::text[], reserve_seconds = :reserve_seconds,
                 quarantine_seconds = :quarantine_seconds, dialled_quarantine_seconds = :dialled_quarantine_seconds,
                 window_seconds = :window_seconds, when_full = :when_full, fallback_number = :fallback_number,
                 monthly_price = :monthly_price, record_calls = :record_calls
WHERE company_id = :company_id AND id = :pool_id;

-- name: drop_targets!
DELETE FROM pool_swap_targets WHERE company_id = :company_id AND pool_id = :pool_id;

-- name: add_targets!
-- Those that are still there.
INSERT INTO pool_swap_targets (company_id, pool_id, swap_target_id)
SELECT :company_id, :pool_id, id FROM swap_targets WHERE company_id = :company_id AND id = ANY (:targets::bigint[])
ON CONFLICT DO NOTHING;

-- name: all_targets
-- Every number printed on a site, with the site.
SELECT t.id, t.e164, s.name AS site FROM swap_targets t
JOIN sites s ON s.company_id = t.company_id AND s.id = t.site_id AND s.removed_at IS NULL
WHERE t.company_id = :company_id ORDER BY s.id, t.id;

-- name: sums
-- How many numbers each pool has, and what they cost a month. Retired ones are rented on, so that they ring.
SELECT p.id AS pool_id, count(n.id) AS numbers, count(n.retired_at) AS retired,
       sum(coalesce(n.monthly_price, p.monthly_price)) FILTER (WHERE n.id IS NOT NULL) AS monthly_price
FROM pools p LEFT JOIN tracking_numbers n ON n.company_id = p.company_id AND n.pool_id = p.id
WHERE p.company_id = :company_id GROUP BY p.id;

-- name: numbers_of_pool
-- Some numbers of a pool, in their order, after one.
SELECT n.id, n.e164, n.whisper, n.fax, n.note, n.retired_at, s.name AS source, s.colour, d.name AS destination,
       coalesce(n.monthly_price, p.monthly_price) AS monthly_price, l.lease_id IS NOT NULL AS is_leased,
       CASE WHEN isfinite(l.idle_since) THEN l.idle_since END AS idle_since,
       coalesce(n.resting_until = 'infinity', false) AS rests_for_ever,
       CASE WHEN isfinite(n.resting_until) THEN n.resting_until END AS resting_until,
       (SELECT max(c.started_at) FROM calls c WHERE c.company_id = n.company_id AND c.did = n.e164) AS last_dialled
FROM tracking_numbers n
JOIN pools p ON p.company_id = n.company_id AND p.id = n.pool_id
LEFT JOIN sources s ON s.company_id = n.company_id AND s.id = n.source_id
LEFT JOIN destinations d ON d.company_id = n.company_id AND d.id = n.destination_id
LEFT JOIN lendable_numbers l ON l.company_id = n.company_id AND l.number_id = n.id
WHERE n.company_id = :company_id AND n.pool_id = :pool_id AND n.id > :after
  AND (:digits::text = '' OR strpos(n.e164, :digits::text) > 0)
ORDER BY n.id LIMIT :most;

-- name: one_number^
SELECT n.id, n.e164, n.pool_id, n.source_id, n.destination_id, n.record_calls, n.whisper, n.fax, n.monthly_price, n.note,
       n.retired_at, p.name AS pool, p.kind
FROM tracking_numbers n JOIN pools p ON p.company_id = n.company_id AND p.id = n.pool_id
WHERE n.company_id = :company_id AND n.id = :number_id;

-- name: save_number!
UPDATE tracking_numbers SET source_id = :source_id, destination_id = :destination_id, record_calls = :record_calls,
                            whisper = :whisper, fax = :fax, monthly_price = :monthly_price, note = :note
WHERE company_id = :company_id AND id = :number_id;

-- name: numbers_in_use
-- The numbers of a pool that are not retired.
SELECT id FROM tracking_numbers WHERE company_id = :company_id AND pool_id = :pool_id AND retired_at IS NULL ORDER BY id;

-- name: set_removed!
UPDATE pools SET removed_at = :removed_at::timestamptz WHERE company_id = :company_id AND id = :pool_id;

-- name: numbers_as_they_are
-- Numbers as a change finds them, so that it can be taken back.
SELECT e164, to_jsonb(n) - 'created_at' AS kept FROM tracking_numbers n
WHERE company_id = :company_id AND id = ANY (:number_ids::bigint[]) ORDER BY id;

-- name: restore_numbers
-- Numbers are as they were, where they, their pools, sources and destinations are still there.
UPDATE tracking_numbers n
SET pool_id = kept.pool_id, source_id = kept.source_id, destination_id = kept.destination_id,
    record_calls = kept.record_calls, whisper = kept.whisper, fax = kept.fax, resting_until = kept.resting_until,
    retired_at = kept.retired_at, monthly_price = kept.monthly_price, note = kept.note
FROM jsonb_populate_recordset(null::tracking_numbers, :kept::jsonb) AS kept
WHERE n.company_id = :company_id AND n.id = kept.id
RETURNING n.e164;

-- name: insert_numbers
-- Numbers that were removed are there again.
INSERT INTO tracking_numbers (company_id, pool_id, e164, source_id, destination_id, record_calls, whisper, fax,
                              resting_until, retired_at, monthly_price, note)
SELECT :company_id, kept.pool_id, kept.e164, kept.source_id, kept.destination_id, kept.record_calls, kept.whisper, kept.fax,
       kept.resting_until, kept.retired_at, kept.monthly_price, kept.note
FROM jsonb_populate_recordset(null::tracking_numbers, :kept::jsonb) AS kept
ORDER BY kept.id
ON CONFLICT (e164) DO NOTHING
RETURNING e164;

-- name: unused_numbers
-- Of some numbers those that were never called, lent or shown.
SELECT n.e164 FROM tracking_numbers n
WHERE n.company_id = :company_id AND n.e164 = ANY (:numbers::text[])
  AND NOT EXISTS (SELECT FROM leases l WHERE l.company_id = n.company_id AND l.number_id = n.id)
  AND NOT EXISTS (SELECT FROM exposures e WHERE e.company_id = n.company_id AND e.number_id = n.id)
  AND NOT EXISTS (SELECT FROM calls c WHERE c.company_id = n.company_id AND c.number_id = n.id)
ORDER BY n.id;

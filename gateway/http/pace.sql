-- How fast somebody may try.

-- name: take$
-- One more try: nothing comes back where it would be too many. Each try is paid off in :step; :window pays a whole burst.
INSERT INTO paces AS known (key, free_at) VALUES (:key, clock_timestamp() + :step::interval)
ON CONFLICT (key) DO UPDATE SET free_at = greatest(known.free_at, clock_timestamp()) + :step::interval
    WHERE greatest(known.free_at, clock_timestamp()) + :step::interval <= clock_timestamp() + :window::interval
RETURNING true;

-- name: seconds_to_wait$
-- How long until the next try will be taken.
SELECT extract(epoch FROM free_at + :step::interval - :window::interval - clock_timestamp())::float8
FROM paces WHERE key = :key;

-- name: give_back!
-- That try was a right one: it is as if it had not been.
UPDATE paces SET free_at = free_at - :step::interval WHERE key = :key;

-- name: forget!
-- Whoever tried too often has shown who he is.
DELETE FROM paces WHERE key = :key;

-- name: forget_old!
-- What is paid off says nothing any more.
DELETE FROM paces WHERE free_at < clock_timestamp();

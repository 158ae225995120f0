-- name: server^
-- Version and clock of this Postgres.
SELECT current_setting('server_version_num')::int AS version, current_setting('server_version') AS text,
       extract(epoch FROM clock_timestamp())::float8 AS now;

-- name: extensions
-- Every extension this Postgres has, and the version that is installed in this database, if one is.
SELECT name, installed_version FROM pg_available_extensions ORDER BY name;

-- name: all_destinations
-- Every destination of every company.
SELECT d.name, d.dial, c.name AS company, c.region
FROM destinations d JOIN companies c ON c.id = d.company_id
ORDER BY d.id;

-- name: unknown_dids
-- Numbers that were called since then and that no pool had, the most called first.
SELECT did, count(*)::int AS calls, max(started_at) AS last_call
FROM calls
WHERE number_id IS NULL AND started_at > :since AND NOT EXISTS (SELECT FROM companies WHERE main_number = did)
GROUP BY did ORDER BY count(*) DESC, did LIMIT 100;

-- name: rung_numbers
-- Each tracking number: how long it is known, when it last rang.
SELECT n.id, n.e164, n.created_at, max(k.started_at) AS last_call,
       coalesce(max(k.started_at) > :since::timestamptz, false) AS rang_lately
FROM tracking_numbers n
LEFT JOIN calls k ON k.company_id = n.company_id AND k.number_id = n.id
GROUP BY n.id, n.e164, n.created_at ORDER BY n.id;

-- name: calendars
-- Each company's clock.
SELECT id, time_zone FROM companies ORDER BY id;

-- name: second_steps
-- Who has a second step in force, and the name of the key that his secret is sealed with; empty where it is in the clear.
SELECT email, split_part(totp_secret, ':', 2) AS key FROM users
WHERE totp_since IS NOT NULL AND totp_secret IS NOT NULL ORDER BY email;

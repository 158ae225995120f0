-- Who signs in, and how. All of these run before it is known which companies a request may see.

-- name: user_by_email^
-- Somebody by e-mail address (written small).
SELECT id, email, name, password_hash FROM users WHERE email = :email;

-- name: user_by_id^
-- Somebody by id.
SELECT id, email, name, language, password_hash IS NOT NULL AS has_password, totp_since IS NOT NULL AS has_second_step
FROM users WHERE id = :user_id;

-- name: insert_user$
-- A new user; nothing comes back where the address is taken.
INSERT INTO users (email, name, language) VALUES (:email, :name, :language) ON CONFLICT (email) DO NOTHING RETURNING id;

-- name: company_by_name^
-- A company by the name it has.
SELECT id FROM companies WHERE name = :name ORDER BY id LIMIT 1;

-- name: company_names
-- Every company, for an error that lists them.
SELECT name FROM companies ORDER BY name;

-- name: set_membership!
-- What somebody is in a company.
INSERT INTO memberships (user_id, company_id, role) VALUES (:user_id, :company_id, :role)
ON CONFLICT (user_id, company_id) DO UPDATE SET role = excluded.role;

-- name: set_password_hash!
-- Replace a password.
UPDATE users SET password_hash = :password_hash WHERE id = :user_id;

-- name: set_name!
-- How the pages call somebody.
UPDATE users SET name = :name WHERE id = :user_id;

-- name: set_language!
-- In which language letters to somebody are written.
UPDATE users SET language = :language WHERE id = :user_id AND language IS DISTINCT FROM :language;

-- name: insert_login_link!
-- A one-time link.
INSERT INTO login_links (token_hash, user_id, expires_at, purpose)
VALUES (:token_hash, :user_id, now() + :valid::interval, :purpose);

-- name: peek_login_link^
-- Whose link this is, while it can be used.
SELECT u.id, u.email, u.name FROM login_links l JOIN users u ON u.id = l.user_id
WHERE l.token_hash = :token_hash AND l.purpose = :purpose AND l.used_at IS NULL AND l.expires_at > now();

-- name: use_login_link$
-- Use a link up; nothing comes back where it was used or is too old.
UPDATE login_links SET used_at = now()
WHERE token_hash = :token_hash AND purpose = :purpose AND used_at IS NULL AND expires_at > now()
RETURNING user_id;

-- name: came_by_link$
-- Whether somebody has just signed in by link, and so need not know the old password.
SELECT EXISTS (
    SELECT FROM login_links
    WHERE user_id = :user_id AND purpose = 'sign_in' AND used_at > now() - :within::interval
);

-- name: insert_session!
-- A new session.
INSERT INTO sessions (token_hash, user_id, expires_at, user_agent, address, awaits_code)
VALUES (:token_hash, :user_id, now() + :idle::interval, :user_agent, :address, :awaits_code);

-- name: session_memberships
-- Whose session this is, one row a company (one with empty company columns where there is none).
SELECT s.id AS session_id, s.last_seen < now() - interval '5 minutes' AS is_stale,
       u.id AS user_id, u.email, u.name AS user_name, u.password_hash IS NOT NULL AS has_password,
       u.totp_since IS NOT NULL AS has_second_step,
       m.role, c.id AS company_id, c.name AS company_name, c.time_zone, c.region,
       EXISTS (SELECT FROM example_data e WHERE e.company_id = c.id) AS is_example
FROM sessions s
JOIN users u ON u.id = s.user_id
LEFT JOIN memberships m ON m.user_id = u.id
LEFT JOIN companies c ON c.id = m.company_id
WHERE s.token_hash = :token_hash AND NOT s.awaits_code
  AND s.expires_at > now() AND s.created_at > now() - :longest::interval
ORDER BY c.name, c.id;

-- name: waiting_user$
-- Who has shown a password in this session, and has yet to show the second step.
SELECT user_id FROM sessions WHERE token_hash = :token_hash AND awaits_code AND expires_at > now();

-- name: touch_session!
-- Somebody is still there: the session lasts longer.
UPDATE sessions SET last_seen = now(), expires_at = now() + :idle::interval, address = :address
WHERE token_hash = :token_hash;

-- name: sessions_of
-- Where somebody is signed in, the one seen last first.
SELECT id, token_hash, created_at, last_seen, user_agent, address FROM sessions
WHERE user_id = :user_id AND NOT awaits_code AND expires_at > now() AND created_at > now() - :longest::interval
ORDER BY last_seen DESC, id DESC
LIMIT 100;

-- name: end_session!
-- Sign out.
DELETE FROM sessions WHERE token_hash = :token_hash;

-- name: end_session_of$
-- Sign out somewhere else; nothing comes back where it is not one's own.
DELETE FROM sessions WHERE id = :id AND user_id = :user_id RETURNING id;

-- name: end_other_sessions$
-- Sign out everywhere else; how many sessions that were.
WITH ended AS (DELETE FROM sessions WHERE user_id = :user_id AND token_hash <> :token_hash RETURNING awaits_code)
SELECT count(*) FILTER (WHERE NOT awaits_code) FROM ended;

-- name: end_old_sessions!
-- Forget what nobody can use any more.
DELETE FROM sessions WHERE expires_at <= now();

-- name: end_login_links!
-- Unused links of somebody end with a new password.
UPDATE login_links SET expires_at = now() WHERE user_id = :user_id AND used_at IS NULL AND expires_at > now();

-- name: is_known_device$
-- Whether somebody has signed in with this browser before.
SELECT EXISTS (
    SELECT FROM known_devices d JOIN users u ON u.id = d.user_id
    WHERE u.email = :email AND d.token_hash = :token_hash AND d.last_seen > now() - :kept::interval
);

-- name: know_device^
-- Somebody has signed in with this browser: whether it is new, and whether it is his first of all.
WITH earlier AS (
    SELECT count(*) > 0 AS has_any, coalesce(bool_or(token_hash = :token_hash), false) AS is_known
    FROM known_devices WHERE user_id = :user_id
), kept AS (
    INSERT INTO known_devices (user_id, token_hash) VALUES (:user_id, :token_hash)
    ON CONFLICT (user_id, token_hash) DO UPDATE SET last_seen = now()
), old AS (
    DELETE FROM known_devices WHERE user_id = :user_id AND last_seen <= now() - :kept_for::interval
)
SELECT has_any, is_known FROM earlier;

-- name: companies_of
-- The companies somebody is a member of.
SELECT company_id FROM memberships WHERE user_id = :user_id ORDER BY company_id;

-- name: all_users
-- Everybody in every company, for a command on the server.
SELECT c.name AS company, u.email, u.name, m.role, CASE WHEN u.totp_since IS NULL THEN 'no' ELSE 'yes' END AS second_step
FROM memberships m JOIN users u ON u.id = m.user_id JOIN companies c ON c.id = m.company_id
ORDER BY c.name, u.email;

-- Who signs in, and how. All of these run before it is known which companies a request may see.

-- name: user_by_email^
-- Somebody by e-mail address (written small).
SELECT id, email, name, password_hash FROM users WHERE email = :email;

-- name: insert_user$
-- A new user; nothing comes back where the address is taken.
INSERT INTO users (email, name) VALUES (:email, :name) ON CONFLICT (email) DO NOTHING RETURNING id;

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

-- name: insert_login_link!
-- A one-time link.
INSERT INTO login_links (token_hash, user_id, expires_at) VALUES (:token_hash, :user_id, now() + :valid);

-- name: peek_login_link^
-- Whose link this is, while it can be used.
SELECT u.id, u.email, u.name FROM login_links l JOIN users u ON u.id = l.user_id
WHERE l.token_hash = :token_hash AND l.used_at IS NULL AND l.expires_at > now();

-- name: use_login_link$
-- Use a link up; nothing comes back where it was used or is too old.
UPDATE login_links SET used_at = now()
WHERE token_hash = :token_hash AND used_at IS NULL AND expires_at > now()
RETURNING user_id;

-- name: came_by_link$
-- Whether somebody has just signed in by link, and so need not know the old password.
SELECT EXISTS (SELECT FROM login_links WHERE user_id = :user_id AND used_at > now() - :within::interval);

-- name: insert_session!
-- A new session.
INSERT INTO sessions (token_hash, user_id, expires_at, user_agent)
VALUES (:token_hash, :user_id, now() + :idle, :user_agent);

-- name: session_memberships
-- Whose session this is, one row a company (one with empty company columns where there is none).
SELECT s.created_at AS session_created_at, s.last_seen < now() - interval '5 minutes' AS is_stale,
       u.id AS user_id, u.email, u.name AS user_name, u.password_hash IS NOT NULL AS has_password,
       m.role, c.id AS company_id, c.name AS company_name, c.time_zone, c.region
FROM sessions s
JOIN users u ON u.id = s.user_id
LEFT JOIN memberships m ON m.user_id = u.id
LEFT JOIN companies c ON c.id = m.company_id
WHERE s.token_hash = :token_hash AND s.expires_at > now() AND s.created_at > now() - :longest::interval
ORDER BY c.name, c.id;

-- name: touch_session!
-- Somebody is still there: the session lasts longer.
UPDATE sessions SET last_seen = now(), expires_at = now() + :idle WHERE token_hash = :token_hash;

-- name: end_session!
-- Sign out.
DELETE FROM sessions WHERE token_hash = :token_hash;

-- name: end_other_sessions!
-- Sign out everywhere else.
DELETE FROM sessions WHERE user_id = :user_id AND token_hash <> :token_hash;

-- name: end_old_sessions!
-- Forget what nobody can use any more.
DELETE FROM sessions WHERE expires_at <= now();

-- name: end_login_links!
-- Unused links of somebody end with a new password.
UPDATE login_links SET expires_at = now() WHERE user_id = :user_id AND used_at IS NULL AND expires_at > now();

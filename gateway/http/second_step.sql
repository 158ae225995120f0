-- The second step of signing in: codes of an app, and recovery codes.

-- name: second_step_of^
-- The secret of somebody, sealed, and since when it is in force.
SELECT email, totp_secret, totp_since,
       (SELECT count(*) FROM recovery_codes r WHERE r.user_id = u.id AND r.used_at IS NULL) AS codes_left
FROM users u WHERE id = :user_id;

-- name: propose_secret$
-- A secret that is not in force yet; one that was proposed before stays, so that a page may be read twice.
UPDATE users SET totp_secret = CASE WHEN :anew::boolean THEN :secret ELSE coalesce(totp_secret, :secret) END
WHERE id = :user_id AND totp_since IS NULL
RETURNING totp_secret;

-- name: turn_on$
-- The app shows the right codes: from now on they are asked for.
UPDATE users SET totp_since = now() WHERE id = :user_id AND totp_since IS NULL AND totp_secret IS NOT NULL RETURNING id;

-- name: turn_off$
-- No codes any more.
WITH gone AS (DELETE FROM recovery_codes WHERE user_id = :user_id)
UPDATE users SET totp_secret = NULL, totp_since = NULL, totp_last_step = 0
WHERE id = :user_id AND totp_since IS NOT NULL RETURNING id;

-- name: use_step$
-- A code counts once: nothing comes back for a step that was used, or lies before one that was.
UPDATE users SET totp_last_step = :step WHERE id = :user_id AND totp_last_step < :step RETURNING id;

-- name: forget_recovery_codes!
DELETE FROM recovery_codes WHERE user_id = :user_id;

-- name: insert_recovery_code!
INSERT INTO recovery_codes (user_id, code_hash) VALUES (:user_id, :code_hash);

-- name: use_recovery_code$
-- Use a recovery code up; nothing comes back where it is none or was used.
UPDATE recovery_codes SET used_at = now()
WHERE user_id = :user_id AND code_hash = :code_hash AND used_at IS NULL
RETURNING user_id;

-- name: secrets_in_the_clear
-- What a version before the sealing left; base32 has no colon, and what is sealed has two.
SELECT id, totp_secret FROM users WHERE totp_secret IS NOT NULL AND position(':' IN totp_secret) = 0
ORDER BY id FOR UPDATE;

-- name: seal_secret!
UPDATE users SET totp_secret = :sealed WHERE id = :user_id;

-- name: sounds
-- A company's own sounds, without their samples.
SELECT id, name, text, language, seconds, digest, created_at FROM sounds
WHERE company_id = :company_id AND removed_at IS NULL ORDER BY name, id;

-- name: add_sound$
-- None where another one has that name.
INSERT INTO sounds (company_id, name, text, language, seconds, samples, digest)
VALUES (:company_id, :name, :text, :language, :seconds, :samples, :digest)
ON CONFLICT (company_id, name) WHERE removed_at IS NULL DO NOTHING
RETURNING id;

-- name: samples$
SELECT samples FROM sounds WHERE company_id = :company_id AND id = :id AND removed_at IS NULL;

-- name: remove_sound$
UPDATE sounds SET removed_at = now() WHERE company_id = :company_id AND id = :id AND removed_at IS NULL RETURNING id;

-- name: restore_sound$
UPDATE sounds s SET removed_at = NULL
WHERE s.company_id = :company_id AND s.id = :id AND NOT EXISTS (
    SELECT FROM sounds o WHERE o.company_id = s.company_id AND o.name = s.name AND o.removed_at IS NULL)
RETURNING s.id;

-- name: every_sound
-- Of all companies: what each gateway puts where its Asterisk reads it.
SELECT company_id, id, digest FROM sounds WHERE removed_at IS NULL ORDER BY id;

-- name: sounds_in_use
-- Where sounds are played besides flows: the sound, what kind of thing plays it, its id and its name.
SELECT announcement AS sound, 'company' AS whose, id, name FROM companies WHERE id = :company_id AND announcement IS NOT NULL
UNION ALL
SELECT whisper, 'source', id, name FROM sources WHERE company_id = :company_id AND whisper IS NOT NULL
UNION ALL
SELECT whisper, 'number', id, e164 FROM tracking_numbers WHERE company_id = :company_id AND whisper IS NOT NULL
ORDER BY 2, 4;

-- name: accounts
-- All accounts that carriers may post for.
SELECT a.id, a.company_id, c.region, a.name, a.kind, a.token, a.plain::text AS plain, a.secrets::text AS secrets
FROM text_accounts a JOIN companies c ON c.id = a.company_id
WHERE a.removed_at IS NULL ORDER BY a.id;

-- name: account^
SELECT a.id, a.company_id, c.region, a.name, a.kind, a.token, a.plain::text AS plain, a.secrets::text AS secrets
FROM text_accounts a JOIN companies c ON c.id = a.company_id
WHERE a.company_id = :company_id AND a.id = :id AND a.removed_at IS NULL;

-- name: accounts_of
-- Those of a company, with when they were last heard of.
SELECT a.id, a.company_id, c.region, a.name, a.kind, a.token, a.plain::text AS plain, a.secrets::text AS secrets, a.refused_at,
       (SELECT max(t.at) FROM texts t WHERE t.company_id = a.company_id AND t.account_id = a.id AND t.direction = 'in') AS heard_at
FROM text_accounts a JOIN companies c ON c.id = a.company_id
WHERE a.company_id = :company_id AND a.removed_at IS NULL ORDER BY a.name, a.id;

-- name: add_account$
INSERT INTO text_accounts (company_id, name, kind, token, plain, secrets)
VALUES (:company_id, :name, :kind, :token, :plain::jsonb, :secrets::jsonb)
ON CONFLICT (company_id, name) WHERE removed_at IS NULL DO NOTHING RETURNING id;

-- name: change_account$
UPDATE text_accounts a SET name = :name, plain = :plain::jsonb, secrets = :secrets::jsonb
WHERE company_id = :company_id AND id = :id AND removed_at IS NULL
  AND NOT EXISTS (SELECT FROM text_accounts o WHERE o.company_id = :company_id AND o.name = :name AND o.id <> :id
                  AND o.removed_at IS NULL)
RETURNING id;

-- name: new_token$
UPDATE text_accounts SET token = :token WHERE company_id = :company_id AND id = :id AND removed_at IS NULL RETURNING id;

-- name: remove_account$
UPDATE text_accounts SET removed_at = now() WHERE company_id = :company_id AND id = :id AND removed_at IS NULL RETURNING name;

-- name: bring_back$
UPDATE text_accounts a SET removed_at = NULL
WHERE company_id = :company_id AND id = :id AND removed_at IS NOT NULL
  AND NOT EXISTS (SELECT FROM text_accounts o WHERE o.company_id = :company_id AND o.name = a.name AND o.removed_at IS NULL)
RETURNING name;

-- name: was_refused!
UPDATE text_accounts SET refused_at = now() WHERE company_id = :company_id AND id = :id;

-- name: mail_to$
SELECT texts_to FROM companies WHERE id = :company_id;

-- name: set_mail_to!
UPDATE companies SET texts_to = :addresses::text[] WHERE id = :company_id;

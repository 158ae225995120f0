-- name: tokens
-- Secrets of programs, with the site that each speaks for, where it speaks for one.
SELECT token.id, token.hash, token.kind, token.company_id, site.public_key, company.region
FROM collector_tokens token
JOIN companies company ON company.id = token.company_id
LEFT JOIN sites site ON site.company_id = token.company_id AND site.id = token.site_id
WHERE site.removed_at IS NULL;

-- name: add_token!
INSERT INTO collector_tokens (company_id, site_id, kind, hash, name) VALUES (:company_id, :site_id, :kind, :hash, :name);

-- name: programs
-- A company's programs that hand in leads.
SELECT id, name, created_at, used_at FROM collector_tokens
WHERE company_id = :company_id AND kind = 'leads' ORDER BY lower(name), id;

-- name: remove_program^
DELETE FROM collector_tokens WHERE company_id = :company_id AND id = :id AND kind = 'leads' RETURNING name, hash, created_at;

-- name: bring_program_back$
INSERT INTO collector_tokens (company_id, kind, hash, name, created_at)
VALUES (:company_id, 'leads', :hash, :name, :created_at) RETURNING id;

-- name: tell_used!
-- Once an hour, because every change of tokens is told to all workers.
UPDATE collector_tokens SET used_at = now()
WHERE company_id = :company_id AND id = :id AND (used_at IS NULL OR used_at < now() - interval '1 hour');

-- name: remove_tokens
-- Take back the tokens of a kind, of one site or of the company; each that was taken.
DELETE FROM collector_tokens
WHERE company_id = :company_id AND kind = :kind AND site_id IS NOT DISTINCT FROM :site_id::bigint RETURNING id;

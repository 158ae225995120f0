-- name: tokens
-- Secrets of programs, with the site that each speaks for, where it speaks for one.
SELECT token.hash, token.kind, token.company_id, site.public_key
FROM collector_tokens token
LEFT JOIN sites site ON site.company_id = token.company_id AND site.id = token.site_id
WHERE site.removed_at IS NULL;

-- name: add_token!
INSERT INTO collector_tokens (company_id, site_id, kind, hash) VALUES (:company_id, :site_id, :kind, :hash);

-- name: remove_tokens
-- Take back the tokens of a kind, of one site or of the company; each that was taken.
DELETE FROM collector_tokens
WHERE company_id = :company_id AND kind = :kind AND site_id IS NOT DISTINCT FROM :site_id::bigint RETURNING id;

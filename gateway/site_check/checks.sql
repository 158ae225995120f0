-- name: add_check$
-- A check that begins; its browser is known by the mark it bears, for as long as it is good.
INSERT INTO site_checks (company_id, site_id, url, mark_hash, good_until, asked_by)
VALUES (:company_id, :site_id, :url, :mark_hash, :good_until, :asked_by)
RETURNING id;

-- name: forget_old_checks!
-- The newest twenty of a site are kept.
DELETE FROM site_checks old
WHERE old.company_id = :company_id AND old.site_id = :site_id
  AND old.id <= (SELECT id FROM site_checks WHERE company_id = :company_id AND site_id = :site_id
                 ORDER BY id DESC OFFSET 20 LIMIT 1);

-- name: is_good$
-- Whether a browser's mark is that of a check of this company that is under way.
SELECT EXISTS (SELECT FROM site_checks WHERE company_id = :company_id AND mark_hash = :mark_hash
                 AND good_until > :now AND ended_at IS NULL);

-- name: stepped!
UPDATE site_checks SET step = :step WHERE company_id = :company_id AND id = :check_id AND ended_at IS NULL;

-- name: ended!
UPDATE site_checks SET ended_at = :now, report = :report, step = '' WHERE company_id = :company_id AND id = :check_id
  AND ended_at IS NULL;

-- name: one_check^
SELECT id, site_id, url, asked_at, good_until, step, ended_at, report FROM site_checks
WHERE company_id = :company_id AND id = :check_id;

-- name: newest_checks
-- The newest check of each site; one that was never ended because its program was killed counts until its time is over.
SELECT DISTINCT ON (site_id) id, site_id, url, asked_at, good_until, step, ended_at, report FROM site_checks
WHERE company_id = :company_id ORDER BY site_id, id DESC;

-- name: sites_and_keys
-- Every site of the installation, for telling whose a key or a host is.
SELECT s.id, s.company_id, c.name AS company, s.name, s.public_key, s.hosts, c.region, s.consent_required
FROM sites s JOIN companies c ON c.id = s.company_id WHERE s.removed_at IS NULL ORDER BY s.id;

-- name: numbers_of
-- The numbers printed on a site, and every number of its company that a page may show in place of one.
SELECT 'target' AS kind, e164 FROM swap_targets WHERE company_id = :company_id AND site_id = :site_id
UNION ALL
SELECT p.kind, n.e164 FROM tracking_numbers n JOIN pools p ON p.company_id = n.company_id AND p.id = n.pool_id
WHERE n.company_id = :company_id;

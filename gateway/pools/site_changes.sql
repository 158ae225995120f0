-- What a page of the settings reads and changes of one site.

-- name: one_site^
SELECT id, name, public_key, hosts, payment_hosts, time_zone, consent_required FROM sites
WHERE company_id = :company_id AND id = :site_id AND removed_at IS NULL;

-- name: targets
SELECT id, e164 FROM swap_targets WHERE company_id = :company_id AND site_id = :site_id ORDER BY id;

-- name: save_site$
-- Nothing where another site of the company has that name.
UPDATE sites SET name = :name, hosts = :hosts::text[], payment_hosts = :payment_hosts::text[], time_zone = :time_zone,
                 consent_required = :consent_required
WHERE company_id = :company_id AND id = :site_id
  AND NOT EXISTS (SELECT FROM sites other WHERE other.company_id = :company_id AND other.name = :name
                  AND other.id <> :site_id AND other.removed_at IS NULL)
RETURNING id;

-- name: set_removed!
UPDATE sites SET removed_at = :removed_at::timestamptz WHERE company_id = :company_id AND id = :site_id;

-- name: serving_pools
-- The pools that name a swap target among those they serve.
SELECT pool_id FROM pool_swap_targets WHERE company_id = :company_id AND swap_target_id = :target_id ORDER BY pool_id;

-- name: take_target$
DELETE FROM swap_targets WHERE company_id = :company_id AND site_id = :site_id AND id = :target_id RETURNING e164;

-- name: give_target$
-- A swap target that was taken away stands again, where its site is still there and it does not stand already.
INSERT INTO swap_targets (company_id, site_id, e164)
SELECT :company_id, id, :e164 FROM sites WHERE company_id = :company_id AND id = :site_id
ON CONFLICT (company_id, site_id, e164) DO NOTHING
RETURNING id;

-- name: serve_again!
-- The pools that served it do so again, as far as they are still there.
INSERT INTO pool_swap_targets (company_id, pool_id, swap_target_id)
SELECT :company_id, id, :target_id FROM pools WHERE company_id = :company_id AND id = ANY (:pools::bigint[])
ON CONFLICT DO NOTHING;

-- name: sites
-- The sites of a company, each with the numbers printed on it.
SELECT s.id, s.name, s.public_key, s.hosts, s.payment_hosts, s.time_zone,
       array(SELECT e164 FROM swap_targets t WHERE t.company_id = s.company_id AND t.site_id = s.id ORDER BY t.id) AS targets
FROM sites s WHERE s.company_id = :company_id AND s.removed_at IS NULL ORDER BY s.id;

-- name: add_site$
INSERT INTO sites (company_id, name, public_key, hosts, payment_hosts, time_zone)
VALUES (:company_id, :name, :public_key, :hosts::text[], :payment_hosts::text[], :time_zone)
ON CONFLICT (company_id, name) WHERE removed_at IS NULL DO NOTHING
RETURNING id;

-- name: change_site!
-- What is not named stays.
UPDATE sites SET hosts = coalesce(:hosts::text[], hosts), payment_hosts = coalesce(:payment_hosts::text[], payment_hosts),
                 time_zone = coalesce(:time_zone, time_zone)
WHERE company_id = :company_id AND id = :site_id;

-- name: add_target$
INSERT INTO swap_targets (company_id, site_id, e164) VALUES (:company_id, :site_id, :e164)
ON CONFLICT (company_id, site_id, e164) DO NOTHING
RETURNING id;

-- name: remove_target$
DELETE FROM swap_targets WHERE company_id = :company_id AND site_id = :site_id AND e164 = :e164 RETURNING id;

-- name: targets_of_number
-- A number may be printed on several sites.
SELECT id FROM swap_targets WHERE company_id = :company_id AND e164 = :e164;

-- name: require_consent!
-- Whether visitors of a site must say yes before they are known again.
UPDATE sites SET consent_required = :is_required WHERE company_id = :company_id AND id = :site_id;

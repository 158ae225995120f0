-- The overview page. Each runs in a transaction that sees one company.

-- name: standing^
-- How a company counts, how far it is set up, and when its first call came.
SELECT c.credit_model, c.currency,
       (SELECT min(started_at) FROM calls k WHERE k.company_id = c.id) AS first_call,
       (SELECT count(*) FROM tracking_numbers n WHERE n.company_id = c.id AND n.retired_at IS NULL) AS numbers,
       EXISTS (SELECT FROM sites s WHERE s.company_id = c.id AND s.removed_at IS NULL) AS has_site,
       EXISTS (SELECT FROM visits v WHERE v.company_id = c.id) AS has_visit,
       EXISTS (SELECT FROM destinations d WHERE d.company_id = c.id AND d.is_default) AS rings
FROM companies c WHERE c.id = :company_id;

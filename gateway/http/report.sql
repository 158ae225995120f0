-- What a report needs to know of its company.

-- name: company^
SELECT c.currency, c.credit_model,
       (SELECT min(started_at) FROM calls WHERE company_id = c.id) AS first_call
FROM companies c WHERE c.id = :company_id;

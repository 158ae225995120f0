-- name: one_company^
SELECT id, name, time_zone, region, currency, main_number, credit_model, credit_days, credit_half_life, is_default
FROM companies WHERE id = :company_id;

-- name: hold_company^
SELECT id, name, time_zone, region, currency, main_number, credit_model, credit_days, credit_half_life, is_default
FROM companies WHERE id = :company_id FOR UPDATE;

-- name: save_company!
UPDATE companies
SET name = :name, time_zone = :time_zone, region = :region, currency = :currency, main_number = :main_number,
    credit_model = :credit_model, credit_days = :credit_days, credit_half_life = :credit_half_life
WHERE id = :company_id;

-- name: is_name_taken$
-- Names tell companies apart in commands, so no two have the same. Asked where every company is seen.
SELECT EXISTS (SELECT FROM companies WHERE name = :name AND id IS DISTINCT FROM :company_id::bigint);

-- name: default_among$
-- Which of the companies that are seen gets the calls that nobody owns.
SELECT id FROM companies WHERE is_default AND id = ANY (:ids);

-- name: take_default!
UPDATE companies SET is_default = false WHERE id = :company_id AND is_default;

-- name: give_default!
UPDATE companies SET is_default = true WHERE id = :company_id;

-- name: make_owner!
INSERT INTO memberships (user_id, company_id, role) VALUES (:user_id, :company_id, 'owner');

-- name: change_destination!
UPDATE destinations
SET name = :name, dial = :dial, ring_seconds = :ring_seconds, next_id = :next_id, is_default = :is_default
WHERE company_id = :company_id AND id = :id;

-- name: hold_destinations
-- All of a company, until the end of the transaction: what leads where concerns all of them.
SELECT id, name, dial, ring_seconds, next_id, is_default
FROM destinations WHERE company_id = :company_id ORDER BY id FOR UPDATE;

-- name: numbers_of_destination
SELECT e164 FROM tracking_numbers WHERE company_id = :company_id AND destination_id = :id ORDER BY id;

-- name: numbers_of_main_line
SELECT e164 FROM tracking_numbers WHERE company_id = :company_id AND destination_id IS NULL ORDER BY id;

-- name: move_numbers!
UPDATE tracking_numbers SET destination_id = :other WHERE company_id = :company_id AND destination_id = :id;

-- name: remove_destination!
DELETE FROM destinations WHERE company_id = :company_id AND id = :id;

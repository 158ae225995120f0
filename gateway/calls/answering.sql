-- name: prompting_companies
-- Which companies ask whoever answers for a key, in which language.
SELECT id, coalesce(whisper_language, '') AS language, region, asks_after_call,
       EXISTS (SELECT FROM destinations WHERE company_id = companies.id AND press_one) AS press_one
FROM companies
WHERE asks_after_call OR EXISTS (SELECT FROM destinations WHERE company_id = companies.id AND press_one)
ORDER BY id;

-- name: set_press_one$
UPDATE destinations SET press_one = :press_one WHERE company_id = :company_id AND name = :name RETURNING dial;

-- name: telephone_settings^
SELECT asks_after_call, shows_source FROM companies WHERE id = :company_id;

-- name: ask_after_call!
UPDATE companies SET asks_after_call = :wanted WHERE id = :company_id;

-- name: show_source!
UPDATE companies SET shows_source = :wanted WHERE id = :company_id;

-- name: save_pause!
-- Nothing was recorded from .. to; said once.
INSERT INTO recording_pauses (company_id, call_id, position, began, ended)
VALUES (:company_id, :call_id, :position, :began, :ended) ON CONFLICT DO NOTHING;

-- name: pauses
-- When nothing of a call was recorded, in order.
SELECT began, ended FROM recording_pauses WHERE company_id = :company_id AND call_id = :call_id ORDER BY position;

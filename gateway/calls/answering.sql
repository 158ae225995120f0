-- name: prompting_companies
-- Which companies ask whoever answers for a key, in which language.
SELECT id, coalesce(whisper_language, '') AS language, region
FROM companies
WHERE EXISTS (SELECT FROM destinations WHERE company_id = companies.id AND press_one)
ORDER BY id;

-- name: set_press_one$
UPDATE destinations SET press_one = :press_one WHERE company_id = :company_id AND name = :name RETURNING dial;

-- name: save_pause!
-- Nothing was recorded from .. to; said once.
INSERT INTO recording_pauses (company_id, call_id, position, began, ended)
VALUES (:company_id, :call_id, :position, :began, :ended) ON CONFLICT DO NOTHING;

-- name: pauses
-- When nothing of a call was recorded, in order.
SELECT began, ended FROM recording_pauses WHERE company_id = :company_id AND call_id = :call_id ORDER BY position;

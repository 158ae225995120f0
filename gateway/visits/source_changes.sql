-- Sources as the settings show and change them.

-- name: one_source^
SELECT id, name, channel, source, medium, campaign, colour, hidden_at FROM sources
WHERE company_id = :company_id AND id = :id;

-- name: hold_source^
SELECT id, name, channel, source, medium, campaign, colour, hidden_at FROM sources
WHERE company_id = :company_id AND id = :id FOR UPDATE;

-- name: labels
-- What visits are named that are a source's.
SELECT label FROM source_labels WHERE company_id = :company_id AND source_id = :id ORDER BY label;

-- name: is_anothers$
-- Whether a name is another source's, or was.
SELECT EXISTS (SELECT FROM source_labels WHERE company_id = :company_id AND label = :name AND source_id <> :id)
       OR EXISTS (SELECT FROM sources WHERE company_id = :company_id AND name = :name AND id <> :id);

-- name: save_source!
UPDATE sources SET name = :name, channel = :channel, source = :source, medium = :medium, campaign = :campaign,
                   colour = :colour
WHERE company_id = :company_id AND id = :id;

-- name: forget_label!
-- A name that it had for a while; not the one it has.
DELETE FROM source_labels l WHERE company_id = :company_id AND source_id = :id AND label = :label
  AND NOT EXISTS (SELECT FROM sources s WHERE s.company_id = l.company_id AND s.id = l.source_id AND s.name = l.label);

-- name: set_hidden!
UPDATE sources SET hidden_at = :hidden_at::timestamptz WHERE company_id = :company_id AND id = :id;

-- name: numbers_of$
-- Numbers in use that stand for a source.
SELECT count(*) FROM tracking_numbers WHERE company_id = :company_id AND source_id = :id AND retired_at IS NULL;

-- name: rows_of
-- How many rows of each table are a source's.
SELECT relation, rows_there FROM numberpool_rows_of_source(:company_id, :id);

-- name: merge!
SELECT numberpool_merge_source(:company_id, :merged, :target);

-- name: split$
SELECT numberpool_split_source(:company_id, :merged);

-- name: merged_into$
-- What a source is part of now.
SELECT source_id FROM merged_sources WHERE company_id = :company_id AND id = :id;

-- Marks on calls. A change of a call's row is told to the pages by its trigger. gateway.leads.marks makes the same queries
-- of forms, chats and texts out of them, which have the same tables under other names.

-- name: marks_of_call^
-- Status and note.
SELECT status, note FROM calls WHERE company_id = :company_id AND id = :call_id;

-- name: tags_of_call
-- The tags of a call, by name.
SELECT t.id, t.name FROM call_tags c JOIN tags t ON t.company_id = c.company_id AND t.id = c.tag_id
WHERE c.company_id = :company_id AND c.call_id = :call_id
ORDER BY t.folded;

-- name: set_status$
-- A new status; the one before comes back.
WITH before AS (
    SELECT company_id, id, status FROM calls WHERE company_id = :company_id AND id = :call_id FOR UPDATE
)
UPDATE calls c SET status = :status FROM before b WHERE c.company_id = b.company_id AND c.id = b.id
RETURNING b.status;

-- name: set_note$
-- A new note; the one before comes back.
WITH before AS (
    SELECT company_id, id, note FROM calls WHERE company_id = :company_id AND id = :call_id FOR UPDATE
)
UPDATE calls c SET note = :note FROM before b WHERE c.company_id = b.company_id AND c.id = b.id
RETURNING b.note;

-- name: tag_by_name^
-- The company's tag of that name; made where there is none.
WITH made AS (
    INSERT INTO tags (company_id, name, folded) VALUES (:company_id, :name, :folded)
    ON CONFLICT (company_id, folded) DO NOTHING RETURNING id, name
)
SELECT id, name FROM made
UNION ALL
SELECT id, name FROM tags WHERE company_id = :company_id AND folded = :folded
LIMIT 1;

-- name: add_tag$
-- Mark a call; nothing comes back where it has the tag already.
INSERT INTO call_tags (company_id, call_id, tag_id, started_at)
SELECT company_id, id, :tag_id, started_at FROM calls WHERE company_id = :company_id AND id = :call_id
ON CONFLICT DO NOTHING
RETURNING tag_id;

-- name: remove_tag$
-- Take a tag off; nothing comes back where the call did not have it.
DELETE FROM call_tags WHERE company_id = :company_id AND call_id = :call_id AND tag_id = :tag_id RETURNING tag_id;

-- name: tags_of_company
-- All tags of a company.
SELECT id, name FROM tags WHERE company_id = :company_id ORDER BY folded;

-- name: texts_of_call^
-- What a call is found by, besides its number.
SELECT c.caller_name, c.note,
       coalesce((SELECT array_agg(t.name ORDER BY t.folded) FROM call_tags m
                 JOIN tags t ON t.company_id = m.company_id AND t.id = m.tag_id
                 WHERE m.company_id = c.company_id AND m.call_id = c.id), '{}') AS tags
FROM calls c WHERE c.company_id = :company_id AND c.id = :call_id;

-- name: texts_of_lead^
-- What a form, chat or text is found by, besides its number.
SELECT l.data, l.email, l.note,
       coalesce((SELECT array_agg(t.name ORDER BY t.folded) FROM lead_tags m
                 JOIN tags t ON t.company_id = m.company_id AND t.id = m.tag_id
                 WHERE m.company_id = l.company_id AND m.lead_id = l.id), '{}') AS tags
FROM leads l WHERE l.company_id = :company_id AND l.id = :lead_id;

-- name: index_call!
-- The words of a call become these.
WITH gone AS (
    DELETE FROM call_words WHERE company_id = :company_id AND call_id = :call_id AND word <> ALL (:words::text[])
)
INSERT INTO call_words (company_id, word, started_at, call_id)
SELECT company_id, word, started_at, id FROM calls, unnest(:words::text[]) AS word
WHERE company_id = :company_id AND id = :call_id
ON CONFLICT DO NOTHING;

-- name: touch!
-- Tell the pages that a call is to be read again.
UPDATE calls SET note = note WHERE company_id = :company_id AND id = :call_id;

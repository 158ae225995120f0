-- The tags of a company as its settings show and change them.

-- name: tags_used
-- Every tag with how many calls and other leads have it, and when the last of them came.
SELECT t.id, t.name, count(marked.tag_id) AS calls, max(marked.at) AS last_at
FROM tags t
LEFT JOIN (
    SELECT tag_id, started_at AS at FROM call_tags WHERE company_id = :company_id
    UNION ALL SELECT tag_id, received_at FROM lead_tags WHERE company_id = :company_id
) marked ON marked.tag_id = t.id
WHERE t.company_id = :company_id
GROUP BY t.id, t.name, t.folded
ORDER BY t.folded;

-- name: one_tag^
SELECT id, name, folded FROM tags WHERE company_id = :company_id AND id = :id;

-- name: hold_tag^
SELECT id, name, folded FROM tags WHERE company_id = :company_id AND id = :id FOR UPDATE;

-- name: make_tag$
-- Nothing comes back where there is one of that name.
INSERT INTO tags (company_id, name, folded) VALUES (:company_id, :name, :folded)
ON CONFLICT (company_id, folded) DO NOTHING RETURNING id;

-- name: rename_tag!
UPDATE tags SET name = :name, folded = :folded WHERE company_id = :company_id AND id = :id;

-- name: is_anothers$
SELECT EXISTS (SELECT FROM tags WHERE company_id = :company_id AND folded = :folded AND id <> :id);

-- name: calls_of_tag
SELECT call_id FROM call_tags WHERE company_id = :company_id AND tag_id = :id ORDER BY call_id;

-- name: tag_calls
-- Mark calls that are still there; those that had it not are answered.
INSERT INTO call_tags (company_id, call_id, tag_id, started_at)
SELECT company_id, id, :tag_id, started_at FROM calls WHERE company_id = :company_id AND id = ANY (:calls::bigint[])
ON CONFLICT DO NOTHING RETURNING call_id;

-- name: untag_calls!
DELETE FROM call_tags WHERE company_id = :company_id AND tag_id = :tag_id AND call_id = ANY (:calls::bigint[]);

-- name: leads_of_tag
SELECT lead_id FROM lead_tags WHERE company_id = :company_id AND tag_id = :id ORDER BY lead_id;

-- name: tag_leads
-- Mark forms, chats and texts that are still there; those that had it not are answered.
INSERT INTO lead_tags (company_id, lead_id, tag_id, received_at)
SELECT company_id, id, :tag_id, received_at FROM leads WHERE company_id = :company_id AND id = ANY (:leads::uuid[])
ON CONFLICT DO NOTHING RETURNING lead_id;

-- name: untag_leads!
DELETE FROM lead_tags WHERE company_id = :company_id AND tag_id = :tag_id AND lead_id = ANY (:leads::uuid[]);

-- name: views_of_tag
-- The views that people keep which are filtered by a tag.
SELECT id, user_id, name, query, is_shared, page FROM saved_views
WHERE company_id = :company_id AND query ~ ('(^|&)tag=' || :id::bigint || '(&|$)');

-- name: lead_views!
-- Views are filtered by another tag from now on.
UPDATE saved_views SET query = regexp_replace(query, '(^|&)tag=' || :id::bigint || '(&|$)', '\1tag=' || :other::bigint || '\2')
WHERE company_id = :company_id AND id = ANY (:views::bigint[]);

-- name: forget_views!
DELETE FROM saved_views WHERE company_id = :company_id AND id = ANY (:views::bigint[]);

-- name: bring_views_back!
-- Views as they were, unless their owners have others of those names by now.
INSERT INTO saved_views (id, company_id, user_id, name, query, is_shared, page) OVERRIDING SYSTEM VALUE
SELECT v.id, :company_id, v.user_id, v.name, v.query, v.is_shared, v.page
FROM jsonb_to_recordset(:views::jsonb) AS v (id bigint, user_id bigint, name text, query text, is_shared boolean, page text)
WHERE EXISTS (SELECT FROM memberships m WHERE m.company_id = :company_id AND m.user_id = v.user_id)
ON CONFLICT DO NOTHING;

-- name: remove_tag!
DELETE FROM tags WHERE company_id = :company_id AND id = :id;

-- name: put_back!
INSERT INTO tags (id, company_id, name, folded) OVERRIDING SYSTEM VALUE VALUES (:id, :company_id, :name, :folded);

-- name: texts_of_calls
-- What calls are found by, besides their numbers.
SELECT c.id, c.caller_name, c.note,
       coalesce((SELECT array_agg(t.name ORDER BY t.folded) FROM call_tags m
                 JOIN tags t ON t.company_id = m.company_id AND t.id = m.tag_id
                 WHERE m.company_id = c.company_id AND m.call_id = c.id), '{}') AS tags
FROM calls c WHERE c.company_id = :company_id AND c.id = ANY (:calls::bigint[]);

-- name: index_calls!
-- The words of calls become these: a row for each call and word.
WITH given AS (
    SELECT * FROM unnest(:ids::bigint[], :words::text[]) AS given (call_id, word)
), gone AS (
    DELETE FROM call_words w WHERE company_id = :company_id AND call_id = ANY (:calls::bigint[])
      AND NOT EXISTS (SELECT FROM given WHERE given.call_id = w.call_id AND given.word = w.word)
)
INSERT INTO call_words (company_id, word, started_at, call_id)
SELECT c.company_id, given.word, c.started_at, c.id
FROM given JOIN calls c ON c.company_id = :company_id AND c.id = given.call_id
ON CONFLICT DO NOTHING;

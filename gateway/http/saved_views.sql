-- Views of a page (the list of calls, the reports) that people keep under a name.

-- name: views_of
-- The viewer's own, and those that others share; by name.
SELECT v.id, v.name, v.query, v.is_shared, v.user_id = :user_id AS is_own, u.name AS owner
FROM saved_views v JOIN users u ON u.id = v.user_id
WHERE v.company_id = :company_id AND v.page = :page AND (v.user_id = :user_id OR v.is_shared)
ORDER BY lower(v.name), v.id
LIMIT 200;

-- name: keep_view^
-- A view under a name; an own one of that page and name is replaced, and what it was comes back.
WITH before AS (
    SELECT id, query, is_shared FROM saved_views
    WHERE company_id = :company_id AND user_id = :user_id AND page = :page AND name = :name
)
INSERT INTO saved_views (company_id, user_id, page, name, query, is_shared)
VALUES (:company_id, :user_id, :page, :name, :query, :is_shared)
ON CONFLICT (company_id, user_id, page, name) DO UPDATE SET query = excluded.query, is_shared = excluded.is_shared
RETURNING id, (SELECT query FROM before) AS old_query, (SELECT is_shared FROM before) AS old_shared;

-- name: remove_view^
-- Forget a view: an own one, or a shared one where the viewer may.
DELETE FROM saved_views
WHERE company_id = :company_id AND id = :id AND (user_id = :user_id OR is_shared AND :may_share::boolean)
RETURNING id, user_id, page, name, query, is_shared;

-- name: bring_back!
-- A forgotten view as it was, unless its owner has another of that name by now.
INSERT INTO saved_views (company_id, user_id, page, name, query, is_shared)
VALUES (:company_id, :user_id, :page, :name, :query, :is_shared)
ON CONFLICT DO NOTHING;

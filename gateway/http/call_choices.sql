-- What the list of calls can be filtered by, and how people call what it is filtered by now.

-- name: named^
-- The names of what a filter holds as ids.
SELECT (SELECT ROW(id, name, colour) FROM sources WHERE company_id = :company_id AND id = :source::bigint) AS source,
       (SELECT name FROM pools WHERE company_id = :company_id AND id = :pool::bigint) AS pool,
       (SELECT name FROM tags WHERE company_id = :company_id AND id = :tag::bigint) AS tag,
       (SELECT name FROM destinations WHERE company_id = :company_id AND dial = :by::text ORDER BY id LIMIT 1) AS person;

-- name: sources
-- All sources that are offered.
SELECT id, name FROM sources WHERE company_id = :company_id AND hidden_at IS NULL ORDER BY name LIMIT 500;

-- name: pools
-- All pools.
SELECT id, name FROM pools WHERE company_id = :company_id ORDER BY name LIMIT 500;

-- name: tags
-- All tags.
SELECT id, name FROM tags WHERE company_id = :company_id ORDER BY folded LIMIT 500;

-- name: numbers
-- All tracking numbers, with their pool.
SELECT n.e164, p.name FROM tracking_numbers n JOIN pools p ON p.company_id = n.company_id AND p.id = n.pool_id
WHERE n.company_id = :company_id ORDER BY p.name, n.e164 LIMIT 500;

-- name: people
-- Who has answered calls: endpoints, and what the company calls them. Each value is one step through the index.
WITH RECURSIVE found AS (
    (SELECT answered_by AS value FROM calls WHERE company_id = :company_id AND answered_by IS NOT NULL
     ORDER BY answered_by LIMIT 1)
    UNION ALL
    SELECT (SELECT c.answered_by FROM calls c WHERE c.company_id = :company_id AND c.answered_by > found.value
            ORDER BY c.answered_by LIMIT 1)
    FROM found WHERE found.value IS NOT NULL
)
SELECT value, (SELECT d.name FROM destinations d WHERE d.company_id = :company_id AND d.dial = value
               ORDER BY d.id LIMIT 1) AS name
FROM found WHERE value IS NOT NULL LIMIT 200;

-- name: channels
-- The channels that calls came by.
WITH RECURSIVE found AS (
    (SELECT channel AS value FROM calls WHERE company_id = :company_id ORDER BY channel LIMIT 1)
    UNION ALL
    SELECT (SELECT c.channel FROM calls c WHERE c.company_id = :company_id AND c.channel > found.value
            ORDER BY c.channel LIMIT 1)
    FROM found WHERE found.value IS NOT NULL
)
SELECT value FROM found WHERE value <> '' LIMIT 200;

-- name: campaigns
-- The campaigns that calls came of.
WITH RECURSIVE found AS (
    (SELECT campaign AS value FROM calls WHERE company_id = :company_id ORDER BY campaign LIMIT 1)
    UNION ALL
    SELECT (SELECT c.campaign FROM calls c WHERE c.company_id = :company_id AND c.campaign > found.value
            ORDER BY c.campaign LIMIT 1)
    FROM found WHERE found.value IS NOT NULL
)
SELECT value FROM found WHERE value <> '' LIMIT 200;

-- name: keywords
-- The words that callers had searched for.
WITH RECURSIVE found AS (
    (SELECT keyword AS value FROM calls WHERE company_id = :company_id ORDER BY keyword LIMIT 1)
    UNION ALL
    SELECT (SELECT c.keyword FROM calls c WHERE c.company_id = :company_id AND c.keyword > found.value
            ORDER BY c.keyword LIMIT 1)
    FROM found WHERE found.value IS NOT NULL
)
SELECT value FROM found WHERE value <> '' LIMIT 200;

-- name: regions
-- Where callers' numbers belong.
WITH RECURSIVE found AS (
    (SELECT region AS value FROM calls WHERE company_id = :company_id ORDER BY region LIMIT 1)
    UNION ALL
    SELECT (SELECT c.region FROM calls c WHERE c.company_id = :company_id AND c.region > found.value
            ORDER BY c.region LIMIT 1)
    FROM found WHERE found.value IS NOT NULL
)
SELECT value FROM found WHERE value <> '' LIMIT 200;

-- name: kinds
-- What leads there are that are no calls.
WITH RECURSIVE found AS (
    (SELECT kind AS value FROM leads WHERE company_id = :company_id ORDER BY kind LIMIT 1)
    UNION ALL
    SELECT (SELECT l.kind FROM leads l WHERE l.company_id = :company_id AND l.kind > found.value
            ORDER BY l.kind LIMIT 1)
    FROM found WHERE found.value IS NOT NULL
)
SELECT value FROM found WHERE value <> '' LIMIT 50;

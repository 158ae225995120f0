-- The amounts themselves: entered, found, removed and brought back. Whoever writes takes turns by company.

-- name: take_turn$
SELECT pg_advisory_xact_lock(hashtextextended('spend/' || :company_id::bigint, 0));

-- name: add$
-- An amount in the company's currency.
INSERT INTO spend (company_id, source_id, campaign, first_day, last_day, amount, currency, on_top, note, created_by)
SELECT c.id, :source_id::bigint, :campaign::text, :first_day::date, :last_day::date, :amount::numeric, c.currency,
       :on_top::boolean, :note::text, :user_id::bigint
FROM companies c WHERE c.id = :company_id
RETURNING id;

-- name: clashes
-- What is in force for some of the same days of the same source, and of the same campaign or of all of them.
SELECT s.id, s.source_id, o.name AS source_name, o.colour AS source_colour, s.campaign, s.first_day, s.last_day, s.amount,
       s.currency, s.on_top, s.note, s.import_id, i.kind AS import_kind, i.file_name
FROM spend s
JOIN sources o ON o.company_id = s.company_id AND o.id = s.source_id
LEFT JOIN spend_imports i ON i.company_id = s.company_id AND i.id = s.import_id
WHERE s.company_id = :company_id AND s.source_id = :source_id AND s.removed_at IS NULL AND NOT s.on_top
  AND (s.campaign = :campaign OR s.campaign = '' OR :campaign = '')
  AND s.first_day <= :last_day AND s.last_day >= :first_day
ORDER BY s.first_day, s.id;

-- name: amounts
-- Amounts in force, newest days first; of one source, and of some days, where they are given.
SELECT s.id, s.source_id, o.name AS source_name, o.colour AS source_colour, s.campaign, s.first_day, s.last_day, s.amount,
       s.currency, s.on_top, s.note, s.import_id, i.kind AS import_kind, i.file_name
FROM spend s
JOIN sources o ON o.company_id = s.company_id AND o.id = s.source_id
LEFT JOIN spend_imports i ON i.company_id = s.company_id AND i.id = s.import_id
WHERE s.company_id = :company_id AND s.removed_at IS NULL
  AND (:source_id::bigint IS NULL OR s.source_id = :source_id)
  AND (:since::date IS NULL OR s.last_day >= :since) AND (:until::date IS NULL OR s.first_day < :until)
  AND (:import_id::bigint IS NULL OR s.import_id = :import_id)
ORDER BY s.last_day DESC, s.first_day DESC, o.name, s.campaign, s.id
LIMIT :most OFFSET :leave;

-- name: count_amounts^
-- How many those are, and what they come to in the company's currency.
SELECT count(s.id) AS number, coalesce(sum(s.amount) FILTER (WHERE s.currency = c.currency), 0) AS amount
FROM companies c LEFT JOIN spend s ON s.company_id = c.id AND s.removed_at IS NULL
  AND (:source_id::bigint IS NULL OR s.source_id = :source_id)
  AND (:since::date IS NULL OR s.last_day >= :since) AND (:until::date IS NULL OR s.first_day < :until)
  AND (:import_id::bigint IS NULL OR s.import_id = :import_id)
WHERE c.id = :company_id
GROUP BY c.id;

-- name: months
-- Each source and month of a stretch: what was entered for days of that month comes to, of how many amounts, and the one
-- that may be changed in place where there is just that: typed by hand, for this month, for the source as a whole.
SELECT s.source_id, month.first_day,
       sum(numberpool_part_of(s.amount, s.first_day, s.last_day, month.first_day, month.after, :digits))
           FILTER (WHERE s.currency = c.currency) AS amount,
       count(*) AS number,
       bool_or(s.import_id IS NOT NULL) AS has_imported,
       min(s.id) FILTER (WHERE s.import_id IS NULL AND s.campaign = '' AND s.first_day = month.first_day
                         AND s.last_day = month.after - 1 AND s.currency = c.currency) AS own_id
FROM (SELECT first::date AS first_day, (first + interval '1 month')::date AS after
      FROM generate_series(:since::date::timestamp, :until::date - interval '1 day', '1 month') AS first) month
JOIN companies c ON c.id = :company_id
JOIN spend s ON s.company_id = c.id AND s.removed_at IS NULL AND s.last_day >= month.first_day AND s.first_day < month.after
GROUP BY s.source_id, month.first_day;

-- name: one^
SELECT s.id, s.source_id, o.name AS source_name, o.colour AS source_colour, s.campaign, s.first_day, s.last_day, s.amount,
       s.currency, s.on_top, s.note, s.import_id, i.kind AS import_kind, i.file_name
FROM spend s
JOIN sources o ON o.company_id = s.company_id AND o.id = s.source_id
LEFT JOIN spend_imports i ON i.company_id = s.company_id AND i.id = s.import_id
WHERE s.company_id = :company_id AND s.id = :id AND s.removed_at IS NULL;

-- name: remove
-- Take amounts out; those that were there.
UPDATE spend SET removed_at = now() WHERE company_id = :company_id AND id = ANY (:ids::bigint[]) AND removed_at IS NULL
RETURNING id;

-- name: bring_back
-- Undo that.
UPDATE spend SET removed_at = NULL, replaced_by = NULL
WHERE company_id = :company_id AND id = ANY (:ids::bigint[]) AND removed_at IS NOT NULL
RETURNING id;

-- name: doubled
-- Sources of which some days are counted twice without being meant to, such as after two sources became one: amounts of
-- one campaign that overlap, and amounts of the source as a whole beside those of its campaigns.
WITH chosen AS (
    SELECT id, source_id, campaign, first_day, last_day FROM spend
    WHERE company_id = :company_id AND removed_at IS NULL AND NOT on_top AND last_day >= :since AND first_day < :until
), running AS (
    SELECT source_id, first_day, last_day, max(last_day) OVER (
        PARTITION BY source_id, campaign ORDER BY first_day, id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
    FROM chosen
), twice AS (
    SELECT source_id, first_day, least(last_day, before) AS last_day FROM running WHERE before >= first_day
    UNION ALL
    SELECT a.source_id, greatest(a.first_day, b.first_day), least(a.last_day, b.last_day)
    FROM chosen a JOIN chosen b ON b.source_id = a.source_id AND b.first_day <= a.last_day AND b.last_day >= a.first_day
    WHERE a.campaign = '' AND b.campaign <> ''
)
SELECT o.id AS source_id, o.name AS source_name, o.colour AS source_colour, min(t.first_day) AS first_day,
       max(t.last_day) AS last_day
FROM twice t JOIN sources o ON o.company_id = :company_id AND o.id = t.source_id
GROUP BY o.id, o.name, o.colour
ORDER BY o.name;

-- name: other_currency
-- Amounts that no figure counts, because the company has another currency now.
SELECT s.currency, count(*) AS number, sum(s.amount) AS amount
FROM spend s JOIN companies c ON c.id = s.company_id
WHERE s.company_id = :company_id AND s.removed_at IS NULL AND s.currency <> c.currency
GROUP BY s.currency ORDER BY s.currency;

-- name: add_import$
INSERT INTO spend_imports (company_id, kind, file_name, user_id)
VALUES (:company_id, :kind, :file_name, :user_id) RETURNING id;

-- name: replace_these!
-- Amounts that the person let give way to an import.
UPDATE spend SET removed_at = now(), replaced_by = :import_id
WHERE company_id = :company_id AND id = ANY (:ids::bigint[]) AND removed_at IS NULL;

-- name: add_imported!
INSERT INTO spend (company_id, source_id, campaign, first_day, last_day, amount, currency, import_id, created_by)
SELECT c.id, given.source_id, given.campaign, given.first_day, given.last_day, given.amount, c.currency, :import_id,
       :user_id::bigint
FROM companies c
CROSS JOIN unnest(:source_ids::bigint[], :campaigns::text[], :first_days::date[], :last_days::date[], :amounts::numeric[])
     AS given (source_id, campaign, first_day, last_day, amount)
WHERE c.id = :company_id;

-- name: around
-- What is in force for the sources and days of a file, to see what it would double or replace.
SELECT s.id, s.source_id, o.name AS source_name, o.colour AS source_colour, s.campaign, s.first_day, s.last_day, s.amount,
       s.currency, s.on_top, s.note, s.import_id, i.kind AS import_kind, i.file_name
FROM spend s
JOIN sources o ON o.company_id = s.company_id AND o.id = s.source_id
LEFT JOIN spend_imports i ON i.company_id = s.company_id AND i.id = s.import_id
WHERE s.company_id = :company_id AND s.source_id = ANY (:source_ids::bigint[]) AND s.removed_at IS NULL AND NOT s.on_top
  AND s.first_day <= :last_day AND s.last_day >= :first_day
ORDER BY s.first_day, s.id;

-- name: imports
-- The newest imports, with what of each is still in force.
SELECT i.id, i.kind, i.file_name, i.imported_at, i.removed_at, coalesce(nullif(u.name, ''), u.email) AS who,
       count(s.id) AS number, coalesce(sum(s.amount), 0) AS amount, min(s.first_day) AS first_day,
       max(s.last_day) AS last_day, max(s.currency) AS currency
FROM spend_imports i
LEFT JOIN users u ON u.id = i.user_id
LEFT JOIN spend s ON s.company_id = i.company_id AND s.import_id = i.id AND s.removed_at IS NULL
WHERE i.company_id = :company_id AND i.removed_at IS NULL
GROUP BY i.id, i.kind, i.file_name, i.imported_at, i.removed_at, u.name, u.email
ORDER BY i.imported_at DESC, i.id DESC
LIMIT :most;

-- name: remove_import$
-- Take an import out; its file's name.
UPDATE spend_imports SET removed_at = now() WHERE company_id = :company_id AND id = :id AND removed_at IS NULL
RETURNING file_name;

-- name: remove_of_import
-- And its amounts.
UPDATE spend SET removed_at = now() WHERE company_id = :company_id AND import_id = :id AND removed_at IS NULL
RETURNING id;

-- name: restore_replaced
-- What it had replaced counts again, unless something else stands for those days by now.
WITH standing AS MATERIALIZED (
    SELECT source_id, campaign, range_agg(daterange(first_day, last_day, '[]')) AS days FROM spend
    WHERE company_id = :company_id AND removed_at IS NULL AND NOT on_top
    GROUP BY source_id, campaign
)
UPDATE spend s SET removed_at = NULL, replaced_by = NULL
WHERE s.company_id = :company_id AND s.replaced_by = :id
  AND NOT EXISTS (
      SELECT FROM spend_imports i WHERE i.company_id = s.company_id AND i.id = s.import_id AND i.removed_at IS NOT NULL)
  AND NOT EXISTS (
      SELECT FROM standing o WHERE o.source_id = s.source_id
        AND (o.campaign = s.campaign OR o.campaign = '' OR s.campaign = '')
        AND o.days && daterange(s.first_day, s.last_day, '[]'))
RETURNING s.id;

-- name: pass_on!
-- What it had replaced, and does not count again because a later import replaced it in turn, is replaced by that one.
UPDATE spend s SET replaced_by = later.import_id
FROM (SELECT source_id, campaign, max(replaced_by) AS import_id FROM spend
      WHERE company_id = :company_id AND import_id = :id AND replaced_by IS NOT NULL
      GROUP BY source_id, campaign) later
WHERE s.company_id = :company_id AND s.replaced_by = :id
  AND s.source_id = later.source_id AND s.campaign = later.campaign;

-- name: import_back$
-- An import that was removed is there again; its file's name.
UPDATE spend_imports SET removed_at = NULL WHERE company_id = :company_id AND id = :id AND removed_at IS NOT NULL
RETURNING file_name;

-- name: replace_again!
-- What had come back with its removal gives way again.
UPDATE spend SET removed_at = now(), replaced_by = :import_id
WHERE company_id = :company_id AND id = ANY (:ids::bigint[]) AND removed_at IS NULL;

-- name: prices
-- What numbers cost a month, by the source that static ones stand for; none: numbers of dynamic pools, by pool.
SELECT p.id AS pool_id, p.name AS pool_name, p.kind, o.id AS source_id, o.name AS source_name, o.colour AS source_colour,
       count(*) AS numbers, count(coalesce(n.monthly_price, p.monthly_price)) AS priced,
       coalesce(sum(coalesce(n.monthly_price, p.monthly_price)), 0) AS monthly_price
FROM tracking_numbers n
JOIN pools p ON p.company_id = n.company_id AND p.id = n.pool_id
LEFT JOIN sources o ON o.company_id = n.company_id AND o.id = n.source_id AND p.kind = 'static'
WHERE n.company_id = :company_id
GROUP BY p.id, p.name, p.kind, o.id, o.name, o.colour
ORDER BY p.kind DESC, o.name NULLS LAST, p.name;

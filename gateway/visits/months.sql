-- name: missing_months
-- The months that are not there yet, of the present one and the next, for each table of visits.
SELECT parent, month::date AS month
FROM generate_series(date_trunc('month', :today::date::timestamp),
                     date_trunc('month', :today::date::timestamp) + make_interval(months => :ahead::integer),
                     interval '1 month') AS month,
     unnest(ARRAY['visits', 'page_views', 'exposures', 'taps']) AS parent
WHERE to_regclass(parent || to_char(month, '_YYYY_MM')) IS NULL
ORDER BY month, parent;

-- name: make_month$
-- Whether it was made now; another may have been faster.
SELECT numberpool_make_month(:parent, :month);

-- name: old_months
-- The months before a day's.
SELECT i.inhparent::regclass::text AS parent, to_date(right(c.relname, 7), 'YYYY_MM') AS month
FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
WHERE i.inhparent = ANY (ARRAY['visits', 'page_views', 'exposures', 'taps']::regclass[])
  AND c.relname ~ '_[0-9]{4}_[0-9]{2}$' AND to_date(right(c.relname, 7), 'YYYY_MM') < date_trunc('month', :before::date)
ORDER BY month, parent;

-- name: drop_month!
SELECT numberpool_drop_month(:parent, :month);

-- name: forget_old!
-- What is older than a month and lies in no month of its own: visits kept aside, visitors who have not come since,
-- keywords of clicks.
WITH clicks AS (DELETE FROM google_ads_clicks WHERE day < :before::date),
     gone AS (DELETE FROM visits_other WHERE started_at < :before::date::timestamp AT TIME ZONE 'UTC'),
     viewed AS (DELETE FROM page_views_other WHERE at < :before::date::timestamp AT TIME ZONE 'UTC'),
     shown AS (DELETE FROM exposures_other WHERE shown_at < :before::date::timestamp AT TIME ZONE 'UTC'),
     tapped AS (DELETE FROM taps_other WHERE at < :before::date::timestamp AT TIME ZONE 'UTC')
DELETE FROM visitors WHERE last_seen < :before::date::timestamp AT TIME ZONE 'UTC';

-- name: make_months
-- The present month and the next ones of every table of visits; those that were made now.
SELECT parent || to_char(month, ' YYYY-MM') AS made
FROM unnest(ARRAY['visits', 'page_views', 'exposures', 'taps']) AS parent,
     generate_series(date_trunc('month', :today::date::timestamp),
                     date_trunc('month', :today::date::timestamp) + make_interval(months => :ahead::integer),
                     interval '1 month') AS month
WHERE numberpool_make_month(parent, month::date);

-- name: drop_months
-- Forget visits of months before a day's; the tables that were dropped.
SELECT dropped FROM numberpool_drop_months(:before::date) AS dropped;

-- name: forget_visitors!
-- Visitors who have not come since, and keywords of clicks from before.
WITH clicks AS (DELETE FROM google_ads_clicks WHERE day < :before::date)
DELETE FROM visitors WHERE last_seen < :before::date::timestamp AT TIME ZONE 'UTC';

-- How long visits are kept.

-- name: kept^
SELECT visits_kept_months AS months, visits_kept_from AS counts_from, visits_kept_since AS since FROM companies
WHERE id = :company_id;

-- name: hold_kept^
SELECT visits_kept_months AS months, visits_kept_from AS counts_from, visits_kept_since AS since FROM companies
WHERE id = :company_id FOR UPDATE;

-- name: save_kept!
UPDATE companies SET visits_kept_months = :months, visits_kept_from = :counts_from WHERE id = :company_id;

-- name: companies_that_forget
-- Those that keep visits for a shorter time than the server does, where that time counts by now.
SELECT id, visits_kept_months AS months FROM companies
WHERE visits_kept_months < :most AND coalesce(visits_kept_from, '-infinity') <= :now::timestamptz
ORDER BY id;

-- name: older$
-- How many visits are of the time before a moment.
SELECT count(*) FROM visits WHERE company_id = :company_id AND started_at < :before::timestamptz;

-- name: forget_before!
-- The visits of a company before a moment, and what belongs to them.
WITH clicks AS (DELETE FROM google_ads_clicks WHERE company_id = :company_id AND day < (:before::timestamptz AT TIME ZONE 'UTC')::date),
     viewed AS (DELETE FROM page_views WHERE company_id = :company_id AND at < :before),
     shown AS (DELETE FROM exposures WHERE company_id = :company_id AND shown_at < :before),
     tapped AS (DELETE FROM taps WHERE company_id = :company_id AND at < :before),
     known AS (DELETE FROM visitors WHERE company_id = :company_id AND last_seen < :before)
DELETE FROM visits WHERE company_id = :company_id AND started_at < :before;

-- name: note_since!
UPDATE companies SET visits_kept_since = greatest(visits_kept_since, :since::date) WHERE id = :company_id;

-- name: add_visits!
-- Visits that began. Their site may be gone by now: then so are they.
INSERT INTO visits
SELECT visit.* FROM jsonb_populate_recordset(null::visits, :visits::jsonb) AS visit
WHERE EXISTS (SELECT FROM sites WHERE company_id = visit.company_id AND id = visit.site_id);

-- name: keep_visits!
-- Visits whose visitors said yes only now: what was not kept of them, or the whole where the visit is not there.
WITH given AS (
    SELECT visit.* FROM jsonb_populate_recordset(null::visits, :visits::jsonb) AS visit
    WHERE EXISTS (SELECT FROM sites WHERE company_id = visit.company_id AND id = visit.site_id)
), kept AS (
    UPDATE visits visit
    SET visitor_id = given.visitor_id, click_id = given.click_id, click_id_type = given.click_id_type,
        click_ids = given.click_ids, client_ids = given.client_ids, url = given.url, referrer = given.referrer,
        network = given.network, user_agent = given.user_agent, city = given.city, consent = given.consent,
        consent_at = given.consent_at, consent_signal = given.consent_signal
    FROM given
    WHERE visit.id = given.id AND visit.started_at = given.started_at AND visit.company_id = given.company_id
    RETURNING visit.company_id, visit.id
)
INSERT INTO visits
SELECT * FROM given WHERE NOT EXISTS (SELECT FROM kept WHERE kept.company_id = given.company_id AND kept.id = given.id);

-- name: add_keywords!
-- What Google Ads told of the clicks that brought these visits, where it told before they were written.
UPDATE visits visit
SET campaign = coalesce(nullif(click.campaign, ''), visit.campaign),
    ad_group = coalesce(nullif(click.ad_group, ''), visit.ad_group),
    keyword = coalesce(nullif(click.keyword, ''), visit.keyword),
    match_type = coalesce(nullif(click.match_type, ''), visit.match_type)
FROM unnest(:companies::bigint[], :ids::uuid[], :gclids::text[], :started::timestamptz[])
         AS began (company_id, id, gclid, started_at)
JOIN google_ads_clicks click ON click.company_id = began.company_id AND click.gclid = began.gclid
WHERE visit.id = began.id AND visit.started_at = began.started_at AND visit.company_id = began.company_id;

-- name: know_visitors!
-- Visitors who may be known again, by company and id, each once.
INSERT INTO visitors AS known (company_id, site_id, id, first_seen, last_seen, touch, consent, consent_at,
                               consent_signal, client_ids)
SELECT seen.company_id, seen.site_id, seen.id, seen.first_seen, seen.last_seen, seen.touch, seen.consent,
       seen.consent_at, seen.consent_signal, seen.client_ids
FROM jsonb_populate_recordset(null::visitors, :visitors::jsonb) AS seen
WHERE EXISTS (SELECT FROM sites WHERE company_id = seen.company_id AND id = seen.site_id)
ORDER BY seen.company_id, seen.id
ON CONFLICT (company_id, id) DO UPDATE
SET last_seen = greatest(known.last_seen, excluded.last_seen),
    touch = coalesce(excluded.touch, known.touch),
    consent = excluded.consent, consent_at = excluded.consent_at, consent_signal = excluded.consent_signal,
    client_ids = known.client_ids || excluded.client_ids;

-- name: add_page_views!
INSERT INTO page_views
SELECT viewed.* FROM jsonb_populate_recordset(null::page_views, :views::jsonb) AS viewed
WHERE EXISTS (SELECT FROM sites WHERE company_id = viewed.company_id AND id = viewed.site_id);

-- name: add_taps!
-- Taps, with the tracking number that was tapped, where it is one.
INSERT INTO taps (company_id, visit_id, exposure_id, number_id, e164, at)
SELECT tap.company_id, tap.visit_id, tap.exposure_id, number.id, tap.e164, tap.at
FROM jsonb_populate_recordset(null::taps, :taps::jsonb) AS tap
LEFT JOIN tracking_numbers number ON number.company_id = tap.company_id AND number.e164 = tap.e164;

-- name: add_client_ids!
-- Ids that browsers were given in the course of visits whose visitors may be known again, and their visitors'.
WITH given AS (
    SELECT visit.company_id, visit.id, visit.started_at, visit.client_ids
    FROM jsonb_populate_recordset(null::visits, :visits::jsonb) AS visit
), kept AS (
    UPDATE visits visit SET client_ids = visit.client_ids || given.client_ids
    FROM given
    WHERE visit.id = given.id AND visit.started_at = given.started_at AND visit.company_id = given.company_id
      AND visit.visitor_id IS NOT NULL AND NOT visit.client_ids @> given.client_ids
    RETURNING visit.company_id, visit.visitor_id, given.client_ids
)
UPDATE visitors known SET client_ids = known.client_ids || kept.client_ids
FROM kept WHERE known.company_id = kept.company_id AND known.id = kept.visitor_id;

-- name: visits_to_erase
-- One visit, and all visits of a visitor where one is known.
SELECT id, started_at, url, referrer, keyword FROM visits
WHERE company_id = :company_id
  AND (visitor_id = :visitor_id::uuid OR (id = :visit_id::uuid AND started_at = :started_at::timestamptz))
FOR UPDATE;

-- name: erase_visits
-- Take away what identifies from visits, with their addresses as they may stay; the leases of numbers they were shown.
WITH given AS (
    SELECT * FROM unnest(:ids::uuid[], :started::timestamptz[], :urls::text[], :referrers::text[])
                  AS given (id, started_at, url, referrer)
), erased AS (
    UPDATE visits
    SET visitor_id = NULL, click_id = '', click_ids = '{}', client_ids = '{}', user_agent = '', network = NULL, city = '',
        url = given.url, referrer = given.referrer, consent = 'denied', consent_at = :at, consent_signal = :signal
    FROM given
    WHERE visits.company_id = :company_id AND visits.id = given.id AND visits.started_at = given.started_at
), viewed AS (
    UPDATE page_views SET url = split_part(split_part(page_views.url, '#', 1), '?', 1)
    FROM given WHERE page_views.company_id = :company_id AND page_views.visit_id = given.id
)
SELECT DISTINCT shown.lease_id FROM exposures shown JOIN given ON given.id = shown.visit_id
WHERE shown.company_id = :company_id AND shown.lease_id IS NOT NULL;

-- name: forget_visitor!
DELETE FROM visitors WHERE company_id = :company_id AND id = :visitor_id;

-- name: tell$
-- What Google Ads knows of clicks; how many are new or say something else than before.
WITH told AS (
    INSERT INTO google_ads_clicks AS known (company_id, gclid, day, campaign, ad_group, keyword, match_type)
    SELECT :company_id, * FROM unnest(:gclids::text[], :days::date[], :campaigns::text[], :ad_groups::text[],
                                      :keywords::text[], :match_types::text[])
    ON CONFLICT (company_id, gclid) DO UPDATE
    SET day = excluded.day, campaign = excluded.campaign, ad_group = excluded.ad_group, keyword = excluded.keyword,
        match_type = excluded.match_type, received_at = now()
    WHERE (known.day, known.campaign, known.ad_group, known.keyword, known.match_type)
          IS DISTINCT FROM (excluded.day, excluded.campaign, excluded.ad_group, excluded.keyword, excluded.match_type)
    RETURNING gclid
)
SELECT count(*) FROM told;

-- name: gain$
-- Visits that these clicks brought learn what is known of them; how many learnt something.
WITH gained AS (
    UPDATE visits visit
    SET campaign = coalesce(nullif(click.campaign, ''), visit.campaign),
        ad_group = coalesce(nullif(click.ad_group, ''), visit.ad_group),
        keyword = coalesce(nullif(click.keyword, ''), visit.keyword),
        match_type = coalesce(nullif(click.match_type, ''), visit.match_type)
    FROM google_ads_clicks click
    WHERE click.company_id = :company_id AND click.gclid = ANY (:gclids::text[])
      AND visit.company_id = :company_id AND visit.click_id = click.gclid AND visit.click_id <> ''
      AND visit.click_id_type = 'gclid'
      AND (visit.campaign, visit.ad_group, visit.keyword, visit.match_type) IS DISTINCT FROM (
          coalesce(nullif(click.campaign, ''), visit.campaign), coalesce(nullif(click.ad_group, ''), visit.ad_group),
          coalesce(nullif(click.keyword, ''), visit.keyword), coalesce(nullif(click.match_type, ''), visit.match_type))
    RETURNING visit.id
)
SELECT count(*) FROM gained;

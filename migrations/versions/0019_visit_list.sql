-- Where on its site an address leads, without what stands behind a question mark.
CREATE FUNCTION numberpool_path(url text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT coalesce(nullif(regexp_replace(split_part(split_part(url, '#', 1), '?', 1), '^[a-z]+://[^/]*', ''), ''), '/')
$$;

-- In the order of the list, so that a campaign of last year is not looked for visit by visit. Devices and regions are few:
-- they are met along the way.
CREATE INDEX visits_newest ON visits (company_id, started_at DESC, id DESC);
CREATE INDEX visits_of_label ON visits (company_id, label, started_at DESC, id DESC);
CREATE INDEX visits_of_campaign ON visits (company_id, campaign, started_at DESC, id DESC) WHERE campaign <> '';
CREATE INDEX visits_of_keyword ON visits (company_id, keyword, started_at DESC, id DESC) WHERE keyword <> '';
CREATE INDEX visits_of_page ON visits (company_id, numberpool_path(url), started_at DESC, id DESC);

-- The path of the page that a visit began on. An index over the expression serves nobody behind row-level security, which
-- lets only functions that never fail come before it.
DROP INDEX visits_of_page;
ALTER TABLE visits ADD COLUMN page text;
SELECT set_config('numberpool.companies', 'all', true);
UPDATE visits SET page = numberpool_path(url);
CREATE INDEX visits_of_page ON visits (company_id, page, started_at DESC, id DESC);

CREATE FUNCTION numberpool_visit_page() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.page := numberpool_path(NEW.url);
    RETURN NEW;
END $$;
CREATE TRIGGER visit_page BEFORE INSERT ON visits FOR EACH ROW EXECUTE FUNCTION numberpool_visit_page();

-- What may be seen stays the same; it is asked once a query, not once a row (as calls are since 0017).
DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['people', 'person_keys', 'person_of', 'people_apart', 'person_words', 'leads',
                                'call_candidates', 'visits'] LOOP
        EXECUTE format('DROP POLICY company ON %I', name);
        EXECUTE format('CREATE POLICY company ON %I USING ((SELECT numberpool_companies()) IS NULL '
                       'OR company_id = ANY ((SELECT numberpool_companies())::bigint[]))', name);
    END LOOP;
END $$;

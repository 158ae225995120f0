-- The companies that the transaction named: none where it named all of them. For policies, as a sub-select without
-- reference to the row, which is done once a query; numberpool_sees is done once a row, and took most of the time of a
-- long list. What may be seen stays the same.
CREATE FUNCTION numberpool_companies() RETURNS bigint[] LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN current_setting('numberpool.companies', true) = 'all' THEN NULL ELSE
        coalesce(string_to_array(nullif(current_setting('numberpool.companies', true), ''), ',')::bigint[], '{}') END
$$;

DROP POLICY company ON calls;
CREATE POLICY company ON calls USING (
    ((SELECT numberpool_companies()) IS NULL OR company_id = ANY ((SELECT numberpool_companies())::bigint[])) AND (
        NOT company_id = ANY ((SELECT numberpool_agent_in())::bigint[])
        OR id IN (
            SELECT r.call_id FROM endpoints_reached r
            JOIN member_endpoints e ON e.company_id = r.company_id AND e.endpoint = r.endpoint
            WHERE e.user_id = (SELECT nullif(current_setting('numberpool.agent', true), '')::bigint))));

DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['tags', 'call_tags', 'call_words', 'jobs', 'job_leads'] LOOP
        EXECUTE format('DROP POLICY company ON %I', name);
        EXECUTE format('CREATE POLICY company ON %I USING ((SELECT numberpool_companies()) IS NULL '
                       'OR company_id = ANY ((SELECT numberpool_companies())::bigint[]))', name);
    END LOOP;
END $$;

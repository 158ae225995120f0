-- How many rows of each table are of a source. (FOUND is a name of PL/pgSQL's own.)
DROP FUNCTION numberpool_rows_of_source(bigint, bigint);
CREATE FUNCTION numberpool_rows_of_source(company bigint, source bigint) RETURNS TABLE (relation text, rows_there bigint)
LANGUAGE plpgsql STABLE AS $$
DECLARE refers record;
BEGIN
    FOR refers IN SELECT * FROM numberpool_source_references() LOOP
        relation := refers.relation::text;
        EXECUTE format('SELECT count(*) FROM %s WHERE company_id = $1 AND %I = $2', refers.relation, refers.pointer)
            INTO rows_there USING company, source;
        RETURN NEXT;
    END LOOP;
END $$;

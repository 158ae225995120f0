-- A shorter time counts a day after it is set, so that it can still be taken back.
ALTER TABLE companies ADD COLUMN visits_kept_from timestamptz;

-- From which day on the visits of a company are kept; none: nothing was ever dropped.
CREATE FUNCTION numberpool_kept_since(company bigint) RETURNS date LANGUAGE sql STABLE AS $$
    SELECT greatest((SELECT since FROM evidence_kept),
                    (SELECT visits_kept_since FROM companies WHERE id = company))
$$;

-- What its calls left to be counted goes with a company: this comes after all that goes with it, and after what that left.
CREATE OR REPLACE FUNCTION numberpool_report_sums_gone() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM report_sums WHERE company_id = OLD.id;
    DELETE FROM report_due WHERE company_id = OLD.id;
    RETURN NULL;
END $$;

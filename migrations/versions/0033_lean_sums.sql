-- The sums of reports name the models that agree on them together, as bits, instead of a row for each: of a call with two
-- touches, four rows become two.
ALTER TABLE report_sums RENAME COLUMN model TO models;   -- 1, 2, 4 and so on, in the order of Model
SELECT set_config('numberpool.companies', 'all', true);
UPDATE report_sums SET models = CASE WHEN models = 0 THEN 127 ELSE 1 << (models - 1) END;
-- Checked row by row, the reference took longer than the sums themselves. They go with their company all the same.
ALTER TABLE report_sums DROP CONSTRAINT report_sums_company_id_fkey;

CREATE FUNCTION numberpool_report_sums_gone() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM report_sums WHERE company_id = OLD.id;
    RETURN NULL;
END $$;
CREATE TRIGGER report_sums_gone AFTER DELETE ON companies
    FOR EACH ROW EXECUTE FUNCTION numberpool_report_sums_gone();

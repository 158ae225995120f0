-- A company that goes takes calls and forms along, each of which leaves a row here: such rows may be of nobody, and are
-- thrown away by whoever comes by them.
ALTER TABLE report_due DROP CONSTRAINT report_due_company_id_fkey;

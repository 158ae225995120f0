-- The sums of a block of days lie in one value for all keys, a column after the other (gateway.reports.packed): a row for
-- each key took five times the room, and a report of thousands of keys its time. Made anew by the gateway.
DROP TABLE report_sums;
SELECT set_config('numberpool.companies', 'all', true);
DELETE FROM report_blocks;

CREATE TABLE report_sums (
    company_id  bigint NOT NULL,                   -- goes with its company: numberpool_report_sums_gone
    level       smallint NOT NULL,
    block       integer NOT NULL,                  -- of the days since 1970, counted from 0
    told_by     integer NOT NULL,                  -- the dimensions, each a bit: gateway.reports.cube.BITS
    sums        bytea NOT NULL,
    PRIMARY KEY (company_id, level, block, told_by)
);

-- Every value that calls are told apart by, once: sums know it by its number. Added by whoever holds the lock of the
-- company's reports.
CREATE TABLE report_keys (
    company_id  bigint NOT NULL REFERENCES companies ON DELETE CASCADE,
    id          integer GENERATED ALWAYS AS IDENTITY (MAXVALUE 1073741823),   -- a page gives others to what is not here
    digest      bigint NOT NULL,                   -- hashtextextended(value, 0); addresses of pages are long
    value       text COLLATE "C" NOT NULL,
    PRIMARY KEY (company_id, id)
);
CREATE INDEX report_keys_digest ON report_keys (company_id, digest);

DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['report_sums', 'report_keys'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY company ON %I USING (((SELECT numberpool_companies()) IS NULL '
                       'OR company_id = ANY ((SELECT numberpool_companies())::bigint[])) '
                       'AND NOT company_id = ANY ((SELECT numberpool_agent_in())::bigint[]))', name);
    END LOOP;
END $$;

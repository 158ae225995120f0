-- What a company says of the calls it takes (gateway.calls.policy); no row: nothing beyond its list of callers.
CREATE TABLE call_policies (
    company_id  bigint PRIMARY KEY REFERENCES companies ON DELETE CASCADE,
    body        jsonb NOT NULL,
    changed_at  timestamptz NOT NULL DEFAULT now()
);
SELECT numberpool_secure('call_policies');
CREATE TRIGGER settings_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON call_policies
    FOR EACH STATEMENT EXECUTE FUNCTION numberpool_settings_changed();

-- Nobody is ever shown this number: who dials it dials at random.
ALTER TABLE tracking_numbers ADD COLUMN is_trap boolean NOT NULL DEFAULT false;

-- Which rule acted on a call (gateway.calls.screening); what became of it says the outcome.
ALTER TABLE calls ADD COLUMN screened text CHECK (screened ~ '^[a-z-]{1,20}$');
CREATE INDEX calls_screened ON calls (company_id, started_at) WHERE screened IS NOT NULL;

-- When somebody was last told by mail that calls were turned away by a limit.
CREATE TABLE limit_letters (
    company_id  bigint PRIMARY KEY REFERENCES companies ON DELETE CASCADE,
    told_at     timestamptz NOT NULL
);
SELECT numberpool_secure('limit_letters');

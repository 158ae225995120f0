-- The number people know the company by: shown by trunks whose rule is "main".
ALTER TABLE companies ADD COLUMN main_number text CHECK (main_number ~ '^\+[1-9][0-9]{3,14}$');

-- A fax number goes straight to its destination: no announcement, no whisper, no recording.
ALTER TABLE tracking_numbers ADD COLUMN fax boolean NOT NULL DEFAULT false;

-- answered_by is the first person who took the call, this the last; the same where nobody passed it on.
ALTER TABLE calls ADD COLUMN last_answered_by text;
SELECT set_config('numberpool.companies', 'all', true);
UPDATE calls SET last_answered_by = answered_by WHERE answered_by IS NOT NULL;

-- A transfer is a further leg. Where a destination is of the admin's own dialplan, each person reached there is one.
ALTER TABLE legs ADD COLUMN kind text NOT NULL DEFAULT 'destination' CHECK (kind IN ('destination', 'transfer'));
ALTER TABLE legs ADD COLUMN talk_seconds real;

-- Callers by number. Allowed beats everything else; numbers that nothing is said of ring.
CREATE TABLE caller_rules (
    id          bigint GENERATED ALWAYS AS IDENTITY,
    company_id  bigint NOT NULL REFERENCES companies ON DELETE CASCADE,
    caller      text NOT NULL CHECK (caller ~ '^[+0-9*#]{1,40}$'),   -- E.164 where it can be read, else as it is sent
    verdict     text NOT NULL CHECK (verdict IN ('allow', 'block')),
    note        text NOT NULL DEFAULT '',
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (company_id, id),
    UNIQUE (id),
    UNIQUE (company_id, caller)
);
ALTER TABLE caller_rules ENABLE ROW LEVEL SECURITY;
ALTER TABLE caller_rules FORCE ROW LEVEL SECURITY;
CREATE POLICY company ON caller_rules USING (numberpool_sees(company_id));
CREATE TRIGGER settings_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON caller_rules
    FOR EACH STATEMENT EXECUTE FUNCTION numberpool_settings_changed();

-- What a company's calls do: hours, menus, who is rung and how, voicemail (gateway.calls.flow).
CREATE TABLE flows (
    id          bigint GENERATED ALWAYS AS IDENTITY,
    company_id  bigint NOT NULL REFERENCES companies ON DELETE CASCADE,
    name        text NOT NULL CHECK (name <> ''),
    revision    integer NOT NULL DEFAULT 1,       -- grows with each change
    body        jsonb NOT NULL,                   -- {"version": 1, "start": {...}}; names destinations by their id
    created_at  timestamptz NOT NULL DEFAULT now(),
    changed_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (company_id, id),
    UNIQUE (id),
    UNIQUE (company_id, name)
);
SELECT numberpool_secure('flows');
CREATE TRIGGER settings_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON flows
    FOR EACH STATEMENT EXECUTE FUNCTION numberpool_settings_changed();

-- Whose calls go by a flow: those of a number, else of its source, its pool, its company; none: its destinations in order.
ALTER TABLE companies
    ADD COLUMN flow_id bigint,
    ADD COLUMN closed_now boolean NOT NULL DEFAULT false,   -- whatever the hours of its flows say
    ADD FOREIGN KEY (id, flow_id) REFERENCES flows (company_id, id);
ALTER TABLE sources ADD COLUMN flow_id bigint, ADD FOREIGN KEY (company_id, flow_id) REFERENCES flows (company_id, id);
ALTER TABLE pools ADD COLUMN flow_id bigint, ADD FOREIGN KEY (company_id, flow_id) REFERENCES flows (company_id, id);
ALTER TABLE tracking_numbers
    ADD COLUMN flow_id bigint,
    ADD FOREIGN KEY (company_id, flow_id) REFERENCES flows (company_id, id);
CREATE INDEX tracking_numbers_flow ON tracking_numbers (company_id, flow_id) WHERE flow_id IS NOT NULL;

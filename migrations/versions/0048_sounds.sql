-- A company's own sounds: greetings, menus, what whoever answers hears; uploaded, or words that were spoken. The sound lies
-- here, so that a backup has it and every gateway can put it where its Asterisk reads it.
CREATE TABLE sounds (
    id          bigint GENERATED ALWAYS AS IDENTITY,
    company_id  bigint NOT NULL REFERENCES companies ON DELETE CASCADE,
    name        text NOT NULL CHECK (name <> ''),
    text        text NOT NULL DEFAULT '',       -- what was spoken; empty of an upload
    language    text NOT NULL DEFAULT '',
    seconds     real NOT NULL,
    samples     bytea NOT NULL,                 -- 16-bit, mono, 16 kHz, no header: Asterisk's .sln16
    digest      text NOT NULL,                  -- of the samples, as it stands in the name of the file
    created_at  timestamptz NOT NULL DEFAULT now(),
    removed_at  timestamptz,
    PRIMARY KEY (company_id, id),
    UNIQUE (id)
);
CREATE UNIQUE INDEX sounds_by_name ON sounds (company_id, name) WHERE removed_at IS NULL;
SELECT numberpool_secure('sounds');
CREATE TRIGGER settings_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON sounds
    FOR EACH STATEMENT EXECUTE FUNCTION numberpool_settings_changed();

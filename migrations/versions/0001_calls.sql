-- Who may see a row: a transaction names its companies ('all', or ids joined by commas) in numberpool.companies.
-- Nothing named, nothing seen.
CREATE FUNCTION numberpool_sees(company bigint) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT CASE current_setting('numberpool.companies', true)
        WHEN 'all' THEN true
        ELSE company = ANY (string_to_array(nullif(current_setting('numberpool.companies', true), ''), ',')::bigint[])
    END
$$;

CREATE TABLE companies (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name          text NOT NULL CHECK (name <> ''),
    time_zone     text NOT NULL DEFAULT 'UTC',
    region        text NOT NULL DEFAULT 'US' CHECK (region ~ '^[A-Z]{2}$'),   -- how national numbers are read
    currency      text NOT NULL DEFAULT 'USD' CHECK (currency ~ '^[A-Z]{3}$'),
    record_calls  boolean NOT NULL DEFAULT true,
    announcement  text,                          -- a sound played before it rings, such as custom/may-be-recorded
    is_default    boolean NOT NULL DEFAULT false, -- gets the calls to numbers that nobody owns
    created_at    timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX one_default_company ON companies (is_default) WHERE is_default;

CREATE TABLE users (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email          text NOT NULL CHECK (email = lower(email)),
    name           text NOT NULL DEFAULT '',
    password_hash  text,                          -- argon2id; none until the first sign-in by link
    created_at     timestamptz NOT NULL DEFAULT now(),
    UNIQUE (email)
);

CREATE TABLE memberships (
    user_id     bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    company_id  bigint NOT NULL REFERENCES companies ON DELETE CASCADE,
    role        text NOT NULL CHECK (role IN ('owner', 'manager', 'analyst', 'agent')),
    PRIMARY KEY (user_id, company_id)
);
CREATE INDEX memberships_company ON memberships (company_id);

-- Tokens are stored as SHA-256, so that a copy of the database opens no session.
CREATE TABLE sessions (
    token_hash  bytea PRIMARY KEY,
    user_id     bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    created_at  timestamptz NOT NULL DEFAULT now(),
    last_seen   timestamptz NOT NULL DEFAULT now(),
    expires_at  timestamptz NOT NULL,
    user_agent  text NOT NULL DEFAULT ''
);
CREATE INDEX sessions_user ON sessions (user_id);

CREATE TABLE login_links (
    token_hash  bytea PRIMARY KEY,
    user_id     bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    created_at  timestamptz NOT NULL DEFAULT now(),
    expires_at  timestamptz NOT NULL,
    used_at     timestamptz
);

CREATE TABLE sources (
    id          bigint GENERATED ALWAYS AS IDENTITY,
    company_id  bigint NOT NULL REFERENCES companies ON DELETE CASCADE,
    name        text NOT NULL CHECK (name <> ''),
    channel     text NOT NULL DEFAULT '',
    source      text NOT NULL DEFAULT '',
    medium      text NOT NULL DEFAULT '',
    campaign    text NOT NULL DEFAULT '',
    colour      smallint NOT NULL DEFAULT 0,      -- place in the palette; a source keeps its colour everywhere
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (company_id, id),
    UNIQUE (id),
    UNIQUE (company_id, name)
);

CREATE TABLE destinations (
    id            bigint GENERATED ALWAYS AS IDENTITY,
    company_id    bigint NOT NULL REFERENCES companies ON DELETE CASCADE,
    name          text NOT NULL CHECK (name <> ''),
    dial          text NOT NULL,                  -- checked by gateway.asterisk.dialstring before it is written
    ring_seconds  smallint NOT NULL DEFAULT 30 CHECK (ring_seconds BETWEEN 5 AND 600),
    next_id       bigint,                         -- where the call goes when nobody answers here
    is_default    boolean NOT NULL DEFAULT false, -- the company's main line
    PRIMARY KEY (company_id, id),
    UNIQUE (id),
    UNIQUE (company_id, name),
    FOREIGN KEY (company_id, next_id) REFERENCES destinations (company_id, id),
    CHECK (next_id <> id)
);
CREATE UNIQUE INDEX one_default_destination ON destinations (company_id) WHERE is_default;

CREATE TABLE pools (
    id            bigint GENERATED ALWAYS AS IDENTITY,
    company_id    bigint NOT NULL REFERENCES companies ON DELETE CASCADE,
    name          text NOT NULL CHECK (name <> ''),
    kind          text NOT NULL CHECK (kind IN ('static', 'dynamic')),
    record_calls  boolean,                        -- none: as the company says
    PRIMARY KEY (company_id, id),
    UNIQUE (id),
    UNIQUE (company_id, name)
);

CREATE TABLE tracking_numbers (
    id              bigint GENERATED ALWAYS AS IDENTITY,
    company_id      bigint NOT NULL REFERENCES companies ON DELETE CASCADE,
    pool_id         bigint NOT NULL,
    e164            text NOT NULL CHECK (e164 ~ '^\+[1-9][0-9]{3,14}$'),
    source_id       bigint,                       -- a static number stands for one source
    destination_id  bigint,                       -- none: the company's main line
    record_calls    boolean,                      -- none: as the pool says
    whisper         text,                         -- a sound only the person who answers hears
    created_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (company_id, id),
    UNIQUE (id),
    UNIQUE (e164),
    FOREIGN KEY (company_id, pool_id) REFERENCES pools (company_id, id),
    FOREIGN KEY (company_id, source_id) REFERENCES sources (company_id, id),
    FOREIGN KEY (company_id, destination_id) REFERENCES destinations (company_id, id)
);
CREATE INDEX tracking_numbers_pool ON tracking_numbers (company_id, pool_id);

CREATE TABLE nodes (
    id    integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name  text NOT NULL UNIQUE
);

-- One row a call that Asterisk took. Rows are written from whole records (start, answer, end), each containing all that
-- the one before it said; the highest stage wins, so repeated and reordered records do no harm.
CREATE TABLE calls (
    id              bigint GENERATED ALWAYS AS IDENTITY,
    company_id      bigint NOT NULL REFERENCES companies,
    node_id         integer NOT NULL REFERENCES nodes,
    asterisk_id     text NOT NULL,                -- unique id and the machine's uptime when it began: never used twice
    stage           smallint NOT NULL CHECK (stage BETWEEN 1 AND 3),
    state           text NOT NULL CHECK (state IN ('ringing', 'answered', 'ended')),
    outcome         text CHECK (outcome IN ('answered', 'busy', 'no_answer', 'abandoned', 'failed', 'voicemail',
                                            'blocked', 'cut_off')),
    did             text NOT NULL,                -- as it was dialled: E.164 where it could be read
    number_id       bigint,                       -- none: no pool knows the number
    source_id       bigint,
    trunk           text NOT NULL DEFAULT '',
    caller          text,                         -- E.164 where it could be read; none: withheld
    caller_name     text NOT NULL DEFAULT '',
    started_at      timestamptz NOT NULL,
    answered_at     timestamptz,
    ended_at        timestamptz,
    ring_seconds    real,                         -- until the answer or the end
    talk_seconds    real,
    answered_by     text,                         -- the endpoint that answered
    hung_up_by      text CHECK (hung_up_by IN ('caller', 'business')),
    hangup_cause    smallint,                     -- ITU-T Q.850
    decided_by      text NOT NULL DEFAULT 'unknown' CHECK (decided_by IN ('gateway', 'fallback', 'default', 'unknown')),
    decision_ms     real,                         -- what waiting for the decision added
    recorded        boolean NOT NULL DEFAULT false,
    evidence        jsonb NOT NULL DEFAULT '{}',  -- request line, To, P-Called-Party-ID as they came
    created_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (company_id, id),
    UNIQUE (id),
    UNIQUE (node_id, asterisk_id),
    FOREIGN KEY (company_id, number_id) REFERENCES tracking_numbers (company_id, id),
    FOREIGN KEY (company_id, source_id) REFERENCES sources (company_id, id),
    CHECK ((state = 'ended') = (outcome IS NOT NULL))
);
CREATE INDEX calls_newest ON calls (company_id, started_at DESC, id DESC);
CREATE INDEX calls_live ON calls (company_id, started_at) WHERE state <> 'ended';
-- The call log filtered by one value: a rare one must not read the whole log.
CREATE INDEX calls_of_source ON calls (company_id, source_id, started_at DESC, id DESC);
CREATE INDEX calls_of_outcome ON calls (company_id, outcome, started_at DESC, id DESC);
CREATE INDEX calls_to_number ON calls (company_id, did, started_at DESC, id DESC);
CREATE INDEX calls_of_caller ON calls (company_id, caller, started_at DESC, id DESC);

-- Each attempt to reach a destination, in order.
CREATE TABLE legs (
    company_id    bigint NOT NULL,
    call_id       bigint NOT NULL,
    position      smallint NOT NULL,
    dial          text NOT NULL,
    ring_seconds  real NOT NULL,
    result        text NOT NULL CHECK (result IN ('answered', 'busy', 'no_answer', 'abandoned', 'failed')),
    hangup_cause  smallint,
    answered_by   text,
    PRIMARY KEY (company_id, call_id, position),
    FOREIGN KEY (company_id, call_id) REFERENCES calls (company_id, id) ON DELETE CASCADE
);

CREATE TABLE recordings (
    company_id  bigint NOT NULL,
    call_id     bigint NOT NULL,
    state       text NOT NULL CHECK (state IN ('pending', 'ready', 'empty', 'failed')),
    sides       text NOT NULL,                    -- where Asterisk wrote: a path below the node's spool, without ending
    rate        integer NOT NULL,                 -- samples a second of those files
    file        text,                             -- the stereo file, below the data folder
    seconds     real,
    bytes       bigint,
    peaks       bytea,                            -- 0..255, caller and business in turn: peaks of equal stretches
    fault       text,                             -- why it failed, for people
    ready_at    timestamptz,
    PRIMARY KEY (company_id, call_id),
    FOREIGN KEY (company_id, call_id) REFERENCES calls (company_id, id) ON DELETE CASCADE,
    CHECK (state <> 'ready' OR (file IS NOT NULL AND seconds IS NOT NULL AND peaks IS NOT NULL))
);
CREATE INDEX recordings_pending ON recordings (call_id) WHERE state = 'pending';

CREATE TABLE audit_log (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    company_id  bigint NOT NULL REFERENCES companies,
    user_id     bigint REFERENCES users,
    at          timestamptz NOT NULL DEFAULT now(),
    action      text NOT NULL,                    -- such as recording.heard
    subject     text NOT NULL,                    -- such as call/123
    details     jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX audit_log_subject ON audit_log (company_id, subject, at DESC);

-- Every table with a company shows only the companies the transaction named; FORCE binds the owner too.
DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['memberships', 'sources', 'destinations', 'pools', 'tracking_numbers', 'calls', 'legs',
                                'recordings', 'audit_log'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY company ON %I USING (numberpool_sees(company_id))', name);
    END LOOP;
    ALTER TABLE companies ENABLE ROW LEVEL SECURITY;
    ALTER TABLE companies FORCE ROW LEVEL SECURITY;
    CREATE POLICY company ON companies USING (numberpool_sees(id));
END $$;

-- One notification for each change of a call or of settings; ids only.
CREATE FUNCTION numberpool_call_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('numberpool_calls', NEW.company_id || ':' || NEW.id);
    RETURN NULL;
END $$;
CREATE TRIGGER call_changed AFTER INSERT OR UPDATE ON calls
    FOR EACH ROW EXECUTE FUNCTION numberpool_call_changed();

CREATE FUNCTION numberpool_recording_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('numberpool_calls', NEW.company_id || ':' || NEW.call_id);
    RETURN NULL;
END $$;
CREATE TRIGGER recording_changed AFTER UPDATE ON recordings
    FOR EACH ROW EXECUTE FUNCTION numberpool_recording_changed();

CREATE FUNCTION numberpool_settings_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('numberpool_settings', TG_TABLE_NAME);
    RETURN NULL;
END $$;
DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['companies', 'sources', 'destinations', 'pools', 'tracking_numbers'] LOOP
        EXECUTE format('CREATE TRIGGER settings_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON %I '
                       'FOR EACH STATEMENT EXECUTE FUNCTION numberpool_settings_changed()', name);
    END LOOP;
END $$;

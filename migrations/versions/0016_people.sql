-- A person: whom several calls and forms belong to. gateway.leads.people builds them; what stands beside the name is
-- counted by it from person_of, so that a long list is quick.
CREATE TABLE people (
    id          bigint GENERATED ALWAYS AS IDENTITY,
    company_id  bigint NOT NULL REFERENCES companies ON DELETE CASCADE,
    name        text NOT NULL DEFAULT '',
    name_from   smallint NOT NULL DEFAULT 0 CHECK (name_from BETWEEN 0 AND 3),  -- nowhere, the network, a form, by hand
    note        text NOT NULL DEFAULT '',
    phone       text NOT NULL DEFAULT '',         -- the number of the last contact
    email       text NOT NULL DEFAULT '',
    calls       integer NOT NULL DEFAULT 0,
    forms       integer NOT NULL DEFAULT 0,       -- and chats, and the like
    first_at    timestamptz,
    last_at     timestamptz,                      -- none: nobody was counted yet
    jobs        integer NOT NULL DEFAULT 0,
    value       numeric(16, 2) NOT NULL DEFAULT 0,
    currency    text NOT NULL DEFAULT '',
    source_id   bigint,                           -- of the first contact
    source      text NOT NULL DEFAULT '',         -- its name, where no call was ever credited to it
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (company_id, id),
    UNIQUE (id),
    FOREIGN KEY (company_id, source_id) REFERENCES sources (company_id, id) ON DELETE SET NULL (source_id)
);
CREATE INDEX people_newest ON people (company_id, last_at DESC, id DESC);
CREATE INDEX people_of_source ON people (company_id, source_id, last_at DESC, id DESC);
CREATE INDEX people_with_jobs ON people (company_id, last_at DESC, id DESC) WHERE jobs > 0;

-- What tells that a call or a form is somebody's: a number, an address, a browser. Each leads to one person. A shared one
-- (a switchboard, a family's browser) tells nothing of the rest: only what has no other sign belongs to it.
CREATE TABLE person_keys (
    company_id  bigint NOT NULL,
    kind        text NOT NULL CHECK (kind IN ('phone', 'email', 'visitor')),
    value       text COLLATE "C" NOT NULL CHECK (value <> ''),
    reversed    text COLLATE "C" GENERATED ALWAYS AS (CASE kind WHEN 'phone' THEN reverse(value) END) STORED,
    person_id   bigint NOT NULL,
    is_shared   boolean NOT NULL DEFAULT false,
    last_at     timestamptz NOT NULL,             -- of the newest call or form with it
    PRIMARY KEY (company_id, kind, value),
    FOREIGN KEY (company_id, person_id) REFERENCES people (company_id, id) ON DELETE CASCADE
);
CREATE INDEX person_keys_person ON person_keys (company_id, person_id);
CREATE INDEX person_keys_reversed ON person_keys (company_id, reversed) WHERE reversed IS NOT NULL;

-- Whose a call or a form is. What was put somewhere by hand stays there.
CREATE TABLE person_of (
    id          bigint GENERATED ALWAYS AS IDENTITY,
    company_id  bigint NOT NULL,
    person_id   bigint NOT NULL,
    call_id     bigint,
    lead_id     uuid,
    at          timestamptz NOT NULL,
    by_hand     boolean NOT NULL DEFAULT false,
    PRIMARY KEY (company_id, id),
    UNIQUE (company_id, call_id),
    UNIQUE (company_id, lead_id),
    FOREIGN KEY (company_id, person_id) REFERENCES people (company_id, id) ON DELETE CASCADE,
    FOREIGN KEY (company_id, call_id) REFERENCES calls (company_id, id) ON DELETE CASCADE,
    FOREIGN KEY (company_id, lead_id) REFERENCES leads (company_id, id) ON DELETE CASCADE,
    CHECK (num_nonnulls(call_id, lead_id) = 1)
);
CREATE INDEX person_of_person ON person_of (company_id, person_id, at DESC);

-- Two who were parted by hand: no call and no form joins them again by itself.
CREATE TABLE people_apart (
    company_id  bigint NOT NULL,
    one_id      bigint NOT NULL,
    other_id    bigint NOT NULL CHECK (one_id < other_id),
    PRIMARY KEY (company_id, one_id, other_id),
    FOREIGN KEY (company_id, one_id) REFERENCES people (company_id, id) ON DELETE CASCADE,
    FOREIGN KEY (company_id, other_id) REFERENCES people (company_id, id) ON DELETE CASCADE
);
CREATE INDEX people_apart_other ON people_apart (company_id, other_id);

-- The folded words by which people are found: of names and addresses.
CREATE TABLE person_words (
    company_id  bigint NOT NULL,
    word        text COLLATE "C" NOT NULL,
    person_id   bigint NOT NULL,
    PRIMARY KEY (company_id, word, person_id),
    FOREIGN KEY (company_id, person_id) REFERENCES people (company_id, id) ON DELETE CASCADE
);
CREATE INDEX person_words_person ON person_words (company_id, person_id);

-- What is to be looked at, again or for the first time; worked off within a second or two. A row may stand twice: so whoever
-- writes a call never waits for whoever works.
CREATE TABLE people_due (
    id          bigint GENERATED ALWAYS AS IDENTITY,
    company_id  bigint NOT NULL,
    call_id     bigint,
    lead_id     uuid,
    person_id   bigint,
    PRIMARY KEY (company_id, id),
    CHECK (num_nonnulls(call_id, lead_id, person_id) = 1)
);
CREATE INDEX people_due_first ON people_due (id);

-- Callers who withhold their number are nobody.
CREATE FUNCTION numberpool_person_due_of_call() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO people_due (company_id, call_id) VALUES (NEW.company_id, NEW.id);
    RETURN NULL;
END $$;
CREATE TRIGGER person_due AFTER INSERT ON calls
    FOR EACH ROW WHEN (NEW.caller IS NOT NULL) EXECUTE FUNCTION numberpool_person_due_of_call();
CREATE TRIGGER person_due_again AFTER UPDATE OF caller, caller_name, source_id ON calls
    FOR EACH ROW WHEN ((OLD.caller, OLD.caller_name, OLD.source_id) IS DISTINCT FROM (NEW.caller, NEW.caller_name, NEW.source_id))
    EXECUTE FUNCTION numberpool_person_due_of_call();

CREATE FUNCTION numberpool_person_due_of_decision() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO people_due (company_id, call_id) VALUES (NEW.company_id, NEW.call_id);
    RETURN NULL;
END $$;
CREATE TRIGGER person_due AFTER INSERT ON attributions
    FOR EACH ROW WHEN (NEW.visitor_id IS NOT NULL AND NEW.settled_at IS NOT NULL)
    EXECUTE FUNCTION numberpool_person_due_of_decision();
CREATE TRIGGER person_due_again AFTER UPDATE OF visitor_id, confidence, settled_at ON attributions
    FOR EACH ROW WHEN ((OLD.visitor_id, OLD.confidence, OLD.settled_at IS NULL)
                       IS DISTINCT FROM (NEW.visitor_id, NEW.confidence, NEW.settled_at IS NULL))
    EXECUTE FUNCTION numberpool_person_due_of_decision();

CREATE FUNCTION numberpool_person_due_of_lead() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO people_due (company_id, lead_id) VALUES (NEW.company_id, NEW.id);
    RETURN NULL;
END $$;
CREATE TRIGGER person_due AFTER INSERT ON leads FOR EACH ROW EXECUTE FUNCTION numberpool_person_due_of_lead();
CREATE TRIGGER person_due_again AFTER UPDATE OF phone, email, visitor_id, suspect ON leads
    FOR EACH ROW WHEN ((OLD.phone, OLD.email, OLD.visitor_id, OLD.suspect)
                       IS DISTINCT FROM (NEW.phone, NEW.email, NEW.visitor_id, NEW.suspect))
    EXECUTE FUNCTION numberpool_person_due_of_lead();

CREATE FUNCTION numberpool_person_due_of_job() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP IN ('UPDATE', 'DELETE') THEN
        INSERT INTO people_due (company_id, call_id, lead_id) VALUES (OLD.company_id, OLD.call_id, OLD.lead_id);
    END IF;
    IF TG_OP IN ('INSERT', 'UPDATE') THEN
        INSERT INTO people_due (company_id, call_id, lead_id) VALUES (NEW.company_id, NEW.call_id, NEW.lead_id);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER person_due AFTER INSERT OR UPDATE OR DELETE ON job_leads
    FOR EACH ROW EXECUTE FUNCTION numberpool_person_due_of_job();

CREATE FUNCTION numberpool_person_due_of_value() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO people_due (company_id, call_id, lead_id)
    SELECT company_id, call_id, lead_id FROM job_leads WHERE company_id = NEW.company_id AND job_id = NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER person_due AFTER UPDATE OF value ON jobs
    FOR EACH ROW WHEN (OLD.value <> NEW.value) EXECUTE FUNCTION numberpool_person_due_of_value();

-- A call that is deleted takes its part of the person along.
CREATE FUNCTION numberpool_person_due_of_loss() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO people_due (company_id, person_id) VALUES (OLD.company_id, OLD.person_id);
    RETURN NULL;
END $$;
CREATE TRIGGER person_due AFTER DELETE ON person_of FOR EACH ROW EXECUTE FUNCTION numberpool_person_due_of_loss();

-- Who asks to be forgotten, or is not seen for long, is no longer known again: at once, whoever deletes the visitor.
CREATE FUNCTION numberpool_visitor_gone() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM person_keys WHERE company_id = OLD.company_id AND kind = 'visitor' AND value = OLD.id::text;
    RETURN NULL;
END $$;
CREATE TRIGGER visitor_gone AFTER DELETE ON visitors FOR EACH ROW EXECUTE FUNCTION numberpool_visitor_gone();

DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['people', 'person_keys', 'person_of', 'people_apart', 'person_words', 'people_due'] LOOP
        PERFORM numberpool_secure(name::regclass);
    END LOOP;
END $$;

-- All history is looked at once, the oldest first: the gateway does so beside its other work.
SELECT set_config('numberpool.companies', 'all', true);
INSERT INTO people_due (company_id, call_id, lead_id)
SELECT company_id, call_id, lead_id FROM (
    SELECT company_id, id AS call_id, NULL::uuid AS lead_id, started_at AS at FROM calls WHERE caller IS NOT NULL
    UNION ALL SELECT company_id, NULL, id, received_at FROM leads
) history ORDER BY at;

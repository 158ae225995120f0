-- What people say of a call: its status, a note, tags, and the job that came of it.
ALTER TABLE calls
    ADD COLUMN status  text NOT NULL DEFAULT 'new'
                       CHECK (status IN ('new', 'lead', 'quoted', 'booked', 'lost', 'spam')),
    ADD COLUMN note    text NOT NULL DEFAULT '';

-- After how much talk an answered call counts as a lead, where nobody said what it was.
ALTER TABLE companies
    ADD COLUMN qualified_seconds integer NOT NULL DEFAULT 60 CHECK (qualified_seconds BETWEEN 0 AND 7200);

CREATE TABLE tags (
    id          bigint GENERATED ALWAYS AS IDENTITY,
    company_id  bigint NOT NULL REFERENCES companies ON DELETE CASCADE,
    name        text NOT NULL CHECK (name <> ''),
    folded      text NOT NULL CHECK (folded <> ''),    -- the name as it is compared: small letters, without accents
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (company_id, id),
    UNIQUE (id),
    UNIQUE (company_id, folded)
);

-- started_at is the call's, so that the calls of a tag are found in their order.
CREATE TABLE call_tags (
    company_id  bigint NOT NULL,
    call_id     bigint NOT NULL,
    tag_id      bigint NOT NULL,
    started_at  timestamptz NOT NULL,
    PRIMARY KEY (company_id, call_id, tag_id),
    FOREIGN KEY (company_id, call_id) REFERENCES calls (company_id, id) ON DELETE CASCADE,
    FOREIGN KEY (company_id, tag_id) REFERENCES tags (company_id, id) ON DELETE CASCADE
);
CREATE INDEX call_tags_newest ON call_tags (company_id, tag_id, started_at DESC, call_id DESC);

-- A job: what a person bought. It comes of one or more leads (calls, forms and the like) and counts once; a lead belongs
-- to one job at most.
CREATE TABLE jobs (
    id          bigint GENERATED ALWAYS AS IDENTITY,
    company_id  bigint NOT NULL REFERENCES companies ON DELETE CASCADE,
    value       numeric(14, 2) NOT NULL CHECK (value >= 0),
    currency    text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    booked_at   timestamptz NOT NULL,
    created_by  bigint REFERENCES users ON DELETE SET NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (company_id, id),
    UNIQUE (id)
);
CREATE INDEX jobs_time ON jobs (company_id, booked_at);

CREATE TABLE job_leads (
    id          bigint GENERATED ALWAYS AS IDENTITY,
    company_id  bigint NOT NULL,
    job_id      bigint NOT NULL,
    call_id     bigint,
    lead_id     uuid,
    PRIMARY KEY (company_id, id),
    FOREIGN KEY (company_id, job_id) REFERENCES jobs (company_id, id) ON DELETE CASCADE,
    FOREIGN KEY (company_id, call_id) REFERENCES calls (company_id, id) ON DELETE CASCADE,
    FOREIGN KEY (company_id, lead_id) REFERENCES leads (company_id, id) ON DELETE CASCADE,
    CHECK (num_nonnulls(call_id, lead_id) = 1),
    UNIQUE (company_id, call_id),
    UNIQUE (company_id, lead_id)
);
CREATE INDEX job_leads_job ON job_leads (company_id, job_id);

-- A view of the call list that somebody keeps under a name; shared ones are everybody's in the company.
CREATE TABLE saved_views (
    id          bigint GENERATED ALWAYS AS IDENTITY,
    company_id  bigint NOT NULL REFERENCES companies ON DELETE CASCADE,
    user_id     bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    name        text NOT NULL CHECK (name <> ''),
    query       text NOT NULL,                      -- as the address bar holds it, without the company
    is_shared   boolean NOT NULL DEFAULT false,
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (company_id, id),
    UNIQUE (id),
    UNIQUE (company_id, user_id, name)
);

-- ------------------------------------------------------------------------------------------ what the list is filtered by

-- Copied to the call, so that each filter has an index in the order of the list: a campaign that ended two years ago
-- must not be looked for call by call. Pool and region are those of the moment of the call.
ALTER TABLE calls
    ADD COLUMN pool_id          bigint,
    ADD COLUMN region           text NOT NULL DEFAULT '',       -- where the caller's number belongs, in English
    ADD COLUMN is_first         boolean NOT NULL DEFAULT false, -- nobody had called this company from that number before
    ADD COLUMN channel          text NOT NULL DEFAULT '',
    ADD COLUMN campaign         text NOT NULL DEFAULT '',
    ADD COLUMN keyword          text NOT NULL DEFAULT '',
    ADD COLUMN confidence       real,                           -- that the source is right; none: not decided
    ADD COLUMN caller_reversed  text COLLATE "C" GENERATED ALWAYS AS (reverse(caller)) STORED;

SELECT set_config('numberpool.companies', 'all', true);
ALTER TABLE calls DISABLE TRIGGER call_changed;
UPDATE calls c SET
    pool_id = (SELECT pool_id FROM tracking_numbers t WHERE t.company_id = c.company_id AND t.id = c.number_id),
    is_first = c.caller IS NOT NULL AND NOT EXISTS (
        SELECT FROM calls e WHERE e.company_id = c.company_id AND e.caller = c.caller
          AND (e.started_at, e.id) < (c.started_at, c.id));
UPDATE calls c SET channel = a.channel, campaign = a.campaign, keyword = a.keyword, confidence = a.source_confidence
FROM attributions a WHERE a.company_id = c.company_id AND a.call_id = c.id;
ALTER TABLE calls ENABLE TRIGGER call_changed;

CREATE INDEX calls_of_pool ON calls (company_id, pool_id, started_at DESC, id DESC);
CREATE INDEX calls_of_status ON calls (company_id, status, started_at DESC, id DESC);
CREATE INDEX calls_of_person ON calls (company_id, answered_by, started_at DESC, id DESC);
CREATE INDEX calls_of_channel ON calls (company_id, channel, started_at DESC, id DESC);
CREATE INDEX calls_of_campaign ON calls (company_id, campaign, started_at DESC, id DESC);
CREATE INDEX calls_of_keyword ON calls (company_id, keyword, started_at DESC, id DESC);
CREATE INDEX calls_of_region ON calls (company_id, region, started_at DESC, id DESC);
CREATE INDEX calls_first ON calls (company_id, started_at DESC, id DESC) WHERE is_first;
CREATE INDEX calls_long ON calls (company_id, talk_seconds);
CREATE INDEX calls_sure ON calls (company_id, confidence);
-- The beginning and the end of a caller's number.
CREATE INDEX calls_caller_begins ON calls (company_id, caller COLLATE "C");
CREATE INDEX calls_caller_ends ON calls (company_id, caller_reversed);

-- The words of callers' names, notes and tags, each as gateway.leads.search folds it. Words are compared with = and <
-- alone: behind row-level security no other comparison may use an index.
CREATE TABLE call_words (
    company_id  bigint NOT NULL,
    word        text COLLATE "C" NOT NULL,
    started_at  timestamptz NOT NULL,
    call_id     bigint NOT NULL,
    PRIMARY KEY (company_id, word, started_at, call_id),
    FOREIGN KEY (company_id, call_id) REFERENCES calls (company_id, id) ON DELETE CASCADE
);
CREATE INDEX call_words_call ON call_words (company_id, call_id, word);

CREATE FUNCTION numberpool_call_facets() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.pool_id := (SELECT pool_id FROM tracking_numbers WHERE company_id = NEW.company_id AND id = NEW.number_id);
    IF TG_OP = 'INSERT' THEN
        NEW.is_first := NEW.caller IS NOT NULL AND NOT EXISTS (
            SELECT FROM calls WHERE company_id = NEW.company_id AND caller = NEW.caller AND started_at < NEW.started_at);
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER call_facets BEFORE INSERT ON calls
    FOR EACH ROW EXECUTE FUNCTION numberpool_call_facets();
CREATE TRIGGER call_facets_again BEFORE UPDATE OF number_id ON calls
    FOR EACH ROW WHEN (OLD.number_id IS DISTINCT FROM NEW.number_id) EXECUTE FUNCTION numberpool_call_facets();

CREATE FUNCTION numberpool_call_credited() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE calls SET channel = NEW.channel, campaign = NEW.campaign, keyword = NEW.keyword,
                     confidence = NEW.source_confidence::real
    WHERE company_id = NEW.company_id AND id = NEW.call_id
      AND (channel, campaign, keyword, confidence)
          IS DISTINCT FROM (NEW.channel, NEW.campaign, NEW.keyword, NEW.source_confidence::real);
    RETURN NULL;
END $$;
CREATE TRIGGER call_credited AFTER INSERT OR UPDATE ON attributions
    FOR EACH ROW EXECUTE FUNCTION numberpool_call_credited();

DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['tags', 'call_tags', 'jobs', 'job_leads', 'saved_views', 'call_words'] LOOP
        PERFORM numberpool_secure(name::regclass);
    END LOOP;
END $$;

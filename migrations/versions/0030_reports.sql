-- What reports count: a row for each call (or form, or other lead) and each touch that has a share in its credit. It names
-- nobody, and holds what is known of the visit, which may be gone since. Made from calls, touches, jobs and leads by
-- gateway.reports.recount, whenever report_due says that something has changed.
CREATE TABLE report_facts (
    id            bigint GENERATED ALWAYS AS IDENTITY,
    company_id    bigint NOT NULL REFERENCES companies ON DELETE CASCADE,
    call_id       bigint,
    lead_id       uuid,
    kind          text COLLATE "C" NOT NULL CHECK (kind IN ('call', 'lead', 'spam', 'blocked')),
    call_day      date NOT NULL,                   -- on the company's calendar
    click_day     date NOT NULL,                   -- of the touch
    touch_at      timestamptz,                     -- none: nothing is known to have brought it
    place         smallint NOT NULL,               -- of the touch among them, from 1 on; 0: none
    shares        double precision[],              -- by model, in the order of gateway.attribution.credit.Model; none: all
    source        text COLLATE "C" NOT NULL,       -- the id
    channel       text COLLATE "C" NOT NULL,
    campaign      text COLLATE "C" NOT NULL,
    keyword       text COLLATE "C" NOT NULL,
    landing       text COLLATE "C" NOT NULL,
    pool          text COLLATE "C" NOT NULL,       -- the id
    number        text COLLATE "C" NOT NULL,
    region        text COLLATE "C" NOT NULL,
    city          text COLLATE "C" NOT NULL,
    device        text COLLATE "C" NOT NULL,
    person        text COLLATE "C" NOT NULL,       -- the endpoint that answered first
    hour          text COLLATE "C" NOT NULL,       -- of the week: Monday's first is 0
    label         text COLLATE "C" NOT NULL,       -- of a lead's touch: leads to its source, also after a merge
    answered      boolean NOT NULL,
    first_time    boolean NOT NULL,
    qualified     boolean NOT NULL,
    jobs          smallint NOT NULL,
    value         double precision NOT NULL,
    talk_seconds  double precision NOT NULL,
    ring_seconds  double precision NOT NULL,
    before_day    date,                            -- when the same caller called last before it; none: never, or withheld
    PRIMARY KEY (company_id, id),
    CHECK (num_nonnulls(call_id, lead_id) = 1)
);
CREATE INDEX report_facts_call ON report_facts (company_id, call_id) WHERE call_id IS NOT NULL;
CREATE INDEX report_facts_lead ON report_facts (company_id, lead_id) WHERE lead_id IS NOT NULL;
CREATE INDEX report_facts_label ON report_facts (company_id, label) WHERE lead_id IS NOT NULL;
CREATE INDEX report_facts_day ON report_facts (company_id, call_day);
CREATE INDEX report_facts_click ON report_facts (company_id, click_day);

-- Each call split over whoever may have made it, by the source and by the channel that it would be credited to then.
CREATE TABLE report_chances (
    company_id  bigint NOT NULL REFERENCES companies ON DELETE CASCADE,
    call_id     bigint NOT NULL,
    call_day    date NOT NULL,
    told_by     integer NOT NULL,                  -- as in report_sums
    key         text COLLATE "C" NOT NULL,
    chance      double precision NOT NULL
);
CREATE INDEX report_chances_call ON report_chances (company_id, call_id);
CREATE INDEX report_chances_day ON report_chances (company_id, call_day);

-- The figures of blocks of days: of one day (level 0), of 4, 16, 64 and 256. Only those that report_blocks names hold.
CREATE TABLE report_sums (
    company_id    bigint NOT NULL REFERENCES companies ON DELETE CASCADE,
    level         smallint NOT NULL,
    block         integer NOT NULL,                -- of the days since 1970, counted from 0
    told_by       integer NOT NULL,                -- the dimensions, each a bit: gateway.reports.cube.BITS
    basis         smallint NOT NULL,               -- 0: call and click are of one day; 1: by call; 2: by click
    model         smallint NOT NULL,               -- 0: all models agree; else its place in Model, from 1 on
    key1          text COLLATE "C" NOT NULL,
    key2          text COLLATE "C" NOT NULL,
    calls         double precision NOT NULL,
    answered      double precision NOT NULL,
    first_time    double precision NOT NULL,
    qualified     double precision NOT NULL,
    jobs          double precision NOT NULL,
    value         double precision NOT NULL,
    talk_seconds  double precision NOT NULL,
    ring_seconds  double precision NOT NULL,
    leads         double precision NOT NULL,
    spam          double precision NOT NULL,
    blocked       double precision NOT NULL,
    expected      double precision NOT NULL,
    variance      double precision NOT NULL
);
CREATE INDEX report_sums_block ON report_sums (company_id, level, block, told_by, basis, model);

-- Calls by their day and the day of the same caller's call before, for counting callers. As report_sums at level 0.
CREATE TABLE report_returns (
    company_id  bigint NOT NULL REFERENCES companies ON DELETE CASCADE,
    day         date NOT NULL,
    before_day  date NOT NULL,
    calls       integer NOT NULL,
    PRIMARY KEY (company_id, day, before_day)
);

-- The blocks whose sums hold. A day that changes takes its blocks out until they are made again.
CREATE TABLE report_blocks (
    company_id  bigint NOT NULL REFERENCES companies ON DELETE CASCADE,
    level       smallint NOT NULL,
    block       integer NOT NULL,
    PRIMARY KEY (company_id, level, block)
);

-- What has changed and is to be counted again: a call, a lead, or (neither) all of a company. A row may stand twice: so
-- whoever writes a call never waits for whoever counts.
CREATE TABLE report_due (
    id          bigint GENERATED ALWAYS AS IDENTITY,
    company_id  bigint NOT NULL REFERENCES companies ON DELETE CASCADE,
    call_id     bigint,
    lead_id     uuid,
    PRIMARY KEY (company_id, id)
);
CREATE INDEX report_due_first ON report_due (id);

DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['report_facts', 'report_chances', 'report_sums', 'report_returns', 'report_blocks',
                                'report_due'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
    END LOOP;
    EXECUTE 'CREATE POLICY company ON report_due USING ((SELECT numberpool_companies()) IS NULL '
            'OR company_id = ANY ((SELECT numberpool_companies())::bigint[]))';
    -- Who sees only his own calls sees no sums of others': his figures are added up from the facts that are his.
    FOREACH name IN ARRAY ARRAY['report_sums', 'report_returns', 'report_blocks'] LOOP
        EXECUTE format('CREATE POLICY company ON %I USING (((SELECT numberpool_companies()) IS NULL '
                       'OR company_id = ANY ((SELECT numberpool_companies())::bigint[])) '
                       'AND NOT company_id = ANY ((SELECT numberpool_agent_in())::bigint[]))', name);
    END LOOP;
    FOREACH name IN ARRAY ARRAY['report_facts', 'report_chances'] LOOP
        EXECUTE format('CREATE POLICY company ON %I USING (((SELECT numberpool_companies()) IS NULL '
                       'OR company_id = ANY ((SELECT numberpool_companies())::bigint[])) '
                       'AND (NOT company_id = ANY ((SELECT numberpool_agent_in())::bigint[]) OR call_id IN ('
                       'SELECT r.call_id FROM endpoints_reached r '
                       'JOIN member_endpoints e ON e.company_id = r.company_id AND e.endpoint = r.endpoint '
                       'WHERE e.user_id = (SELECT nullif(current_setting(''numberpool.agent'', true), '''')::bigint))))', name);
    END LOOP;
END $$;

-- ------------------------------------------------------------------------------------------------- what makes it due

CREATE FUNCTION numberpool_report_due_of_call() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO report_due (company_id, call_id) VALUES (NEW.company_id, NEW.id);
    RETURN NULL;
END $$;
CREATE TRIGGER report_due AFTER INSERT ON calls
    FOR EACH ROW WHEN (NEW.state = 'ended') EXECUTE FUNCTION numberpool_report_due_of_call();
CREATE TRIGGER report_due_again AFTER UPDATE OF state, outcome, status, started_at, answered_at, talk_seconds, ring_seconds,
        did, pool_id, region, answered_by, is_first, source_id, channel, campaign, keyword ON calls
    FOR EACH ROW WHEN (NEW.state = 'ended' AND
        (OLD.state, OLD.outcome, OLD.status, OLD.started_at, OLD.answered_at, OLD.talk_seconds, OLD.ring_seconds, OLD.did,
         OLD.pool_id, OLD.region, OLD.answered_by, OLD.is_first, OLD.source_id, OLD.channel, OLD.campaign, OLD.keyword)
        IS DISTINCT FROM
        (NEW.state, NEW.outcome, NEW.status, NEW.started_at, NEW.answered_at, NEW.talk_seconds, NEW.ring_seconds, NEW.did,
         NEW.pool_id, NEW.region, NEW.answered_by, NEW.is_first, NEW.source_id, NEW.channel, NEW.campaign, NEW.keyword))
    EXECUTE FUNCTION numberpool_report_due_of_call();

-- The call that came next from the same caller counts from the one that is gone, or is another's now.
CREATE FUNCTION numberpool_report_due_of_caller() RETURNS trigger LANGUAGE plpgsql SET enable_seqscan = off AS $$
BEGIN
    INSERT INTO report_due (company_id, call_id) VALUES (OLD.company_id, OLD.id);
    INSERT INTO report_due (company_id, call_id)
    SELECT company_id, id FROM calls
    WHERE company_id = OLD.company_id AND caller = OLD.caller AND (started_at, id) > (OLD.started_at, OLD.id)
      AND state = 'ended' AND outcome <> 'blocked' AND status <> 'spam'
    ORDER BY started_at, id LIMIT 1;
    RETURN NULL;
END $$;
CREATE TRIGGER report_due_gone AFTER DELETE ON calls
    FOR EACH ROW EXECUTE FUNCTION numberpool_report_due_of_caller();
CREATE TRIGGER report_due_moved AFTER UPDATE OF caller, started_at ON calls
    FOR EACH ROW WHEN (NEW.state = 'ended' AND (OLD.caller, OLD.started_at) IS DISTINCT FROM (NEW.caller, NEW.started_at))
    EXECUTE FUNCTION numberpool_report_due_of_caller();

-- Decisions, touches and candidates: of all rows of a statement at once, as they are written by the thousand.
CREATE FUNCTION numberpool_report_due_of_decision() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO report_due (company_id, call_id) SELECT DISTINCT company_id, call_id FROM changed;
    RETURN NULL;
END $$;
CREATE TRIGGER report_due AFTER INSERT ON attributions REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION numberpool_report_due_of_decision();
CREATE TRIGGER report_due_again AFTER UPDATE ON attributions REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION numberpool_report_due_of_decision();
CREATE TRIGGER report_due_again AFTER UPDATE ON call_touches REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION numberpool_report_due_of_decision();
CREATE TRIGGER report_due_again AFTER UPDATE ON call_candidates REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION numberpool_report_due_of_decision();

CREATE FUNCTION numberpool_report_due_of_lead() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        INSERT INTO report_due (company_id, lead_id) VALUES (OLD.company_id, OLD.id);
    ELSE
        INSERT INTO report_due (company_id, lead_id) VALUES (NEW.company_id, NEW.id);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER report_due AFTER INSERT OR DELETE ON leads FOR EACH ROW EXECUTE FUNCTION numberpool_report_due_of_lead();
CREATE TRIGGER report_due_again AFTER UPDATE OF suspect, received_at, visit_id, visitor_id ON leads
    FOR EACH ROW WHEN ((OLD.suspect, OLD.received_at, OLD.visit_id, OLD.visitor_id)
                       IS DISTINCT FROM (NEW.suspect, NEW.received_at, NEW.visit_id, NEW.visitor_id))
    EXECUTE FUNCTION numberpool_report_due_of_lead();

-- A job counts on its earliest lead: with one that comes or goes, that may be another.
CREATE FUNCTION numberpool_report_due_of_job() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE own job_leads[] := '{}';
BEGIN
    IF TG_OP IN ('UPDATE', 'DELETE') THEN
        own := own || OLD;
    END IF;
    IF TG_OP IN ('INSERT', 'UPDATE') THEN
        own := own || NEW;
    END IF;
    INSERT INTO report_due (company_id, call_id, lead_id)
    SELECT company_id, call_id, lead_id FROM unnest(own)
    UNION
    SELECT part.company_id, part.call_id, part.lead_id FROM unnest(own) AS mine
    JOIN job_leads part ON part.company_id = mine.company_id AND part.job_id = mine.job_id;
    RETURN NULL;
END $$;
CREATE TRIGGER report_due AFTER INSERT OR UPDATE OR DELETE ON job_leads
    FOR EACH ROW EXECUTE FUNCTION numberpool_report_due_of_job();

CREATE FUNCTION numberpool_report_due_of_value() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO report_due (company_id, call_id, lead_id)
    SELECT company_id, call_id, lead_id FROM job_leads WHERE company_id = NEW.company_id AND job_id = NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER report_due AFTER UPDATE OF value, currency ON jobs
    FOR EACH ROW WHEN ((OLD.value, OLD.currency) IS DISTINCT FROM (NEW.value, NEW.currency))
    EXECUTE FUNCTION numberpool_report_due_of_value();

-- A label leads to another source.
CREATE FUNCTION numberpool_report_due_of_label() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO report_due (company_id, lead_id)
    SELECT DISTINCT company_id, lead_id FROM report_facts
    WHERE company_id = NEW.company_id AND label = NEW.label AND lead_id IS NOT NULL;
    RETURN NULL;
END $$;
CREATE TRIGGER report_due AFTER INSERT OR UPDATE ON source_labels
    FOR EACH ROW EXECUTE FUNCTION numberpool_report_due_of_label();

-- Another channel of a source is another one of the calls it may have brought.
CREATE FUNCTION numberpool_report_due_of_source() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO report_due (company_id, call_id)
    SELECT DISTINCT company_id, call_id FROM call_candidates WHERE company_id = NEW.company_id AND source_id = NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER report_due AFTER UPDATE OF channel ON sources
    FOR EACH ROW WHEN (OLD.channel <> NEW.channel) EXECUTE FUNCTION numberpool_report_due_of_source();

-- Rules that hold for every call: the calendar, the money, what counts as a lead, how credit fades.
CREATE FUNCTION numberpool_report_due_of_company() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM jsonb_each(to_jsonb(OLD)) AS was JOIN jsonb_each(to_jsonb(NEW)) AS now_is USING (key)
        WHERE was.value <> now_is.value
          AND (key IN ('time_zone', 'currency', 'credit_half_life') OR starts_with(key, 'qualified_'))
    ) THEN
        INSERT INTO report_due (company_id) VALUES (NEW.id);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER report_due AFTER UPDATE ON companies
    FOR EACH ROW EXECUTE FUNCTION numberpool_report_due_of_company();

-- All history is counted once: the gateway does so beside its other work.
SELECT set_config('numberpool.companies', 'all', true);
INSERT INTO report_due (company_id) SELECT id FROM companies;

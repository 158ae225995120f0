-- Forms, chats and texts are leads as calls are: they have a source, marks, and stand in the same list. What brought one is
-- decided once (gateway.leads.crediting) and names nobody, so that it stays when the visit is forgotten.
ALTER TABLE leads
    ADD COLUMN number_id       bigint,                                -- of a text: the number it was sent to
    ADD COLUMN number          text NOT NULL DEFAULT '' CHECK (number = '' OR number ~ '^\+[1-9][0-9]{3,14}$'),
    ADD COLUMN pool_id         bigint,                                -- whose that number was then
    ADD COLUMN source_id       bigint,
    ADD COLUMN channel         text NOT NULL DEFAULT '',
    ADD COLUMN campaign        text NOT NULL DEFAULT '',
    ADD COLUMN keyword         text NOT NULL DEFAULT '',
    ADD COLUMN confidence      real,                                  -- that the source is right; none: not decided
    ADD COLUMN sure            text GENERATED ALWAYS AS (
        CASE WHEN confidence >= 0.9 THEN 'high' WHEN confidence >= 0.5 THEN 'fair' WHEN confidence IS NOT NULL THEN 'low' END
    ) STORED,
    ADD COLUMN credited_at     timestamptz,                           -- none: what brought it is still to be decided
    ADD COLUMN region          text NOT NULL DEFAULT '',              -- where the phone number belongs, in English
    ADD COLUMN is_first        boolean NOT NULL DEFAULT false,        -- nobody had called or written from there before
    ADD COLUMN status          text NOT NULL DEFAULT 'new' CHECK (status IN ('new', 'lead', 'quoted', 'booked', 'lost', 'spam')),
    ADD COLUMN note            text NOT NULL DEFAULT '',
    ADD COLUMN sent_as         text NOT NULL DEFAULT '',              -- the sender's own id: a repeated one counts once
    ADD COLUMN phone_reversed  text COLLATE "C" GENERATED ALWAYS AS (reverse(phone)) STORED,
    ADD FOREIGN KEY (company_id, number_id) REFERENCES tracking_numbers (company_id, id) ON DELETE SET NULL (number_id),
    ADD FOREIGN KEY (company_id, source_id) REFERENCES sources (company_id, id);

DROP INDEX leads_time;
CREATE INDEX leads_newest ON leads (company_id, received_at DESC, id DESC);
CREATE INDEX leads_of_source ON leads (company_id, source_id, received_at DESC, id DESC);
CREATE INDEX leads_of_status ON leads (company_id, status, received_at DESC, id DESC);
CREATE INDEX leads_of_kind ON leads (company_id, kind, received_at DESC, id DESC);
CREATE INDEX leads_of_number ON leads (company_id, number_id) WHERE number_id IS NOT NULL;
CREATE INDEX leads_phone_begins ON leads (company_id, phone COLLATE "C");
CREATE INDEX leads_phone_ends ON leads (company_id, phone_reversed);
CREATE INDEX leads_to_credit ON leads (received_at) WHERE credited_at IS NULL;
CREATE UNIQUE INDEX leads_sent_as ON leads (company_id, sent_as) WHERE sent_as <> '';

-- An agent has calls of his own; what people wrote came to everybody, and is not his.
DROP POLICY company ON leads;
CREATE POLICY company ON leads USING (
    ((SELECT numberpool_companies()) IS NULL OR company_id = ANY ((SELECT numberpool_companies())::bigint[]))
    AND NOT company_id = ANY ((SELECT numberpool_agent_in())::bigint[]));

-- received_at is the lead's, so that the leads of a tag or a word are found in their order.
CREATE TABLE lead_tags (
    company_id   bigint NOT NULL,
    lead_id      uuid NOT NULL,
    tag_id       bigint NOT NULL,
    received_at  timestamptz NOT NULL,
    PRIMARY KEY (company_id, lead_id, tag_id),
    FOREIGN KEY (company_id, lead_id) REFERENCES leads (company_id, id) ON DELETE CASCADE,
    FOREIGN KEY (company_id, tag_id) REFERENCES tags (company_id, id) ON DELETE CASCADE
);
CREATE INDEX lead_tags_newest ON lead_tags (company_id, tag_id, received_at DESC, lead_id DESC);

-- The words of what was typed, of notes and tags, as call_words has those of calls.
CREATE TABLE lead_words (
    company_id   bigint NOT NULL,
    word         text COLLATE "C" NOT NULL,
    received_at  timestamptz NOT NULL,
    lead_id      uuid NOT NULL,
    PRIMARY KEY (company_id, word, received_at, lead_id),
    FOREIGN KEY (company_id, lead_id) REFERENCES leads (company_id, id) ON DELETE CASCADE
);
CREATE INDEX lead_words_lead ON lead_words (company_id, lead_id, word);

DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['lead_tags', 'lead_words'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY company ON %I USING (((SELECT numberpool_companies()) IS NULL '
                       'OR company_id = ANY ((SELECT numberpool_companies())::bigint[])) '
                       'AND NOT company_id = ANY ((SELECT numberpool_agent_in())::bigint[]))', name);
    END LOOP;
END $$;

CREATE FUNCTION numberpool_lead_facets() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.pool_id := (SELECT pool_id FROM tracking_numbers WHERE company_id = NEW.company_id AND id = NEW.number_id);
    IF NEW.phone <> '' OR NEW.email <> '' THEN
        NEW.is_first := NOT EXISTS (SELECT FROM calls WHERE company_id = NEW.company_id AND caller = NEW.phone
                                    AND started_at < NEW.received_at)
            AND NOT EXISTS (SELECT FROM leads WHERE company_id = NEW.company_id AND NEW.phone <> ''
                            AND phone = NEW.phone AND received_at < NEW.received_at)
            AND NOT EXISTS (SELECT FROM leads WHERE company_id = NEW.company_id AND NEW.email <> ''
                            AND email = NEW.email AND received_at < NEW.received_at);
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER lead_facets BEFORE INSERT ON leads FOR EACH ROW EXECUTE FUNCTION numberpool_lead_facets();

-- Open pages read a lead again, as they do a call.
CREATE FUNCTION numberpool_lead_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('numberpool.quiet', true) IS DISTINCT FROM 'on' THEN
        PERFORM pg_notify('numberpool_leads', NEW.company_id || ':' || NEW.id);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER lead_changed AFTER INSERT ON leads FOR EACH ROW EXECUTE FUNCTION numberpool_lead_changed();
CREATE TRIGGER lead_changed_again AFTER UPDATE OF status, note, source_id, suspect, kind, data ON leads
    FOR EACH ROW EXECUTE FUNCTION numberpool_lead_changed();

-- What counts, of what is no call: the same marks decide; else whether forms, texts and chats do.
CREATE FUNCTION numberpool_lead_qualified(leads boolean, first_only boolean, always text[], never text[],
                                          status text, is_first boolean)
RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN status = ANY (never) THEN false
                WHEN status = ANY (always) THEN true
                WHEN first_only AND NOT is_first THEN false
                ELSE leads END
$$;

DROP TRIGGER report_due_again ON leads;
CREATE TRIGGER report_due_again AFTER UPDATE OF suspect, received_at, visit_id, visitor_id, status, is_first, source_id,
        channel, campaign, keyword, pool_id, number, region ON leads
    FOR EACH ROW WHEN ((OLD.suspect, OLD.received_at, OLD.visit_id, OLD.visitor_id, OLD.status, OLD.is_first,
                        OLD.source_id, OLD.channel, OLD.campaign, OLD.keyword, OLD.pool_id, OLD.number, OLD.region)
                       IS DISTINCT FROM
                       (NEW.suspect, NEW.received_at, NEW.visit_id, NEW.visitor_id, NEW.status, NEW.is_first,
                        NEW.source_id, NEW.channel, NEW.campaign, NEW.keyword, NEW.pool_id, NEW.number, NEW.region))
    EXECUTE FUNCTION numberpool_report_due_of_lead();

-- A company's own programs hand in chats and the like.
ALTER TABLE collector_tokens DROP CONSTRAINT collector_tokens_kind_check;
ALTER TABLE collector_tokens
    ADD COLUMN name      text NOT NULL DEFAULT '',           -- what program it is, as people call it
    ADD COLUMN used_at   timestamptz,                        -- about when it was last used
    ADD CHECK (kind IN ('server', 'google_ads', 'leads'));

SELECT set_config('numberpool.companies', 'all', true);
ALTER TABLE leads DISABLE TRIGGER USER;
UPDATE leads mine SET is_first = (mine.phone <> '' OR mine.email <> '')
    AND NOT EXISTS (SELECT FROM calls c WHERE c.company_id = mine.company_id AND c.caller = mine.phone
                    AND c.started_at < mine.received_at)
    AND NOT EXISTS (SELECT FROM leads e WHERE e.company_id = mine.company_id AND mine.phone <> ''
                    AND e.phone = mine.phone AND e.received_at < mine.received_at)
    AND NOT EXISTS (SELECT FROM leads e WHERE e.company_id = mine.company_id AND mine.email <> ''
                    AND e.email = mine.email AND e.received_at < mine.received_at);
ALTER TABLE leads ENABLE TRIGGER USER;

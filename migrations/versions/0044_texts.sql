-- Texts (SMS, MMS, SIP MESSAGE): the carriers' accounts that bring and take them, and the conversations they make.

CREATE TABLE text_accounts (
    id          bigint GENERATED ALWAYS AS IDENTITY,
    company_id  bigint NOT NULL REFERENCES companies ON DELETE CASCADE,
    name        text NOT NULL CHECK (name <> ''),
    kind        text NOT NULL CHECK (kind IN ('twilio', 'signalwire', 'telnyx', 'plivo', 'vonage', 'bandwidth', 'voipms', 'general')),
    token       text NOT NULL UNIQUE CHECK (length(token) >= 32),   -- in the address that the carrier posts to
    plain       jsonb NOT NULL DEFAULT '{}',        -- what may be seen: names of accounts, fields and addresses
    secrets     jsonb NOT NULL DEFAULT '{}',        -- what is never shown again; sending needs it as it is
    refused_at  timestamptz,                        -- when something was last posted whose signature is wrong
    removed_at  timestamptz,
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (company_id, id),
    UNIQUE (id)
);
CREATE UNIQUE INDEX text_accounts_name ON text_accounts (company_id, name) WHERE removed_at IS NULL;
CREATE TRIGGER settings_changed AFTER INSERT OR DELETE OR TRUNCATE OR UPDATE OF name, kind, token, plain, secrets, removed_at
    ON text_accounts FOR EACH STATEMENT EXECUTE FUNCTION numberpool_settings_changed();

-- Who is told by mail of texts that come in.
ALTER TABLE companies ADD COLUMN texts_to text[] NOT NULL DEFAULT '{}';

-- One of our numbers and somebody who texts with it.
CREATE TABLE conversations (
    id          bigint GENERATED ALWAYS AS IDENTITY,
    company_id  bigint NOT NULL REFERENCES companies ON DELETE CASCADE,
    number      text NOT NULL CHECK (number <> ''),  -- ours, as E.164
    other       text NOT NULL CHECK (other <> ''),   -- theirs, as E.164; a short code or a name as the carrier has it
    number_id   bigint,                              -- the tracking number that was written to last
    account_id  bigint,                              -- by which the last one came, and answers go; none: over SIP
    last_at     timestamptz NOT NULL,
    read_at     timestamptz,                         -- up to when somebody has read it
    PRIMARY KEY (company_id, id),
    UNIQUE (id),
    UNIQUE (company_id, number, other),
    FOREIGN KEY (company_id, number_id) REFERENCES tracking_numbers (company_id, id) ON DELETE SET NULL (number_id),
    FOREIGN KEY (company_id, account_id) REFERENCES text_accounts (company_id, id) ON DELETE SET NULL (account_id)
);
CREATE INDEX conversations_newest ON conversations (company_id, last_at DESC, id DESC);
CREATE INDEX conversations_other ON conversations (company_id, other);
CREATE INDEX conversations_number ON conversations (company_id, number_id) WHERE number_id IS NOT NULL;
CREATE INDEX conversations_account ON conversations (company_id, account_id) WHERE account_id IS NOT NULL;

CREATE TABLE texts (
    id               bigint GENERATED ALWAYS AS IDENTITY,
    company_id       bigint NOT NULL,
    conversation_id  bigint NOT NULL,
    direction        text NOT NULL CHECK (direction IN ('in', 'out')),
    body             text NOT NULL,
    media            jsonb NOT NULL DEFAULT '[]',    -- addresses of pictures and the like, at the carrier
    state            text NOT NULL CHECK (state IN ('received', 'waiting', 'sending', 'unsure', 'sent', 'delivered', 'failed')),
    fault            text NOT NULL DEFAULT '',       -- why it failed, as the carrier says
    account_id       bigint,
    carrier_id       text,                           -- the carrier's own id
    part_of          text,                           -- of a long one that comes in parts: what they have in common
    parts            jsonb,                          -- and the parts that are here, by their places
    sent_by          bigint REFERENCES users ON DELETE SET NULL,
    lead_id          uuid,                           -- the lead that this one began: the first, or the first after 30 quiet days
    at               timestamptz NOT NULL,           -- when it came, or was written
    state_at         timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (company_id, id),
    UNIQUE (id),
    FOREIGN KEY (company_id, conversation_id) REFERENCES conversations (company_id, id) ON DELETE CASCADE,
    FOREIGN KEY (company_id, account_id) REFERENCES text_accounts (company_id, id) ON DELETE SET NULL (account_id),
    FOREIGN KEY (company_id, lead_id) REFERENCES leads (company_id, id) ON DELETE SET NULL (lead_id),
    CHECK ((direction = 'in') = (state = 'received'))
);
CREATE UNIQUE INDEX texts_of_carrier ON texts (company_id, account_id, carrier_id) WHERE carrier_id IS NOT NULL;
CREATE INDEX texts_in_order ON texts (company_id, conversation_id, at DESC, id DESC);
CREATE INDEX texts_in_parts ON texts (company_id, account_id, part_of) WHERE part_of IS NOT NULL;
CREATE INDEX texts_of_account ON texts (company_id, account_id, at DESC) WHERE account_id IS NOT NULL;
CREATE INDEX texts_of_lead ON texts (company_id, lead_id) WHERE lead_id IS NOT NULL;

-- What a carrier said of a text before we knew the id under which it took it.
CREATE TABLE text_reports (
    id          bigint GENERATED ALWAYS AS IDENTITY,
    company_id  bigint NOT NULL,
    account_id  bigint NOT NULL,
    carrier_id  text NOT NULL,
    state       text NOT NULL CHECK (state IN ('sent', 'delivered', 'failed')),
    fault       text NOT NULL DEFAULT '',
    at          timestamptz NOT NULL,
    PRIMARY KEY (company_id, id),
    FOREIGN KEY (company_id, account_id) REFERENCES text_accounts (company_id, id) ON DELETE CASCADE
);
CREATE INDEX text_reports_of ON text_reports (company_id, account_id, carrier_id);
CREATE INDEX text_reports_age ON text_reports (at);

-- Who wrote STOP: never texted again, from whichever of the company's numbers, until they write START.
CREATE TABLE text_opt_outs (
    company_id  bigint NOT NULL REFERENCES companies ON DELETE CASCADE,
    other       text NOT NULL CHECK (other <> ''),
    word        text NOT NULL,
    at          timestamptz NOT NULL,
    PRIMARY KEY (company_id, other)
);

DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['text_accounts', 'conversations', 'texts', 'text_reports', 'text_opt_outs'] LOOP
        PERFORM numberpool_secure(name::regclass);
    END LOOP;
END $$;

CREATE FUNCTION numberpool_text_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('numberpool_texts', NEW.company_id || ':' || NEW.conversation_id);
    RETURN NULL;
END $$;
CREATE TRIGGER text_changed AFTER INSERT OR UPDATE OF state, body, media ON texts
    FOR EACH ROW EXECUTE FUNCTION numberpool_text_changed();

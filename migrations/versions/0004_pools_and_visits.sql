-- For the constraint that no two leases of a number overlap. Trusted since Postgres 13: the database's owner may.
CREATE EXTENSION IF NOT EXISTS btree_gist;

-- ---------------------------------------------------------------------------------------------------- sites, pools

CREATE TABLE sites (
    id             bigint GENERATED ALWAYS AS IDENTITY,
    company_id     bigint NOT NULL REFERENCES companies ON DELETE CASCADE,
    name           text NOT NULL CHECK (name <> ''),
    public_key     text NOT NULL CHECK (public_key ~ '^[a-z0-9]{16,40}$'),   -- stands in the pages; no secret
    hosts          text[] NOT NULL DEFAULT '{}',  -- the site's own: coming from there is no new touch
    payment_hosts  text[] NOT NULL DEFAULT '{}',  -- where visitors pay and come back from: no new touch either
    time_zone      text,                          -- none: the company's
    created_at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (company_id, id),
    UNIQUE (id),
    UNIQUE (public_key),
    UNIQUE (company_id, name)
);

-- A number printed on a site, which the snippet replaces. It may itself be a tracking number here (source Direct).
CREATE TABLE swap_targets (
    id          bigint GENERATED ALWAYS AS IDENTITY,
    company_id  bigint NOT NULL REFERENCES companies ON DELETE CASCADE,
    site_id     bigint NOT NULL,
    e164        text NOT NULL CHECK (e164 ~ '^\+[1-9][0-9]{3,14}$'),
    PRIMARY KEY (company_id, id),
    UNIQUE (id),
    UNIQUE (company_id, site_id, e164),
    FOREIGN KEY (company_id, site_id) REFERENCES sites (company_id, id) ON DELETE CASCADE
);

ALTER TABLE pools
    ADD COLUMN priority                    integer NOT NULL DEFAULT 0,     -- the highest that matches is shown
    ADD COLUMN conditions                  jsonb NOT NULL DEFAULT '{}',    -- gateway.pools.conditions reads them
    ADD COLUMN bound_to                    text[] NOT NULL DEFAULT '{}',   -- UTM parameters whose values share a number; none: a visitor has one
    ADD COLUMN reserve_seconds             integer NOT NULL DEFAULT 1200 CHECK (reserve_seconds BETWEEN 60 AND 31536000),
    ADD COLUMN quarantine_seconds          integer NOT NULL DEFAULT 0 CHECK (quarantine_seconds BETWEEN 0 AND 31536000),
    ADD COLUMN dialled_quarantine_seconds  integer NOT NULL DEFAULT 3600 CHECK (dialled_quarantine_seconds BETWEEN 0 AND 31536000),
    ADD COLUMN window_seconds              integer NOT NULL DEFAULT 3600 CHECK (window_seconds BETWEEN 60 AND 31536000),
    ADD COLUMN when_full                   text NOT NULL DEFAULT 'share' CHECK (when_full IN ('share', 'fallback')),
    ADD COLUMN fallback_number             text CHECK (fallback_number ~ '^\+[1-9][0-9]{3,14}$'),
    ADD COLUMN monthly_price               numeric(12, 4) CHECK (monthly_price >= 0);  -- of one number, in the company's currency
-- Pools that lend go before static numbers, which are only shown to visitors where nothing better is.
SELECT set_config('numberpool.companies', 'all', true);
UPDATE pools SET priority = 10 WHERE kind = 'dynamic';

-- The swap targets that a pool's numbers replace; a pool without any serves all of its company's.
CREATE TABLE pool_swap_targets (
    company_id      bigint NOT NULL,
    pool_id         bigint NOT NULL,
    swap_target_id  bigint NOT NULL,
    PRIMARY KEY (company_id, pool_id, swap_target_id),
    FOREIGN KEY (company_id, pool_id) REFERENCES pools (company_id, id) ON DELETE CASCADE,
    FOREIGN KEY (company_id, swap_target_id) REFERENCES swap_targets (company_id, id) ON DELETE CASCADE
);
CREATE INDEX pool_swap_targets_target ON pool_swap_targets (company_id, swap_target_id);

-- A number is active, resting (lent to nobody until then; 'infinity': until it is told otherwise) or retired (never lent
-- again, its calls still ring through).
ALTER TABLE tracking_numbers
    ADD COLUMN resting_until  timestamptz,
    ADD COLUMN retired_at     timestamptz,
    ADD COLUMN monthly_price  numeric(12, 4) CHECK (monthly_price >= 0),   -- none: as the pool says
    ADD COLUMN note           text NOT NULL DEFAULT '';                    -- such as the carrier it is rented from
CREATE INDEX tracking_numbers_source ON tracking_numbers (company_id, source_id);

-- ------------------------------------------------------------------------------------------------------------ leases

-- One number lent to one holder. Open ([start, infinity)) until somebody else takes the number or a person takes it
-- back; a lease changes once, when it is closed. Keep-alives never come here.
CREATE TABLE leases (
    id            bigint GENERATED ALWAYS AS IDENTITY,
    company_id    bigint NOT NULL,
    pool_id       bigint NOT NULL,
    number_id     bigint NOT NULL,
    holder        text NOT NULL,                   -- gateway.pools.choose.holder_of
    combination   jsonb,                           -- the UTM values that hold it; none: a visitor does
    period        tstzrange NOT NULL CHECK (NOT isempty(period) AND lower_inc(period) AND NOT lower_inf(period)),
    last_seen     timestamptz,                     -- when a closed lease's number was last on its holder's page
    closed_as     text CHECK (closed_as IN ('expired', 'displaced', 'released')),
    PRIMARY KEY (company_id, id),
    UNIQUE (id),
    FOREIGN KEY (company_id, pool_id) REFERENCES pools (company_id, id),
    FOREIGN KEY (company_id, number_id) REFERENCES tracking_numbers (company_id, id),
    CHECK ((closed_as IS NULL) = upper_inf(period)),
    CONSTRAINT leases_never_overlap EXCLUDE USING gist (number_id WITH =, period WITH &&)
);
CREATE UNIQUE INDEX one_open_lease ON leases (company_id, pool_id, holder) WHERE closed_as IS NULL;

-- What is locked to lend a number: one short row for each number that is not retired. Rows of static pools lie idle.
CREATE TABLE lendable_numbers (
    company_id     bigint NOT NULL,
    number_id      bigint NOT NULL,
    pool_id        bigint NOT NULL,
    idle_since     timestamptz NOT NULL,           -- when it was last on somebody's page
    lease_id       bigint,                         -- the open lease
    ended_at       timestamptz,                    -- when the lease before ended
    resting_until  timestamptz,                    -- as the number says
    PRIMARY KEY (company_id, number_id),
    FOREIGN KEY (company_id, number_id) REFERENCES tracking_numbers (company_id, id) ON DELETE CASCADE
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);
CREATE INDEX longest_idle ON lendable_numbers (company_id, pool_id, idle_since, number_id);
CREATE UNIQUE INDEX lendable_of_lease ON lendable_numbers (lease_id);

-- Keeps that row as its number is. A number whose lease is open is neither moved, rested, retired nor removed before the
-- lease is closed (gateway.pools.leases.end_leases), so that no lease is left open for ever.
CREATE FUNCTION numberpool_number_lendable() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP <> 'INSERT' AND EXISTS (
        SELECT FROM lendable_numbers WHERE company_id = OLD.company_id AND number_id = OLD.id AND lease_id IS NOT NULL
    ) THEN
        RAISE EXCEPTION 'the lease of % is open; end it first', OLD.e164;
    END IF;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    IF NEW.retired_at IS NOT NULL THEN
        DELETE FROM lendable_numbers WHERE company_id = NEW.company_id AND number_id = NEW.id;
    ELSE
        INSERT INTO lendable_numbers (company_id, number_id, pool_id, idle_since, resting_until)
        VALUES (NEW.company_id, NEW.id, NEW.pool_id,
                CASE WHEN TG_OP = 'INSERT' THEN '-infinity' ELSE now() END, NEW.resting_until)
        ON CONFLICT (company_id, number_id)
        DO UPDATE SET pool_id = excluded.pool_id, resting_until = excluded.resting_until;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER number_lendable AFTER INSERT OR UPDATE OF pool_id, resting_until, retired_at ON tracking_numbers
    FOR EACH ROW EXECUTE FUNCTION numberpool_number_lendable();
CREATE TRIGGER number_removed BEFORE DELETE ON tracking_numbers
    FOR EACH ROW EXECUTE FUNCTION numberpool_number_lendable();
INSERT INTO lendable_numbers (company_id, number_id, pool_id, idle_since)
SELECT company_id, id, pool_id, '-infinity' FROM tracking_numbers;

-- What became of a pool, hour by hour. Each worker adds what it counted once a minute.
CREATE TABLE pool_hours (
    company_id     bigint NOT NULL,
    pool_id        bigint NOT NULL,
    hour           timestamptz NOT NULL,
    leased         integer NOT NULL DEFAULT 0,     -- new leases
    displaced      integer NOT NULL DEFAULT 0,     -- of them, those that ended another's lease early
    hurried        integer NOT NULL DEFAULT 0,     -- of them, those of a number whose quarantine was not over
    refused        integer NOT NULL DEFAULT 0,     -- visits that saw a fallback number
    samples        integer NOT NULL DEFAULT 0,     -- how often the next two were looked at
    occupied_sum   bigint NOT NULL DEFAULT 0,
    occupied_most  integer NOT NULL DEFAULT 0,
    numbers        integer NOT NULL DEFAULT 0,     -- how many the pool had, at the last look
    PRIMARY KEY (company_id, pool_id, hour),
    FOREIGN KEY (company_id, pool_id) REFERENCES pools (company_id, id) ON DELETE CASCADE
);

-- Visits that found a pool full, by what brought them.
CREATE TABLE pool_misses (
    company_id  bigint NOT NULL,
    pool_id     bigint NOT NULL,
    hour        timestamptz NOT NULL,
    source      text NOT NULL,                     -- the label people read, such as Google Paid
    displaced   integer NOT NULL DEFAULT 0,        -- got another's number
    refused     integer NOT NULL DEFAULT 0,        -- saw a fallback number
    PRIMARY KEY (company_id, pool_id, hour, source),
    FOREIGN KEY (company_id, pool_id) REFERENCES pools (company_id, id) ON DELETE CASCADE
);

-- ------------------------------------------------------------------------------------------------------------ visits

-- Visits, page views, exposures and taps lie in months, so that old ones are dropped whole. Nothing refers into them.
-- Ids are UUIDs of version 7, whose first 48 bits are the time of the row in milliseconds: an id finds its month.

-- A browser that is known again by its first-party id. Plain: it stays while it keeps coming.
CREATE TABLE visitors (
    company_id      bigint NOT NULL,
    site_id         bigint NOT NULL,
    id              uuid NOT NULL,
    first_seen      timestamptz NOT NULL,
    last_seen       timestamptz NOT NULL,
    touch           jsonb,                         -- the last touch that was not Direct: what a direct return counts as
    consent         text NOT NULL DEFAULT 'unknown' CHECK (consent IN ('unknown', 'granted', 'denied')),
    consent_at      timestamptz,
    consent_signal  text NOT NULL DEFAULT '',      -- who said so, such as a consent banner's name or Global Privacy Control
    client_ids      jsonb NOT NULL DEFAULT '{}',   -- _ga, _ga_*, _fbp, _fbc, _ym_uid, _uetvid; only with consent
    PRIMARY KEY (company_id, id),
    FOREIGN KEY (company_id, site_id) REFERENCES sites (company_id, id) ON DELETE CASCADE
) WITH (fillfactor = 80);

CREATE TABLE visits (
    company_id        bigint NOT NULL,
    site_id           bigint NOT NULL,
    id                uuid NOT NULL,
    visitor_id        uuid,                        -- none: no consent to be known again
    started_at        timestamptz NOT NULL,
    is_touch          boolean NOT NULL DEFAULT true,   -- false: back from the site's own or a payment page
    label             text NOT NULL,               -- the source as people read it: Google Organic
    channel           text NOT NULL,               -- Google Analytics 4's default channel group
    source            text NOT NULL,
    medium            text NOT NULL DEFAULT '',
    campaign          text NOT NULL DEFAULT '',
    content           text NOT NULL DEFAULT '',
    keyword           text NOT NULL DEFAULT '',
    ad_group          text NOT NULL DEFAULT '',
    match_type        text NOT NULL DEFAULT '',
    click_id          text NOT NULL DEFAULT '',
    click_id_type     text NOT NULL DEFAULT '',
    click_ids         jsonb NOT NULL DEFAULT '{}', -- all of them, by parameter
    parameters        jsonb NOT NULL DEFAULT '{}', -- utm_* and what else the rules read, by parameter
    rule              text NOT NULL DEFAULT '',    -- the rule that decided
    rule_set_version  integer NOT NULL DEFAULT 0,  -- 0: the set that comes with Numberpool
    url               text NOT NULL,
    referrer          text NOT NULL DEFAULT '',
    network           inet,                        -- the address, shortened before it is stored
    country           text NOT NULL DEFAULT '',
    region            text NOT NULL DEFAULT '',    -- ISO 3166-2, such as CA-SK
    city              text NOT NULL DEFAULT '',
    user_agent        text NOT NULL DEFAULT '',
    device            text NOT NULL DEFAULT '',
    language          text NOT NULL DEFAULT '',
    consent           text NOT NULL DEFAULT 'unknown' CHECK (consent IN ('unknown', 'granted', 'denied')),
    consent_at        timestamptz,
    consent_signal    text NOT NULL DEFAULT '',
    client_ids        jsonb NOT NULL DEFAULT '{}'
) PARTITION BY RANGE (started_at);
CREATE INDEX visits_id ON visits (id);
CREATE INDEX visits_of_visitor ON visits (company_id, visitor_id, started_at) WHERE visitor_id IS NOT NULL;
CREATE INDEX visits_click ON visits (company_id, click_id) WHERE click_id <> '';
CREATE INDEX visits_time ON visits USING brin (started_at);

CREATE TABLE page_views (
    company_id  bigint NOT NULL,
    site_id     bigint NOT NULL,
    visit_id    uuid NOT NULL,
    at          timestamptz NOT NULL,
    url         text NOT NULL,
    title       text NOT NULL DEFAULT ''
) PARTITION BY RANGE (at);
CREATE INDEX page_views_visit ON page_views (visit_id);
CREATE INDEX page_views_time ON page_views USING brin (at);

-- One visit had one tracking number on its screen, from shown_at to last_seen. Keep-alives move last_seen, which no
-- index holds.
CREATE TABLE exposures (
    company_id  bigint NOT NULL,
    id          uuid NOT NULL,
    visit_id    uuid NOT NULL,
    number_id   bigint NOT NULL,
    lease_id    bigint,                            -- none: a static number, a fallback, the page's own
    shown_at    timestamptz NOT NULL,
    last_seen   timestamptz NOT NULL,
    left_at     timestamptz                        -- when the page said that it was left
) PARTITION BY RANGE (shown_at);
CREATE INDEX exposures_id ON exposures (id);
CREATE INDEX exposures_of_number ON exposures (company_id, number_id, shown_at);
CREATE INDEX exposures_of_visit ON exposures (visit_id);
CREATE INDEX exposures_time ON exposures USING brin (shown_at);

-- A tap on a tel: link.
CREATE TABLE taps (
    company_id   bigint NOT NULL,
    visit_id     uuid NOT NULL,
    exposure_id  uuid,
    number_id    bigint,                           -- none: a number that is not ours
    e164         text NOT NULL DEFAULT '',
    at           timestamptz NOT NULL
) PARTITION BY RANGE (at);
CREATE INDEX taps_of_number ON taps (company_id, number_id, at);
CREATE INDEX taps_visit ON taps (visit_id);
CREATE INDEX taps_time ON taps USING brin (at);

-- What comes while its month is missing lies here, and moves when the month is made.
CREATE TABLE visits_other PARTITION OF visits DEFAULT;
CREATE TABLE page_views_other PARTITION OF page_views DEFAULT;
CREATE TABLE exposures_other PARTITION OF exposures DEFAULT WITH (fillfactor = 80);
CREATE TABLE taps_other PARTITION OF taps DEFAULT;

CREATE FUNCTION numberpool_secure(name regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', name);
    EXECUTE format('CREATE POLICY company ON %s USING (numberpool_sees(company_id))', name);
END $$;

-- Make the month of one of the four tables; false where it is there. Rows that came before it was made move into it.
-- Writers wait for the moment that takes; readers do not. For a transaction that sees all companies and does nothing else,
-- because writers may take the four tables in another order.
CREATE FUNCTION numberpool_make_month(parent text, month date) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    name text := format('%s_%s', parent, to_char(month, 'YYYY_MM'));
    start timestamptz := date_trunc('month', month)::timestamp AT TIME ZONE 'UTC';
    finish timestamptz := (date_trunc('month', month) + interval '1 month')::timestamp AT TIME ZONE 'UTC';
    time_column text;
BEGIN
    IF to_regclass(name) IS NOT NULL THEN
        RETURN false;
    END IF;
    EXECUTE format('LOCK TABLE %I IN SHARE ROW EXCLUSIVE MODE', parent);
    IF to_regclass(name) IS NOT NULL THEN
        RETURN false;
    END IF;
    SELECT a.attname INTO time_column FROM pg_partitioned_table p
    JOIN pg_attribute a ON a.attrelid = p.partrelid AND a.attnum = p.partattrs[0]
    WHERE p.partrelid = to_regclass(parent);
    EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS) WITH (fillfactor = %s)',
                   name, parent, CASE parent WHEN 'exposures' THEN 80 ELSE 100 END);
    EXECUTE format('WITH early AS (DELETE FROM %1$I WHERE %3$I >= %4$L AND %3$I < %5$L RETURNING *) '
                   'INSERT INTO %2$I SELECT * FROM early', parent || '_other', name, time_column, start, finish);
    EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', parent, name, start, finish);
    PERFORM numberpool_secure(name::regclass);
    RETURN true;
END $$;

-- Drop a month of one of the four tables.
CREATE FUNCTION numberpool_drop_month(parent text, month date) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('DROP TABLE IF EXISTS %I', format('%s_%s', parent, to_char(month, 'YYYY_MM')));
END $$;

-- --------------------------------------------------------------------------------------------------- rules, keywords

-- The rules that name the source of a visit: a company's own, each version kept, the highest in force.
CREATE TABLE rule_sets (
    company_id  bigint NOT NULL REFERENCES companies ON DELETE CASCADE,
    version     integer NOT NULL CHECK (version > 0),
    rules       jsonb NOT NULL,                    -- gateway.visits reads and writes them
    note        text NOT NULL DEFAULT '',
    user_id     bigint REFERENCES users ON DELETE SET NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (company_id, version)
);

-- What Google Ads knows of a click, sent once a day by a script in the advertiser's account.
CREATE TABLE google_ads_clicks (
    company_id   bigint NOT NULL REFERENCES companies ON DELETE CASCADE,
    gclid        text NOT NULL CHECK (gclid <> ''),
    day          date NOT NULL,
    campaign     text NOT NULL DEFAULT '',
    ad_group     text NOT NULL DEFAULT '',
    keyword      text NOT NULL DEFAULT '',
    match_type   text NOT NULL DEFAULT '',
    received_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (company_id, gclid)
);
CREATE INDEX google_ads_clicks_day ON google_ads_clicks USING brin (day);

DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['sites', 'swap_targets', 'pool_swap_targets', 'leases', 'lendable_numbers', 'pool_hours',
                                'pool_misses', 'visitors', 'visits', 'page_views', 'exposures', 'taps', 'visits_other',
                                'page_views_other', 'exposures_other', 'taps_other', 'rule_sets', 'google_ads_clicks'] LOOP
        PERFORM numberpool_secure(name::regclass);
    END LOOP;
    FOREACH name IN ARRAY ARRAY['sites', 'swap_targets', 'pool_swap_targets', 'rule_sets'] LOOP
        EXECUTE format('CREATE TRIGGER settings_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON %I '
                       'FOR EACH STATEMENT EXECUTE FUNCTION numberpool_settings_changed()', name);
    END LOOP;
END $$;

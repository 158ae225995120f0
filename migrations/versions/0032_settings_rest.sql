-- Pools and sites that are removed stay for what hangs on them: a pool's retired numbers ring on and its calls name it; a
-- site's visits stay as long as others. Their names are free again.
ALTER TABLE pools ADD COLUMN removed_at timestamptz;
ALTER TABLE pools DROP CONSTRAINT pools_company_id_name_key;
CREATE UNIQUE INDEX pools_name ON pools (company_id, name) WHERE removed_at IS NULL;
ALTER TABLE sites ADD COLUMN removed_at timestamptz;
ALTER TABLE sites DROP CONSTRAINT sites_company_id_name_key;
CREATE UNIQUE INDEX sites_name ON sites (company_id, name) WHERE removed_at IS NULL;

-- Source rules run over past visits: tried, or put in force and applied, some visits at a time (gateway.visits.rule_runs).
CREATE TABLE rule_runs (
    id          bigint GENERATED ALWAYS AS IDENTITY,
    company_id  bigint NOT NULL REFERENCES companies ON DELETE CASCADE,
    rules       text NOT NULL,                     -- the set, as JSON
    version     integer,                           -- under which it is in force; none: only tried
    since       timestamptz NOT NULL,
    until       timestamptz NOT NULL,
    total       integer NOT NULL,                  -- visits of that time, when it began
    seen        integer NOT NULL DEFAULT 0,
    changed     integer NOT NULL DEFAULT 0,
    calls       integer NOT NULL DEFAULT 0,        -- decided again
    after_time  timestamptz,                       -- how far it came: a run that was broken off goes on there
    after_id    uuid,
    totals      jsonb NOT NULL DEFAULT '[]',       -- [from, to, visits], the most frequent first
    shown       jsonb NOT NULL DEFAULT '[]',       -- some visits: when, address, from, to, rule
    user_id     bigint REFERENCES users ON DELETE SET NULL,
    asked_at    timestamptz NOT NULL DEFAULT now(),
    told_at     timestamptz NOT NULL DEFAULT now(),    -- when it last came on
    ended_at    timestamptz,
    fault       text,                              -- it ended without coming to its end
    PRIMARY KEY (company_id, id),
    UNIQUE (id),
    CHECK ((after_time IS NULL) = (after_id IS NULL))
);
SELECT numberpool_secure('rule_runs');

-- How long visits are kept: none, as the server's settings say; they are never kept longer than that.
ALTER TABLE companies
    ADD COLUMN visits_kept_months  integer CHECK (visits_kept_months BETWEEN 1 AND 120),
    ADD COLUMN visits_kept_since   date;           -- visits before it are gone for this company; none: as evidence_kept says

-- How telephones are, as Asterisk tells its gateway, which writes what changes.
CREATE TABLE endpoint_states (
    node_id   integer NOT NULL REFERENCES nodes ON DELETE CASCADE,
    endpoint  text NOT NULL,                       -- as destinations dial it: PJSIP/reception
    state     text NOT NULL CHECK (state IN ('free', 'ringing', 'busy', 'unreachable', 'unregistered')),
    since     timestamptz NOT NULL,
    PRIMARY KEY (node_id, endpoint)
);

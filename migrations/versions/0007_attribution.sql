-- How a company's calls are credited: which touch a call's own source is (reports may ask for any model), how far back
-- touches count (Google Ads' longest conversion window), and the half-life of the model "time decay".
ALTER TABLE companies
    ADD COLUMN credit_model      text NOT NULL DEFAULT 'first'
                                 CHECK (credit_model IN ('first', 'last', 'last non-direct', 'last paid')),
    ADD COLUMN credit_days       integer NOT NULL DEFAULT 90 CHECK (credit_days BETWEEN 1 AND 730),
    ADD COLUMN credit_half_life  interval NOT NULL DEFAULT '7 days' CHECK (credit_half_life > interval '0');

-- When it was decided for good what brought a call; none: still to be done once the call is over.
ALTER TABLE calls ADD COLUMN settled_at timestamptz;
CREATE INDEX calls_unsettled ON calls (started_at) WHERE state = 'ended' AND settled_at IS NULL;

-- What was learned of a company's callers, night by night; decisions name the one they were made by.
CREATE TABLE learned (
    id          bigint GENERATED ALWAYS AS IDENTITY,
    company_id  bigint NOT NULL REFERENCES companies ON DELETE CASCADE,
    learned_at  timestamptz NOT NULL,
    since       timestamptz,                       -- of the history it was learned from; none: there was none
    until       timestamptz,
    calls       integer NOT NULL CHECK (calls >= 0),    -- to numbers that are lent, all that it was learned from
    visits      integer NOT NULL CHECK (visits >= 0),   -- that were shown such a number
    taps        integer NOT NULL CHECK (taps >= 0),
    learned     jsonb NOT NULL,                    -- gateway.attribution.learned reads and writes it
    PRIMARY KEY (company_id, id),
    UNIQUE (id)
);
CREATE INDEX learned_newest ON learned (company_id, learned_at DESC, id DESC);

-- What brought a call, and how sure that is. The credit is a copy without personal data, which stays when visits are
-- forgotten. The ids lead to visits while these are there; who asks to be forgotten is taken out of them.
CREATE TABLE attributions (
    company_id         bigint NOT NULL,
    call_id            bigint NOT NULL,
    basis              text NOT NULL CHECK (basis IN ('static number', 'visits', 'no number')),
    visit_id           uuid,                       -- the visit that made the call; none: Unknown, or by other evidence
    visitor_id         uuid,                       -- its visitor; the visit's own id where it may not be known again
    exposure_id        uuid,
    confidence         double precision NOT NULL CHECK (confidence BETWEEN 0 AND 1.000001),
    source_confidence  double precision NOT NULL CHECK (source_confidence BETWEEN 0 AND 1.000001),
    nobody             double precision NOT NULL DEFAULT 0,   -- the chance that no visit made it
    others             double precision NOT NULL DEFAULT 0,   -- the chances of visitors too unlikely to be listed
    because            text[] NOT NULL,            -- gateway.attribution.evidence.Evidence, the strongest first
    evidence           jsonb NOT NULL DEFAULT '{}',    -- taps and earlier calls that counted, without ids
    window_seconds     integer,
    learned_id         bigint,                     -- what was known of delays then; none: the prior
    -- The credit, by the company's model when it was settled.
    source_id          bigint,
    label              text NOT NULL DEFAULT '',
    channel            text NOT NULL DEFAULT '',
    source             text NOT NULL DEFAULT '',
    medium             text NOT NULL DEFAULT '',
    campaign           text NOT NULL DEFAULT '',
    content            text NOT NULL DEFAULT '',
    keyword            text NOT NULL DEFAULT '',
    click_id_type      text NOT NULL DEFAULT '',
    decided_at         timestamptz NOT NULL,       -- first, mostly while it rang
    settled_at         timestamptz,                -- with all that was known after the call
    recomputed_at      timestamptz,
    forgotten          boolean NOT NULL DEFAULT false,  -- whom it is about asked to be forgotten: never decided again
    PRIMARY KEY (company_id, call_id),
    FOREIGN KEY (company_id, call_id) REFERENCES calls (company_id, id) ON DELETE CASCADE,
    FOREIGN KEY (company_id, source_id) REFERENCES sources (company_id, id),
    FOREIGN KEY (company_id, learned_id) REFERENCES learned (company_id, id) ON DELETE SET NULL (learned_id)
);
CREATE INDEX attributions_learned ON attributions (company_id, learned_id) WHERE learned_id IS NOT NULL;
CREATE INDEX attributions_source ON attributions (company_id, source_id);

-- Whoever may have made a call, the likeliest first, with what it would be credited to then.
CREATE TABLE call_candidates (
    company_id   bigint NOT NULL,
    call_id      bigint NOT NULL,
    position     smallint NOT NULL,
    is_answer    boolean NOT NULL,
    chance       double precision NOT NULL CHECK (chance BETWEEN 0 AND 1.000001),
    because      text[] NOT NULL,
    visit_id     uuid,
    visitor_id   uuid,                             -- as in attributions; none: forgotten
    exposure_id  uuid,
    shown_at     timestamptz,
    last_seen    timestamptz,                      -- as far as it was known for this call: never after it
    left_at      timestamptz,
    replaced_at  timestamptz,                      -- its visitor was shown another number of the pool
    source_id    bigint,
    label        text NOT NULL DEFAULT '',
    PRIMARY KEY (company_id, call_id, position),
    FOREIGN KEY (company_id, call_id) REFERENCES attributions (company_id, call_id) ON DELETE CASCADE,
    FOREIGN KEY (company_id, source_id) REFERENCES sources (company_id, id)
);
CREATE INDEX call_candidates_visitor ON call_candidates (company_id, visitor_id) WHERE visitor_id IS NOT NULL;
CREATE INDEX call_candidates_visit ON call_candidates (company_id, visit_id) WHERE visit_id IS NOT NULL;
CREATE INDEX call_candidates_source ON call_candidates (company_id, source_id);

-- The touches that a call's credit is shared over, the oldest first: of its visitor and of the same person.
CREATE TABLE call_touches (
    company_id     bigint NOT NULL,
    call_id        bigint NOT NULL,
    position       smallint NOT NULL,
    at             timestamptz NOT NULL,
    visit_id       uuid,
    how            text NOT NULL CHECK (how IN ('visit', 'browser', 'caller', 'form', 'number')),
    source_id      bigint,
    label          text NOT NULL,
    channel        text NOT NULL DEFAULT '',
    source         text NOT NULL DEFAULT '',
    medium         text NOT NULL DEFAULT '',
    campaign       text NOT NULL DEFAULT '',
    content        text NOT NULL DEFAULT '',
    keyword        text NOT NULL DEFAULT '',
    click_id_type  text NOT NULL DEFAULT '',
    PRIMARY KEY (company_id, call_id, position),
    FOREIGN KEY (company_id, call_id) REFERENCES attributions (company_id, call_id) ON DELETE CASCADE,
    FOREIGN KEY (company_id, source_id) REFERENCES sources (company_id, id)
);
CREATE INDEX call_touches_visit ON call_touches (company_id, visit_id) WHERE visit_id IS NOT NULL;
CREATE INDEX call_touches_source ON call_touches (company_id, source_id);

-- What confidences said and what was, month by month: of calls that are certain by evidence that was kept back.
CREATE TABLE reliability (
    company_id   bigint NOT NULL REFERENCES companies ON DELETE CASCADE,
    month        date NOT NULL,
    evidence     text NOT NULL CHECK (evidence IN ('tap', 'form')),
    tenth        smallint NOT NULL CHECK (tenth BETWEEN 0 AND 9),   -- 9: confidences from 0.9 on
    calls        integer NOT NULL,
    said         double precision NOT NULL,        -- the confidences, added up
    was          integer NOT NULL,                 -- of these calls, how many were right
    computed_at  timestamptz NOT NULL,
    PRIMARY KEY (company_id, month, evidence, tenth)
);

-- From when on visits are kept; calls before it are decided for good. No row: nothing was ever dropped.
CREATE TABLE evidence_kept (
    id     smallint PRIMARY KEY DEFAULT 1 CHECK (id = 1),
    since  date NOT NULL
);

DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['learned', 'attributions', 'call_candidates', 'call_touches', 'reliability'] LOOP
        PERFORM numberpool_secure(name::regclass);
    END LOOP;
END $$;

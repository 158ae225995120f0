-- The telephone that rings when somebody calls back: PJSIP/102, or a number outside (E.164).
ALTER TABLE users ADD COLUMN telephone text CHECK (telephone <> '');

-- Which number of the company's whoever is called back sees.
ALTER TABLE companies
    ADD COLUMN back_shows text NOT NULL DEFAULT 'tracking' CHECK (back_shows IN ('tracking', 'main'));

-- Calls back. They stand beside "calls", which is what came in: nothing that counts callers, calls or leads sees them.
-- Source, campaign and person are those of the call that is answered by it.
CREATE TABLE placed_calls (
    company_id     bigint NOT NULL,
    id             bigint GENERATED ALWAYS AS IDENTITY,
    call_id        bigint NOT NULL,
    user_id        bigint REFERENCES users ON DELETE SET NULL,
    placed_by      text NOT NULL,                -- as whoever called was named then; he may leave
    telephone      text NOT NULL CHECK (telephone <> ''),
    callee         text NOT NULL CHECK (callee ~ '^\+[0-9]{4,15}$'),
    shown          text NOT NULL DEFAULT '',     -- the number of ours that the callee sees; none: what the trunk says
    node_id        integer REFERENCES nodes,     -- of the Asterisk that does it; none until one does
    asterisk_id    text NOT NULL UNIQUE,         -- the key of its record; the unique id of its first channel stands before its last '-'
    -- asked: nobody has taken it up. telephone: that of whoever called rings. ringing: the callee's does.
    state          text NOT NULL DEFAULT 'asked' CHECK (state IN ('asked', 'telephone', 'ringing', 'talking', 'ended')),
    stage          smallint NOT NULL DEFAULT 0 CHECK (stage BETWEEN 0 AND 3),
    outcome        text CHECK (outcome IN ('answered', 'busy', 'no_answer', 'given_up', 'failed', 'cut_off',
                                           'telephone_busy', 'telephone_no_answer', 'telephone_unreachable',
                                           'no_asterisk', 'old_dialplan', 'no_trunk', 'refused')),
    asked_at       timestamptz NOT NULL DEFAULT now(),
    picked_up_at   timestamptz,                  -- the telephone
    answered_at    timestamptz,                  -- the callee
    ended_at       timestamptz,
    hang_up_at     timestamptz,                  -- when somebody asked for its end
    ring_seconds   real,                         -- at the callee's
    talk_seconds   real,
    hung_up_by     text CHECK (hung_up_by IN ('company', 'callee')),
    hangup_cause   smallint,
    -- Its recording, as in "recordings".
    recording      text CHECK (recording IN ('pending', 'ready', 'empty', 'failed', 'deleted')),
    rate           integer,
    file           text,
    seconds        real,
    bytes          bigint,
    peaks          bytea,
    fault          text,
    PRIMARY KEY (company_id, id),
    UNIQUE (id),
    FOREIGN KEY (company_id, call_id) REFERENCES calls (company_id, id) ON DELETE CASCADE,
    CHECK ((state = 'ended') = (outcome IS NOT NULL))
);
-- However often somebody clicks, and whoever else does: one call at a time to a number, and one of each person's.
CREATE UNIQUE INDEX placed_calls_one_a_callee ON placed_calls (company_id, callee) WHERE state <> 'ended';
CREATE UNIQUE INDEX placed_calls_one_a_user ON placed_calls (user_id) WHERE state <> 'ended';
CREATE INDEX placed_calls_newest ON placed_calls (company_id, asked_at DESC, id DESC);
CREATE INDEX placed_calls_of_call ON placed_calls (company_id, call_id, asked_at);
CREATE INDEX placed_calls_of_callee ON placed_calls (company_id, callee, answered_at);
CREATE INDEX placed_calls_of_user ON placed_calls (user_id, asked_at);
CREATE INDEX placed_calls_to_record ON placed_calls (node_id) WHERE recording = 'pending';

-- An agent sees those that he placed, and those that answer a call of his.
ALTER TABLE placed_calls ENABLE ROW LEVEL SECURITY;
ALTER TABLE placed_calls FORCE ROW LEVEL SECURITY;
CREATE POLICY company ON placed_calls USING (
    ((SELECT numberpool_companies()) IS NULL OR company_id = ANY ((SELECT numberpool_companies())::bigint[])) AND (
        NOT company_id = ANY ((SELECT numberpool_agent_in())::bigint[])
        OR user_id = (SELECT nullif(current_setting('numberpool.agent', true), '')::bigint)
        OR call_id IN (
            SELECT r.call_id FROM endpoints_reached r
            JOIN member_endpoints e ON e.company_id = r.company_id AND e.endpoint = r.endpoint
            WHERE e.user_id = (SELECT nullif(current_setting('numberpool.agent', true), '')::bigint))));

-- Pages show it beside the call that is answered; the gateway takes up what is asked of it.
CREATE FUNCTION numberpool_placed_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('numberpool_calls', NEW.company_id || ':' || NEW.call_id);
    PERFORM pg_notify('numberpool_placed', NEW.id::text);
    RETURN NULL;
END $$;
CREATE TRIGGER placed_changed AFTER INSERT OR UPDATE ON placed_calls
    FOR EACH ROW EXECUTE FUNCTION numberpool_placed_changed();

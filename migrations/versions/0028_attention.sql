-- What fell silent, by its own habit: written anew at each look (gateway.attention.looking).
CREATE TABLE silences (
    company_id  bigint NOT NULL REFERENCES companies ON DELETE CASCADE,
    kind        text NOT NULL CHECK (kind IN ('number', 'site')),
    subject_id  bigint NOT NULL,
    since       timestamptz NOT NULL,              -- the last hour in which it was heard of
    a_day       double precision NOT NULL,         -- how often it used to be
    found_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (company_id, kind, subject_id)
);
SELECT numberpool_secure('silences');

-- What somebody does not want to be told of for a while.
CREATE TABLE put_off (
    company_id  bigint NOT NULL REFERENCES companies ON DELETE CASCADE,
    need        text NOT NULL CHECK (need ~ '^[a-z]+(/[^/]{1,100}){0,2}$'),   -- such as pool/3
    until       timestamptz NOT NULL,
    user_id     bigint REFERENCES users ON DELETE SET NULL,
    put_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (company_id, need)
);
SELECT numberpool_secure('put_off');

-- How each Asterisk and its gateway are, written by the gateway: pages may be another process, or another machine's.
CREATE TABLE node_states (
    node_id     integer PRIMARY KEY REFERENCES nodes ON DELETE CASCADE,
    seen_at     timestamptz NOT NULL,              -- when the gateway was last there
    is_linked   boolean NOT NULL,                  -- to Asterisk
    linked_at   timestamptz,                       -- when it last was
    trunks      jsonb NOT NULL DEFAULT '{}'        -- those that are not up, by name: state and since when
);

-- How a change that somebody has just made is taken back, for a day.
CREATE TABLE undo_steps (
    id          bigint GENERATED ALWAYS AS IDENTITY,
    company_id  bigint NOT NULL REFERENCES companies ON DELETE CASCADE,
    user_id     bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    kind        text NOT NULL,                    -- such as call.status: what knows how to take it back
    reverse     jsonb NOT NULL,                   -- what it needs to know for that
    created_at  timestamptz NOT NULL DEFAULT now(),
    used_at     timestamptz,
    PRIMARY KEY (company_id, id),
    UNIQUE (id)
);
CREATE INDEX undo_steps_age ON undo_steps (company_id, created_at);
SELECT numberpool_secure('undo_steps');

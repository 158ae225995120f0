-- Whoever picks up there is asked to press 1 before the call counts as answered: a mailbox never does.
ALTER TABLE destinations ADD COLUMN press_one boolean NOT NULL DEFAULT false;

ALTER TABLE companies
    -- Who answered may say by a key what came of a call, once the caller has hung up.
    ADD COLUMN asks_after_call boolean NOT NULL DEFAULT false,
    -- Telephones show before a caller's name what brought the call.
    ADD COLUMN shows_source boolean NOT NULL DEFAULT false;

-- When who answered had the recording paused; its file has silence there.
CREATE TABLE recording_pauses (
    company_id  bigint NOT NULL,
    call_id     bigint NOT NULL,
    position    smallint NOT NULL,
    began       real NOT NULL CHECK (began >= 0),  -- seconds of the recording
    ended       real CHECK (ended >= began),       -- none: it was never resumed
    PRIMARY KEY (company_id, call_id, position),
    FOREIGN KEY (company_id, call_id) REFERENCES calls (company_id, id) ON DELETE CASCADE
);
SELECT numberpool_secure('recording_pauses'::regclass);

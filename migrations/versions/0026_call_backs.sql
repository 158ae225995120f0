-- Somebody says that the caller of a missed call was called back. It hangs on the call, so that it goes with it.
CREATE TABLE call_backs (
    company_id  bigint NOT NULL,
    call_id     bigint NOT NULL,
    at          timestamptz NOT NULL DEFAULT now(),
    user_id     bigint REFERENCES users ON DELETE SET NULL,
    PRIMARY KEY (company_id, call_id),
    FOREIGN KEY (company_id, call_id) REFERENCES calls (company_id, id) ON DELETE CASCADE
);
SELECT numberpool_secure('call_backs');

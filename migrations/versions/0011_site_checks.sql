-- A check of a page of a site by a browser of ours. The collector answers a browser that bears its mark as a visitor's,
-- and keeps nothing of it.
CREATE TABLE site_checks (
    id          bigint GENERATED ALWAYS AS IDENTITY,
    company_id  bigint NOT NULL REFERENCES companies ON DELETE CASCADE,
    site_id     bigint NOT NULL,
    url         text NOT NULL CHECK (url ~ '^https?://' AND length(url) <= 2000),
    asked_at    timestamptz NOT NULL DEFAULT now(),
    asked_by    bigint REFERENCES users ON DELETE SET NULL,   -- none: a command
    mark_hash   bytea NOT NULL UNIQUE CHECK (octet_length(mark_hash) = 32),   -- SHA-256
    good_until  timestamptz NOT NULL,
    step        text NOT NULL DEFAULT '',          -- what it is doing
    ended_at    timestamptz,
    report      jsonb,                             -- gateway.site_check.report reads it
    PRIMARY KEY (company_id, id),
    UNIQUE (id),
    FOREIGN KEY (company_id, site_id) REFERENCES sites (company_id, id) ON DELETE CASCADE
);
CREATE INDEX ON site_checks (company_id, site_id, id);
SELECT numberpool_secure('site_checks');

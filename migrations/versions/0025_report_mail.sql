-- Who gets reports and alerts of missed calls by mail, and what became of each mail.

-- A user of the company, who is written to wherever he can be reached, or an address outside, which gets nothing before
-- whoever reads it has said yes. What leads to unsubscribing and confirming is signed with `secret`.
CREATE TABLE mail_subscriptions (
    id            bigint GENERATED ALWAYS AS IDENTITY,
    company_id    bigint NOT NULL REFERENCES companies ON DELETE CASCADE,
    user_id       bigint REFERENCES users ON DELETE CASCADE,
    address       text CHECK (address <> '' AND address = lower(address)),
    kind          text NOT NULL CHECK (kind IN ('daily', 'weekly', 'monthly', 'missed', 'missed_hourly')),
    hour          smallint NOT NULL DEFAULT 8 CHECK (hour BETWEEN 0 AND 23),      -- by the company's clock
    weekday       smallint NOT NULL DEFAULT 1 CHECK (weekday BETWEEN 1 AND 7),    -- Monday is 1
    quiet_from    smallint CHECK (quiet_from BETWEEN 0 AND 23),                   -- alerts wait from this hour on
    quiet_until   smallint CHECK (quiet_until BETWEEN 0 AND 23),
    language      text NOT NULL DEFAULT 'en',
    secret        bytea NOT NULL CHECK (octet_length(secret) = 32),
    created_by    bigint REFERENCES users ON DELETE SET NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    confirmed_at  timestamptz,
    counts_from   timestamptz NOT NULL DEFAULT now(),   -- what was due before is not sent
    sent_until    date,                                 -- the day after the last one that a report told of
    alerted_at    timestamptz,                          -- when the last alert was written
    paused_at     timestamptz,
    paused_why    text CHECK (paused_why IN ('person', 'refused', 'unsubscribed')),
    refusals      smallint NOT NULL DEFAULT 0,          -- of the mails since the last that was taken
    removed_at    timestamptz,
    PRIMARY KEY (company_id, id),
    UNIQUE (id),
    CHECK (num_nonnulls(user_id, address) = 1),
    CHECK ((quiet_from IS NULL) = (quiet_until IS NULL)),
    CHECK ((paused_at IS NULL) = (paused_why IS NULL))
);
CREATE UNIQUE INDEX mail_subscriptions_of_user ON mail_subscriptions (company_id, user_id, kind)
    WHERE removed_at IS NULL AND user_id IS NOT NULL;
CREATE UNIQUE INDEX mail_subscriptions_of_address ON mail_subscriptions (company_id, address, kind)
    WHERE removed_at IS NULL AND address IS NOT NULL;
CREATE INDEX mail_subscriptions_user ON mail_subscriptions (user_id) WHERE user_id IS NOT NULL;

-- One mail. `what` names it among those of its subscription, such as weekly:2026-11-16, so that none is written twice.
-- No text is kept: it would outlive the erasure of whoever called.
CREATE TABLE report_mails (
    id               bigint GENERATED ALWAYS AS IDENTITY,
    company_id       bigint NOT NULL,
    subscription_id  bigint NOT NULL,
    what             text NOT NULL CHECK (what <> ''),
    since            date,                              -- of a report: its first day
    until            date,                              -- and the day after its last
    state            text NOT NULL DEFAULT 'waiting'
                     CHECK (state IN ('waiting', 'sent', 'refused', 'given_up', 'not_needed')),
    queued_at        timestamptz NOT NULL DEFAULT now(),
    settled_at       timestamptz,
    tries            integer NOT NULL DEFAULT 0,
    answer           text NOT NULL DEFAULT '',          -- what the mail server said last
    claimed_until    timestamptz,                       -- until then it is in the hands of one worker
    PRIMARY KEY (company_id, id),
    UNIQUE (id),
    UNIQUE (company_id, subscription_id, what),
    FOREIGN KEY (company_id, subscription_id) REFERENCES mail_subscriptions (company_id, id) ON DELETE CASCADE,
    CHECK ((state = 'waiting') = (settled_at IS NULL))
);
CREATE INDEX report_mails_newest ON report_mails (company_id, subscription_id, queued_at DESC);

-- Missed calls that somebody is to be told of; written in the transaction that ends the call.
CREATE TABLE alert_calls (
    company_id       bigint NOT NULL,
    subscription_id  bigint NOT NULL,
    call_id          bigint NOT NULL,
    noted_at         timestamptz NOT NULL DEFAULT now(),
    settled_at       timestamptz,                       -- told of, or not needed any more
    mail_id          bigint,
    PRIMARY KEY (company_id, subscription_id, call_id),
    FOREIGN KEY (company_id, subscription_id) REFERENCES mail_subscriptions (company_id, id) ON DELETE CASCADE,
    FOREIGN KEY (company_id, call_id) REFERENCES calls (company_id, id) ON DELETE CASCADE,
    FOREIGN KEY (company_id, mail_id) REFERENCES report_mails (company_id, id) ON DELETE CASCADE
);
CREATE INDEX alert_calls_waiting ON alert_calls (company_id, subscription_id) WHERE settled_at IS NULL;
CREATE INDEX alert_calls_call ON alert_calls (company_id, call_id);
CREATE INDEX alert_calls_mail ON alert_calls (company_id, mail_id) WHERE mail_id IS NOT NULL;

SELECT numberpool_secure('mail_subscriptions');
SELECT numberpool_secure('report_mails');
SELECT numberpool_secure('alert_calls');

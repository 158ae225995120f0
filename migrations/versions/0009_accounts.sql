-- -------------------------------------------------------------------------------------------------------- own calls

-- Whose telephones are whose: an agent sees the calls that reached his, and no others.
CREATE TABLE member_endpoints (
    company_id  bigint NOT NULL,
    user_id     bigint NOT NULL,
    endpoint    text NOT NULL CHECK (endpoint <> ''),   -- as calls and legs name it, such as PJSIP/102
    PRIMARY KEY (company_id, user_id, endpoint),
    FOREIGN KEY (user_id, company_id) REFERENCES memberships (user_id, company_id) ON DELETE CASCADE
);

-- Which telephones a call rang at, and which of them took it. Kept by triggers from what the ledger writes.
CREATE TABLE endpoints_reached (
    company_id  bigint NOT NULL,
    endpoint    text NOT NULL,
    call_id     bigint NOT NULL,
    answered    boolean NOT NULL,
    PRIMARY KEY (company_id, endpoint, call_id),
    FOREIGN KEY (company_id, call_id) REFERENCES calls (company_id, id) ON DELETE CASCADE
);
CREATE INDEX endpoints_reached_call ON endpoints_reached (company_id, call_id);

SELECT numberpool_secure('member_endpoints');
SELECT numberpool_secure('endpoints_reached');

-- While it rings, nobody has written where: the number's first destination is where it is about to.
CREATE FUNCTION numberpool_call_reached() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' AND NEW.state <> 'ended' THEN
        INSERT INTO endpoints_reached (company_id, endpoint, call_id, answered)
        SELECT DISTINCT d.company_id, rung.endpoint, NEW.id, false
        FROM destinations d CROSS JOIN unnest(string_to_array(d.dial, '&')) AS rung (endpoint)
        WHERE d.company_id = NEW.company_id AND d.id = coalesce(
            (SELECT destination_id FROM tracking_numbers WHERE company_id = NEW.company_id AND id = NEW.number_id),
            (SELECT id FROM destinations WHERE company_id = NEW.company_id AND is_default))
        ON CONFLICT DO NOTHING;
    END IF;
    INSERT INTO endpoints_reached (company_id, endpoint, call_id, answered)
    SELECT DISTINCT NEW.company_id, person.endpoint, NEW.id, true
    FROM unnest(ARRAY[NEW.answered_by, NEW.last_answered_by]) AS person (endpoint)
    WHERE person.endpoint IS NOT NULL
    ON CONFLICT (company_id, endpoint, call_id) DO UPDATE SET answered = true WHERE NOT endpoints_reached.answered;
    RETURN NULL;
END $$;
CREATE TRIGGER call_reached AFTER INSERT ON calls
    FOR EACH ROW WHEN (NEW.state <> 'ended' OR NEW.answered_by IS NOT NULL) EXECUTE FUNCTION numberpool_call_reached();
CREATE TRIGGER call_answered AFTER UPDATE OF answered_by, last_answered_by ON calls
    FOR EACH ROW WHEN (NEW.answered_by IS NOT NULL) EXECUTE FUNCTION numberpool_call_reached();

CREATE FUNCTION numberpool_leg_reached() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO endpoints_reached (company_id, endpoint, call_id, answered)
    SELECT NEW.company_id, rung.endpoint, NEW.call_id, bool_or(rung.answered)
    FROM (
        SELECT unnest(string_to_array(NEW.dial, '&')) AS endpoint, false AS answered
        UNION ALL SELECT NEW.answered_by, true WHERE NEW.answered_by IS NOT NULL
    ) rung
    GROUP BY rung.endpoint
    ON CONFLICT (company_id, endpoint, call_id) DO UPDATE SET answered = true
        WHERE excluded.answered AND NOT endpoints_reached.answered;
    RETURN NULL;
END $$;
CREATE TRIGGER leg_reached AFTER INSERT OR UPDATE OF dial, answered_by ON legs
    FOR EACH ROW EXECUTE FUNCTION numberpool_leg_reached();

SELECT set_config('numberpool.companies', 'all', true);
INSERT INTO endpoints_reached (company_id, endpoint, call_id, answered)
SELECT reached.company_id, reached.endpoint, reached.call_id, bool_or(reached.answered)
FROM (
    SELECT company_id, id AS call_id, unnest(ARRAY[answered_by, last_answered_by]) AS endpoint, true AS answered FROM calls
    UNION ALL SELECT company_id, call_id, answered_by, true FROM legs
    UNION ALL SELECT company_id, call_id, unnest(string_to_array(dial, '&')), false FROM legs
) reached
WHERE reached.endpoint IS NOT NULL
GROUP BY reached.company_id, reached.endpoint, reached.call_id;

-- In which companies the transaction is an agent's (numberpool.agent is his user id); in none where nothing is named.
CREATE FUNCTION numberpool_agent_in() RETURNS bigint[] LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT coalesce(string_to_array(nullif(current_setting('numberpool.agent_in', true), ''), ',')::bigint[], '{}')
$$;

-- Each sub-select is without reference to the row, so it is done once a query.
DROP POLICY company ON calls;
CREATE POLICY company ON calls USING (
    numberpool_sees(company_id) AND (
        NOT company_id = ANY ((SELECT numberpool_agent_in())::bigint[])
        OR id IN (
            SELECT r.call_id FROM endpoints_reached r
            JOIN member_endpoints e ON e.company_id = r.company_id AND e.endpoint = r.endpoint
            WHERE e.user_id = (SELECT nullif(current_setting('numberpool.agent', true), '')::bigint))));
DROP POLICY company ON legs;
CREATE POLICY company ON legs USING (
    numberpool_sees(company_id) AND (
        NOT company_id = ANY ((SELECT numberpool_agent_in())::bigint[])
        OR call_id IN (
            SELECT r.call_id FROM endpoints_reached r
            JOIN member_endpoints e ON e.company_id = r.company_id AND e.endpoint = r.endpoint
            WHERE e.user_id = (SELECT nullif(current_setting('numberpool.agent', true), '')::bigint))));
-- A recording only of a call in which he spoke: that a telephone rang makes nobody a party to what was said.
DROP POLICY company ON recordings;
CREATE POLICY company ON recordings USING (
    numberpool_sees(company_id) AND (
        NOT company_id = ANY ((SELECT numberpool_agent_in())::bigint[])
        OR call_id IN (
            SELECT r.call_id FROM endpoints_reached r
            JOIN member_endpoints e ON e.company_id = r.company_id AND e.endpoint = r.endpoint
            WHERE r.answered AND e.user_id = (SELECT nullif(current_setting('numberpool.agent', true), '')::bigint))));

-- ------------------------------------------------------------------------------------------------------- signing in

ALTER TABLE users
    ADD COLUMN language         text,                  -- of letters to this person; none: English
    ADD COLUMN totp_secret      text,                  -- base32; in force once it was confirmed
    ADD COLUMN totp_since       timestamptz,
    ADD COLUMN totp_last_step   bigint NOT NULL DEFAULT 0;   -- a code is good once: none of this step or before

ALTER TABLE memberships ADD COLUMN created_at timestamptz NOT NULL DEFAULT now();

-- Each opens the second step once, in place of a code. SHA-256 of 80 random bits.
CREATE TABLE recovery_codes (
    user_id    bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    code_hash  bytea NOT NULL CHECK (octet_length(code_hash) = 32),
    used_at    timestamptz,
    PRIMARY KEY (user_id, code_hash)
);

ALTER TABLE sessions
    ADD COLUMN id           bigint GENERATED ALWAYS AS IDENTITY,   -- names a session where its key must not be shown
    ADD COLUMN address      text NOT NULL DEFAULT '',
    ADD COLUMN awaits_code  boolean NOT NULL DEFAULT false,        -- the password was right, the second step is to come
    ADD CONSTRAINT sessions_id UNIQUE (id);

-- Browsers in which somebody has signed in before: a new one is worth a notice, and guesses from elsewhere do not make
-- them wait.
CREATE TABLE known_devices (
    user_id     bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    token_hash  bytea NOT NULL CHECK (octet_length(token_hash) = 32),
    first_seen  timestamptz NOT NULL DEFAULT now(),
    last_seen   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (user_id, token_hash)
);

-- 'sign_in' is printed by a command; 'reset' goes by mail, and only sets a password.
ALTER TABLE login_links
    ADD COLUMN purpose text NOT NULL DEFAULT 'sign_in' CHECK (purpose IN ('sign_in', 'reset'));
CREATE INDEX login_links_user ON login_links (user_id);

-- How fast somebody may try: each try moves the moment further, and one that would move it too far is refused (GCRA).
CREATE TABLE paces (
    key      bytea PRIMARY KEY CHECK (octet_length(key) = 32),     -- SHA-256 of who tries what
    free_at  timestamptz NOT NULL
);
CREATE INDEX paces_free ON paces (free_at);

-- ------------------------------------------------------------------------------------------------------ invitations

-- To somebody by address; it makes him a member of its companies, once. It says which companies in invited_to.
CREATE TABLE invitations (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email         text NOT NULL CHECK (email = lower(email)),
    name          text NOT NULL DEFAULT '',
    language      text NOT NULL DEFAULT 'en',
    invited_by    bigint REFERENCES users ON DELETE SET NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    expires_at    timestamptz NOT NULL,
    sent_at       timestamptz,                         -- when a mail server took it; none: shown on the page to be copied
    accepted_at   timestamptz,
    withdrawn_at  timestamptz
);
CREATE TABLE invited_to (
    company_id     bigint NOT NULL REFERENCES companies ON DELETE CASCADE,
    invitation_id  bigint NOT NULL REFERENCES invitations ON DELETE CASCADE,
    role           text NOT NULL CHECK (role IN ('owner', 'manager', 'analyst', 'agent')),
    endpoints      text[] NOT NULL DEFAULT '{}',
    PRIMARY KEY (company_id, invitation_id)
);
CREATE INDEX invited_to_invitation ON invited_to (invitation_id);
SELECT numberpool_secure('invited_to');
-- A mail that is sent again carries a link of its own; the earlier one goes on working.
CREATE TABLE invitation_links (
    token_hash     bytea PRIMARY KEY CHECK (octet_length(token_hash) = 32),
    invitation_id  bigint NOT NULL REFERENCES invitations ON DELETE CASCADE
);
CREATE INDEX invitation_links_invitation ON invitation_links (invitation_id);

-- A page that stays open learns at once that its viewer was signed out or is something else now.
CREATE FUNCTION numberpool_account_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('numberpool_accounts', (CASE WHEN TG_OP = 'DELETE' THEN OLD.user_id ELSE NEW.user_id END)::text);
    RETURN NULL;
END $$;
CREATE TRIGGER account_changed AFTER INSERT OR UPDATE OR DELETE ON memberships
    FOR EACH ROW EXECUTE FUNCTION numberpool_account_changed();
CREATE TRIGGER account_changed AFTER INSERT OR DELETE ON member_endpoints
    FOR EACH ROW EXECUTE FUNCTION numberpool_account_changed();
CREATE TRIGGER account_changed AFTER DELETE ON sessions
    FOR EACH ROW EXECUTE FUNCTION numberpool_account_changed();

-- -------------------------------------------------------------------------------------------------------- audit log

ALTER TABLE audit_log
    ADD COLUMN actor    text NOT NULL DEFAULT '',      -- the name at the time: it outlives the person's leaving
    ADD COLUMN via      text NOT NULL DEFAULT 'page' CHECK (via IN ('page', 'api', 'command', 'system')),
    ADD COLUMN address  text NOT NULL DEFAULT '';      -- where the request came from
CREATE INDEX audit_log_newest ON audit_log (company_id, at DESC, id DESC);
CREATE INDEX audit_log_person ON audit_log (company_id, user_id, at DESC, id DESC);
CREATE INDEX audit_log_action ON audit_log (company_id, action, at DESC, id DESC);

-- What was done was done. Only together with its whole company may a line go, and the transaction must name it.
CREATE FUNCTION numberpool_audit_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF current_setting('numberpool.removes_company', true) = OLD.company_id::text THEN
            RETURN OLD;
        END IF;
    END IF;
    RAISE EXCEPTION 'the audit log is only added to' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER audit_stays BEFORE UPDATE OR DELETE ON audit_log
    FOR EACH ROW EXECUTE FUNCTION numberpool_audit_stays();
CREATE TRIGGER audit_stays_whole BEFORE TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION numberpool_audit_stays();

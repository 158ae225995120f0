-- What counts as a lead is said by each company: how long they talked, whether only who calls for the first time, what people
-- marked, and whether a message does. The function says it once for lists, figures and reports; gateway.leads.qualified is
-- the same in Python.
ALTER TABLE companies
    ADD COLUMN qualified_first_only  boolean NOT NULL DEFAULT false,   -- unmarked calls of who called before do not count
    ADD COLUMN qualified_voicemail   boolean NOT NULL DEFAULT false,   -- a message does
    ADD COLUMN qualified_always      text[] NOT NULL DEFAULT '{lead,quoted,booked,lost}',  -- marked so: however long it was
    ADD COLUMN qualified_never       text[] NOT NULL DEFAULT '{spam}',
    ADD COLUMN qualified_leads       boolean NOT NULL DEFAULT false,    -- forms, texts and chats do
    ADD CHECK (qualified_always <@ '{lead,quoted,booked,lost,spam}' AND qualified_never <@ '{lead,quoted,booked,lost,spam}'
               AND NOT qualified_always && qualified_never);

-- Each of the rule's own values is used once, so that Postgres can put the expression where the call stands.
CREATE FUNCTION numberpool_qualified(seconds integer, first_only boolean, always text[], never text[], voicemail boolean,
                                     status text, outcome text, talk_seconds real, is_first boolean)
RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN status = ANY (never) THEN false
                WHEN status = ANY (always) THEN true
                WHEN first_only AND NOT is_first THEN false
                WHEN outcome = 'answered' THEN coalesce(talk_seconds, 0) >= seconds
                WHEN outcome = 'voicemail' THEN voicemail
                ELSE false END
$$;

-- Every value of the rule makes reports count all days again.
DROP TRIGGER report_due ON companies;
CREATE TRIGGER report_due AFTER UPDATE ON companies
    FOR EACH ROW WHEN ((OLD.time_zone, OLD.currency, OLD.credit_half_life, OLD.qualified_seconds, OLD.qualified_first_only,
                        OLD.qualified_voicemail, OLD.qualified_always, OLD.qualified_never, OLD.qualified_leads)
                       IS DISTINCT FROM
                       (NEW.time_zone, NEW.currency, NEW.credit_half_life, NEW.qualified_seconds, NEW.qualified_first_only,
                        NEW.qualified_voicemail, NEW.qualified_always, NEW.qualified_never, NEW.qualified_leads))
    EXECUTE FUNCTION numberpool_report_due_of_company();

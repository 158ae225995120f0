-- What a person handed in on a site, or wrote: a form, a chat, later a text. Calls have their own table. It stays when its
-- visit is dropped with its month or its site is removed.
CREATE TABLE leads (
    company_id   bigint NOT NULL REFERENCES companies ON DELETE CASCADE,
    site_id      bigint,
    id           uuid NOT NULL,
    kind         text NOT NULL CHECK (kind <> ''),       -- form, chat, any short word
    data         jsonb NOT NULL,                         -- flat: what was typed, by the names of the fields
    phone        text NOT NULL DEFAULT '' CHECK (phone = '' OR phone ~ '^\+[1-9][0-9]{3,14}$'),   -- found in data
    email        text NOT NULL DEFAULT '',               -- found in data, small letters
    visit_id     uuid,                                   -- none: no consent to be known again, or no visit
    visitor_id   uuid,
    exposure_id  uuid,                                   -- the number on the page
    url          text NOT NULL DEFAULT '',               -- of its query only the tags
    title        text NOT NULL DEFAULT '',
    suspect      text NOT NULL DEFAULT '',               -- the kind of program that seems to have sent it; empty: a person
    received_at  timestamptz NOT NULL,
    likeness     bytea,                                  -- tells what a browser sent twice; gone after a minute or some more
    PRIMARY KEY (company_id, id),
    FOREIGN KEY (company_id, site_id) REFERENCES sites (company_id, id) ON DELETE SET NULL (site_id),
    CHECK (visit_id IS NOT NULL OR (visitor_id IS NULL AND exposure_id IS NULL))
);
CREATE INDEX leads_time ON leads (company_id, received_at);
CREATE INDEX leads_of_visit ON leads (company_id, visit_id) WHERE visit_id IS NOT NULL;
CREATE INDEX leads_of_visitor ON leads (company_id, visitor_id) WHERE visitor_id IS NOT NULL;
CREATE INDEX leads_of_phone ON leads (company_id, phone) WHERE phone <> '';
CREATE INDEX leads_of_email ON leads (company_id, email) WHERE email <> '';
CREATE INDEX leads_alike ON leads (company_id, likeness) WHERE likeness IS NOT NULL;
SELECT numberpool_secure('leads');

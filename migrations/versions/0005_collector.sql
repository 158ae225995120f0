-- A site whose visitors are neither known again nor lent a number of their own before they said yes.
ALTER TABLE sites ADD COLUMN consent_required boolean NOT NULL DEFAULT false;

-- Secrets of programs that speak to the collector: a site's own server, and scripts in an advertiser's account.
CREATE TABLE collector_tokens (
    id          bigint GENERATED ALWAYS AS IDENTITY,
    company_id  bigint NOT NULL REFERENCES companies ON DELETE CASCADE,
    site_id     bigint,                                -- the site whose server it is; none: it speaks for the company
    kind        text NOT NULL CHECK (kind IN ('server', 'google_ads')),
    hash        bytea NOT NULL UNIQUE CHECK (octet_length(hash) = 32),   -- SHA-256; the token itself is shown once
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (company_id, id),
    FOREIGN KEY (company_id, site_id) REFERENCES sites (company_id, id) ON DELETE CASCADE,
    CHECK ((kind = 'server') = (site_id IS NOT NULL))
);
SELECT numberpool_secure('collector_tokens');
CREATE TRIGGER settings_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON collector_tokens
    FOR EACH STATEMENT EXECUTE FUNCTION numberpool_settings_changed();

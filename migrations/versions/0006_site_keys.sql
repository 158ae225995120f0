-- A key that an admin chooses may be short: it is no secret, it stands in the pages.
ALTER TABLE sites DROP CONSTRAINT sites_public_key_check;
ALTER TABLE sites ADD CONSTRAINT sites_public_key_check CHECK (public_key ~ '^[a-z0-9]{4,40}$');

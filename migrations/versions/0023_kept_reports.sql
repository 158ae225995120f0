-- Reports are kept under a name as lists of calls are: a view says of which page it is.
ALTER TABLE saved_views
    ADD COLUMN page text NOT NULL DEFAULT 'calls' CHECK (page IN ('calls', 'reports')),
    DROP CONSTRAINT saved_views_company_id_user_id_name_key,
    ADD CONSTRAINT saved_views_name UNIQUE (company_id, user_id, page, name);

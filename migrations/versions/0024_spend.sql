-- What sources cost: an amount for days from .. to, typed by hand or out of an import. Nothing is deleted: what was removed
-- or replaced says so, and can be brought back.
CREATE TABLE spend_imports (
    id           bigint GENERATED ALWAYS AS IDENTITY,
    company_id   bigint NOT NULL REFERENCES companies ON DELETE CASCADE,
    kind         text NOT NULL CHECK (kind IN ('google_ads', 'meta', 'microsoft', 'yandex_direct', 'table', 'example')),
    file_name    text NOT NULL DEFAULT '',
    user_id      bigint REFERENCES users ON DELETE SET NULL,
    imported_at  timestamptz NOT NULL DEFAULT now(),
    removed_at   timestamptz,
    PRIMARY KEY (company_id, id),
    UNIQUE (id)
);

CREATE TABLE spend (
    id           bigint GENERATED ALWAYS AS IDENTITY,
    company_id   bigint NOT NULL REFERENCES companies ON DELETE CASCADE,
    source_id    bigint NOT NULL,
    campaign     text NOT NULL DEFAULT '',        -- none: of the source as a whole
    first_day    date NOT NULL,                   -- of the company's calendar
    last_day     date NOT NULL,                   -- included
    amount       numeric(14, 3) NOT NULL CHECK (amount >= 0),
    currency     text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),   -- the company's, when it was entered
    on_top       boolean NOT NULL DEFAULT false,  -- meant besides whatever else there is for these days, such as a fee
    note         text NOT NULL DEFAULT '',
    import_id    bigint,                          -- none: typed by hand
    created_by   bigint REFERENCES users ON DELETE SET NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    removed_at   timestamptz,
    replaced_by  bigint,                          -- the import that took its place
    PRIMARY KEY (company_id, id),
    UNIQUE (id),
    FOREIGN KEY (company_id, source_id) REFERENCES sources (company_id, id),
    FOREIGN KEY (company_id, import_id) REFERENCES spend_imports (company_id, id) ON DELETE CASCADE,
    CHECK (first_day <= last_day AND last_day < first_day + 3660),
    CHECK (replaced_by IS NULL OR removed_at IS NOT NULL)
);
CREATE INDEX spend_in_force ON spend (company_id, last_day) WHERE removed_at IS NULL;
CREATE INDEX spend_of_source ON spend (company_id, source_id, first_day);
CREATE INDEX spend_of_import ON spend (company_id, import_id);
CREATE INDEX spend_replaced_by ON spend (company_id, replaced_by) WHERE replaced_by IS NOT NULL;

DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['spend_imports', 'spend'] LOOP
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('CREATE POLICY company ON %I USING ((SELECT numberpool_companies()) IS NULL '
                       'OR company_id = ANY ((SELECT numberpool_companies())::bigint[]))', name);
    END LOOP;
END $$;

-- What an amount over whole days comes to in some of them, in whole smallest coins: the days share it evenly, and whatever
-- way a period is cut, its parts add up to it. `since` is included, `until` is not; `digits` are those of the currency.
CREATE FUNCTION numberpool_part_of(amount numeric, first_day date, last_day date, since date, until date, digits integer)
RETURNS numeric LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT round(amount * (least(last_day + 1, until) - first_day) / (last_day + 1 - first_day), digits)
         - round(amount * (greatest(first_day, since) - first_day) / (last_day + 1 - first_day), digits)
$$;

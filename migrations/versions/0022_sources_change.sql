-- Sources may be renamed, merged and hidden. What the rules name a visit (its label) leads to a source by this table, so
-- that a source goes on being found by the labels it had, and by those of the sources that were merged into it.
ALTER TABLE sources ADD COLUMN hidden_at timestamptz;    -- no longer offered; what it brought stays

CREATE TABLE source_labels (
    company_id  bigint NOT NULL,
    label       text NOT NULL CHECK (label <> ''),
    source_id   bigint NOT NULL,
    PRIMARY KEY (company_id, label),
    FOREIGN KEY (company_id, source_id) REFERENCES sources (company_id, id) ON DELETE CASCADE
);
CREATE INDEX source_labels_source ON source_labels (company_id, source_id);

-- Sources that are part of another now, each as it was. Calls that came before the merge may still name them.
CREATE TABLE merged_sources (
    company_id  bigint NOT NULL,
    id          bigint NOT NULL,                   -- as the source had it
    source_id   bigint NOT NULL,                   -- what it is part of
    was         jsonb NOT NULL,                    -- its row
    taught      jsonb NOT NULL,                    -- what the other one took over from it, by column
    merged_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (company_id, id),
    FOREIGN KEY (company_id, source_id) REFERENCES sources (company_id, id) ON DELETE CASCADE
);
CREATE INDEX merged_sources_into ON merged_sources (company_id, source_id);

-- The rows that went from one to the other with a merge, for taking it back. Kept for two days.
CREATE TABLE merged_source_rows (
    company_id  bigint NOT NULL,
    merged_id   bigint NOT NULL,
    relation    text NOT NULL,
    key         jsonb NOT NULL,                    -- the primary key, without company and source
    FOREIGN KEY (company_id, merged_id) REFERENCES merged_sources (company_id, id) ON DELETE CASCADE
);
CREATE INDEX merged_source_rows_of ON merged_source_rows (company_id, merged_id, relation);

DO $$
DECLARE name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['source_labels', 'merged_sources', 'merged_source_rows'] LOOP
        PERFORM numberpool_secure(name::regclass);
    END LOOP;
END $$;

SELECT set_config('numberpool.companies', 'all', true);
INSERT INTO source_labels (company_id, label, source_id) SELECT company_id, name, id FROM sources;

-- Each source is found by its name.
CREATE FUNCTION numberpool_source_named() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO source_labels (company_id, label, source_id) VALUES (NEW.company_id, NEW.name, NEW.id)
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER source_named AFTER INSERT OR UPDATE OF name ON sources
    FOR EACH ROW EXECUTE FUNCTION numberpool_source_named();

-- Every table that refers to sources, by its foreign keys: one that is made tomorrow is among them. `keys` are the rest
-- of its primary key.
CREATE FUNCTION numberpool_source_references() RETURNS TABLE (relation regclass, pointer name, keys name[])
LANGUAGE sql STABLE AS $$
    SELECT f.conrelid::regclass, own.attname,
           (SELECT array_agg(k.attname ORDER BY k.attnum) FROM pg_index i
            JOIN pg_attribute k ON k.attrelid = i.indrelid AND k.attnum = ANY (i.indkey)
            WHERE i.indrelid = f.conrelid AND i.indisprimary AND k.attname NOT IN ('company_id', own.attname))
    FROM pg_constraint f
    CROSS JOIN LATERAL unnest(f.conkey, f.confkey) AS pair (here, there)
    JOIN pg_attribute own ON own.attrelid = f.conrelid AND own.attnum = pair.here
    JOIN pg_attribute theirs ON theirs.attrelid = f.confrelid AND theirs.attnum = pair.there AND theirs.attname = 'id'
    WHERE f.contype = 'f' AND f.confrelid = 'sources'::regclass AND f.conparentid = 0
    ORDER BY 1::text
$$;

-- How many rows of each table are of a source.
CREATE FUNCTION numberpool_rows_of_source(company bigint, source bigint) RETURNS TABLE (relation text, found bigint)
LANGUAGE plpgsql STABLE AS $$
DECLARE refers record;
BEGIN
    FOR refers IN SELECT * FROM numberpool_source_references() LOOP
        relation := refers.relation::text;
        EXECUTE format('SELECT count(*) FROM %s WHERE company_id = $1 AND %I = $2', refers.relation, refers.pointer)
            INTO found USING company, source;
        RETURN NEXT;
    END LOOP;
END $$;

-- Everything that is of one source becomes another's, and the one is gone. Raises unique_violation where both have a row
-- that there may be only once.
CREATE FUNCTION numberpool_merge_source(company bigint, merged bigint, target bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    refers record;
    one sources;
    other sources;
BEGIN
    PERFORM FROM sources WHERE company_id = company AND id IN (merged, target) ORDER BY id FOR UPDATE;
    SELECT * INTO STRICT one FROM sources WHERE company_id = company AND id = merged;
    SELECT * INTO STRICT other FROM sources WHERE company_id = company AND id = target;
    DELETE FROM merged_source_rows r USING merged_sources m
    WHERE m.company_id = company AND m.merged_at < now() - interval '2 days'
      AND r.company_id = m.company_id AND r.merged_id = m.id;
    INSERT INTO merged_sources (company_id, id, source_id, was, taught) VALUES (
        company, merged, target, to_jsonb(one),
        CASE WHEN other.channel = '' AND one.channel <> '' THEN jsonb_build_object('channel', one.channel) ELSE '{}' END
        || CASE WHEN other.source = '' AND other.medium = '' AND other.campaign = ''
                THEN jsonb_build_object('source', one.source, 'medium', one.medium, 'campaign', one.campaign)
                ELSE '{}' END);
    UPDATE sources s SET channel = coalesce(m.taught ->> 'channel', s.channel), source = coalesce(m.taught ->> 'source', s.source),
                         medium = coalesce(m.taught ->> 'medium', s.medium),
                         campaign = coalesce(m.taught ->> 'campaign', s.campaign)
    FROM merged_sources m
    WHERE m.company_id = company AND m.id = merged AND s.company_id = company AND s.id = target;
    PERFORM set_config('numberpool.quiet', 'on', true);
    FOR refers IN SELECT * FROM numberpool_source_references() LOOP
        EXECUTE format(
            'WITH moved AS (UPDATE %1$s SET %2$I = $3 WHERE company_id = $1 AND %2$I = $2 RETURNING *) '
            'INSERT INTO merged_source_rows SELECT $1, $2, %3$L, jsonb_build_object(%4$s) FROM moved',
            refers.relation, refers.pointer, refers.relation::text,
            (SELECT string_agg(format('%L, moved.%I', key, key), ', ') FROM unnest(refers.keys) AS key))
        USING company, merged, target;
    END LOOP;
    PERFORM set_config('numberpool.quiet', '', true);
    DELETE FROM sources WHERE company_id = company AND id = merged;
END $$;

-- Take a merge back: the source is there again, with what was its. What came since stays. False where it is too late.
CREATE FUNCTION numberpool_split_source(company bigint, merged bigint) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    refers record;
    known merged_sources;
BEGIN
    SELECT * INTO known FROM merged_sources WHERE company_id = company AND id = merged FOR UPDATE;
    IF known.id IS NULL OR known.merged_at < now() - interval '2 days'
       OR EXISTS (SELECT FROM sources WHERE company_id = company AND name = known.was ->> 'name') THEN
        RETURN false;
    END IF;
    INSERT INTO sources OVERRIDING SYSTEM VALUE SELECT (jsonb_populate_record(null::sources, known.was)).*;
    UPDATE sources SET channel = CASE WHEN channel = known.taught ->> 'channel' THEN '' ELSE channel END,
                       source = CASE WHEN source = known.taught ->> 'source' THEN '' ELSE source END,
                       medium = CASE WHEN medium = known.taught ->> 'medium' THEN '' ELSE medium END,
                       campaign = CASE WHEN campaign = known.taught ->> 'campaign' THEN '' ELSE campaign END
    WHERE company_id = company AND id = known.source_id;
    PERFORM set_config('numberpool.quiet', 'on', true);
    FOR refers IN SELECT * FROM numberpool_source_references() LOOP
        EXECUTE format(
            'UPDATE %1$s t SET %2$I = $2 FROM merged_source_rows r '
            'WHERE r.company_id = $1 AND r.merged_id = $2 AND r.relation = %3$L '
            'AND t.company_id = $1 AND t.%2$I = $3 AND jsonb_build_object(%4$s) = r.key',
            refers.relation, refers.pointer, refers.relation::text,
            (SELECT string_agg(format('%L, t.%I', key, key), ', ') FROM unnest(refers.keys) AS key))
        USING company, merged, known.source_id;
    END LOOP;
    PERFORM set_config('numberpool.quiet', '', true);
    DELETE FROM merged_sources WHERE company_id = company AND id = merged;
    RETURN true;
END $$;

-- A merge changes calls by the thousand and tells of the settings once: no page need read each of the calls again.
CREATE OR REPLACE FUNCTION numberpool_call_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('numberpool.quiet', true) IS DISTINCT FROM 'on' THEN
        PERFORM pg_notify('numberpool_calls', NEW.company_id || ':' || NEW.id);
    END IF;
    RETURN NULL;
END $$;

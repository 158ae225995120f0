-- How sure a call's source is, in three steps, so that the filter has an index in the order of the list.
DROP INDEX calls_sure;
ALTER TABLE calls ADD COLUMN sure text GENERATED ALWAYS AS (
    CASE WHEN confidence >= 0.9 THEN 'high' WHEN confidence >= 0.5 THEN 'fair' WHEN confidence IS NOT NULL THEN 'low' END
) STORED;
CREATE INDEX calls_sure ON calls (company_id, sure, started_at DESC, id DESC);

-- A plan that a session made while there were few calls would read all of them for each that comes.
ALTER FUNCTION numberpool_call_facets() SET enable_seqscan = off;

-- The figures above the list, without reading the calls themselves.
CREATE INDEX calls_counted ON calls (company_id, started_at DESC) INCLUDE (id, source_id, outcome, talk_seconds);

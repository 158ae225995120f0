-- Rows of the example, many at once. Visits, page views, taps and visitors go in by gateway/visits/journal.sql, forms by
-- gateway/leads/leads.sql, what brought calls by gateway/attribution; what stands here has no statement for many rows.

-- name: begin^
-- One filling of a company at a time; what is there already.
SELECT pg_advisory_xact_lock(hashtextextended('example/' || :company_id::bigint, 0))::text AS locked,
       EXISTS (SELECT FROM example_data WHERE company_id = :company_id) AS is_filled,
       EXISTS (SELECT FROM calls WHERE company_id = :company_id) AS has_calls,
       EXISTS (SELECT FROM visits WHERE company_id = :company_id) AS has_visits,
       EXISTS (SELECT FROM leases WHERE company_id = :company_id) AS has_leases;

-- name: filled
-- The companies that hold example data.
SELECT c.id, c.name, e.made_company, e.made, e.since, e.until
FROM example_data e JOIN companies c ON c.id = e.company_id ORDER BY c.id;

-- name: present_ids
-- Sources and tags that are there before.
SELECT 'source' AS kind, id FROM sources WHERE company_id = :company_id
UNION ALL SELECT 'tag', id FROM tags WHERE company_id = :company_id;

-- name: note_filled!
INSERT INTO example_data (company_id, since, until, made_company, made)
VALUES (:company_id, :since, :until, :made_company, :made::jsonb);

-- name: next_ids
-- Ids for rows that refer to each other.
SELECT nextval(pg_get_serial_sequence(:table_name, 'id')) AS id FROM generate_series(1, :count::integer);

-- name: number_created!
-- The company has been there as long as its history.
UPDATE tracking_numbers SET created_at = least(created_at, :since) WHERE company_id = :company_id;

-- name: add_leases!
INSERT INTO leases (company_id, id, pool_id, number_id, holder, period, last_seen, closed_as) OVERRIDING SYSTEM VALUE
SELECT :company_id, (row->>'id')::bigint, (row->>'pool_id')::bigint, (row->>'number_id')::bigint, row->>'holder',
       tstzrange((row->>'start')::timestamptz, (row->>'end')::timestamptz), (row->>'last_seen')::timestamptz,
       row->>'closed_as'
FROM jsonb_array_elements(:rows::jsonb) AS row;

-- name: set_lendable!
-- Numbers as the last of their holders left them.
UPDATE lendable_numbers number
SET idle_since = (row->>'idle_since')::timestamptz, lease_id = (row->>'lease_id')::bigint,
    ended_at = (row->>'ended_at')::timestamptz
FROM jsonb_array_elements(:rows::jsonb) AS row
WHERE number.company_id = :company_id AND number.number_id = (row->>'number_id')::bigint;

-- name: add_exposures!
INSERT INTO exposures (company_id, id, visit_id, number_id, lease_id, shown_at, last_seen, left_at)
SELECT :company_id, id, visit_id, number_id, lease_id, shown_at, last_seen, left_at
FROM jsonb_populate_recordset(null::exposures, :rows::jsonb);

-- name: add_ways!
-- By which way its visits came, as workers count them: passed on by the site's own web server, with a cookie.
INSERT INTO visit_ways (company_id, site_id, hour, way, visits, known, by_cookie, last_at)
SELECT company_id, site_id, date_trunc('hour', started_at), 'same_host', count(*), count(*) FILTER (WHERE is_known),
       count(*) FILTER (WHERE is_known), max(started_at)
FROM (
    SELECT company_id, site_id, started_at,
           row_number() OVER (PARTITION BY visitor_id ORDER BY started_at) > 1 AS is_known
    FROM visits WHERE company_id = :company_id
) visit
WHERE started_at >= :since GROUP BY 1, 2, 3;

-- name: add_pool_hours!
INSERT INTO pool_hours (company_id, pool_id, hour, leased, displaced, hurried, samples, occupied_sum, occupied_most, numbers)
SELECT :company_id, pool_id, hour, leased, displaced, hurried, samples, occupied_sum, occupied_most, numbers
FROM jsonb_populate_recordset(null::pool_hours, :rows::jsonb);

-- name: add_pool_misses!
INSERT INTO pool_misses (company_id, pool_id, hour, source, displaced)
SELECT :company_id, pool_id, hour, source, displaced FROM jsonb_populate_recordset(null::pool_misses, :rows::jsonb);

-- name: add_calls!
-- As save_call in gateway/calls/queries.sql does, with what people said of the calls.
INSERT INTO calls (
    company_id, id, node_id, asterisk_id, stage, state, outcome, did, number_id, source_id, trunk, caller, caller_name,
    started_at, answered_at, ended_at, ring_seconds, talk_seconds, answered_by, last_answered_by, hung_up_by, hangup_cause,
    decided_by, decision_ms, recorded, evidence, region, screened, status, note, created_at
) OVERRIDING SYSTEM VALUE
SELECT company_id, id, node_id, asterisk_id, stage, state, outcome, did, number_id, source_id, trunk, caller, caller_name,
       started_at, answered_at, ended_at, ring_seconds, talk_seconds, answered_by, last_answered_by, hung_up_by,
       hangup_cause, decided_by, decision_ms, recorded, evidence, region, screened, status, note, started_at
FROM jsonb_populate_recordset(null::calls, :rows::jsonb) ORDER BY started_at, id;

-- name: add_legs!
INSERT INTO legs (company_id, call_id, position, kind, dial, ring_seconds, talk_seconds, result, hangup_cause, answered_by)
SELECT company_id, call_id, position, kind, dial, ring_seconds, talk_seconds, result, hangup_cause, answered_by
FROM jsonb_populate_recordset(null::legs, :rows::jsonb);

-- name: add_call_backs!
INSERT INTO call_backs (company_id, call_id, at)
SELECT company_id, call_id, at FROM jsonb_populate_recordset(null::call_backs, :rows::jsonb);

-- name: add_recordings!
INSERT INTO recordings (company_id, call_id, state, sides, rate, file, seconds, bytes, peaks, ready_at)
SELECT :company_id, (row->>'call_id')::bigint, 'ready', row->>'sides', :rate, row->>'file', (row->>'seconds')::real,
       (row->>'bytes')::bigint, decode(:peaks::jsonb->>(row->>'talk'), 'hex'), (row->>'ready_at')::timestamptz
FROM jsonb_array_elements(:rows::jsonb) AS row;

-- name: add_words!
INSERT INTO call_words (company_id, word, started_at, call_id)
SELECT :company_id, row->>'word', (row->>'started_at')::timestamptz, (row->>'call_id')::bigint
FROM jsonb_array_elements(:rows::jsonb) AS row
ON CONFLICT DO NOTHING;

-- name: add_call_tags!
INSERT INTO call_tags (company_id, call_id, tag_id, started_at)
SELECT company_id, call_id, tag_id, started_at FROM jsonb_populate_recordset(null::call_tags, :rows::jsonb);

-- name: add_jobs!
INSERT INTO jobs (company_id, id, value, currency, booked_at, created_at) OVERRIDING SYSTEM VALUE
SELECT company_id, id, value, currency, booked_at, booked_at FROM jsonb_populate_recordset(null::jobs, :rows::jsonb);

-- name: add_job_leads!
INSERT INTO job_leads (company_id, job_id, call_id)
SELECT company_id, job_id, call_id FROM jsonb_populate_recordset(null::job_leads, :rows::jsonb);

-- name: decided_then!
-- Calls whose number says it all were settled a minute after their end, and not today.
UPDATE attributions said SET decided_at = call.started_at, settled_at = call.ended_at + :after::interval
FROM calls call
WHERE said.company_id = :company_id AND call.company_id = said.company_id AND call.id = said.call_id
  AND said.basis <> 'visits';

-- name: settled_then!
UPDATE calls SET settled_at = ended_at + :after::interval WHERE company_id = :company_id AND settled_at IS NOT NULL;

-- name: quick!
-- For the rest of the transaction: what was written just now is planned for as it is, and nothing is compiled.
SELECT set_config('jit', 'off', true), set_config('work_mem', '32MB', true);

-- name: count_rows!
-- What the planner wants to know of the rows written in this transaction.
ANALYZE visits, page_views, exposures, taps, visitors, leases, calls, sources;

-- name: owners
-- Whoever owns a company here.
SELECT DISTINCT u.email FROM users u JOIN memberships m ON m.user_id = u.id WHERE m.role = 'owner' ORDER BY u.email;

-- name: unsettled_ids
-- Calls that visits are still to be asked for.
SELECT id FROM calls WHERE company_id = :company_id AND settled_at IS NULL;

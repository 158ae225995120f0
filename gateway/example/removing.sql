-- Takes the example out of a company. What is marked as its own goes, and what was made for it and is used by nothing else.
-- :marked is how its ids end; its calls are of the node "example".

-- name: files
-- The recordings of its calls.
SELECT r.file FROM recordings r JOIN calls c ON c.company_id = r.company_id AND c.id = r.call_id
JOIN nodes n ON n.id = c.node_id
WHERE c.company_id = :company_id AND n.name = :node AND r.file IS NOT NULL;

-- name: remove_jobs!
-- Jobs that came of nothing else.
WITH own AS MATERIALIZED (
    SELECT l.job_id FROM job_leads l
    LEFT JOIN calls c ON c.company_id = l.company_id AND c.id = l.call_id
    LEFT JOIN nodes n ON n.id = c.node_id
    WHERE l.company_id = :company_id
    GROUP BY l.job_id
    HAVING bool_and(n.name IS NOT DISTINCT FROM :node AND l.call_id IS NOT NULL
                    OR l.lead_id IS NOT NULL AND right(l.lead_id::text, 12) = :marked)
)
DELETE FROM jobs USING own WHERE jobs.company_id = :company_id AND jobs.id = own.job_id;

-- name: remove_calls!
DELETE FROM calls WHERE company_id = :company_id AND node_id = (SELECT id FROM nodes WHERE name = :node);

-- name: remove_leads!
DELETE FROM leads WHERE company_id = :company_id AND right(id::text, 12) = :marked;

-- name: remove_visits!
WITH views AS (
    DELETE FROM page_views WHERE company_id = :company_id AND at >= :since AND right(visit_id::text, 12) = :marked
), taps AS (
    DELETE FROM taps WHERE company_id = :company_id AND at >= :since AND right(visit_id::text, 12) = :marked
), shown AS (
    DELETE FROM exposures WHERE company_id = :company_id AND shown_at >= :since AND right(id::text, 12) = :marked
), known AS (
    DELETE FROM visitors WHERE company_id = :company_id AND right(id::text, 12) = :marked
)
DELETE FROM visits WHERE company_id = :company_id AND started_at >= :since AND right(id::text, 12) = :marked;

-- name: release_numbers!
-- Numbers that its visitors still hold are nobody's.
UPDATE lendable_numbers number SET lease_id = NULL
FROM leases lease
WHERE number.company_id = :company_id AND lease.company_id = number.company_id AND lease.id = number.lease_id
  AND right(lease.holder, 12) = :marked;

-- name: remove_leases!
DELETE FROM leases WHERE company_id = :company_id AND right(holder, 12) = :marked;

-- name: remove_hours!
-- Nothing but the example was there before it ended.
WITH missed AS (DELETE FROM pool_misses WHERE company_id = :company_id AND hour < :until),
     ways AS (DELETE FROM visit_ways WHERE company_id = :company_id AND hour < :until)
DELETE FROM pool_hours WHERE company_id = :company_id AND hour < :until;

-- name: unlearn!
-- What was learned from it is no knowledge of real callers: the next night learns anew.
WITH scored AS (DELETE FROM reliability WHERE company_id = :company_id)
DELETE FROM learned WHERE company_id = :company_id;

-- name: remove_people!
-- Persons to whom nothing belongs any more, and what was to be looked at of what is gone.
WITH due AS (
    DELETE FROM people_due d WHERE company_id = :company_id
      AND (call_id IS NULL OR NOT EXISTS (SELECT FROM calls c WHERE c.company_id = d.company_id AND c.id = d.call_id))
      AND (lead_id IS NULL OR NOT EXISTS (SELECT FROM leads l WHERE l.company_id = d.company_id AND l.id = d.lead_id))
)
DELETE FROM people p WHERE company_id = :company_id AND note = ''
  AND NOT EXISTS (SELECT FROM person_of o WHERE o.company_id = p.company_id AND o.person_id = p.id);

-- name: remove_spend!
-- With the import go its amounts.
DELETE FROM spend_imports WHERE company_id = :company_id AND kind = :kind;

-- name: remove_tags!
DELETE FROM tags t WHERE company_id = :company_id AND id = ANY (:ids::bigint[])
  AND NOT EXISTS (SELECT FROM call_tags c WHERE c.company_id = t.company_id AND c.tag_id = t.id);

-- name: remove_sources!
DELETE FROM sources s WHERE company_id = :company_id AND id = ANY (:ids::bigint[])
  AND NOT EXISTS (SELECT FROM numberpool_rows_of_source(s.company_id, s.id) AS refers
                  WHERE refers.rows_there > 0 AND refers.relation <> 'source_labels');

-- name: remove_rules!
DELETE FROM caller_rules WHERE company_id = :company_id AND caller = ANY (:callers::text[]) AND note = :note;

-- name: remove_note!
DELETE FROM example_data WHERE company_id = :company_id;

-- name: remove_node!
DELETE FROM nodes WHERE name = :node AND NOT EXISTS (SELECT FROM calls WHERE node_id = nodes.id);

-- name: is_bare$
-- Whether nothing ever happened in a company besides what was removed.
SELECT NOT EXISTS (SELECT FROM calls WHERE company_id = :company_id)
   AND NOT EXISTS (SELECT FROM visits WHERE company_id = :company_id)
   AND NOT EXISTS (SELECT FROM leads WHERE company_id = :company_id)
   AND NOT EXISTS (SELECT FROM jobs WHERE company_id = :company_id)
   AND NOT EXISTS (SELECT FROM spend WHERE company_id = :company_id);

-- name: name_removed$
-- The audit log of a company goes with it, and with nothing else.
SELECT set_config('numberpool.removes_company', :company::text, true);

-- name: end_all_leases!
UPDATE lendable_numbers SET lease_id = NULL WHERE company_id = :company_id;

-- name: remove_all_leases!
DELETE FROM leases WHERE company_id = :company_id;

-- name: remove_numbers!
DELETE FROM tracking_numbers WHERE company_id = :company_id;

-- name: remove_audit!
DELETE FROM audit_log WHERE company_id = :company_id;

-- name: remove_company!
DELETE FROM companies WHERE id = :company_id;

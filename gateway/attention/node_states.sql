-- How each Asterisk and its gateway are. The gateway writes, the pages read: they may be different processes.

-- name: note_state!
-- A node that has had no call yet has no row: it gets one here.
WITH node AS (
    INSERT INTO nodes (name) SELECT :node WHERE NOT EXISTS (SELECT FROM nodes WHERE name = :node)
    ON CONFLICT (name) DO NOTHING
    RETURNING id
)
INSERT INTO node_states AS known (node_id, seen_at, is_linked, linked_at, trunks)
SELECT id, :now, :is_linked, CASE WHEN :is_linked::boolean THEN :now::timestamptz END, :trunks::jsonb
FROM (SELECT id FROM node UNION ALL SELECT id FROM nodes WHERE name = :node LIMIT 1) AS own
ON CONFLICT (node_id) DO UPDATE
SET seen_at = excluded.seen_at, is_linked = excluded.is_linked, linked_at = coalesce(excluded.linked_at, known.linked_at),
    trunks = excluded.trunks;

-- name: states
-- Every node, as its gateway last told.
SELECT n.name, s.seen_at, s.is_linked, s.linked_at, s.trunks
FROM node_states s JOIN nodes n ON n.id = s.node_id
ORDER BY n.name;

-- name: trunks_of_calls
-- By which trunks calls came in lately.
SELECT DISTINCT trunk FROM calls
WHERE node_id = (SELECT id FROM nodes WHERE name = :node) AND trunk <> '' AND started_at >= :since::timestamptz;

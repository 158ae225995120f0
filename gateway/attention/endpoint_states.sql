-- How telephones are. The gateway writes what changes, the pages read: they may be different processes.

-- name: note_states!
-- The telephones of a node, by name: what changed is written, what is gone is taken out.
WITH node AS (
    SELECT id FROM nodes WHERE name = :node
), told AS (
    SELECT node.id AS node_id, given.endpoint, given.state
    FROM node, unnest(:endpoints::text[], :states::text[]) AS given (endpoint, state)
), gone AS (
    DELETE FROM endpoint_states e USING node
    WHERE e.node_id = node.id AND e.endpoint <> ALL (:endpoints::text[])
)
INSERT INTO endpoint_states AS known (node_id, endpoint, state, since)
SELECT node_id, endpoint, state, :now::timestamptz FROM told
ON CONFLICT (node_id, endpoint) DO UPDATE SET state = excluded.state, since = excluded.since
WHERE known.state <> excluded.state;

-- name: states_of
-- Telephones by name, as the gateways told that are there still.
SELECT e.endpoint, e.state, e.since FROM endpoint_states e
JOIN node_states n ON n.node_id = e.node_id
WHERE e.endpoint = ANY (:endpoints::text[]) AND n.is_linked AND n.seen_at > :since::timestamptz
ORDER BY e.endpoint, e.since DESC;

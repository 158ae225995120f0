-- name: flow_by_id^
SELECT id, name, revision, body FROM flows WHERE company_id = :company_id AND id = :id;

-- name: hold_flow^
-- The same, until the end of the transaction nobody else's.
SELECT id, name, revision, body FROM flows WHERE company_id = :company_id AND id = :id FOR UPDATE;

-- name: add_flow$
-- None where another one has that name.
INSERT INTO flows (company_id, name, body) VALUES (:company_id, :name, :body)
ON CONFLICT (company_id, name) DO NOTHING
RETURNING id;

-- name: put_flow_back$
-- A flow that was removed, under the number it had.
INSERT INTO flows (company_id, id, name, revision, body) OVERRIDING SYSTEM VALUE
VALUES (:company_id, :id, :name, :revision, :body)
ON CONFLICT DO NOTHING
RETURNING id;

-- name: name_is_taken$
SELECT EXISTS (SELECT FROM flows WHERE company_id = :company_id AND name = :name AND id <> :id);

-- name: change_flow^
-- Name and steps; a change of the steps makes the next revision.
UPDATE flows SET name = :name, body = :body, changed_at = now(),
       revision = revision + CASE WHEN body <> :body::jsonb THEN 1 ELSE 0 END
WHERE company_id = :company_id AND id = :id
RETURNING id, name, revision, body;

-- name: drop_flow!
DELETE FROM flows WHERE company_id = :company_id AND id = :id;

-- name: pools_and_flows
-- The pools, each with its flow, and how many of its numbers go by something of their own.
SELECT p.id, p.name, p.flow_id, count(n.id) AS numbers,
       count(n.id) FILTER (WHERE n.fax OR n.destination_id IS NOT NULL OR n.flow_id IS NOT NULL OR s.flow_id IS NOT NULL) AS others
FROM pools p
LEFT JOIN tracking_numbers n ON n.company_id = p.company_id AND n.pool_id = p.id
LEFT JOIN sources s ON s.company_id = n.company_id AND s.id = n.source_id
WHERE p.company_id = :company_id AND p.removed_at IS NULL
GROUP BY p.id, p.name, p.flow_id
ORDER BY p.name;

-- name: sources_and_flows
-- The sources that numbers stand for, and those that have a flow.
SELECT s.id, s.name, s.flow_id, count(n.id) AS numbers,
       count(n.id) FILTER (WHERE n.fax OR n.destination_id IS NOT NULL OR n.flow_id IS NOT NULL) AS others
FROM sources s
LEFT JOIN tracking_numbers n ON n.company_id = s.company_id AND n.source_id = s.id
WHERE s.company_id = :company_id AND s.hidden_at IS NULL
GROUP BY s.id, s.name, s.flow_id
HAVING count(n.id) > 0 OR s.flow_id IS NOT NULL
ORDER BY s.name;

-- name: numbers_with_flow
-- The numbers that go by that flow by themselves.
SELECT id, e164 FROM tracking_numbers WHERE company_id = :company_id AND flow_id = :flow_id ORDER BY e164 LIMIT :most;

-- name: numbers_by_flow
-- How many numbers go by each flow in the end; 0 stands for none.
SELECT coalesce(CASE WHEN n.fax THEN NULL WHEN n.flow_id IS NOT NULL OR n.destination_id IS NOT NULL THEN n.flow_id
            ELSE coalesce(s.flow_id, p.flow_id, c.flow_id) END, 0) AS flow_id, count(*) AS numbers, min(n.e164) AS first
FROM tracking_numbers n
JOIN companies c ON c.id = n.company_id
JOIN pools p ON p.company_id = n.company_id AND p.id = n.pool_id
LEFT JOIN sources s ON s.company_id = n.company_id AND s.id = n.source_id
WHERE n.company_id = :company_id
GROUP BY 1;

-- name: number_with_flow^
SELECT id, e164, flow_id, destination_id, fax FROM tracking_numbers WHERE company_id = :company_id AND e164 = :e164;

-- name: company_flow^
SELECT flow_id, closed_now FROM companies WHERE id = :company_id;

-- name: flow_of_all_calls!
UPDATE companies SET flow_id = :flow_id WHERE id = :company_id;

-- name: flow_of_pools!
UPDATE pools SET flow_id = :flow_id WHERE company_id = :company_id AND id = ANY (:ids::bigint[]);

-- name: flow_of_sources!
UPDATE sources SET flow_id = :flow_id WHERE company_id = :company_id AND id = ANY (:ids::bigint[]);

-- name: flow_of_numbers!
UPDATE tracking_numbers SET flow_id = :flow_id WHERE company_id = :company_id AND id = ANY (:ids::bigint[]);

-- name: flow_of_one$
-- Whose flow that of a pool, source or number is now.
SELECT CASE :whose WHEN 'pool' THEN (SELECT flow_id FROM pools WHERE company_id = :company_id AND id = :id)
                   WHEN 'source' THEN (SELECT flow_id FROM sources WHERE company_id = :company_id AND id = :id)
                   ELSE (SELECT flow_id FROM tracking_numbers WHERE company_id = :company_id AND id = :id) END;

-- name: directory_flows
-- Every flow of every company.
SELECT id, company_id, name, revision, body FROM flows ORDER BY id;

-- name: last_spoken
-- Whom each caller talked with last, newest first: the endpoint, and the dial string of the leg that they answered.
SELECT * FROM (
    SELECT DISTINCT ON (c.company_id, c.caller)
           c.company_id, c.caller, c.last_answered_by, c.ended_at,
           (SELECT l.dial FROM legs l
            WHERE l.company_id = c.company_id AND l.call_id = c.id AND l.result = 'answered'
              AND l.answered_by = c.last_answered_by AND l.kind = 'destination'
            ORDER BY l.position DESC LIMIT 1) AS dial
    FROM (SELECT * FROM calls
          WHERE started_at > :since AND last_answered_by IS NOT NULL AND ended_at IS NOT NULL
          ORDER BY started_at DESC LIMIT :most) AS c
    ORDER BY c.company_id, c.caller, c.started_at DESC
) AS newest
ORDER BY ended_at DESC;

-- name: flows
-- The flows of a company, with what they are for.
SELECT f.id, f.name, f.revision, f.body, f.changed_at,
       (SELECT count(*) FROM tracking_numbers n WHERE n.company_id = f.company_id AND n.flow_id = f.id) AS numbers,
       ARRAY(SELECT s.name FROM sources s WHERE s.company_id = f.company_id AND s.flow_id = f.id ORDER BY 1) AS sources,
       ARRAY(SELECT p.name FROM pools p WHERE p.company_id = f.company_id AND p.flow_id = f.id ORDER BY 1) AS pools,
       EXISTS (SELECT FROM companies c WHERE c.id = f.company_id AND c.flow_id = f.id) AS of_company
FROM flows f
WHERE f.company_id = :company_id
ORDER BY f.name;

-- name: save_flow^
-- A flow by its name: made, or changed and then of the next revision.
INSERT INTO flows (company_id, name, body) VALUES (:company_id, :name, :body)
ON CONFLICT (company_id, name) DO UPDATE
    SET body = excluded.body, revision = flows.revision + 1, changed_at = now()
    WHERE flows.body <> excluded.body
RETURNING id, revision;

-- name: remove_flow!
DELETE FROM flows WHERE company_id = :company_id AND id = :id;

-- name: flow_of_company!
UPDATE companies SET flow_id = :flow_id WHERE id = :company_id;

-- name: flow_of_source$
UPDATE sources SET flow_id = :flow_id WHERE company_id = :company_id AND name = :name RETURNING id;

-- name: flow_of_pool$
UPDATE pools SET flow_id = :flow_id WHERE company_id = :company_id AND name = :name RETURNING id;

-- name: flow_of_number$
UPDATE tracking_numbers SET flow_id = :flow_id WHERE company_id = :company_id AND e164 = :e164 RETURNING id;

-- name: close_now!
UPDATE companies SET closed_now = :closed WHERE id = :company_id;

-- name: house^
-- What the hours of a company go by.
SELECT time_zone, closed_now FROM companies WHERE id = :company_id;

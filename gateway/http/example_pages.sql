-- name: what_goes^
-- What would be taken out of a company with its example data.
SELECT (SELECT count(*) FROM calls c WHERE c.company_id = e.company_id
          AND c.node_id = (SELECT id FROM nodes WHERE name = :node)) AS calls,
       (SELECT count(*) FROM recordings r JOIN calls c ON c.company_id = r.company_id AND c.id = r.call_id
        WHERE r.company_id = e.company_id AND c.node_id = (SELECT id FROM nodes WHERE name = :node)) AS recordings,
       (SELECT count(*) FROM visits v WHERE v.company_id = e.company_id AND v.started_at >= e.since
          AND right(v.id::text, 12) = :marked) AS visits,
       (SELECT count(*) FROM leads l WHERE l.company_id = e.company_id AND right(l.id::text, 12) = :marked) AS forms,
       e.made_company
       AND NOT EXISTS (SELECT FROM calls c WHERE c.company_id = e.company_id
                         AND c.node_id IS DISTINCT FROM (SELECT id FROM nodes WHERE name = :node))
       AND NOT EXISTS (SELECT FROM visits v WHERE v.company_id = e.company_id
                         AND (v.started_at < e.since OR right(v.id::text, 12) <> :marked))
       AND NOT EXISTS (SELECT FROM leads l WHERE l.company_id = e.company_id AND right(l.id::text, 12) <> :marked)
       AS company_goes
FROM example_data e WHERE e.company_id = :company_id;

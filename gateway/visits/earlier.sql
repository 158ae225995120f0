-- name: touches_of
-- The last touch of each visitor that was not direct, with the place of the visitor among those asked for.
SELECT asked.place, known.touch
FROM unnest(:companies::bigint[], :visitors::uuid[]) WITH ORDINALITY AS asked (company_id, visitor_id, place)
-- Looked up one by one, whatever the planner believes of how many visitors there are.
CROSS JOIN LATERAL (
    SELECT visitor.touch FROM visitors visitor
    WHERE visitor.company_id = asked.company_id AND visitor.id = asked.visitor_id
    LIMIT 1
) AS known
WHERE known.touch IS NOT NULL;

-- How the values of dimensions are called.

-- name: sources
SELECT id::text AS value, name, colour FROM sources WHERE company_id = :company_id AND id = ANY (:ids::bigint[]);

-- name: pools
SELECT id::text AS value, name, NULL::smallint AS colour FROM pools WHERE company_id = :company_id AND id = ANY (:ids::bigint[]);

-- name: people
SELECT DISTINCT ON (dial) dial AS value, name, NULL::smallint AS colour
FROM destinations WHERE company_id = :company_id AND dial = ANY (:ids::text[]) ORDER BY dial, id;

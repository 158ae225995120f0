-- name: touches_of
-- The last touch of each visitor that was not direct, with the visitor's place. See migration 0014.
SELECT place, touch FROM numberpool_touches(:scope, :companies::bigint[], :visitors::uuid[]);

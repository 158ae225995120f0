-- name: expected_calls
-- Calls of a time split over whoever may have made them: by source, how many are to be expected, and the variance.
WITH asked AS MATERIALIZED (
    SELECT call.id, call.source_id, said.basis, said.nobody + said.others AS none
    FROM calls call
    LEFT JOIN attributions said ON said.company_id = call.company_id AND said.call_id = call.id
    WHERE call.company_id = :company_id
      AND call.started_at >= :since::timestamptz AND call.started_at < :until::timestamptz
), parts AS (
    -- A call without visits in question is its source's, whole.
    SELECT id, source_id, 1.0::double precision AS chance FROM asked WHERE basis IS DISTINCT FROM 'visits'
    UNION ALL
    SELECT asked.id, may.source_id, sum(may.chance) FROM asked
    JOIN call_candidates may ON may.company_id = :company_id AND may.call_id = asked.id
    WHERE asked.basis = 'visits' GROUP BY asked.id, may.source_id
    UNION ALL
    SELECT id, NULL, none FROM asked WHERE basis = 'visits'
), each_call AS (
    SELECT id, source_id, least(sum(chance), 1.0) AS chance FROM parts GROUP BY id, source_id
), counted AS (
    SELECT source_id, sum(chance) AS expected, sum(chance * (1 - chance)) AS variance FROM each_call GROUP BY source_id
), credited AS (
    SELECT source_id, count(*) AS calls FROM asked GROUP BY source_id
)
SELECT coalesce(counted.source_id, credited.source_id) AS source_id, source.name, source.colour,
       coalesce(counted.expected, 0) AS expected, coalesce(counted.variance, 0) AS variance,
       coalesce(credited.calls, 0) AS credited
FROM counted
FULL JOIN credited ON coalesce(credited.source_id, 0) = coalesce(counted.source_id, 0)
LEFT JOIN sources source ON source.company_id = :company_id AND source.id = coalesce(counted.source_id, credited.source_id)
ORDER BY expected DESC, source.name;

-- name: pool_by_name^
-- What the advice for a pool needs of it; a pool that lends.
SELECT p.id, p.kind, p.reserve_seconds, p.quarantine_seconds, p.dialled_quarantine_seconds, p.window_seconds,
       p.when_full, p.monthly_price,
       (SELECT count(*) FROM tracking_numbers n
        WHERE n.company_id = p.company_id AND n.pool_id = p.id AND n.retired_at IS NULL
          AND (n.resting_until IS NULL OR n.resting_until <= :now::timestamptz)) AS numbers
FROM pools p WHERE p.company_id = :company_id AND p.name = :name AND p.removed_at IS NULL;

-- name: visits_by_hour
-- Visits that were lent a number of a pool, hour by hour, with how long they stayed.
SELECT date_trunc('hour', first_shown) AS hour, count(*) AS visits, sum(stayed) AS stayed
FROM (
    SELECT e.visit_id, min(e.shown_at) AS first_shown,
           extract(epoch FROM max(e.last_seen) - min(e.shown_at))::double precision AS stayed
    FROM exposures e
    JOIN tracking_numbers n ON n.company_id = e.company_id AND n.id = e.number_id AND n.pool_id = :pool_id
    WHERE e.company_id = :company_id AND e.lease_id IS NOT NULL AND e.shown_at >= :since::timestamptz
      AND e.shown_at < :now::timestamptz
    GROUP BY e.visit_id
) AS visit
GROUP BY 1 ORDER BY 1;

-- name: refused_by_hour
-- Visits that found it full, which have no exposure to its numbers.
SELECT hour, refused FROM pool_hours
WHERE company_id = :company_id AND pool_id = :pool_id AND hour >= :since::timestamptz AND refused > 0;

-- name: sources_of_pool$
-- How many sources its visits came from.
SELECT count(DISTINCT v.label)
FROM visits v
WHERE v.company_id = :company_id AND v.started_at >= :since::timestamptz AND v.started_at < :now::timestamptz
  AND EXISTS (SELECT FROM exposures e
              JOIN tracking_numbers n ON n.company_id = e.company_id AND n.id = e.number_id AND n.pool_id = :pool_id
              WHERE e.company_id = v.company_id AND e.visit_id = v.id AND e.lease_id IS NOT NULL
                AND e.shown_at >= :since::timestamptz AND e.shown_at < :now::timestamptz);

-- name: calls_of_pool$
-- Calls to its numbers.
SELECT count(*) FROM calls c
JOIN tracking_numbers n ON n.company_id = c.company_id AND n.e164 = c.did AND n.pool_id = :pool_id
WHERE c.company_id = :company_id AND c.started_at >= :since::timestamptz AND c.started_at < :now::timestamptz;

-- name: hours
-- By which ways visits of a site came, hour by hour.
SELECT way, hour, visits, known, by_cookie, last_at FROM visit_ways
WHERE company_id = :company_id AND site_id = :site_id AND hour >= :since;

-- name: add_hours!
-- Add what a worker counted. A site may be gone by now: then so are its hours.
INSERT INTO visit_ways AS before (company_id, site_id, hour, way, visits, known, by_cookie, last_at)
SELECT counted.*
FROM unnest(:companies::bigint[], :sites::bigint[], :hours::timestamptz[], :ways::text[], :visits::integer[],
            :known::integer[], :by_cookie::integer[], :last::timestamptz[])
         AS counted (company_id, site_id, hour, way, visits, known, by_cookie, last_at)
WHERE EXISTS (SELECT FROM sites WHERE company_id = counted.company_id AND id = counted.site_id)
ON CONFLICT (company_id, site_id, hour, way) DO UPDATE
SET visits = before.visits + excluded.visits, known = before.known + excluded.known,
    by_cookie = before.by_cookie + excluded.by_cookie, last_at = greatest(before.last_at, excluded.last_at);

-- name: forget_hours!
DELETE FROM visit_ways WHERE hour < :before;

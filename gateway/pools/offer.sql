-- name: sites
-- Every site with its company's place and time.
SELECT s.id, s.company_id, s.name, s.public_key, s.hosts, s.payment_hosts, s.consent_required, c.region,
       coalesce(s.time_zone, c.time_zone) AS time_zone
FROM sites s JOIN companies c ON c.id = s.company_id WHERE s.removed_at IS NULL ORDER BY s.id;

-- name: targets
-- Every number that a site prints, and the tracking number that it is, where it is one.
SELECT t.id, t.company_id, t.site_id, t.e164, n.id AS number_id
FROM swap_targets t
JOIN sites s ON s.company_id = t.company_id AND s.id = t.site_id AND s.removed_at IS NULL
LEFT JOIN tracking_numbers n ON n.company_id = t.company_id AND n.e164 = t.e164 ORDER BY t.id;

-- name: pools
-- Every pool with all that decides when its numbers are shown.
SELECT p.id, p.company_id, p.name, p.kind, p.priority, p.conditions, p.bound_to, p.reserve_seconds, p.quarantine_seconds,
       p.dialled_quarantine_seconds, p.window_seconds, p.when_full, p.fallback_number,
       array(SELECT swap_target_id FROM pool_swap_targets s
             WHERE s.company_id = p.company_id AND s.pool_id = p.id) AS serves
FROM pools p WHERE p.removed_at IS NULL ORDER BY p.id;

-- name: static_numbers
-- Static numbers that may be shown, each with the facts of its source.
SELECT n.id, n.company_id, n.pool_id, n.e164, s.channel, s.source, s.medium, s.campaign
FROM tracking_numbers n
JOIN pools p ON p.company_id = n.company_id AND p.id = n.pool_id AND p.kind = 'static'
JOIN sources s ON s.company_id = n.company_id AND s.id = n.source_id
WHERE n.retired_at IS NULL AND (n.resting_until IS NULL OR n.resting_until <= now())
ORDER BY n.id;

-- name: fallback_numbers
-- Fallback numbers of pools that are themselves tracking numbers.
SELECT p.company_id, p.fallback_number AS e164, n.id
FROM pools p JOIN tracking_numbers n ON n.company_id = p.company_id AND n.e164 = p.fallback_number
WHERE p.removed_at IS NULL;

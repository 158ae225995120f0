-- name: pools
-- The pools of a company with everything that can be said of them.
SELECT p.id, p.name, p.kind, p.priority, p.conditions, p.bound_to, p.reserve_seconds, p.quarantine_seconds,
       p.dialled_quarantine_seconds, p.window_seconds, p.when_full, p.fallback_number, p.monthly_price, p.record_calls,
       c.currency,
       (SELECT count(*) FROM tracking_numbers n
        WHERE n.company_id = p.company_id AND n.pool_id = p.id AND n.retired_at IS NULL) AS numbers,
       array(SELECT t.e164 FROM pool_swap_targets s
             JOIN swap_targets t ON t.company_id = s.company_id AND t.id = s.swap_target_id
             WHERE s.company_id = p.company_id AND s.pool_id = p.id ORDER BY t.id) AS targets
FROM pools p JOIN companies c ON c.id = p.company_id
WHERE p.company_id = :company_id AND p.removed_at IS NULL ORDER BY p.id;

-- name: hold_pool^
-- One pool, until the end of the transaction.
SELECT id, kind, priority, conditions, bound_to, reserve_seconds, quarantine_seconds, dialled_quarantine_seconds,
       window_seconds, when_full, fallback_number, monthly_price, record_calls
FROM pools WHERE company_id = :company_id AND name = :name AND removed_at IS NULL FOR UPDATE;

-- name: change_pool!
UPDATE pools SET priority = :priority, conditions = :conditions, bound_to = :bound_to, reserve_seconds = :reserve_seconds,
                 quarantine_seconds = :quarantine_seconds, dialled_quarantine_seconds = :dialled_quarantine_seconds,
                 window_seconds = :window_seconds, when_full = :when_full, fallback_number = :fallback_number,
                 monthly_price = :monthly_price, record_calls = :record_calls
WHERE company_id = :company_id AND id = :pool_id;

-- name: serve_targets!
-- The swap targets that a pool serves, and no others.
WITH gone AS (
    DELETE FROM pool_swap_targets
    WHERE company_id = :company_id AND pool_id = :pool_id AND swap_target_id <> ALL (:targets::bigint[])
)
INSERT INTO pool_swap_targets (company_id, pool_id, swap_target_id)
SELECT :company_id, :pool_id, unnest(:targets::bigint[])
ON CONFLICT DO NOTHING;

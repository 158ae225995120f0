-- Source rules that run over past visits, some at a time.

-- name: how_many$
SELECT count(*) FROM visits WHERE company_id = :company_id AND started_at >= :since AND started_at < :until;

-- name: begin$
INSERT INTO rule_runs (company_id, rules, version, since, until, total, user_id)
VALUES (:company_id, :rules, :version, :since, :until, :total, :user_id) RETURNING id;

-- name: one_run^
SELECT id, rules, version, since, until, total, seen, changed, calls, totals, shown, asked_at, told_at, ended_at, fault
FROM rule_runs WHERE company_id = :company_id AND id = :id;

-- name: newest_runs
-- The last ones, the newest first.
SELECT id, version, since, until, total, seen, changed, asked_at, told_at, ended_at, fault
FROM rule_runs WHERE company_id = :company_id ORDER BY id DESC LIMIT 5;

-- name: hold_run^
-- A run that has not ended, as long as the transaction lasts.
SELECT id, rules, version, since, until, seen, changed, calls, after_time, after_id, totals, shown FROM rule_runs
WHERE company_id = :company_id AND id = :id AND ended_at IS NULL FOR UPDATE;

-- name: tell!
-- How far it came.
UPDATE rule_runs SET seen = :seen, changed = :changed, calls = :calls, totals = :totals::jsonb, shown = :shown::jsonb,
                     after_time = :after_time, after_id = :after_id, told_at = now(),
                     ended_at = CASE WHEN :ends::boolean THEN now() END
WHERE company_id = :company_id AND id = :id;

-- name: end_run!
-- It ends before its end.
UPDATE rule_runs SET ended_at = now(), fault = :fault WHERE company_id = :company_id AND id = :id AND ended_at IS NULL;

-- name: forget_old!
DELETE FROM rule_runs WHERE company_id = :company_id AND asked_at < now() - interval '90 days';

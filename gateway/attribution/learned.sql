-- What was learned of companies' callers, night by night.

-- name: newest_id$
SELECT id FROM learned WHERE company_id = :company_id ORDER BY learned_at DESC, id DESC LIMIT 1;

-- name: newest^
SELECT id, learned_at, since, until, calls, visits, taps, learned FROM learned
WHERE company_id = :company_id ORDER BY learned_at DESC, id DESC LIMIT 1;

-- name: one^
SELECT id, learned_at, since, until, calls, visits, taps, learned FROM learned WHERE company_id = :company_id AND id = :id;

-- name: nights
SELECT id, learned_at, since, until, calls, visits, taps, learned FROM learned
WHERE company_id = :company_id ORDER BY learned_at DESC, id DESC LIMIT :most;

-- name: keep$
INSERT INTO learned (company_id, learned_at, since, until, calls, visits, taps, learned)
VALUES (:company_id, :learned_at, :since, :until, :calls, :visits, :taps, :learned)
RETURNING id;

-- name: forget_nights!
DELETE FROM learned WHERE company_id = :company_id AND learned_at < :before::timestamptz;

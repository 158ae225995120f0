-- Jobs, and the leads they came of.

-- name: job_of^
-- The job that a call, or another lead, led to.
SELECT j.id, j.value, j.currency, j.booked_at, parts.calls, parts.leads
FROM job_leads l
JOIN jobs j ON j.company_id = l.company_id AND j.id = l.job_id
CROSS JOIN LATERAL (
    SELECT array_agg(o.call_id ORDER BY o.call_id) FILTER (WHERE o.call_id IS NOT NULL) AS calls,
           array_agg(o.lead_id ORDER BY o.lead_id) FILTER (WHERE o.lead_id IS NOT NULL) AS leads
    FROM job_leads o WHERE o.company_id = j.company_id AND o.job_id = j.id
) parts
WHERE l.company_id = :company_id AND (l.call_id = :call_id::bigint OR l.lead_id = :lead_id::uuid);

-- name: jobs_of_caller
-- Jobs that came of calls from a number, or of what was written with that number or address, newest first.
WITH theirs AS (
    SELECT l.job_id FROM calls c JOIN job_leads l ON l.company_id = c.company_id AND l.call_id = c.id
    WHERE c.company_id = :company_id AND c.caller = :caller::text
    UNION
    SELECT l.job_id FROM leads w JOIN job_leads l ON l.company_id = w.company_id AND l.lead_id = w.id
    WHERE w.company_id = :company_id AND w.phone = :caller AND w.phone <> ''
    UNION
    SELECT l.job_id FROM leads w JOIN job_leads l ON l.company_id = w.company_id AND l.lead_id = w.id
    WHERE w.company_id = :company_id AND w.email = :email::text AND w.email <> ''
)
SELECT j.id, j.value, j.currency, j.booked_at,
       array_agg(l.call_id ORDER BY l.call_id) FILTER (WHERE l.call_id IS NOT NULL) AS calls,
       array_agg(l.lead_id ORDER BY l.lead_id) FILTER (WHERE l.lead_id IS NOT NULL) AS leads
FROM theirs
JOIN jobs j ON j.company_id = :company_id AND j.id = theirs.job_id
JOIN job_leads l ON l.company_id = j.company_id AND l.job_id = j.id
GROUP BY j.id, j.value, j.currency, j.booked_at
ORDER BY j.booked_at DESC
LIMIT 10;

-- name: insert_job$
-- A new job, in the company's currency.
INSERT INTO jobs (company_id, value, currency, booked_at, created_by)
SELECT id, :value::numeric, currency, :booked_at, :user_id::bigint FROM companies WHERE id = :company_id
RETURNING id;

-- name: link_call$
-- A call led to this job, and to no other any more.
INSERT INTO job_leads (company_id, job_id, call_id)
SELECT company_id, id, :call_id FROM jobs WHERE company_id = :company_id AND id = :job_id
ON CONFLICT (company_id, call_id) DO UPDATE SET job_id = excluded.job_id
RETURNING job_id;

-- name: link_lead$
-- A form, chat or text led to this job, and to no other any more.
INSERT INTO job_leads (company_id, job_id, lead_id)
SELECT company_id, id, :lead_id::uuid FROM jobs WHERE company_id = :company_id AND id = :job_id
ON CONFLICT (company_id, lead_id) DO UPDATE SET job_id = excluded.job_id
RETURNING job_id;

-- name: set_value$
-- Another value; the one before comes back.
WITH before AS (SELECT company_id, id, value FROM jobs WHERE company_id = :company_id AND id = :job_id FOR UPDATE)
UPDATE jobs j SET value = :value::numeric FROM before b WHERE j.company_id = b.company_id AND j.id = b.id
RETURNING b.value;

-- name: unlink!
-- A call, or another lead, led to no job.
DELETE FROM job_leads WHERE company_id = :company_id AND (call_id = :call_id::bigint OR lead_id = :lead_id::uuid);

-- name: remove_without_leads!
-- A job that no lead led to is none.
DELETE FROM jobs j WHERE company_id = :company_id AND id = :job_id
  AND NOT EXISTS (SELECT FROM job_leads l WHERE l.company_id = j.company_id AND l.job_id = j.id);

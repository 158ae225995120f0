-- The queue itself belongs to pgqueuer; these are the few questions it does not answer.

-- name: held_jobs
-- Jobs that failed as often as they may and wait for a person, with what the last failure said.
SELECT job.entrypoint AS name, count(*) AS held,
       (array_agg(log.traceback ->> 'exception_message' ORDER BY log.created DESC))[1] AS reason
FROM pgqueuer AS job
LEFT JOIN LATERAL (
    SELECT traceback, created FROM pgqueuer_log
    WHERE job_id = job.id AND status = 'failed' ORDER BY created DESC LIMIT 1
) AS log ON true
WHERE job.status = 'failed'
GROUP BY job.entrypoint
ORDER BY job.entrypoint;

-- name: held_ids
SELECT id FROM pgqueuer WHERE status = 'failed' ORDER BY id;

-- name: forgive_wait!
-- A job that asked to be tried later has not failed: its retry shall not count.
UPDATE pgqueuer SET attempts = attempts - 1 WHERE id = :id;

-- name: forget_old_log!
-- What became of each job is kept for a month.
WITH forgotten AS (DELETE FROM pgqueuer_log WHERE created < now() - interval '30 days')
DELETE FROM pgqueuer_statistics WHERE created < now() - interval '30 days';

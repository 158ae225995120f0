-- name: qualified_seconds$
SELECT qualified_seconds FROM companies WHERE id = :company_id;

-- name: hold_qualified_seconds$
SELECT qualified_seconds FROM companies WHERE id = :company_id FOR UPDATE;

-- name: save_qualified_seconds!
UPDATE companies SET qualified_seconds = :seconds WHERE id = :company_id;

-- name: talks
-- Ended calls since a moment: marked as leads, marked as spam, or by whole seconds of talk where nobody said what they
-- were (none: not answered). The list's filter for qualified calls (call_list.sql) goes by the same.
SELECT CASE WHEN status = 'spam' THEN 'spam' WHEN status = 'new' THEN 'unmarked' ELSE 'lead' END AS marked,
       CASE WHEN outcome = 'answered' THEN floor(talk_seconds)::integer END AS seconds, count(*) AS calls
FROM calls
WHERE company_id = :company_id AND started_at >= :since AND state = 'ended'
GROUP BY 1, 2;

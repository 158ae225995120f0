-- name: rule^
SELECT qualified_seconds, qualified_first_only, qualified_voicemail, qualified_always, qualified_never, qualified_leads
FROM companies WHERE id = :company_id;

-- name: hold_rule^
SELECT qualified_seconds, qualified_first_only, qualified_voicemail, qualified_always, qualified_never, qualified_leads
FROM companies WHERE id = :company_id FOR UPDATE;

-- name: save_rule!
UPDATE companies SET qualified_seconds = :qualified_seconds, qualified_first_only = :qualified_first_only,
                     qualified_voicemail = :qualified_voicemail, qualified_always = :qualified_always::text[],
                     qualified_never = :qualified_never::text[], qualified_leads = :qualified_leads
WHERE id = :company_id;

-- name: talks
-- Ended calls since a moment that reports count, by all that the rule asks of them.
SELECT status, outcome, is_first, CASE WHEN outcome = 'answered' THEN floor(talk_seconds)::integer END AS seconds,
       count(*) AS calls
FROM calls
WHERE company_id = :company_id AND started_at >= :since AND state = 'ended' AND outcome <> 'blocked'
GROUP BY 1, 2, 3, 4;

-- name: other_leads$
-- Forms, texts and chats since a moment.
SELECT count(*) FROM leads WHERE company_id = :company_id AND received_at >= :since AND suspect = '';

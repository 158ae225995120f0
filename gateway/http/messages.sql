-- name: message_left^
-- A message that a caller left, and who is told of it in which language; nothing where that is nobody.
SELECT k.caller, k.caller_name, k.did, k.started_at, r.seconds, c.name AS company, c.region, c.time_zone, c.messages_to,
       (SELECT u.language FROM users u WHERE u.email = lower(c.messages_to)) AS language
FROM calls k
JOIN companies c ON c.id = k.company_id
JOIN recordings r ON r.company_id = k.company_id AND r.call_id = k.id AND r.state = 'ready'
WHERE k.company_id = :company_id AND k.id = :call_id AND k.outcome = 'voicemail' AND c.messages_to IS NOT NULL;

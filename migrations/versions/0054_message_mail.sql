-- Messages that callers leave are told of as missed calls are: to whoever subscribed, and said yes.
ALTER TABLE mail_subscriptions
    DROP CONSTRAINT mail_subscriptions_kind_check,
    ADD CONSTRAINT mail_subscriptions_kind_check
        CHECK (kind IN ('daily', 'weekly', 'monthly', 'missed', 'missed_hourly', 'messages'));

-- Until now one address of a company was told, and nobody had asked it. A user of the company goes on being told; an
-- address outside is asked by mail, and told again once it has said yes.
SELECT set_config('numberpool.companies', 'all', true);
INSERT INTO mail_subscriptions (company_id, user_id, address, kind, language, secret, confirmed_at)
SELECT c.id, u.id, CASE WHEN u.id IS NULL THEN lower(c.messages_to) END, 'messages', coalesce(u.language, 'en'),
       sha256(convert_to(gen_random_uuid()::text || gen_random_uuid()::text || gen_random_uuid()::text, 'UTF8')),
       CASE WHEN u.id IS NOT NULL THEN now() END
FROM companies c
LEFT JOIN LATERAL (
    SELECT u.id, u.language FROM users u JOIN memberships m ON m.user_id = u.id
    WHERE m.company_id = c.id AND lower(u.email) = lower(c.messages_to) LIMIT 1
) AS u ON true
WHERE c.messages_to IS NOT NULL;
INSERT INTO pgqueuer (priority, status, entrypoint, payload)
SELECT 0, 'queued', 'send_letter', convert_to(jsonb_build_object(
           'letter', 'subscription', 'subscription', s.id, 'asked_by', c.name,
           'posted_at', to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"+00:00"'))::text, 'UTF8')
FROM mail_subscriptions s JOIN companies c ON c.id = s.company_id
WHERE s.kind = 'messages' AND s.confirmed_at IS NULL;

ALTER TABLE companies DROP COLUMN messages_to;

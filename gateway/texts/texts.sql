-- name: wait_for_turn^
-- Two about the same come one after the other, until the end of the transaction.
SELECT pg_advisory_xact_lock(hashtextextended(:what, 0))::text AS locked;

-- name: known$
-- A text that this carrier handed in before.
SELECT id FROM texts WHERE company_id = :company_id AND account_id IS NOT DISTINCT FROM :account_id::bigint AND carrier_id = :carrier_id;

-- name: begun_in_parts^
-- The text that a part belongs to, begun by an earlier one; carriers use what marks them again after a while.
SELECT id, parts::text AS parts FROM texts
WHERE company_id = :company_id AND account_id = :account_id AND part_of = :part_of AND direction = 'in'
  AND at > :at::timestamptz - interval '1 hour'
ORDER BY at DESC LIMIT 1;

-- name: put_together!
UPDATE texts SET parts = :parts::jsonb, body = :body WHERE company_id = :company_id AND id = :id;

-- name: conversation^
-- The conversation of a text; ``last_at`` is none where it is new, else when its last text was before this one.
WITH before AS (
    SELECT id, last_at FROM conversations
    WHERE company_id = :company_id AND number = :number AND other = :other
), kept AS (
    INSERT INTO conversations (company_id, number, other, number_id, account_id, last_at)
    VALUES (:company_id, :number, :other,
            (SELECT id FROM tracking_numbers WHERE company_id = :company_id AND e164 = :number),
            :account_id::bigint, :at::timestamptz)
    ON CONFLICT (company_id, number, other) DO UPDATE
    SET last_at = greatest(conversations.last_at, excluded.last_at),
        number_id = coalesce(excluded.number_id, conversations.number_id),
        account_id = excluded.account_id
    RETURNING id, number_id
)
SELECT kept.id, kept.number_id, before.last_at FROM kept LEFT JOIN before ON true;

-- name: add_inbound$
INSERT INTO texts (company_id, conversation_id, direction, body, media, state, account_id, carrier_id, part_of, parts, at)
VALUES (:company_id, :conversation_id, 'in', :body, :media::jsonb, 'received', :account_id::bigint, :carrier_id, :part_of,
        :parts::jsonb, :at::timestamptz)
RETURNING id;

-- name: begins_lead!
UPDATE texts SET lead_id = :lead_id::uuid WHERE company_id = :company_id AND id = :id;

-- name: opt_out!
INSERT INTO text_opt_outs (company_id, other, word, at) VALUES (:company_id, :other, :word, :at::timestamptz)
ON CONFLICT (company_id, other) DO NOTHING;

-- name: opt_in!
DELETE FROM text_opt_outs WHERE company_id = :company_id AND other = :other;

-- name: opted_out^
SELECT word, at FROM text_opt_outs WHERE company_id = :company_id AND other = :other;

-- name: reported_of^
SELECT id, state FROM texts
WHERE company_id = :company_id AND account_id = :account_id AND carrier_id = :carrier_id AND direction = 'out'
FOR UPDATE;

-- name: set_state!
UPDATE texts SET state = :state, fault = :fault, state_at = :at::timestamptz WHERE company_id = :company_id AND id = :id;

-- name: keep_report!
INSERT INTO text_reports (company_id, account_id, carrier_id, state, fault, at)
VALUES (:company_id, :account_id, :carrier_id, :state, :fault, :at::timestamptz);

-- name: kept_reports
DELETE FROM text_reports
WHERE company_id = :company_id AND account_id = :account_id AND carrier_id = :carrier_id
RETURNING state, fault, at;

-- name: forget_reports!
-- Of texts that were not sent from here.
DELETE FROM text_reports WHERE at < :before::timestamptz;

-- name: add_outbound$
INSERT INTO texts (company_id, conversation_id, direction, body, state, account_id, sent_by, at)
VALUES (:company_id, :conversation_id, 'out', :body, 'waiting', :account_id, :sent_by::bigint, :at::timestamptz)
RETURNING id;

-- name: touch!
UPDATE conversations SET last_at = greatest(last_at, :at::timestamptz), read_at = greatest(read_at, :at::timestamptz)
WHERE company_id = :company_id AND id = :id;

-- name: to_send^
SELECT t.id, t.state, t.body, t.at, t.account_id, v.number, v.other,
       EXISTS (SELECT FROM text_opt_outs o WHERE o.company_id = t.company_id AND o.other = v.other) AS is_unwanted
FROM texts t JOIN conversations v ON v.company_id = t.company_id AND v.id = t.conversation_id
WHERE t.company_id = :company_id AND t.id = :id AND t.direction = 'out'
FOR UPDATE OF t;

-- name: was_taken!
UPDATE texts SET state = 'sent', fault = '', carrier_id = :carrier_id, state_at = :at::timestamptz
WHERE company_id = :company_id AND id = :id;

-- name: send_again$
-- One that failed, or of which nobody knows, and that no other attempt has taken up.
UPDATE texts SET state = 'waiting', fault = '', carrier_id = NULL, state_at = now()
WHERE company_id = :company_id AND conversation_id = :conversation_id AND id = :id AND state IN ('failed', 'unsure')
RETURNING id;

-- name: number_of_conversation^
SELECT number, other, number_id, account_id FROM conversations WHERE company_id = :company_id AND id = :id;

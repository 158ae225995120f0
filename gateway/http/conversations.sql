-- name: page_of_conversations
-- The newest first, from a place on; with their last text, whom they are with and what brought them.
SELECT v.id, v.number, v.other, v.last_at, v.is_unread, last.direction, last.body, last.state, last.pictures,
       who.person_id, who.person, s.id AS source_id, s.name AS source_name, s.colour AS source_colour,
       EXISTS (SELECT FROM text_opt_outs o WHERE o.company_id = v.company_id AND o.other = v.other) AS is_opted_out
FROM (
    SELECT c.company_id, c.id, c.number, c.other, c.last_at,
           EXISTS (SELECT FROM texts t WHERE t.company_id = c.company_id AND t.conversation_id = c.id AND t.direction = 'in'
                   AND t.at > coalesce(c.read_at, '-infinity')) AS is_unread
    FROM conversations c
    WHERE c.company_id = :company_id
      AND (:before_at::timestamptz IS NULL OR (c.last_at, c.id) < (:before_at::timestamptz, :before_id::bigint))
      AND (:digits::text IS NULL OR strpos(c.other, :digits::text) > 0 OR strpos(c.number, :digits::text) > 0)
      AND (NOT :unread OR EXISTS (
          SELECT FROM texts t WHERE t.company_id = c.company_id AND t.conversation_id = c.id AND t.direction = 'in'
          AND t.at > coalesce(c.read_at, '-infinity')))
    ORDER BY c.last_at DESC, c.id DESC LIMIT :most
) v
LEFT JOIN LATERAL (
    SELECT t.direction, t.body, t.state, jsonb_array_length(t.media) AS pictures FROM texts t
    WHERE t.company_id = v.company_id AND t.conversation_id = v.id ORDER BY t.at DESC, t.id DESC LIMIT 1
) last ON true
LEFT JOIN LATERAL (
    SELECT p.id AS person_id, p.name AS person FROM person_keys k
    JOIN people p ON p.company_id = k.company_id AND p.id = k.person_id
    WHERE k.company_id = v.company_id AND k.kind = 'phone' AND k.value = v.other AND NOT k.is_shared LIMIT 1
) who ON true
LEFT JOIN LATERAL (
    SELECT l.source_id FROM texts t JOIN leads l ON l.company_id = t.company_id AND l.id = t.lead_id
    WHERE t.company_id = v.company_id AND t.conversation_id = v.id AND t.lead_id IS NOT NULL ORDER BY t.at DESC LIMIT 1
) led ON true
LEFT JOIN sources s ON s.company_id = v.company_id AND s.id = led.source_id
ORDER BY v.last_at DESC, v.id DESC;

-- name: conversation^
SELECT v.id, v.company_id, v.number, v.other, v.last_at, v.read_at, v.account_id, who.person_id, who.person,
       pool.name AS pool, o.word AS opted_out_by, o.at AS opted_out_at
FROM conversations v
LEFT JOIN tracking_numbers n ON n.company_id = v.company_id AND n.id = v.number_id
LEFT JOIN pools pool ON pool.company_id = n.company_id AND pool.id = n.pool_id
LEFT JOIN text_opt_outs o ON o.company_id = v.company_id AND o.other = v.other
LEFT JOIN LATERAL (
    SELECT p.id AS person_id, p.name AS person FROM person_keys k
    JOIN people p ON p.company_id = k.company_id AND p.id = k.person_id
    WHERE k.company_id = v.company_id AND k.kind = 'phone' AND k.value = v.other AND NOT k.is_shared LIMIT 1
) who ON true
WHERE v.id = :id;

-- name: texts_of_conversation
-- Backwards from a place.
SELECT t.id, t.direction, t.body, t.media::text AS media, t.state, t.fault, t.at, t.lead_id, coalesce(u.name, u.email) AS sender,
       s.id AS source_id, s.name AS source_name, s.colour AS source_colour, l.confidence
FROM texts t
LEFT JOIN users u ON u.id = t.sent_by
LEFT JOIN leads l ON l.company_id = t.company_id AND l.id = t.lead_id
LEFT JOIN sources s ON s.company_id = l.company_id AND s.id = l.source_id
WHERE t.company_id = :company_id AND t.conversation_id = :conversation_id
  AND (:before_at::timestamptz IS NULL OR (t.at, t.id) < (:before_at::timestamptz, :before_id::bigint))
ORDER BY t.at DESC, t.id DESC LIMIT :most;

-- name: conversation_of_lead^
SELECT conversation_id, company_id, id FROM texts WHERE lead_id = :lead_id::uuid LIMIT 1;

-- name: conversations_of_person
-- With the numbers of one person.
SELECT v.id, v.number, v.other, v.last_at,
       (SELECT count(*) FROM texts t WHERE t.company_id = v.company_id AND t.conversation_id = v.id) AS texts
FROM person_keys k
JOIN conversations v ON v.company_id = k.company_id AND v.other = k.value
WHERE k.company_id = :company_id AND k.person_id = :person AND k.kind = 'phone'
ORDER BY v.last_at DESC LIMIT 20;

-- name: was_read!
UPDATE conversations SET read_at = last_at
WHERE company_id = :company_id AND id = :id AND (read_at IS NULL OR read_at < last_at);

-- name: has_any$
SELECT EXISTS (SELECT FROM conversations WHERE company_id = :company_id);

-- name: is_unwanted$
SELECT EXISTS (SELECT FROM text_opt_outs WHERE company_id = :company_id AND other = :other);

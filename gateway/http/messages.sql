-- name: text_received^
-- A text that came in, for one of those who are told of them; nothing where the address is no longer among them.
SELECT t.body, t.media::text AS media, t.at, v.id AS conversation_id, v.number, v.other, c.name AS company, c.region, c.time_zone,
       (SELECT p.name FROM person_keys k JOIN people p ON p.company_id = k.company_id AND p.id = k.person_id
        WHERE k.company_id = v.company_id AND k.kind = 'phone' AND k.value = v.other AND NOT k.is_shared LIMIT 1) AS person,
       (SELECT u.language FROM users u WHERE u.email = lower(:to)) AS language
FROM texts t
JOIN conversations v ON v.company_id = t.company_id AND v.id = t.conversation_id
JOIN companies c ON c.id = t.company_id
WHERE t.company_id = :company_id AND t.id = :text_id AND :to = ANY (c.texts_to);

-- name: company_told^
-- What a letter about a company says of it.
SELECT name, region, time_zone FROM companies WHERE id = :company_id;

-- name: destinations_shown
-- Each with how many numbers lead there (those without a destination ring the main line), the first few of them, and the
-- last call that one of its telephones was rung for.
SELECT d.id, d.name, d.dial, d.ring_seconds, d.next_id, d.is_default, next.name AS next_name,
       led.count AS numbers, led.first AS first_numbers,
       rang.id AS call_id, rang.started_at AS rang_at, rang.result
FROM destinations d
LEFT JOIN destinations next ON next.company_id = d.company_id AND next.id = d.next_id
CROSS JOIN LATERAL (
    SELECT count(*), array_agg(each.e164 ORDER BY each.id) FILTER (WHERE each.place <= 3) AS first
    FROM (
        SELECT n.id, n.e164, row_number() OVER (ORDER BY n.id) AS place FROM tracking_numbers n
        WHERE n.company_id = d.company_id AND (n.destination_id = d.id OR d.is_default AND n.destination_id IS NULL)
    ) each
) led
LEFT JOIN LATERAL (
    SELECT c.id, c.started_at,
           (SELECT l.result FROM legs l WHERE l.company_id = c.company_id AND l.call_id = c.id AND l.dial = d.dial
            ORDER BY l.position DESC LIMIT 1) AS result
    FROM unnest(string_to_array(d.dial, '&')) AS part (endpoint)
    CROSS JOIN LATERAL (
        SELECT e.call_id FROM endpoints_reached e
        WHERE e.company_id = d.company_id AND e.endpoint = part.endpoint
        ORDER BY e.call_id DESC LIMIT 1
    ) newest
    JOIN calls c ON c.company_id = d.company_id AND c.id = newest.call_id
    ORDER BY c.started_at DESC LIMIT 1
) rang ON true
WHERE d.company_id = :company_id
ORDER BY d.is_default DESC, d.name;

-- name: hold_destinations
-- All of them, as they are: what an undo goes back to.
SELECT id, name, dial, ring_seconds, next_id, is_default, press_one
FROM destinations WHERE company_id = :company_id ORDER BY id FOR UPDATE;

-- name: numbers_leading_to
SELECT id FROM tracking_numbers WHERE company_id = :company_id AND destination_id = :id ORDER BY id;

-- name: put_back!
-- One that was removed, under the number it had.
INSERT INTO destinations (id, company_id, name, dial, ring_seconds, next_id, is_default, press_one)
OVERRIDING SYSTEM VALUE
VALUES (:id, :company_id, :name, :dial, :ring_seconds, NULL, false, :press_one);

-- name: no_default!
UPDATE destinations SET is_default = false WHERE company_id = :company_id AND is_default;

-- name: lead_numbers_back!
UPDATE tracking_numbers SET destination_id = :id WHERE company_id = :company_id AND id = ANY (:numbers);

-- name: caller_rules_shown
-- What was said last of callers comes first.
SELECT id, caller, verdict, note, created_at FROM caller_rules
WHERE company_id = :company_id ORDER BY created_at DESC, id DESC LIMIT :most;

-- name: caller_rule^
SELECT id, caller, verdict, note FROM caller_rules WHERE company_id = :company_id AND caller = :caller;

-- name: caller_rule_by_id^
SELECT id, caller, verdict, note FROM caller_rules WHERE company_id = :company_id AND id = :id;

-- name: remove_caller_rule!
DELETE FROM caller_rules WHERE company_id = :company_id AND caller = :caller;

-- Calls that somebody places to call back. What a page reads runs in a transaction of one company.

-- name: ask$
-- A call is asked for; nothing comes back where one to that number, or one of this person's, goes on.
INSERT INTO placed_calls (company_id, call_id, user_id, placed_by, telephone, callee, shown, asterisk_id)
VALUES (:company_id, :call_id, :user_id, :placed_by, :telephone, :callee, :shown, :asterisk_id)
ON CONFLICT DO NOTHING
RETURNING id;

-- name: goes_on^
-- What goes on instead: this person's own first.
SELECT id, user_id, placed_by FROM placed_calls
WHERE state <> 'ended' AND (user_id = :user_id OR company_id = :company_id AND callee = :callee)
ORDER BY (user_id = :user_id) DESC NULLS LAST LIMIT 1;

-- name: asked_lately^
-- How many a person asked for within the last minute and hour.
SELECT count(*) FILTER (WHERE asked_at > now() - interval '1 minute') AS minute, count(*) AS hour
FROM placed_calls WHERE user_id = :user_id AND asked_at > now() - interval '1 hour';

-- name: hang_up$
-- Somebody wants it to end.
UPDATE placed_calls SET hang_up_at = now()
WHERE company_id = :company_id AND id = :id AND state <> 'ended'
RETURNING id;

-- name: to_hear^
-- The file of a recording, for whoever may hear it.
SELECT company_id, id, call_id, user_id, file FROM placed_calls WHERE id = :id AND recording = 'ready';

-- name: to_do
-- What the gateway has to take up: calls that were asked for, and those that somebody wants to end.
SELECT p.id, p.company_id, p.state, p.telephone, p.callee, p.shown, p.asterisk_id, p.hang_up_at IS NOT NULL AS hang_up,
       p.asked_at < now() - interval '10 seconds' AS is_old, c.number_id, n.name AS came_by, own.name AS node,
       coalesce(person.name, '') AS person
FROM placed_calls p
JOIN calls c ON c.company_id = p.company_id AND c.id = p.call_id
JOIN nodes n ON n.id = c.node_id
LEFT JOIN nodes own ON own.id = p.node_id
LEFT JOIN person_of o ON o.company_id = p.company_id AND o.call_id = p.call_id
LEFT JOIN people person ON person.company_id = o.company_id AND person.id = o.person_id
WHERE p.state <> 'ended' AND (p.state = 'asked' OR p.hang_up_at IS NOT NULL)
ORDER BY p.id;

-- name: take$
-- One gateway takes it up, and no other.
UPDATE placed_calls SET state = 'telephone', node_id = :node_id
WHERE id = :id AND state = 'asked'
RETURNING id;

-- name: end_without!
-- It ends without a word from Asterisk.
UPDATE placed_calls SET state = 'ended', stage = 3, outcome = :outcome, ended_at = now()
WHERE id = :id AND state <> 'ended';

-- name: save_placed!
-- One record of it: a later stage replaces what an earlier one said, and the other way round nothing happens. Whoever
-- wanted it to end before anybody answered has given it up, whatever the telephone then said.
UPDATE placed_calls SET
    stage = :stage, state = :state,
    outcome = CASE WHEN :outcome::text IS NOT NULL AND :outcome <> 'answered' AND hang_up_at IS NOT NULL THEN 'given_up'
                   ELSE :outcome END,
    picked_up_at = coalesce(picked_up_at, :picked_up_at), answered_at = coalesce(answered_at, :answered_at),
    ended_at = :ended_at, ring_seconds = :ring_seconds, talk_seconds = :talk_seconds, hung_up_by = :hung_up_by,
    hangup_cause = :hangup_cause, recording = CASE WHEN :recorded THEN 'pending' END, rate = :rate
WHERE id = :id AND asterisk_id = :asterisk_id AND stage < :stage AND state <> 'ended';

-- name: placed_open
-- Those of a node that have not ended, as far as is known here.
SELECT asterisk_id FROM placed_calls WHERE node_id = :node_id AND state <> 'ended';

-- name: placed_cut_off!
-- Its Asterisk has no channel for it any more, and left no record of its end: it never rang, or Asterisk died.
UPDATE placed_calls SET state = 'ended', stage = 3, ended_at = now(),
    outcome = CASE WHEN hang_up_at IS NOT NULL AND answered_at IS NULL THEN 'given_up'
                   WHEN state = 'telephone' THEN 'telephone_unreachable' ELSE 'cut_off' END
WHERE node_id = :node_id AND asterisk_id = :asterisk_id AND state <> 'ended';

-- name: to_record
-- Recordings of a node that wait to be made.
SELECT p.id, p.company_id, p.asterisk_id, p.rate, p.talk_seconds, p.asked_at
FROM placed_calls p JOIN nodes n ON n.id = p.node_id
WHERE p.recording = 'pending' AND n.name = :node ORDER BY p.id;

-- name: recorded!
UPDATE placed_calls SET recording = 'ready', file = :file, seconds = :seconds, bytes = :bytes, peaks = :peaks, fault = NULL
WHERE company_id = :company_id AND id = :id AND recording = 'pending';

-- name: not_recorded!
UPDATE placed_calls SET recording = :state, fault = :fault
WHERE company_id = :company_id AND id = :id AND recording = 'pending';

-- name: delete_placed_before
-- Recordings that are older than their company keeps them can be heard no more; which calls they are of.
UPDATE placed_calls SET recording = 'deleted', peaks = NULL, fault = NULL
WHERE company_id = :company_id AND recording = 'ready' AND asked_at < :before
RETURNING id, call_id;

-- name: delete_placed$
UPDATE placed_calls SET recording = 'deleted', peaks = NULL, fault = NULL
WHERE company_id = :company_id AND id = :id AND recording = 'ready'
RETURNING call_id;

-- name: placed_files_to_go
SELECT company_id, id, file FROM placed_calls
WHERE recording = 'deleted' AND file IS NOT NULL AND company_id = ANY (:companies::bigint[]);

-- name: placed_file_is_gone!
UPDATE placed_calls SET file = NULL, bytes = NULL WHERE company_id = :company_id AND id = :id AND recording = 'deleted';

-- name: answered_call^
-- The call that is to be answered, with what is needed to call back.
SELECT c.id, c.caller, c.did, c.state, c.caller_name, co.main_number, co.back_shows, co.region,
       EXISTS (SELECT FROM tracking_numbers n WHERE n.e164 = c.caller) AS is_ours
FROM calls c JOIN companies co ON co.id = c.company_id
WHERE c.company_id = :company_id AND c.id = :call_id;

-- name: company_of_call$
SELECT company_id FROM calls WHERE id = :call_id;

-- name: placed_of_call
-- How a call was called back, the newest first.
SELECT * FROM placed_calls WHERE company_id = :company_id AND call_id = :call_id ORDER BY asked_at DESC, id DESC;

-- name: placed_by_id^
SELECT p.*, c.caller_name, c.source_id, s.name AS source_name, s.colour AS source_colour
FROM placed_calls p
JOIN calls c ON c.company_id = p.company_id AND c.id = p.call_id
LEFT JOIN sources s ON s.company_id = c.company_id AND s.id = c.source_id
WHERE p.id = :id;

-- name: placed_list
-- Those of a company, the newest first, with what brought the calls that they answer. Each filter is none where all are wanted.
SELECT p.*, c.started_at AS called_at, c.source_id, s.name AS source_name, s.colour AS source_colour, o.person_id,
       coalesce(nullif(person.name, ''), c.caller_name) AS name
FROM placed_calls p
JOIN calls c ON c.company_id = p.company_id AND c.id = p.call_id
LEFT JOIN sources s ON s.company_id = c.company_id AND s.id = c.source_id
LEFT JOIN person_of o ON o.company_id = p.company_id AND o.call_id = p.call_id
LEFT JOIN people person ON person.company_id = o.company_id AND person.id = o.person_id
WHERE p.company_id = :company_id
  AND (:since::timestamptz IS NULL OR p.asked_at >= :since) AND (:until::timestamptz IS NULL OR p.asked_at < :until)
  AND (:reached::boolean IS NULL OR (p.answered_at IS NOT NULL) = :reached)
  AND (:user_id::bigint IS NULL OR p.user_id = :user_id)
ORDER BY p.asked_at DESC, p.id DESC LIMIT :most OFFSET :skip;

-- name: telephone_of^
SELECT telephone FROM users WHERE id = :user_id;

-- name: set_telephone!
UPDATE users SET telephone = :telephone WHERE id = :user_id;

-- name: telephones_of
-- The telephones that are known to belong to these companies: their destinations, and those of this person.
SELECT DISTINCT rung.endpoint
FROM destinations d CROSS JOIN unnest(string_to_array(d.dial, '&')) AS rung (endpoint)
WHERE d.company_id = ANY (:companies::bigint[]) AND rung.endpoint ~ '^PJSIP/[^@/]+$'
UNION
SELECT endpoint FROM member_endpoints WHERE company_id = ANY (:companies::bigint[])
ORDER BY 1;

-- name: telephones_of_person
SELECT endpoint FROM member_endpoints WHERE user_id = :user_id ORDER BY endpoint;

-- name: show_back!
UPDATE companies SET back_shows = :shows WHERE id = :company_id;

-- name: shows_back$
SELECT back_shows FROM companies WHERE id = :company_id;

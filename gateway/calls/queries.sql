-- name: directory_companies
-- Every company, with what its calls need.
SELECT id, region, record_calls, announcement, is_default, main_number, time_zone, closed_now, flow_id
FROM companies ORDER BY id;

-- name: directory_destinations
-- Every destination and the one that follows it.
SELECT id, company_id, dial, ring_seconds, press_one, next_id, is_default FROM destinations ORDER BY id;

-- name: directory_caller_rules
-- Callers whom a company lets through or blocks.
SELECT company_id, caller, verdict FROM caller_rules;

-- name: directory_numbers
-- Every tracking number; whether it records is said by the number, else its pool, else its company. Its flow is its own; one
-- with a destination of its own has no other; else its source's, its pool's, its company's. A fax machine has none.
SELECT n.id, n.company_id, n.e164, n.source_id, n.destination_id, n.whisper, n.fax,
       coalesce(n.record_calls, p.record_calls, c.record_calls) AS record, c.announcement, c.region,
       CASE WHEN n.fax THEN NULL WHEN n.flow_id IS NOT NULL OR n.destination_id IS NOT NULL THEN n.flow_id
            ELSE coalesce(s.flow_id, p.flow_id, c.flow_id) END AS flow_id
FROM tracking_numbers n
JOIN companies c ON c.id = n.company_id
JOIN pools p ON p.company_id = n.company_id AND p.id = n.pool_id
LEFT JOIN sources s ON s.company_id = n.company_id AND s.id = n.source_id
ORDER BY n.id;

-- name: caller_rules
-- What a company has said of callers.
SELECT caller, verdict, note FROM caller_rules WHERE company_id = :company_id ORDER BY verdict, caller;

-- name: set_caller_rule!
-- The last word about a caller holds.
INSERT INTO caller_rules (company_id, caller, verdict, note) VALUES (:company_id, :caller, :verdict, :note)
ON CONFLICT (company_id, caller) DO UPDATE SET verdict = excluded.verdict, note = excluded.note, created_at = now();

-- name: forget_caller$
DELETE FROM caller_rules WHERE company_id = :company_id AND caller = :caller RETURNING id;

-- name: node_id$
-- The number of an Asterisk node, made on first sight; the same where two see it first at one instant.
INSERT INTO nodes (name) VALUES (:name) ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING id;

-- name: save_call^
-- One record of a call: the first makes the row, a later stage replaces what it says, an earlier one changes nothing
-- (no row comes back). What it was decided by is known from the second record on; a call never changes its company.
INSERT INTO calls AS known (
    company_id, node_id, asterisk_id, stage, state, outcome, did, number_id, source_id, trunk, caller, caller_name,
    started_at, answered_at, ended_at, ring_seconds, talk_seconds, answered_by, last_answered_by, hung_up_by, hangup_cause,
    decided_by, decision_ms, recorded, evidence, region, screened
) VALUES (
    :company_id, :node_id, :asterisk_id, :stage, :state, :outcome, :did,
    (SELECT id FROM tracking_numbers WHERE company_id = :company_id AND id = :number_id),
    coalesce((SELECT id FROM sources WHERE company_id = :company_id AND id = :source_id),
             (SELECT source_id FROM merged_sources WHERE company_id = :company_id AND id = :source_id)),
    :trunk, :caller, :caller_name, :started_at, :answered_at, :ended_at, :ring_seconds, :talk_seconds, :answered_by,
    :last_answered_by, :hung_up_by, :hangup_cause, :decided_by, :decision_ms, :recorded, :evidence,
    :region, :screened
)
ON CONFLICT (node_id, asterisk_id) DO UPDATE SET
    stage = excluded.stage, state = excluded.state, outcome = excluded.outcome, answered_at = excluded.answered_at,
    ended_at = excluded.ended_at, ring_seconds = excluded.ring_seconds, talk_seconds = excluded.talk_seconds,
    answered_by = excluded.answered_by, last_answered_by = excluded.last_answered_by,
    hung_up_by = excluded.hung_up_by, hangup_cause = excluded.hangup_cause,
    decided_by = excluded.decided_by, decision_ms = excluded.decision_ms, recorded = excluded.recorded,
    evidence = excluded.evidence, screened = coalesce(excluded.screened, known.screened),
    number_id = CASE WHEN known.company_id = excluded.company_id THEN excluded.number_id ELSE known.number_id END,
    -- What a visit told stays: the record knows only what the number stands for.
    source_id = CASE WHEN known.company_id = excluded.company_id THEN coalesce(excluded.source_id, known.source_id)
                     ELSE known.source_id END,
    did = CASE WHEN known.company_id = excluded.company_id THEN excluded.did ELSE known.did END
WHERE known.stage < excluded.stage
RETURNING id, company_id;

-- name: save_words!
-- What a call is found by when somebody searches for its caller's name.
INSERT INTO call_words (company_id, word, started_at, call_id)
SELECT company_id, word, started_at, id FROM calls, unnest(:words::text[]) AS word
WHERE company_id = :company_id AND id = :call_id
ON CONFLICT DO NOTHING;

-- name: save_leg!
-- One attempt to reach a destination, or a transfer.
INSERT INTO legs (
    company_id, call_id, position, kind, dial, ring_seconds, talk_seconds, result, hangup_cause, answered_by
) VALUES (
    :company_id, :call_id, :position, :kind, :dial, :ring_seconds, :talk_seconds, :result, :hangup_cause, :answered_by
)
ON CONFLICT DO NOTHING;

-- name: open_calls
-- The calls of a node that have not ended, as far as is known here.
SELECT asterisk_id FROM calls WHERE node_id = :node_id AND state <> 'ended';

-- name: cut_off!
-- Close a call whose Asterisk has no channel for it any more and left no record of its end.
UPDATE calls SET stage = 3, state = 'ended', outcome = 'cut_off'
WHERE node_id = :node_id AND asterisk_id = :asterisk_id AND state <> 'ended';

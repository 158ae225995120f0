-- Missed calls, and whoever was reached afterwards. Each runs in a transaction that sees one company. A call that was cut
-- off by the death of Asterisk was answered if somebody had.

-- name: missed_and_reached
-- The missed calls of a period that have a caller ("how" is none), and whenever these callers were reached since.
WITH unanswered AS MATERIALIZED (
    SELECT c.id, c.caller, c.started_at
    FROM calls c
    WHERE c.company_id = :company_id AND c.state = 'ended' AND c.caller IS NOT NULL
      AND c.outcome <> 'blocked' AND c.status <> 'spam'
      AND NOT (c.outcome = 'answered' OR c.outcome = 'cut_off' AND c.answered_at IS NOT NULL)
      AND (:since::timestamptz IS NULL OR c.started_at >= :since)
      AND (:until::timestamptz IS NULL OR c.started_at < :until)
      AND NOT EXISTS (SELECT FROM caller_rules r
                      WHERE r.company_id = :company_id AND r.caller = c.caller AND r.verdict = 'block')
),
callers AS (
    SELECT caller, min(started_at) AS since FROM unanswered GROUP BY caller
)
SELECT caller, NULL AS how, started_at AS at, id AS call_id, '' AS by FROM unanswered
UNION ALL
-- A call may have begun before the one that was missed: somebody with two lines.
SELECT c.caller, 'called_again', c.answered_at, c.id, ''
FROM callers m
JOIN calls c ON c.company_id = :company_id AND c.caller = m.caller AND c.started_at > m.since - interval '1 day'
WHERE c.answered_at >= m.since AND c.outcome IN ('answered', 'cut_off')
  -- Follows from the line above; without it every call of the company is read.
  AND c.started_at > (SELECT min(since) - interval '1 day' FROM callers)
UNION ALL
SELECT m.caller, 'called_back', p.answered_at, p.call_id, p.placed_by
FROM callers m
JOIN placed_calls p ON p.company_id = :company_id AND p.callee = m.caller AND p.answered_at >= m.since
UNION ALL
SELECT m.caller, 'marked', b.at, b.call_id, coalesce(nullif(u.name, ''), u.email, '')
FROM unanswered m
JOIN call_backs b ON b.company_id = :company_id AND b.call_id = m.id
LEFT JOIN users u ON u.id = b.user_id
ORDER BY caller, at;

-- name: missed_of_all^
-- The calls of a period, and how many of them were missed.
SELECT count(*) AS calls,
       count(*) FILTER (WHERE NOT (outcome = 'answered' OR outcome = 'cut_off' AND answered_at IS NOT NULL)) AS missed
FROM calls
WHERE company_id = :company_id AND state = 'ended' AND outcome <> 'blocked' AND status <> 'spam'
  AND (:since::timestamptz IS NULL OR started_at >= :since)
  AND (:until::timestamptz IS NULL OR started_at < :until);

-- name: missed_told_apart
-- The same, and how many of the missed callers withheld their number: by source; by the first destination that rang (the
-- number's own where the caller hung up before any did); by weekday (Monday is 0) and hour, in a time zone. What a row
-- is of, "told" says.
WITH counted AS (
    SELECT c.source_id, c.caller IS NULL AS withheld,
           NOT (c.outcome = 'answered' OR c.outcome = 'cut_off' AND c.answered_at IS NOT NULL) AS missed,
           (extract(isodow FROM c.started_at AT TIME ZONE :zone::text) - 1)::int AS weekday,
           extract(hour FROM c.started_at AT TIME ZONE :zone::text)::int AS hour,
           coalesce(
               (SELECT l.dial FROM legs l WHERE l.company_id = c.company_id AND l.call_id = c.id
                ORDER BY l.position LIMIT 1),
               (SELECT own.dial FROM tracking_numbers n
                JOIN destinations own ON own.company_id = n.company_id AND own.id = n.destination_id
                WHERE n.company_id = c.company_id AND n.id = c.number_id),
               (SELECT main.dial FROM destinations main WHERE main.company_id = c.company_id AND main.is_default),
               '') AS dial
    FROM calls c
    WHERE c.company_id = :company_id AND c.state = 'ended' AND c.outcome <> 'blocked' AND c.status <> 'spam'
      AND (:since::timestamptz IS NULL OR c.started_at >= :since)
      AND (:until::timestamptz IS NULL OR c.started_at < :until)
),
told AS (
    SELECT CASE 0 WHEN grouping(source_id) THEN 'source' WHEN grouping(dial) THEN 'line' ELSE 'hour' END AS told,
           source_id, dial, weekday, hour, count(*) AS calls, count(*) FILTER (WHERE missed) AS missed,
           count(*) FILTER (WHERE missed AND withheld) AS withheld
    FROM counted
    GROUP BY GROUPING SETS ((source_id), (dial), (weekday, hour))
)
SELECT t.told, t.weekday, t.hour, t.calls, t.missed, t.withheld, coalesce(s.id, d.id) AS id,
       coalesce(s.name, d.name, t.dial, '') AS name, coalesce(s.colour, 0) AS colour
FROM told t
LEFT JOIN sources s ON s.company_id = :company_id AND s.id = t.source_id
LEFT JOIN LATERAL (
    SELECT id, name FROM destinations WHERE company_id = :company_id AND dial = t.dial ORDER BY id LIMIT 1
) d ON true
ORDER BY t.missed DESC, t.calls DESC, name;

-- name: missed_calls
-- Some missed calls, with what helps to call back.
SELECT c.id, c.outcome, c.caller_name, c.region, c.did, c.note, c.source_id, coalesce(s.name, '') AS source,
       coalesce(s.colour, 0) AS colour, c.campaign, o.person_id, coalesce(p.name, '') AS person,
       coalesce(r.state = 'ready', false) AS has_message
FROM calls c
LEFT JOIN sources s ON s.company_id = c.company_id AND s.id = c.source_id
LEFT JOIN recordings r ON r.company_id = c.company_id AND r.call_id = c.id
LEFT JOIN person_of o ON o.company_id = c.company_id AND o.call_id = c.id
LEFT JOIN people p ON p.company_id = o.company_id AND p.id = o.person_id
WHERE c.company_id = :company_id AND c.id = ANY (:ids::bigint[]);

-- name: mark$
-- Somebody says that a caller was called back; nothing comes back where it was said before.
INSERT INTO call_backs (company_id, call_id, at, user_id)
SELECT company_id, id, :at::timestamptz, :user_id::bigint FROM calls
WHERE company_id = :company_id AND id = :call_id AND state = 'ended' AND outcome <> 'blocked' AND NOT (outcome = 'answered' OR outcome = 'cut_off' AND answered_at IS NOT NULL)
ON CONFLICT (company_id, call_id) DO NOTHING
RETURNING call_id;

-- name: unmark!
DELETE FROM call_backs WHERE company_id = :company_id AND call_id = :call_id;

-- The list of calls. Each runs in a transaction that sees only the viewer's companies, planned anew with its values: one
-- plan for all filters would read the whole list for a rare one.

-- name: fitting
-- What a call must be to be shown. gateway.http.call_list puts this condition where the others say "fits".
SELECT c.id FROM calls c WHERE c.company_id = :company_id
  AND (:since::timestamptz IS NULL OR c.started_at >= :since)
  AND (:until::timestamptz IS NULL OR c.started_at < :until)
  AND (:among::bigint[] IS NULL OR c.id = ANY (:among))
  AND (:source::bigint IS NULL OR :credit::integer IS NOT NULL OR c.source_id = :source)
  AND (NOT :no_source::boolean OR :credit IS NOT NULL OR c.source_id IS NULL)
  AND (:channel::text IS NULL OR :credit IS NOT NULL OR c.channel = :channel)
  AND (:campaign::text IS NULL OR :credit IS NOT NULL OR c.campaign = :campaign)
  AND (:keyword::text IS NULL OR :credit IS NOT NULL OR c.keyword = :keyword)
  AND (:pool::bigint IS NULL OR c.pool_id = :pool)
  AND (NOT :no_pool::boolean OR c.pool_id IS NULL)
  AND (:number::text IS NULL OR c.did = :number)
  AND (:outcomes::text[] IS NULL OR c.outcome = ANY (:outcomes))
  AND (:status::text IS NULL OR c.status = :status)
  AND (:tag::bigint IS NULL OR EXISTS (
          SELECT FROM call_tags m WHERE m.company_id = :company_id AND m.call_id = c.id AND m.tag_id = :tag))
  AND (:by::text IS NULL OR c.answered_by = :by)
  AND (NOT :nobody::boolean OR c.answered_by IS NULL)
  AND (:talk_least::real IS NULL OR c.talk_seconds >= :talk_least)
  AND (:talk_most::real IS NULL OR c.talk_seconds < :talk_most)
  AND (:first::boolean IS NULL OR (:first AND c.is_first) OR (NOT :first AND NOT c.is_first))
  AND (:qualified::boolean IS NULL OR :qualified = numberpool_qualified(
          (SELECT qualified_seconds FROM companies WHERE id = :company_id),
          (SELECT qualified_first_only FROM companies WHERE id = :company_id),
          (SELECT qualified_always FROM companies WHERE id = :company_id),
          (SELECT qualified_never FROM companies WHERE id = :company_id),
          (SELECT qualified_voicemail FROM companies WHERE id = :company_id),
          c.status, c.outcome, c.talk_seconds, c.is_first))
  AND (:sure::text IS NULL OR c.sure = :sure)
  AND (:screened::text IS NULL OR c.screened = :screened)
  AND (:region::text IS NULL OR c.region = :region)
  AND (NOT :counted::boolean OR c.state = 'ended' AND c.outcome <> 'blocked' AND c.status <> 'spam')
  AND (:reached::boolean IS NULL OR :reached = (
          c.outcome = 'answered' OR c.outcome = 'cut_off' AND c.answered_at IS NOT NULL))
  -- As reports count it: the touch that has a share by this model is of that source, and so on.
  AND (:credit IS NULL AND :job::boolean IS NULL OR EXISTS (
          SELECT FROM report_facts f WHERE f.company_id = :company_id AND f.call_id = c.id
            AND (:credit IS NULL OR coalesce(f.shares[:credit], 1) > 0)
            AND (:source IS NULL OR :credit IS NULL OR f.source = :source::text)
            AND (NOT :no_source OR :credit IS NULL OR f.source = '')
            AND (:channel IS NULL OR :credit IS NULL OR f.channel = :channel)
            AND (:campaign IS NULL OR :credit IS NULL OR f.campaign = :campaign)
            AND (:keyword IS NULL OR :credit IS NULL OR f.keyword = :keyword)
            AND (:landing::text IS NULL OR f.landing = :landing)
            AND (:city::text IS NULL OR f.city = :city)
            AND (:device::text IS NULL OR f.device = :device)
            AND (:clicked_since::date IS NULL OR f.click_day >= :clicked_since)
            AND (:clicked_until::date IS NULL OR f.click_day < :clicked_until)
            AND (:job IS NULL OR :job = (f.jobs > 0))))
  AND (:caller::text IS NULL OR c.caller = :caller)
  AND (NOT :withheld::boolean OR c.caller IS NULL)
  AND (:weekday::integer IS NULL
       OR extract(isodow FROM c.started_at AT TIME ZONE :zone) = :weekday
          AND extract(hour FROM c.started_at AT TIME ZONE :zone) = :hour::integer)
  AND (:begins_low::text IS NULL
       OR c.caller COLLATE "C" >= :begins_low AND c.caller COLLATE "C" < :begins_high
       OR c.caller COLLATE "C" >= :also_low AND c.caller COLLATE "C" < :also_high
       OR c.caller_reversed >= :ends_low AND c.caller_reversed < :ends_high)
  AND (:words::text[] IS NULL OR NOT EXISTS (
          SELECT FROM unnest(:words, :word_ends::text[]) AS sought (low, high)
          WHERE NOT EXISTS (SELECT FROM call_words w WHERE w.company_id = :company_id AND w.call_id = c.id
                              AND w.word >= sought.low AND w.word < sought.high)));

-- name: calls_page
-- Ended calls, newest first, from a place in the order on.
WITH page AS MATERIALIZED (
    SELECT c.* FROM calls c
    WHERE c.company_id = :company_id AND c.state = 'ended' AND /* fits */ true
      AND (:before_at::timestamptz IS NULL OR (c.started_at, c.id) < (:before_at, :before_id::bigint))
    ORDER BY c.started_at DESC, c.id DESC
    LIMIT :most
)
SELECT c.id, c.company_id, c.state, c.outcome, c.did, c.number_id, c.caller, c.caller_name, c.started_at, c.answered_at,
       c.ended_at, c.ring_seconds, c.talk_seconds, c.answered_by, c.last_answered_by, c.recorded,
       c.status, c.note, c.region, c.is_first, c.channel, c.campaign, c.keyword, c.confidence, c.pool_id, c.screened,
       s.id AS source_id, s.name AS source_name, s.colour AS source_colour, p.name AS pool_name,
       r.state AS recording_state, r.seconds AS recording_seconds, r.peaks,
       j.id AS job_id, j.value AS job_value, j.currency AS job_currency,
       (SELECT d.name FROM destinations d WHERE d.company_id = c.company_id AND d.dial = c.answered_by
        ORDER BY d.id LIMIT 1) AS person,
       (SELECT array_agg(ROW(t.id, t.name) ORDER BY t.folded) FROM call_tags m
        JOIN tags t ON t.company_id = m.company_id AND t.id = m.tag_id
        WHERE m.company_id = c.company_id AND m.call_id = c.id) AS tags
FROM page c
LEFT JOIN sources s ON s.company_id = c.company_id AND s.id = c.source_id
LEFT JOIN pools p ON p.company_id = c.company_id AND p.id = c.pool_id
LEFT JOIN recordings r ON r.company_id = c.company_id AND r.call_id = c.id
LEFT JOIN job_leads l ON l.company_id = c.company_id AND l.call_id = c.id
LEFT JOIN jobs j ON j.company_id = l.company_id AND j.id = l.job_id
ORDER BY c.started_at DESC, c.id DESC;

-- name: calls_now
-- Calls that ring or talk, newest first.
SELECT c.id, c.company_id, c.state, c.outcome, c.did, c.number_id, c.caller, c.caller_name, c.started_at, c.answered_at,
       c.ended_at, c.ring_seconds, c.talk_seconds, c.answered_by, c.last_answered_by, c.recorded,
       c.status, c.note, c.region, c.is_first, c.channel, c.campaign, c.keyword, c.confidence, c.pool_id, c.screened,
       s.id AS source_id, s.name AS source_name, s.colour AS source_colour, NULL AS pool_name,
       NULL AS recording_state, NULL::real AS recording_seconds, NULL::bytea AS peaks,
       NULL::bigint AS job_id, NULL::numeric AS job_value, NULL AS job_currency,
       (SELECT d.name FROM destinations d WHERE d.company_id = c.company_id AND d.dial = c.answered_by
        ORDER BY d.id LIMIT 1) AS person,
       (SELECT array_agg(ROW(t.id, t.name) ORDER BY t.folded) FROM call_tags m
        JOIN tags t ON t.company_id = m.company_id AND t.id = m.tag_id
        WHERE m.company_id = c.company_id AND m.call_id = c.id) AS tags
FROM calls c
LEFT JOIN sources s ON s.company_id = c.company_id AND s.id = c.source_id
WHERE c.company_id = :company_id AND c.state <> 'ended' AND /* fits */ true
ORDER BY c.started_at DESC, c.id DESC
LIMIT 200;

-- name: calls_in_short
-- The calls of a period, at most so many (whichever are read first), by source: how many, and what became of them. Calls
-- that still ring count as calls.
WITH counted AS (
    SELECT shown.source_id,
           count(*) AS calls,
           count(*) FILTER (WHERE shown.outcome = 'answered') AS answered,
           count(*) FILTER (WHERE shown.outcome IN ('busy', 'no_answer', 'abandoned', 'failed', 'voicemail')) AS missed,
           coalesce(sum(shown.talk_seconds) FILTER (WHERE shown.outcome = 'answered'), 0)::float8 AS talk_seconds
    FROM (
        SELECT c.source_id, c.outcome, c.talk_seconds FROM calls c
        WHERE c.company_id = :company_id AND /* fits */ true
        LIMIT :most
    ) shown
    GROUP BY shown.source_id
)
SELECT s.id AS source_id, s.name AS source_name, s.colour AS source_colour,
       n.calls, n.answered, n.missed, n.talk_seconds
FROM counted n
LEFT JOIN sources s ON s.company_id = :company_id AND s.id = n.source_id
ORDER BY n.calls DESC, s.name;

-- name: how_many_calls$
-- How many calls of a period fit, at most so many.
SELECT count(*) FROM (
    SELECT FROM calls c WHERE c.company_id = :company_id AND /* fits */ true LIMIT :most
) counted;

-- name: had_calls$
-- Whether there was a call before a moment.
SELECT EXISTS (SELECT FROM calls WHERE company_id = :company_id AND started_at < :before);

-- name: count_calls$
-- How many ended calls fit.
SELECT count(*) FROM calls c WHERE c.company_id = :company_id AND c.state = 'ended' AND /* fits */ true;

-- name: calls_tagged
-- The newest calls with a tag, at most so many.
SELECT call_id AS id, started_at FROM call_tags
WHERE company_id = :company_id AND tag_id = :tag
  AND (:since::timestamptz IS NULL OR started_at >= :since)
  AND (:until::timestamptz IS NULL OR started_at < :until)
  AND (:before_at::timestamptz IS NULL OR (started_at, call_id) < (:before_at, :before_id::bigint))
ORDER BY started_at DESC, call_id DESC
LIMIT :most;

-- name: calls_worded
-- The newest calls with a word that begins so, at most so many; a call with two such words comes twice.
SELECT call_id AS id, started_at FROM call_words
WHERE company_id = :company_id AND word >= :low AND word < :high
  AND (:since::timestamptz IS NULL OR started_at >= :since)
  AND (:until::timestamptz IS NULL OR started_at < :until)
  AND (:before_at::timestamptz IS NULL OR (started_at, call_id) < (:before_at, :before_id::bigint))
ORDER BY started_at DESC, call_id DESC
LIMIT :most;

-- name: some_tagged
-- Calls with a tag, at most so many, whichever are read first.
SELECT call_id AS id FROM call_tags
WHERE company_id = :company_id AND tag_id = :tag
  AND (:since::timestamptz IS NULL OR started_at >= :since)
  AND (:until::timestamptz IS NULL OR started_at < :until)
LIMIT :most;

-- name: some_worded
-- Calls with a word that begins so, at most so many, whichever are read first.
SELECT call_id AS id FROM call_words
WHERE company_id = :company_id AND word >= :low AND word < :high
  AND (:since::timestamptz IS NULL OR started_at >= :since)
  AND (:until::timestamptz IS NULL OR started_at < :until)
LIMIT :most;

-- name: has_calls$
-- Whether the company has had any call at all.
SELECT EXISTS (SELECT FROM calls WHERE company_id = :company_id);

-- name: numbers_of_company
-- The company's numbers and what each stands for, for a page that has no call to show.
SELECT n.e164, s.id AS source_id, s.name AS source_name, s.colour AS source_colour
FROM tracking_numbers n
LEFT JOIN sources s ON s.company_id = n.company_id AND s.id = n.source_id
WHERE n.company_id = :company_id AND n.retired_at IS NULL
ORDER BY n.e164
LIMIT 12;

-- name: is_tracking_number$
-- Whether a number is one of the company's.
SELECT EXISTS (SELECT FROM tracking_numbers WHERE company_id = :company_id AND e164 = :number);

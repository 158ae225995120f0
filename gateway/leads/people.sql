-- People: looked at in batches, corrected by hand. Whoever changes them first takes their company's lock.

-- name: lock_people^
-- Who changes the people of a company does so alone, until the end of the transaction.
SELECT pg_advisory_xact_lock(hashtextextended('people/' || :company_id::bigint, 0))::text AS locked;

-- name: oldest_due$
-- The company that has waited longest.
SELECT company_id FROM people_due ORDER BY id LIMIT 1;

-- name: newest_due$
-- The company that something was just written of.
SELECT company_id FROM people_due ORDER BY id DESC LIMIT 1;

-- name: take_due
-- What is to be looked at: some of the newest, for whoever watches, and the oldest.
DELETE FROM people_due WHERE company_id = :company_id AND id IN (
    (SELECT id FROM people_due WHERE company_id = :company_id ORDER BY id DESC LIMIT :newest)
    UNION ALL
    (SELECT id FROM people_due WHERE company_id = :company_id ORDER BY id LIMIT :most)
)
RETURNING id, call_id, lead_id, person_id;

-- name: how_many_due$
-- How much is to be looked at still, at most so many.
SELECT count(*) FROM (SELECT FROM people_due WHERE company_id = :company_id LIMIT :most) due;

-- name: facts_of_calls
-- Calls, and what tells whose they are. A visitor counts who may be known again and surely called.
SELECT c.id, c.started_at AS at, coalesce(c.caller, '') AS caller, c.caller_name, v.id AS visitor_id,
       o.person_id, coalesce(o.by_hand, false) AS by_hand
FROM calls c
LEFT JOIN attributions a ON a.company_id = c.company_id AND a.call_id = c.id AND a.basis = 'visits'
                        AND a.settled_at IS NOT NULL AND a.confidence >= :sure
LEFT JOIN visitors v ON v.company_id = a.company_id AND v.id = a.visitor_id
LEFT JOIN person_of o ON o.company_id = c.company_id AND o.call_id = c.id
WHERE c.company_id = :company_id AND c.id = ANY (:ids::bigint[]);

-- name: facts_of_leads
-- Forms and the like, and what tells whose they are; what a program seems to have sent is nobody's.
SELECT l.id, l.received_at AS at, l.phone, l.email, v.id AS visitor_id, l.data, l.suspect <> '' AS is_suspect,
       o.person_id, coalesce(o.by_hand, false) AS by_hand
FROM leads l
LEFT JOIN visitors v ON v.company_id = l.company_id AND v.id = l.visitor_id
LEFT JOIN person_of o ON o.company_id = l.company_id AND o.lead_id = l.id
WHERE l.company_id = :company_id AND l.id = ANY (:ids::uuid[]);

-- name: owners_of
-- To whom keys lead.
SELECT k.kind, k.value, k.person_id, k.is_shared
FROM unnest(:kinds::text[], :values::text[]) AS asked (kind, value)
JOIN person_keys k ON k.company_id = :company_id AND k.kind = asked.kind AND k.value = asked.value;

-- name: contacts_of
-- How many numbers and addresses people have.
SELECT person_id, count(*) AS contacts FROM person_keys
WHERE company_id = :company_id AND person_id = ANY (:people::bigint[]) AND kind <> 'visitor'
GROUP BY person_id;

-- name: apart_of
-- From whom people were parted by hand.
SELECT one_id, other_id FROM people_apart
WHERE company_id = :company_id AND (one_id = ANY (:people::bigint[]) OR other_id = ANY (:people));

-- name: new_ids
-- Ids for people to come.
SELECT nextval(pg_get_serial_sequence('people', 'id')) AS id FROM generate_series(1, :many::int);

-- name: add_people!
INSERT INTO people (company_id, id) OVERRIDING SYSTEM VALUE SELECT :company_id, unnest(:ids::bigint[]);

-- name: keep_keys!
-- Keys as they lead now, and when they were last met.
INSERT INTO person_keys AS known (company_id, kind, value, person_id, last_at)
SELECT :company_id, given.kind, given.value, given.person_id, given.at
FROM unnest(:kinds::text[], :values::text[], :people::bigint[], :ats::timestamptz[]) AS given (kind, value, person_id, at)
ON CONFLICT (company_id, kind, value) DO UPDATE SET last_at = greatest(known.last_at, excluded.last_at)
WHERE known.last_at < excluded.last_at;

-- name: keep_calls!
-- Whose calls are; what was put somewhere by hand is not given.
INSERT INTO person_of AS known (company_id, call_id, person_id, at)
SELECT :company_id, given.id, given.person_id, given.at
FROM unnest(:ids::bigint[], :people::bigint[], :ats::timestamptz[]) AS given (id, person_id, at)
JOIN calls c ON c.company_id = :company_id AND c.id = given.id
ON CONFLICT (company_id, call_id) DO UPDATE SET person_id = excluded.person_id
WHERE known.person_id <> excluded.person_id;

-- name: keep_leads!
-- Whose forms are.
INSERT INTO person_of AS known (company_id, lead_id, person_id, at)
SELECT :company_id, given.id, given.person_id, given.at
FROM unnest(:ids::uuid[], :people::bigint[], :ats::timestamptz[]) AS given (id, person_id, at)
JOIN leads l ON l.company_id = :company_id AND l.id = given.id
ON CONFLICT (company_id, lead_id) DO UPDATE SET person_id = excluded.person_id
WHERE known.person_id <> excluded.person_id;

-- name: nobodys!
-- Calls and forms that tell nobody any more.
DELETE FROM person_of WHERE company_id = :company_id AND NOT by_hand
  AND (call_id = ANY (:calls::bigint[]) OR lead_id = ANY (:leads::uuid[]));

-- name: move_keys!
UPDATE person_keys SET person_id = :to WHERE company_id = :company_id AND person_id = :from_id;

-- name: move_entries!
UPDATE person_of SET person_id = :to WHERE company_id = :company_id AND person_id = :from_id;

-- name: move_apart!
-- Whoever was parted from one is parted from the other.
INSERT INTO people_apart (company_id, one_id, other_id)
SELECT company_id, least(third, :to::bigint), greatest(third, :to)
FROM (SELECT company_id, CASE WHEN one_id = :from_id THEN other_id ELSE one_id END AS third FROM people_apart
      WHERE company_id = :company_id AND (one_id = :from_id OR other_id = :from_id)) parted
WHERE third <> :to
ON CONFLICT DO NOTHING;

-- name: move_name!
-- The better of two names; both notes.
UPDATE people p
SET name = CASE WHEN o.name_from > p.name_from THEN o.name ELSE p.name END,
    name_from = greatest(p.name_from, o.name_from),
    note = CASE WHEN p.note = '' OR o.note = '' THEN p.note || o.note ELSE p.note || E'\n' || o.note END
FROM people o
WHERE p.company_id = :company_id AND p.id = :to AND o.company_id = :company_id AND o.id = :from_id;

-- name: remove_person!
DELETE FROM people WHERE company_id = :company_id AND id = :id;

-- name: name_people!
-- Names as forms and the network tell them: a better kind of name always, the same kind where it is newer.
UPDATE people p SET name = given.name, name_from = given.name_from
FROM unnest(:people::bigint[], :names::text[], :ranks::int[], :ats::timestamptz[]) AS given (id, name, name_from, at)
WHERE p.company_id = :company_id AND p.id = given.id
  AND (given.name_from > p.name_from
       OR given.name_from = p.name_from AND p.name_from < 3 AND given.at >= coalesce(p.last_at, '-infinity'));

-- name: recount!
-- What stands beside a name, counted anew: once for each of these people, whatever is known of how many there are.
WITH counted AS MATERIALIZED (
    SELECT asked.id, n.calls, n.forms, n.first_at, n.last_at,
           coalesce(j.jobs, 0) AS jobs, coalesce(j.value, 0) AS value, coalesce(j.currency, '') AS currency,
           coalesce(k.phone, '') AS phone, coalesce(k.email, '') AS email,
           f.source_id, coalesce(f.source, '') AS source
    FROM unnest(:people::bigint[]) AS asked (id)
    CROSS JOIN LATERAL (
        SELECT count(o.call_id) AS calls, count(o.lead_id) AS forms, min(o.at) AS first_at, max(o.at) AS last_at
        FROM person_of o WHERE o.company_id = :company_id AND o.person_id = asked.id
    ) n
    LEFT JOIN LATERAL (
        SELECT count(*) AS jobs, sum(job.value) AS value, max(job.currency) AS currency
        FROM jobs job WHERE job.company_id = :company_id AND job.id IN (
            SELECT l.job_id FROM person_of o
            JOIN job_leads l ON l.company_id = o.company_id AND l.call_id = o.call_id
            WHERE o.company_id = :company_id AND o.person_id = asked.id
            UNION SELECT l.job_id FROM person_of o
            JOIN job_leads l ON l.company_id = o.company_id AND l.lead_id = o.lead_id
            WHERE o.company_id = :company_id AND o.person_id = asked.id)
    ) j ON true
    LEFT JOIN LATERAL (
        SELECT (array_agg(key.value ORDER BY key.last_at DESC, key.value) FILTER (WHERE key.kind = 'phone'))[1] AS phone,
               (array_agg(key.value ORDER BY key.last_at DESC, key.value) FILTER (WHERE key.kind = 'email'))[1] AS email
        FROM person_keys key WHERE key.company_id = :company_id AND key.person_id = asked.id
    ) k ON true
    LEFT JOIN LATERAL (
        SELECT coalesce(c.source_id, s.id) AS source_id, coalesce(s.name, v.label) AS source
        FROM (SELECT o.call_id, o.lead_id FROM person_of o
              WHERE o.company_id = :company_id AND o.person_id = asked.id ORDER BY o.at, o.id LIMIT 1) first
        LEFT JOIN calls c ON c.company_id = :company_id AND c.id = first.call_id
        LEFT JOIN leads l ON l.company_id = :company_id AND l.id = first.lead_id
        LEFT JOIN LATERAL (
            SELECT visit.label FROM visits visit
            WHERE visit.company_id = :company_id AND visit.visitor_id = l.visitor_id AND visit.is_touch
              AND visit.started_at <= l.received_at
            ORDER BY visit.started_at LIMIT 1
        ) v ON true
        LEFT JOIN source_labels named ON named.company_id = :company_id AND named.label = v.label
        LEFT JOIN sources s ON s.company_id = named.company_id AND s.id = named.source_id
    ) f ON true
)
UPDATE people p
SET calls = c.calls, forms = c.forms, first_at = c.first_at, last_at = c.last_at, jobs = c.jobs, value = c.value,
    currency = c.currency, phone = c.phone, email = c.email, source_id = c.source_id, source = c.source
FROM counted c
WHERE p.company_id = :company_id AND p.id = c.id;

-- name: remove_empty
-- Whoever has neither call nor form is nobody, unless somebody wrote a name or a note. That a number is shared is kept.
DELETE FROM people p WHERE company_id = :company_id AND id = ANY (:people::bigint[])
  AND calls = 0 AND forms = 0 AND name_from < 3 AND note = ''
  AND NOT EXISTS (SELECT FROM person_keys k WHERE k.company_id = p.company_id AND k.person_id = p.id AND k.is_shared)
RETURNING id;

-- name: texts_of
-- What people are found by, besides their numbers.
SELECT p.id, p.name, coalesce((SELECT array_agg(k.value) FROM person_keys k WHERE k.company_id = p.company_id
                               AND k.person_id = p.id AND k.kind = 'email'), '{}') AS emails
FROM people p WHERE p.company_id = :company_id AND p.id = ANY (:people::bigint[]);

-- name: index_people!
-- The words of people become these.
WITH given AS (
    SELECT * FROM unnest(:owners::bigint[], :words::text[]) AS given (person_id, word)
), gone AS (
    DELETE FROM person_words w WHERE w.company_id = :company_id AND w.person_id = ANY (:people::bigint[])
      AND NOT EXISTS (SELECT FROM given g WHERE g.person_id = w.person_id AND g.word = w.word)
)
INSERT INTO person_words (company_id, word, person_id) SELECT :company_id, word, person_id FROM given
ON CONFLICT DO NOTHING;

-- name: person^
-- One person, as it can be changed.
SELECT id, name, name_from, note FROM people WHERE company_id = :company_id AND id = :id;

-- name: keys_of
-- What tells that something is this person's, the newest first.
SELECT kind, value, is_shared, last_at FROM person_keys
WHERE company_id = :company_id AND person_id = :id
ORDER BY kind, last_at DESC, value;

-- name: entries_of
-- The calls and forms of a person, with what tells whose they are.
SELECT o.id, o.call_id, o.lead_id, o.by_hand, coalesce(c.caller, l.phone, '') AS phone, coalesce(l.email, '') AS email,
       coalesce(a.visitor_id, l.visitor_id)::text AS visitor_id
FROM person_of o
LEFT JOIN calls c ON c.company_id = o.company_id AND c.id = o.call_id
LEFT JOIN attributions a ON a.company_id = o.company_id AND a.call_id = o.call_id AND a.confidence >= :sure
LEFT JOIN leads l ON l.company_id = o.company_id AND l.id = o.lead_id
WHERE o.company_id = :company_id AND o.person_id = :id;

-- name: aparts_of
-- From whom a person was parted.
SELECT CASE WHEN one_id = :id THEN other_id ELSE one_id END AS other_id FROM people_apart
WHERE company_id = :company_id AND (one_id = :id OR other_id = :id);

-- name: take_keys!
-- Some keys lead to somebody else.
UPDATE person_keys k SET person_id = :to
FROM unnest(:kinds::text[], :values::text[]) AS given (kind, value)
WHERE k.company_id = :company_id AND k.person_id = :from_id AND k.kind = given.kind AND k.value = given.value;

-- name: take_entries!
-- Some calls and forms are somebody else's.
UPDATE person_of SET person_id = :to, by_hand = by_hand OR id = ANY (:by_hand::bigint[])
WHERE company_id = :company_id AND person_id = :from_id AND id = ANY (:ids::bigint[]);

-- name: free_entries!
-- They may be looked at again by number and address.
UPDATE person_of SET by_hand = false WHERE company_id = :company_id AND id = ANY (:ids::bigint[]);

-- name: bring_person!
-- A person that was there before, under the same id.
INSERT INTO people (company_id, id, name, name_from, note) OVERRIDING SYSTEM VALUE
VALUES (:company_id, :id, :name, :name_from, :note)
ON CONFLICT DO NOTHING;

-- name: part!
-- They are not joined by themselves.
INSERT INTO people_apart (company_id, one_id, other_id)
SELECT :company_id, least(:one::bigint, :other::bigint), greatest(:one, :other)
WHERE EXISTS (SELECT FROM people WHERE company_id = :company_id AND id = :one)
  AND EXISTS (SELECT FROM people WHERE company_id = :company_id AND id = :other)
ON CONFLICT DO NOTHING;

-- name: set_shared!
UPDATE person_keys SET is_shared = :is_shared WHERE company_id = :company_id AND kind = :kind AND value = :value;

-- name: set_name!
UPDATE people SET name = :name, name_from = :name_from WHERE company_id = :company_id AND id = :id;

-- name: set_note!
UPDATE people SET note = :note WHERE company_id = :company_id AND id = :id;

-- name: look_again!
-- Calls and forms whose keys changed are looked at again.
INSERT INTO people_due (company_id, call_id, lead_id)
SELECT company_id, call_id, lead_id FROM person_of WHERE company_id = :company_id AND id = ANY (:ids::bigint[]);

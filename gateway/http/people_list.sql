-- The list of people, and what it can be searched by. Each runs in a transaction that sees the viewer's company.

-- name: people_page
-- People by their last contact, the newest first, from a place in the order on.
SELECT p.id, p.name, p.phone, p.email, p.calls, p.forms, p.first_at, p.last_at, p.jobs, p.value, p.currency,
       s.id AS source_id, s.name AS source_name, s.colour AS source_colour, p.source AS source_text,
       -- Not EXISTS, which would read the keys of everybody.
       (SELECT true FROM person_keys k WHERE k.company_id = p.company_id AND k.person_id = p.id AND k.is_shared
        LIMIT 1) IS NOT NULL AS is_shared
FROM people p
LEFT JOIN sources s ON s.company_id = p.company_id AND s.id = p.source_id
WHERE p.company_id = :company_id AND p.last_at IS NOT NULL
  AND (:among::bigint[] IS NULL OR p.id = ANY (:among))
  AND (:source::bigint IS NULL OR p.source_id = :source)
  AND (NOT :no_source::boolean OR p.source_id IS NULL AND p.source = '')
  AND (:label::text IS NULL OR p.source_id IS NULL AND p.source = :label)
  AND (NOT :with_jobs::boolean OR p.jobs > 0)
  AND (:but::bigint IS NULL OR p.id <> :but)
  AND (:before_at::timestamptz IS NULL OR (p.last_at, p.id) < (:before_at, :before_id::bigint))
ORDER BY p.last_at DESC, p.id DESC
LIMIT :most;

-- name: how_many$
-- How many people there are, at most so many.
SELECT count(*) FROM (
    SELECT FROM people WHERE company_id = :company_id AND last_at IS NOT NULL LIMIT :most
) counted;

-- name: by_words
-- People by the words of their names and addresses; the first word is the rarest, mostly.
SELECT w.person_id AS id FROM person_words w
WHERE w.company_id = :company_id AND w.word >= :low AND w.word < :high
  AND NOT EXISTS (
      SELECT FROM unnest(:words::text[], :word_ends::text[]) AS sought (low, high)
      WHERE NOT EXISTS (SELECT FROM person_words also WHERE also.company_id = :company_id
                        AND also.person_id = w.person_id AND also.word >= sought.low AND also.word < sought.high))
LIMIT :most;

-- name: by_number
-- People by a number's beginning or end.
SELECT person_id AS id FROM person_keys
WHERE company_id = :company_id AND kind = 'phone'
  AND (value >= :begins_low AND value < :begins_high OR value >= :also_low AND value < :also_high
       OR reversed >= :ends_low AND reversed < :ends_high)
LIMIT :most;

-- name: by_email
-- People by the beginning of an address.
SELECT person_id AS id FROM person_keys
WHERE company_id = :company_id AND kind = 'email' AND value >= :low AND value < :high
LIMIT :most;

-- name: source_named^
-- A source, for its mark.
SELECT id AS source_id, name AS source_name, colour AS source_colour FROM sources
WHERE company_id = :company_id AND id = :source;

-- name: one_person^
-- One person, whichever company's of those that the transaction sees.
SELECT p.company_id, p.id, p.name, p.name_from, p.note, p.phone, p.email, p.calls, p.forms, p.first_at, p.last_at, p.jobs,
       p.value, p.currency, s.id AS source_id, s.name AS source_name, s.colour AS source_colour, p.source AS source_text,
       -- Not EXISTS, which would read the keys of everybody.
       (SELECT true FROM person_keys k WHERE k.company_id = p.company_id AND k.person_id = p.id AND k.is_shared
        LIMIT 1) IS NOT NULL AS is_shared
FROM people p
LEFT JOIN sources s ON s.company_id = p.company_id AND s.id = p.source_id
WHERE p.id = :id;

-- name: parted_from
-- From whom a person was parted by hand.
SELECT p.id, p.name, p.phone, p.email FROM people_apart a
JOIN people p ON p.company_id = a.company_id AND p.id = CASE WHEN a.one_id = :person THEN a.other_id ELSE a.one_id END
WHERE a.company_id = :company_id AND (a.one_id = :person OR a.other_id = :person)
ORDER BY p.last_at DESC NULLS LAST LIMIT 20;

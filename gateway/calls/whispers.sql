-- name: whispering_companies
-- Companies that want whispers spoken.
SELECT id, region, whisper_language FROM companies WHERE whisper_spoken ORDER BY id;

-- name: whispering_sources
-- The sources of those companies, with a sound of their own where they have one.
SELECT s.company_id, s.id, s.name, s.whisper
FROM sources s JOIN companies c ON c.id = s.company_id
WHERE c.whisper_spoken ORDER BY s.company_id, s.id;

-- name: lately_brought
-- What brought a company's newest calls, the most frequent first: it will be said again.
SELECT source_id, keyword, campaign, count(*) AS calls
FROM (
    SELECT source_id, keyword, campaign FROM calls
    WHERE company_id = :company_id AND started_at > :since::timestamptz
    ORDER BY started_at DESC, id DESC LIMIT :newest
) AS lately
WHERE source_id IS NOT NULL AND (keyword <> '' OR campaign <> '')
GROUP BY source_id, keyword, campaign ORDER BY calls DESC, source_id, keyword, campaign LIMIT :most;

-- name: lately_visited
-- The same of visits that may call next.
SELECT label, keyword, campaign, count(*) AS visits
FROM (
    SELECT label, keyword, campaign FROM visits
    WHERE company_id = :company_id AND started_at > :since::timestamptz
    ORDER BY started_at DESC, id DESC LIMIT :newest
) AS lately
WHERE keyword <> '' OR campaign <> ''
GROUP BY label, keyword, campaign ORDER BY visits DESC, label, keyword, campaign LIMIT :most;

-- name: labels_of_sources
-- Which source a label of visits is called by.
SELECT label, source_id FROM source_labels WHERE company_id = :company_id;

-- name: set_whisper!
UPDATE companies SET whisper_spoken = :spoken, whisper_language = :language WHERE id = :company_id;

-- name: set_source_whisper$
UPDATE sources SET whisper = :sound WHERE company_id = :company_id AND id = :id RETURNING id;

-- name: whisper_of^
SELECT whisper_spoken, whisper_language FROM companies WHERE id = :company_id;

-- name: sources_and_whispers
-- A company's sources with their own sounds; those that brought most calls lately first.
SELECT s.id, s.name, s.colour, s.whisper, count(k.id) AS calls
FROM sources s
LEFT JOIN calls k ON k.company_id = s.company_id AND k.source_id = s.id AND k.started_at > :since
WHERE s.company_id = :company_id AND s.hidden_at IS NULL
GROUP BY s.id, s.name, s.colour, s.whisper
ORDER BY s.whisper IS NULL, calls DESC, s.name;

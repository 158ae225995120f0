-- name: companies
SELECT id, name, time_zone, region, currency, record_calls, announcement, main_number, is_default
FROM companies ORDER BY id;

-- name: add_company$
-- The first company gets the calls that nobody owns, unless another is named.
INSERT INTO companies (name, time_zone, region, currency, record_calls, announcement, main_number, is_default)
VALUES (:name, :time_zone, :region, :currency, :record_calls, :announcement, :main_number,
        coalesce(:is_default, NOT EXISTS (SELECT FROM companies WHERE is_default)))
RETURNING id;

-- name: no_default_company!
UPDATE companies SET is_default = false WHERE is_default;

-- name: set_main_number!
UPDATE companies SET main_number = :main_number WHERE id = :company_id;

-- name: sources
SELECT id, name, colour, channel, source, medium, campaign, hidden_at FROM sources WHERE company_id = :company_id ORDER BY id;

-- name: add_source$
-- Each new source takes the next colour of the palette. None is made where visits of that name are another's.
INSERT INTO sources (company_id, name, channel, source, medium, campaign, colour)
SELECT :company_id, :name, :channel, :source, :medium, :campaign,
       (SELECT coalesce(max(colour) + 1, 0) FROM sources WHERE company_id = :company_id)
WHERE NOT EXISTS (SELECT FROM source_labels WHERE company_id = :company_id AND label = :name)
ON CONFLICT (company_id, name) DO NOTHING
RETURNING id;

-- name: destinations
SELECT d.id, d.name, d.dial, d.ring_seconds, d.press_one, d.is_default, next.name AS next_name
FROM destinations d
LEFT JOIN destinations next ON next.company_id = d.company_id AND next.id = d.next_id
WHERE d.company_id = :company_id ORDER BY d.id;

-- name: add_destination$
-- The first destination of a company is its main line, unless another is named.
INSERT INTO destinations (company_id, name, dial, ring_seconds, next_id, is_default)
VALUES (:company_id, :name, :dial, :ring_seconds, :next_id,
        coalesce(:is_default, NOT EXISTS (SELECT FROM destinations WHERE company_id = :company_id AND is_default)))
ON CONFLICT (company_id, name) DO NOTHING
RETURNING id;

-- name: no_default_destination!
UPDATE destinations SET is_default = false WHERE company_id = :company_id AND is_default;

-- name: pools
SELECT id, name, kind, record_calls FROM pools WHERE company_id = :company_id AND removed_at IS NULL ORDER BY id;

-- name: add_pool$
-- Pools that lend go before static numbers, which visitors see only where nothing better is.
INSERT INTO pools (company_id, name, kind, priority, record_calls)
VALUES (:company_id, :name, :kind, CASE :kind WHEN 'dynamic' THEN 10 ELSE 0 END, :record_calls)
ON CONFLICT (company_id, name) WHERE removed_at IS NULL DO NOTHING
RETURNING id;

-- name: numbers
SELECT n.id, n.e164, p.name AS pool, p.kind, s.name AS source, d.name AS destination, n.whisper, n.fax,
       NOT n.fax AND coalesce(n.record_calls, p.record_calls, c.record_calls) AS record
FROM tracking_numbers n
JOIN companies c ON c.id = n.company_id
JOIN pools p ON p.company_id = n.company_id AND p.id = n.pool_id
LEFT JOIN sources s ON s.company_id = n.company_id AND s.id = n.source_id
LEFT JOIN destinations d ON d.company_id = n.company_id AND d.id = n.destination_id
WHERE n.company_id = :company_id ORDER BY n.id;

-- name: add_number$
INSERT INTO tracking_numbers (company_id, pool_id, e164, source_id, destination_id, record_calls, whisper, fax)
VALUES (:company_id, :pool_id, :e164, :source_id, :destination_id, :record_calls, :whisper, :fax)
ON CONFLICT (e164) DO NOTHING
RETURNING id;

-- name: all_numbers
-- Of every company: a call that leads to any of them comes back to this Asterisk.
SELECT n.e164, c.region FROM tracking_numbers n JOIN companies c ON c.id = n.company_id;

-- name: all_dial_strings
SELECT dial FROM destinations;

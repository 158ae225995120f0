-- What periods cost. Every part of an amount is in whole smallest coins, so that parts add up (numberpool_part_of).

-- name: spend_parts
-- What was entered for some of the days, by source and campaign, in each of several periods (until: not included).
-- Amounts in another currency than the company's present one are left out.
SELECT span.place, s.source_id, o.channel, s.campaign,
       sum(numberpool_part_of(s.amount, s.first_day, s.last_day, span.since, span.until, :digits)) AS amount
FROM unnest(:sinces::date[], :untils::date[]) WITH ORDINALITY AS span (since, until, place)
JOIN companies c ON c.id = :company_id
JOIN spend s ON s.company_id = c.id AND s.removed_at IS NULL AND s.currency = c.currency
            AND s.last_day >= span.since AND s.first_day < span.until
JOIN sources o ON o.company_id = s.company_id AND o.id = s.source_id
GROUP BY span.place, s.source_id, o.channel, s.campaign;

-- name: number_parts
-- What numbers cost from the day they were added on, a month's price spread over its days: those of static pools by their
-- source, all others together. Each price holds for its own days; the first that is known for those before as well.
SELECT span.place, o.id AS source_id, o.channel,
       sum(numberpool_part_of(held.price, month.first_day, month.last_day, days.since, days.until, :digits)) AS amount
FROM unnest(:sinces::date[], :untils::date[]) WITH ORDINALITY AS span (since, until, place)
CROSS JOIN LATERAL (
    SELECT first::date AS first_day, (first + interval '1 month')::date - 1 AS last_day
    FROM generate_series(date_trunc('month', span.since::timestamp), span.until - interval '1 day', '1 month') AS first
) month
JOIN companies c ON c.id = :company_id
JOIN tracking_numbers n ON n.company_id = c.id
JOIN pools p ON p.company_id = n.company_id AND p.id = n.pool_id
JOIN LATERAL (
    SELECT known.price,
           CASE WHEN lag(known.since) OVER ordered IS NULL THEN '-infinity'::date ELSE known.since END AS since,
           coalesce(lead(known.since) OVER ordered, 'infinity'::date) AS until
    FROM number_prices known WHERE known.company_id = n.company_id AND known.number_id = n.id
    WINDOW ordered AS (ORDER BY known.since)
) held ON held.price > 0
CROSS JOIN LATERAL (
    SELECT greatest(span.since, month.first_day, (n.created_at AT TIME ZONE c.time_zone)::date, held.since) AS since,
           least(span.until, month.last_day + 1, held.until) AS until
) days
LEFT JOIN sources o ON o.company_id = n.company_id AND o.id = n.source_id AND p.kind = 'static'
WHERE days.since < days.until
GROUP BY span.place, o.id, o.channel;

-- name: currency$
-- The company's money.
SELECT currency FROM companies WHERE id = :company_id;

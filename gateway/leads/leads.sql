-- name: wait_for_alike^
-- Two that are alike come one after the other, until the end of the transaction.
SELECT pg_advisory_xact_lock(hashtextextended(encode(:likeness::bytea, 'hex'), 0))::text AS locked;

-- name: alike$
-- A lead that the same browser sent within a minute before or after.
SELECT id FROM leads
WHERE company_id = :company_id AND likeness = :likeness::bytea
  AND received_at BETWEEN :received_at::timestamptz - interval '1 minute' AND :received_at::timestamptz + interval '1 minute'
LIMIT 1;

-- name: sent_as$
-- A lead by its sender's own id.
SELECT id FROM leads WHERE company_id = :company_id AND sent_as = :sent_as;

-- name: add_lead!
-- Only a visit whose visitor may be known again is linked. The site may be gone by now; what a person wrote is kept all
-- the same.
INSERT INTO leads (company_id, site_id, id, kind, data, phone, email, visit_id, visitor_id, exposure_id, url, title,
                   suspect, received_at, likeness, sent_as, number, number_id)
SELECT :company_id, (SELECT id FROM sites WHERE company_id = :company_id AND id = :site_id), :id, :kind, :data::jsonb,
       :phone, :email, known.id, known.visitor_id, CASE WHEN known.id IS NOT NULL THEN :exposure_id::uuid END, :url, :title,
       :suspect, :received_at::timestamptz, :likeness::bytea, :sent_as, :number,
       (SELECT id FROM tracking_numbers WHERE company_id = :company_id AND e164 = :number AND retired_at IS NULL LIMIT 1)
FROM (VALUES (1)) AS one
LEFT JOIN LATERAL (
    (SELECT id, visitor_id FROM visits
     WHERE company_id = :company_id AND (:site_id::bigint IS NULL OR site_id = :site_id) AND id = :visit_id::uuid
       AND started_at = :visit_began::timestamptz AND visitor_id IS NOT NULL)
    UNION ALL
    -- A program that knows the visitor alone means his last visit.
    (SELECT id, visitor_id FROM visits
     WHERE company_id = :company_id AND visitor_id = :visitor_id::uuid
       AND started_at <= :received_at AND started_at > :received_at - interval '90 days'
     ORDER BY started_at DESC LIMIT 1)
    LIMIT 1
) AS known ON true;

-- name: forget_likeness!
-- It is made from the visit as well, so it goes as soon as it has served.
UPDATE leads SET likeness = NULL
WHERE (company_id, id) IN (
    SELECT company_id, id FROM leads
    WHERE likeness IS NOT NULL AND received_at < :before::timestamptz
    FOR UPDATE SKIP LOCKED
);

-- name: unlink!
-- Visitors who said no: their leads stay, and nothing of them leads to a visit.
UPDATE leads SET visit_id = NULL, visitor_id = NULL, exposure_id = NULL, likeness = NULL
WHERE company_id = :company_id AND (visit_id = ANY (:visits::uuid[]) OR visitor_id = :visitor_id::uuid);

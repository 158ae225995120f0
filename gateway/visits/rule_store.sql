-- name: versions
-- The newest version of source rules of each company that has its own.
SELECT company_id, max(version) AS version FROM rule_sets GROUP BY company_id;

-- name: rules$
-- One version of a company's rules.
SELECT rules FROM rule_sets WHERE company_id = :company_id AND version = :version;

-- name: store$
-- Store the next version, which is in force from now on; its number.
INSERT INTO rule_sets (company_id, version, rules, note)
SELECT :company_id, coalesce(max(version), 0) + 1, :rules, :note FROM rule_sets WHERE company_id = :company_id
RETURNING version;

-- name: stored
-- Every version of a company's rules, the one in force first.
SELECT version, note, created_at FROM rule_sets WHERE company_id = :company_id ORDER BY version DESC;

-- name: hosts
-- The hosts of a company's sites: coming from there is no new touch.
SELECT id, hosts || payment_hosts AS hosts FROM sites WHERE company_id = :company_id;

-- name: visits_between
-- Visits of a period as they were stored, oldest first, some at a time: those after (after_time, after_id).
SELECT visit.id, visit.site_id, visit.started_at, visit.url, visit.referrer, visit.is_touch, visit.label, visit.channel,
       visit.source, visit.medium, visit.campaign, visit.content, visit.keyword, visit.click_id, visit.click_id_type,
       visit.rule, coalesce(click.campaign <> '', false) AS campaign_told, coalesce(click.keyword <> '', false) AS keyword_told
FROM visits visit
LEFT JOIN google_ads_clicks click
  ON visit.click_id_type = 'gclid' AND click.company_id = visit.company_id AND click.gclid = visit.click_id
WHERE visit.company_id = :company_id AND visit.started_at >= :since AND visit.started_at < :until
  AND (visit.started_at, visit.id) > (:after_time, :after_id)
ORDER BY visit.started_at, visit.id LIMIT :most;

-- name: relabel!
-- What another version of the rules says of visits.
UPDATE visits visit
SET is_touch = said.is_touch, label = said.label, channel = said.channel, source = said.source, medium = said.medium,
    campaign = said.campaign, content = said.content, keyword = said.keyword, rule = said.rule,
    rule_set_version = said.rule_set_version
FROM jsonb_populate_recordset(null::visits, :visits::jsonb) AS said
WHERE visit.company_id = said.company_id AND visit.id = said.id AND visit.started_at = said.started_at;

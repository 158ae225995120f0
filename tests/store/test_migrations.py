"""Migrations: from empty, from each earlier state with rows in it, by two at once; the result is always the same."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from gateway.store.migrate import known_revisions, migrate

# What must still be there after any later migration: rows of every table that a revision knew, by revision.
ROWS = {
    "0001_calls": """
        SELECT set_config('numberpool.companies', 'all', true);
        INSERT INTO companies (name, is_default) VALUES ('Prairie Heating', true), ('Other', false);
        INSERT INTO users (email) VALUES ('owner@example.com');
        INSERT INTO memberships SELECT u.id, c.id, 'owner' FROM users u, companies c;
        INSERT INTO sessions (token_hash, user_id, expires_at) SELECT 'a', id, now() FROM users;
        INSERT INTO login_links (token_hash, user_id, expires_at) SELECT 'b', id, now() FROM users;
        INSERT INTO sources (company_id, name) SELECT id, 'Google Ads' FROM companies;
        INSERT INTO destinations (company_id, name, dial, is_default)
            SELECT id, 'Desk', 'PJSIP/desk', true FROM companies;
        INSERT INTO pools (company_id, name, kind) SELECT id, 'Static numbers', 'static' FROM companies;
        INSERT INTO tracking_numbers (company_id, pool_id, e164, source_id, destination_id)
            SELECT c.id, p.id, '+1306555200' || c.id, s.id, d.id FROM companies c
            JOIN pools p ON p.company_id = c.id JOIN sources s ON s.company_id = c.id
            JOIN destinations d ON d.company_id = c.id;
        INSERT INTO nodes (name) VALUES ('pbx');
        INSERT INTO calls
            (company_id, node_id, asterisk_id, stage, state, outcome, did, number_id, source_id, started_at)
            SELECT t.company_id, n.id, '100-' || t.id, 3, 'ended', 'answered', t.e164, t.id, t.source_id, now()
            FROM tracking_numbers t, nodes n;
        INSERT INTO legs (company_id, call_id, position, dial, ring_seconds, result)
            SELECT company_id, id, 1, 'PJSIP/desk', 2.5, 'answered' FROM calls;
        INSERT INTO recordings (company_id, call_id, state, sides, rate)
            SELECT company_id, id, 'pending', 'recordings/' || asterisk_id, 8000 FROM calls;
        INSERT INTO audit_log (company_id, action, subject)
            SELECT company_id, 'recording.heard', 'call/' || id FROM calls;
    """,
    "0002_jobs": """
        INSERT INTO pgqueuer (priority, status, entrypoint, payload) VALUES (0, 'queued', 'make_recording:pbx', '{}');
        INSERT INTO pgqueuer_log (job_id, status, priority, entrypoint) VALUES (1, 'queued', 0, 'make_recording:pbx');
    """,
    "0003_real_pbx": """
        SELECT set_config('numberpool.companies', 'all', true);
        INSERT INTO caller_rules (company_id, caller, verdict) SELECT id, '+13065550199', 'allow' FROM companies;
        UPDATE tracking_numbers SET fax = true;
        UPDATE calls SET last_answered_by = 'PJSIP/102';
    """,
    "0004_pools_and_visits": """
        SELECT set_config('numberpool.companies', 'all', true);
        INSERT INTO sites (company_id, name, public_key) SELECT id, 'Home', 'abcdefghijklmnop' || id FROM companies;
        INSERT INTO swap_targets (company_id, site_id, e164) SELECT company_id, id, '+13065550100' FROM sites;
        INSERT INTO pools (company_id, name, kind) SELECT id, 'Visitors', 'dynamic' FROM companies;
        INSERT INTO pool_swap_targets (company_id, pool_id, swap_target_id)
            SELECT p.company_id, p.id, t.id FROM pools p JOIN swap_targets t ON t.company_id = p.company_id
            WHERE p.kind = 'dynamic';
        INSERT INTO tracking_numbers (company_id, pool_id, e164)
            SELECT company_id, id, '+1306555300' || company_id FROM pools WHERE kind = 'dynamic';
        WITH lent AS (
            INSERT INTO leases (company_id, pool_id, number_id, holder, period)
            SELECT company_id, pool_id, id, 'v:1', tstzrange(now(), NULL) FROM tracking_numbers WHERE e164 ~ '5553'
            RETURNING company_id, number_id, id
        )
        UPDATE lendable_numbers l SET lease_id = lent.id FROM lent
        WHERE l.company_id = lent.company_id AND l.number_id = lent.number_id;
        INSERT INTO pool_hours (company_id, pool_id, hour, leased)
            SELECT company_id, id, date_trunc('hour', now()), 1 FROM pools;
        INSERT INTO pool_misses (company_id, pool_id, hour, source, refused)
            SELECT company_id, id, date_trunc('hour', now()), 'Google Paid', 1 FROM pools;
        INSERT INTO visitors (company_id, site_id, id, first_seen, last_seen)
            SELECT company_id, id, gen_random_uuid(), now(), now() FROM sites;
        INSERT INTO visits (company_id, site_id, id, visitor_id, started_at, label, channel, source, url)
            SELECT company_id, site_id, gen_random_uuid(), id, now(), 'Direct', 'Direct', '(direct)',
                   'https://example.com/'
            FROM visitors;
        INSERT INTO page_views (company_id, site_id, visit_id, at, url)
            SELECT company_id, site_id, id, started_at, url FROM visits;
        INSERT INTO exposures (company_id, id, visit_id, number_id, lease_id, shown_at, last_seen)
            SELECT l.company_id, gen_random_uuid(), v.id, l.number_id, l.id, now(), now()
            FROM leases l JOIN visits v ON v.company_id = l.company_id;
        INSERT INTO taps (company_id, visit_id, exposure_id, number_id, at)
            SELECT company_id, visit_id, id, number_id, now() FROM exposures;
        INSERT INTO rule_sets (company_id, version, rules) SELECT id, 1, '{}' FROM companies;
        INSERT INTO google_ads_clicks (company_id, gclid, day) SELECT id, 'Cj0K', '2026-11-01' FROM companies;
    """,
    "0005_collector": """
        SELECT set_config('numberpool.companies', 'all', true);
        UPDATE sites SET consent_required = true;
        INSERT INTO collector_tokens (company_id, site_id, kind, hash)
            SELECT company_id, id, 'server', sha256(public_key::bytea) FROM sites;
    """,
    "0009_accounts": """
        SELECT set_config('numberpool.companies', 'all', true);
        INSERT INTO member_endpoints (company_id, user_id, endpoint)
            SELECT company_id, user_id, 'PJSIP/102' FROM memberships;
        UPDATE users SET totp_secret = 'JBSWY3DPEHPK3PXP', totp_since = now(), language = 'ru';
        INSERT INTO recovery_codes (user_id, code_hash) SELECT id, sha256(email::bytea) FROM users;
        INSERT INTO known_devices (user_id, token_hash) SELECT id, sha256(email::bytea) FROM users;
        INSERT INTO paces (key, free_at) SELECT sha256(email::bytea), now() FROM users;
        INSERT INTO invitations (email, expires_at) VALUES ('new@example.com', now());
        INSERT INTO invited_to (company_id, invitation_id, role)
            SELECT c.id, i.id, 'agent' FROM companies c, invitations i;
        INSERT INTO invitation_links (token_hash, invitation_id) SELECT sha256(email::bytea), id FROM invitations;
        INSERT INTO audit_log (company_id, user_id, actor, via, address, action, subject)
            SELECT company_id, user_id, 'Anna', 'page', '203.0.113.9', 'user.invited', 'invitation/1' FROM memberships;
    """,
    "0010_undo": """
        SELECT set_config('numberpool.companies', 'all', true);
        INSERT INTO undo_steps (company_id, user_id, kind, reverse)
            SELECT company_id, user_id, 'call.status', '{}' FROM memberships;
    """,
    "0011_site_checks": """
        SELECT set_config('numberpool.companies', 'all', true);
        INSERT INTO site_checks (company_id, site_id, url, mark_hash, good_until)
            SELECT company_id, id, 'https://www.example.com/', sha256(public_key::bytea), now() FROM sites;
    """,
    "0012_leads": """
        SELECT set_config('numberpool.companies', 'all', true);
        INSERT INTO leads (company_id, site_id, id, kind, data, received_at)
            SELECT company_id, id, gen_random_uuid(), 'form', '{"phone": "306-555-0190"}', now() FROM sites;
    """,
    "0014_lend_together": "SELECT numberpool_hasty('all')",
    "0006_site_keys": """
        SELECT set_config('numberpool.companies', 'all', true);
        UPDATE sites SET public_key = 'demo' WHERE id = (SELECT min(id) FROM sites);
    """,
    "0007_attribution": """
        SELECT set_config('numberpool.companies', 'all', true);
        INSERT INTO learned (company_id, learned_at, calls, visits, taps, learned)
            SELECT id, now(), 0, 0, 0, '{}' FROM companies;
        INSERT INTO attributions (company_id, call_id, basis, confidence, source_confidence, because, decided_at,
                                  source_id, label, learned_id)
            SELECT c.company_id, c.id, 'visits', 0.9, 0.9, '{live}', now(), c.source_id, 'Google Ads', l.id
            FROM calls c JOIN learned l ON l.company_id = c.company_id;
        INSERT INTO call_candidates (company_id, call_id, position, is_answer, chance, because, visit_id, source_id)
            SELECT company_id, call_id, 0, true, 0.9, '{live}', gen_random_uuid(), source_id FROM attributions;
        INSERT INTO call_touches (company_id, call_id, position, at, how, label, source_id)
            SELECT company_id, call_id, 0, now(), 'visit', 'Google Ads', source_id FROM attributions;
        INSERT INTO reliability (company_id, month, evidence, tenth, calls, said, was, computed_at)
            SELECT id, '2026-10-01', 'tap', 9, 10, 9.4, 9, now() FROM companies;
        INSERT INTO evidence_kept (since) VALUES ('2024-10-01');
    """,
    "0008_visit_ways": """
        SELECT set_config('numberpool.companies', 'all', true);
        INSERT INTO visit_ways (company_id, site_id, hour, way, visits, last_at)
            SELECT company_id, id, date_trunc('hour', now()), 'same_host', 1, now() FROM sites;
    """,
    "0013_marks": """
        SELECT set_config('numberpool.companies', 'all', true);
        INSERT INTO tags (company_id, name, folded) SELECT id, 'Roof', 'roof' FROM companies;
        INSERT INTO call_tags SELECT c.company_id, c.id, t.id, c.started_at
            FROM calls c JOIN tags t ON t.company_id = c.company_id;
        UPDATE calls SET status = 'booked', note = 'wants a call on Monday';
        INSERT INTO call_words SELECT company_id, 'monday', started_at, id FROM calls;
        INSERT INTO jobs (company_id, value, currency, booked_at) SELECT id, 1200, 'CAD', now() FROM companies;
        INSERT INTO job_leads (company_id, job_id, call_id)
            SELECT j.company_id, j.id, min(c.id) FROM jobs j JOIN calls c ON c.company_id = j.company_id GROUP BY 1, 2;
        INSERT INTO saved_views (company_id, user_id, name, query)
            SELECT company_id, user_id, 'Missed', 'outcome=missed' FROM memberships;
    """,
    "0015_sure": """
        SELECT set_config('numberpool.companies', 'all', true);
        UPDATE calls SET confidence = 0.95;
    """,
    "0016_people": """
        SELECT set_config('numberpool.companies', 'all', true);
        INSERT INTO people (company_id, name) SELECT id, 'Maria' FROM companies;
        INSERT INTO people (company_id, name) SELECT id, 'Mary' FROM companies;
        INSERT INTO person_keys (company_id, kind, value, person_id, last_at)
            SELECT company_id, 'phone', '+1306555019' || id, id, now() FROM people;
        INSERT INTO person_of (company_id, person_id, call_id, at)
            SELECT p.company_id, min(p.id), c.id, c.started_at FROM people p JOIN calls c ON c.company_id = p.company_id
            GROUP BY p.company_id, c.id, c.started_at;
        INSERT INTO people_apart (company_id, one_id, other_id)
            SELECT company_id, min(id), max(id) FROM people GROUP BY 1;
        INSERT INTO person_words (company_id, word, person_id) SELECT company_id, 'maria', id FROM people;
        INSERT INTO people_due (company_id, person_id) SELECT company_id, id FROM people;
    """,
    "0017_quick_policies": "SELECT numberpool_companies()",
    "0018_example_data": """
        SELECT set_config('numberpool.companies', 'all', true);
        INSERT INTO example_data (company_id, since, until, made_company, made)
            SELECT id, now(), now(), false, '{}' FROM companies;
    """,
    "0019_visit_list": "SELECT 1",
    "0020_visit_pages": "SELECT 1",
    "0021_retention": """
        SELECT set_config('numberpool.companies', 'all', true);
        UPDATE companies SET recordings_kept_days = 365, recordings_kept_from = now();
    """,
    "0022_sources_change": """
        SELECT set_config('numberpool.companies', 'all', true);
        INSERT INTO sources (company_id, name) SELECT id, 'Google Paid' FROM companies;
        SELECT numberpool_merge_source(one.company_id, one.id, other.id)
            FROM sources one JOIN sources other ON other.company_id = one.company_id AND other.name = 'Google Ads'
            WHERE one.name = 'Google Paid';
    """,
    "0023_kept_reports": """
        SELECT set_config('numberpool.companies', 'all', true);
        INSERT INTO saved_views (company_id, user_id, page, name, query)
            SELECT company_id, user_id, 'reports', 'Missed', 'by=source' FROM memberships;
    """,
    "0024_spend": """
        SELECT set_config('numberpool.companies', 'all', true);
        INSERT INTO spend_imports (company_id, kind, file_name) SELECT id, 'google_ads', 'november.csv' FROM companies;
        INSERT INTO spend (company_id, source_id, campaign, first_day, last_day, amount, currency, import_id)
            SELECT s.company_id, s.id, 'spring', '2026-11-01', '2026-11-30', 1000.50, 'CAD', i.id
            FROM sources s JOIN spend_imports i ON i.company_id = s.company_id;
    """,
    "0025_report_mail": """
        SELECT set_config('numberpool.companies', 'all', true);
        INSERT INTO mail_subscriptions (company_id, address, kind, secret)
            SELECT id, 'boss@example.com', 'weekly', sha256(name::bytea) FROM companies;
        INSERT INTO report_mails (company_id, subscription_id, what)
            SELECT company_id, id, 'weekly:2026-11-16' FROM mail_subscriptions;
        INSERT INTO alert_calls (company_id, subscription_id, call_id)
            SELECT c.company_id, s.id, c.id FROM calls c JOIN mail_subscriptions s ON s.company_id = c.company_id;
    """,
    "0026_call_backs": """
        SELECT set_config('numberpool.companies', 'all', true);
        INSERT INTO call_backs (company_id, call_id) SELECT company_id, id FROM calls;
    """,
    "0027_source_counts": "SELECT numberpool_rows_of_source(1, 1)",
    "0028_attention": """
        SELECT set_config('numberpool.companies', 'all', true);
        INSERT INTO silences (company_id, kind, subject_id, since, a_day)
            SELECT company_id, 'number', id, now(), 3 FROM tracking_numbers;
        INSERT INTO put_off (company_id, need, until) SELECT id, 'missed/1', now() + interval '7 days' FROM companies;
        INSERT INTO node_states (node_id, seen_at, is_linked) SELECT id, now(), true FROM nodes;
    """,
    "0029_flows": """
        SELECT set_config('numberpool.companies', 'all', true);
        INSERT INTO flows (company_id, name, body)
            SELECT id, 'Reception', '{"version": 1, "start": {"kind": "voicemail"}}' FROM companies;
        UPDATE companies c SET flow_id = f.id, closed_now = true FROM flows f WHERE f.company_id = c.id;
        UPDATE sources s SET flow_id = f.id FROM flows f WHERE f.company_id = s.company_id;
        UPDATE pools p SET flow_id = f.id FROM flows f WHERE f.company_id = p.company_id;
        UPDATE tracking_numbers n SET flow_id = f.id FROM flows f WHERE f.company_id = n.company_id;
    """,
    "0030_reports": """
        SELECT set_config('numberpool.companies', 'all', true);
        INSERT INTO report_facts (company_id, call_id, kind, call_day, click_day, place, source, channel, campaign,
                                  keyword, landing, pool, number, region, city, device, person, hour, label, answered,
                                  first_time, qualified, jobs, value, talk_seconds, ring_seconds)
            SELECT company_id, id, 'call', '2026-11-01', '2026-11-01', 0, '', '', '', '', '', '', '', '', '', '', '',
                   '7', '', true, true, true, 0, 0, 60, 5 FROM calls;
        INSERT INTO report_chances SELECT company_id, id, '2026-11-01', 1, '', 1 FROM calls;
        DO $$ BEGIN
            IF EXISTS (SELECT FROM information_schema.columns
                       WHERE table_name = 'report_sums' AND column_name = 'calls') THEN   -- as they were until 0050
                INSERT INTO report_sums
                SELECT id, 0, 20758, 0, 0, 0, '', '', 1, 1, 1, 1, 0, 0, 60, 5, 0, 0, 0, 0, 0 FROM companies;
            END IF;
        END $$;
        INSERT INTO report_returns SELECT id, '2026-11-01', '2026-10-01', 1 FROM companies;
        INSERT INTO report_blocks SELECT id, 0, 20758 FROM companies;
        INSERT INTO report_due (company_id) SELECT id FROM companies;
    """,
    "0031_lead_rule": "SELECT 1",
    "0032_settings_rest": """
        SELECT set_config('numberpool.companies', 'all', true);
        INSERT INTO rule_runs (company_id, rules, since, until, total, user_id)
            SELECT company_id, '{}', now() - interval '1 day', now(), 1, user_id FROM memberships;
        INSERT INTO endpoint_states (node_id, endpoint, state, since)
            SELECT id, 'PJSIP/reception', 'free', now() FROM nodes;
        UPDATE companies SET visits_kept_months = 12;
    """,
    "0033_lean_sums": "SELECT 1",
    "0034_visits_kept": "SELECT numberpool_kept_since(1)",
    "0035_due_of_gone": "SELECT 1",
    "0036_whispers": "UPDATE companies SET whisper_spoken = true, whisper_language = 'en'",
    "0037_nobodys_due": "SELECT 1",
    "0038_messages_to": """
        SELECT set_config('numberpool.companies', 'all', true);
    """,
    "0039_lead_marks": """
        SELECT set_config('numberpool.companies', 'all', true);
        INSERT INTO lead_tags SELECT l.company_id, l.id, t.id, l.received_at
            FROM leads l JOIN tags t ON t.company_id = l.company_id;
        INSERT INTO lead_words SELECT company_id, 'roof', received_at, id FROM leads;
        UPDATE leads l SET status = 'quoted', note = 'wants a call', source_id = s.id, number_id = n.id,
                           confidence = 0.9, sent_as = l.id::text, credited_at = now()
            FROM sources s JOIN tracking_numbers n ON n.company_id = s.company_id
            WHERE s.company_id = l.company_id;
        INSERT INTO collector_tokens (company_id, kind, hash, name)
            SELECT id, 'leads', sha256(id::text::bytea), 'Chat' FROM companies;
    """,
    "0044_texts": """
        SELECT set_config('numberpool.companies', 'all', true);
        UPDATE companies SET texts_to = ARRAY['office@example.com'];
        INSERT INTO text_accounts (company_id, name, kind, token, secrets)
            SELECT id, 'Carrier', 'twilio', repeat('t', 40) || id, '{"token": "secret"}' FROM companies;
        INSERT INTO conversations (company_id, number, other, number_id, account_id, last_at)
            SELECT a.company_id, n.e164, '+13065550142', n.id, a.id, now() FROM text_accounts a
            JOIN tracking_numbers n ON n.company_id = a.company_id;
        INSERT INTO texts (company_id, conversation_id, direction, body, state, account_id, carrier_id, lead_id, at)
            SELECT v.company_id, v.id, 'in', 'Do you mend roofs?', 'received', v.account_id, 'SM' || v.id,
                   (SELECT id FROM leads l WHERE l.company_id = v.company_id LIMIT 1), now()
            FROM conversations v;
        INSERT INTO text_reports (company_id, account_id, carrier_id, state, at)
            SELECT company_id, id, 'SM9', 'sent', now() FROM text_accounts;
        INSERT INTO text_opt_outs (company_id, other, word, at)
            SELECT id, '+13065550142', 'STOP', now() FROM companies;
    """,
    "0040_call_policies": """
        SELECT set_config('numberpool.companies', 'all', true);
        INSERT INTO call_policies (company_id, body) SELECT id, '{"withheld": "press"}' FROM companies;
        INSERT INTO limit_letters (company_id, told_at) SELECT id, now() FROM companies;
        UPDATE tracking_numbers SET is_trap = true;
        UPDATE calls SET screened = 'trap';
    """,
    "0047_placed_calls": """
        SELECT set_config('numberpool.companies', 'all', true);
        UPDATE users SET telephone = 'PJSIP/102';
        UPDATE companies SET back_shows = 'main';
        INSERT INTO placed_calls (company_id, call_id, placed_by, telephone, callee, asterisk_id, state, outcome,
                                  recording)
            SELECT company_id, id, 'Anna', 'PJSIP/102', '+13065550142', 'npback-' || id, 'ended', 'answered', 'pending'
            FROM calls;
    """,
    "0048_sounds": """
        SELECT set_config('numberpool.companies', 'all', true);
        INSERT INTO sounds (company_id, name, seconds, samples, digest)
            SELECT id, 'Welcome', 0.1, '\\x0000', 'abc' FROM companies;
    """,
    "0050_packed_sums": """
        SELECT set_config('numberpool.companies', 'all', true);
        INSERT INTO report_keys (company_id, digest, value) SELECT id, hashtextextended('google', 0), 'google'
            FROM companies;
        INSERT INTO report_sums (company_id, level, block, told_by, sums) SELECT id, 0, 20758, 1, '' FROM companies;
        INSERT INTO report_blocks SELECT id, 0, 20758 FROM companies ON CONFLICT DO NOTHING;
    """,
    "0051_answering": """
        SELECT set_config('numberpool.companies', 'all', true);
        UPDATE destinations SET press_one = true;
        INSERT INTO recording_pauses (company_id, call_id, position, began) SELECT company_id, id, 0, 1 FROM calls;
    """,
    "0053_jobs_of_days": "SELECT set_config('numberpool.companies', 'all', true)",
    "0054_message_mail": """
        SELECT set_config('numberpool.companies', 'all', true);
        INSERT INTO mail_subscriptions (company_id, address, kind, secret)
            SELECT id, 'messages@example.com', 'messages', sha256('m') FROM companies;
    """,
    "0055_prices_of_days": """
        SELECT set_config('numberpool.companies', 'all', true);
        UPDATE tracking_numbers SET monthly_price = 3;
    """,
}

# The gateway makes these anew of the others wherever they are missing.
MADE_ANEW = {"report_sums", "report_blocks"}

# Everything a schema is made of, as text that two databases can be compared by.
DESCRIBE = """
    SELECT 'column ' || c.relname || '.' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
           || CASE WHEN a.attnotnull THEN ' not null' ELSE '' END || ' ' || a.attidentity::text || a.attgenerated::text
           || coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '')
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm') AND a.attnum > 0
      AND NOT a.attisdropped
    UNION ALL
    SELECT 'table ' || relname || ' ' || relkind::text || ' rls ' || relrowsecurity || relforcerowsecurity
           || coalesce(' ' || array_to_string(reloptions, ','), '')
    FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'S')
    UNION ALL
    SELECT 'constraint ' || conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid)
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION ALL
    SELECT 'index ' || indexdef FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL
    SELECT 'policy ' || tablename || ' ' || policyname || ' ' || cmd || ' ' || coalesce(qual, '')
           || coalesce(with_check, '')
    FROM pg_policies WHERE schemaname = 'public'
    UNION ALL
    SELECT 'trigger ' || pg_get_triggerdef(oid) FROM pg_trigger
    WHERE NOT tgisinternal AND tgrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace)
    UNION ALL
    SELECT 'function ' || pg_get_functiondef(p.oid) FROM pg_proc p
    WHERE pronamespace = 'public'::regnamespace AND prokind = 'f'
      AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = p.oid AND deptype = 'e')
    UNION ALL
    SELECT 'enum ' || typname || ' ' || string_agg(enumlabel, ',' ORDER BY enumsortorder)
    FROM pg_enum JOIN pg_type ON pg_type.oid = enumtypid GROUP BY typname
    ORDER BY 1
"""


async def schema_of(dsn: str) -> list[str]:
    connection = await asyncpg.connect(dsn)
    try:
        return [row[0] for row in await connection.fetch(DESCRIBE)]
    finally:
        await connection.close()


async def rows_of(dsn: str) -> dict[str, int]:
    """How many rows each table holds."""
    connection = await asyncpg.connect(dsn)
    try:
        async with connection.transaction():
            await connection.execute("SELECT set_config('numberpool.companies', 'all', true)")
            tables = await connection.fetch(
                "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
                " AND NOT relispartition"
            )
            return {name: await connection.fetchval(f'SELECT count(*) FROM "{name}"') for (name,) in tables}
    finally:
        await connection.close()


async def fill(dsn: str, *revisions: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        async with connection.transaction():
            for revision in revisions:
                await connection.execute(ROWS[revision])
    finally:
        await connection.close()


@pytest_asyncio.fixture
async def straight_schema(database_dsn: str) -> AsyncIterator[Any]:
    yield await schema_of(database_dsn)


def test_every_revision_has_rows_to_be_tried_with() -> None:
    assert sorted(ROWS) == known_revisions()


async def test_from_empty(empty_database_dsn: str) -> None:
    assert await migrate(empty_database_dsn) == known_revisions()
    assert await migrate(empty_database_dsn) == []


@pytest.mark.parametrize("revision", known_revisions())
async def test_from_each_state_with_rows_in_it(
    empty_database_dsn: str, straight_schema: list[str], revision: str
) -> None:
    earlier = known_revisions()[: known_revisions().index(revision) + 1]
    assert await migrate(empty_database_dsn, revision) == earlier
    await fill(empty_database_dsn, *earlier)
    before = await rows_of(empty_database_dsn)
    assert all(count > 0 for table, count in before.items() if not table.startswith("pgqueuer_s"))
    assert await migrate(empty_database_dsn) == known_revisions()[len(earlier) :]
    after = await rows_of(empty_database_dsn)
    kept = before.keys() - MADE_ANEW
    assert {table: after[table] for table in kept} == {table: before[table] for table in kept}
    assert await schema_of(empty_database_dsn) == straight_schema


async def test_who_was_told_of_messages_subscribes_a_user_at_once_and_others_are_asked(empty_database_dsn: str) -> None:
    before = known_revisions()[: known_revisions().index("0054_message_mail")]
    await migrate(empty_database_dsn, before[-1])
    await fill(empty_database_dsn, "0001_calls")
    connection = await asyncpg.connect(empty_database_dsn)
    try:
        await connection.execute("SELECT set_config('numberpool.companies', 'all', false)")
        await connection.execute("UPDATE companies SET messages_to = 'Desk@example.com'")
        await connection.execute("UPDATE companies SET messages_to = 'Owner@example.com' WHERE is_default")
        await migrate(empty_database_dsn)
        rows = await connection.fetch(
            "SELECT s.user_id IS NULL AS outside, s.address, s.confirmed_at IS NULL AS asked, octet_length(s.secret) "
            "FROM mail_subscriptions s JOIN companies c ON c.id = s.company_id WHERE kind = 'messages' "
            "ORDER BY NOT c.is_default"
        )
        assert [tuple(row) for row in rows] == [(False, None, False, 32), (True, "desk@example.com", True, 32)]
        letters = await connection.fetch("SELECT payload FROM pgqueuer WHERE entrypoint = 'send_letter'")
        ((payload,),) = letters
        told = json.loads(payload)
        assert (told["letter"], told["asked_by"]) == ("subscription", "Other")
        assert datetime.fromisoformat(told["posted_at"]).tzinfo is not None
    finally:
        await connection.close()


async def test_two_at_once_take_turns(empty_database_dsn: str, straight_schema: list[str]) -> None:
    applied = await asyncio.gather(*(migrate(empty_database_dsn) for _ in range(4)))
    assert sorted(applied, key=len) == [[], [], [], known_revisions()]
    assert await schema_of(empty_database_dsn) == straight_schema


async def test_one_waits_for_another_that_is_at_it(empty_database_dsn: str) -> None:
    from gateway.store.migrate import _LOCK

    holder = await asyncpg.connect(empty_database_dsn)
    await holder.execute("SELECT pg_advisory_lock($1)", _LOCK)
    waiting = asyncio.create_task(migrate(empty_database_dsn))
    await asyncio.sleep(0.5)
    assert not waiting.done()
    assert await holder.fetchval("SELECT to_regclass('companies')") is None
    await holder.close()
    assert await asyncio.wait_for(waiting, 20) == known_revisions()


async def test_a_migration_that_fails_leaves_the_state_before_it(empty_database_dsn: str) -> None:
    connection = await asyncpg.connect(empty_database_dsn)
    await connection.execute("CREATE TABLE pgqueuer (id int)")  # in the way of the second revision
    with pytest.raises(Exception, match="already exists"):
        await migrate(empty_database_dsn)
    assert await connection.fetchval("SELECT version_num FROM alembic_version") == "0001_calls"
    assert await connection.fetchval("SELECT to_regtype('pgqueuer_status')") is None
    await connection.execute("DROP TABLE pgqueuer")
    await connection.close()
    assert await migrate(empty_database_dsn) == known_revisions()[1:]

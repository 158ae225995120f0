"""What brings forms and texts: by the company's own model, by the number, once, and kept when visits are gone."""

import json
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio

from gateway.attribution.settling import SETTLE_AFTER
from gateway.leads.crediting import credit_lead, credit_some
from gateway.leads.texting import lead_of_text
from gateway.store.database import Connection, Database
from gateway.visits.ids import new_id
from tests.http.company import MadeCompany, make_company
from tests.http.leads import DIRECT, PAID, add_lead, add_visit

FACEBOOK = ("Facebook Paid", "Paid Social", "facebook", "paid_social", "winter", "")


@pytest_asyncio.fixture
async def database(database_dsn: str) -> AsyncIterator[Database]:
    opened = await Database.open(database_dsn)
    yield opened
    await opened.close()


async def credited(wire: Connection, id: UUID) -> Any:
    return await wire.fetchrow(
        "SELECT s.name AS source, l.channel, l.campaign, l.keyword, l.confidence, l.region, l.is_first, l.credited_at"
        " FROM leads l LEFT JOIN sources s ON s.company_id = l.company_id AND s.id = l.source_id WHERE l.id = $1",
        id,
    )


@pytest.mark.parametrize(
    ("model", "source", "campaign"),
    [
        ("first", "Google Paid", "spring maintenance"),
        ("last", "Direct", ""),
        ("last non-direct", "Facebook Paid", "winter"),
        ("last paid", "Facebook Paid", "winter"),
    ],
)
async def test_a_form_is_credited_by_the_companys_model(
    database: Database, model: str, source: str, campaign: str
) -> None:
    company = await make_company(database)
    now = datetime.now(UTC)
    async with database.companies(company.id) as wire:
        await wire.execute("UPDATE companies SET credit_model = $1", model)
        visitor, _ = await add_visit(wire, company.id, PAID, now - timedelta(days=9))
        await add_visit(wire, company.id, FACEBOOK, now - timedelta(days=4), visitor)
        _, last = await add_visit(wire, company.id, DIRECT, now - timedelta(minutes=9), visitor)
        id = await add_lead(wire, company.id, {"name": "Ann"}, phone="+13065550190", at=now, of=(visitor, last))
        found = await credited(wire, id)
    assert (found["source"], found["campaign"], found["confidence"]) == (source, campaign, 1.0)
    assert (found["region"], found["is_first"]) == ("Saskatchewan", True)


async def test_it_stays_when_the_visits_are_gone_and_is_decided_once(database: Database) -> None:
    company = await make_company(database)
    async with database.companies(company.id) as wire:
        of = await add_visit(wire, company.id, PAID, datetime.now(UTC) - timedelta(minutes=5))
        id = await add_lead(wire, company.id, {"name": "Ann"}, of=of)
        before = await credited(wire, id)
        await wire.execute("UPDATE companies SET credit_model = 'last'")
        await wire.execute("UPDATE leads SET visit_id = NULL, visitor_id = NULL")
        await wire.execute("DELETE FROM visits")
        assert await credit_lead(wire, company.id, id) is None
        assert await credited(wire, id) == before
    assert before["source"] == "Google Paid"


async def test_without_a_visit_nothing_is_known(database: Database) -> None:
    company = await make_company(database)
    async with database.companies(company.id) as wire:
        found = await credited(wire, await add_lead(wire, company.id, {"name": "Ann"}))
    assert (found["source"], found["confidence"]) == (None, None)
    assert found["credited_at"] is not None


async def test_who_wrote_or_called_before_is_not_new(database: Database) -> None:
    company = await make_company(database)
    now = datetime.now(UTC)
    async with database.companies(company.id) as wire:
        facts: dict[str, Any] = {"phone": "+13065550190", "email": "ann@example.com"}
        first = await add_lead(wire, company.id, {"name": "Ann"}, at=now - timedelta(days=2), **facts)
        by_phone = await add_lead(wire, company.id, {"a": "b"}, at=now, phone=facts["phone"])
        by_mail = await add_lead(wire, company.id, {"a": "b"}, at=now, email=facts["email"])
        unknown = await add_lead(wire, company.id, {"a": "b"}, at=now)
        found = [(await credited(wire, id))["is_first"] for id in (first, by_phone, by_mail, unknown)]
    assert found == [True, False, False, False]


async def test_history_from_before_is_credited_in_the_background(database: Database) -> None:
    company = await make_company(database)
    at = datetime.now(UTC) - timedelta(days=3)
    async with database.companies(company.id) as wire:
        visitor, visit = await add_visit(wire, company.id, PAID, at - timedelta(minutes=3))
        ids = [uuid.uuid4() for _ in range(3)]
        for id in ids:
            await wire.execute(
                "INSERT INTO leads (company_id, id, kind, data, visit_id, visitor_id, received_at)"
                " VALUES ($1, $2, 'form', $3, $4, $5, $6)",
                company.id,
                id,
                json.dumps({"name": "Ann"}),
                visit,
                visitor,
                at,
            )
    assert await credit_some(database, set()) == 3
    assert await credit_some(database, set()) == 0
    async with database.companies(company.id) as wire:
        assert {(await credited(wire, id))["source"] for id in ids} == {"Google Paid"}
        assert await wire.fetchval("SELECT count(*) FROM lead_words WHERE word = 'ann'") == 3


async def lend(wire: Connection, company: MadeCompany) -> tuple[int, str]:
    """A number of a dynamic pool."""
    pool = await wire.fetchval(
        "INSERT INTO pools (company_id, name, kind) VALUES ($1, 'Website', 'dynamic') RETURNING id", company.id
    )
    e164 = "+13065552077"
    number = await wire.fetchval(
        "INSERT INTO tracking_numbers (company_id, pool_id, e164) VALUES ($1, $2, $3) RETURNING id",
        company.id,
        pool,
        e164,
    )
    return number, e164


async def test_a_text_to_a_lent_number_is_asked_about_as_a_call_would_be(database: Database) -> None:
    company = await make_company(database)
    now = datetime.now(UTC)
    async with database.companies(company.id) as wire:
        number, e164 = await lend(wire, company)
        _, visit = await add_visit(wire, company.id, PAID, now - timedelta(minutes=4))
        await wire.execute(
            "INSERT INTO exposures (company_id, id, visit_id, number_id, shown_at, last_seen)"
            " VALUES ($1, $2, $3, $4, $5, $6)",
            company.id,
            new_id(now),
            visit,
            number,
            now - timedelta(minutes=4),
            now,
        )
        facts: dict[str, Any] = {"number_id": number, "number": e164, "phone": "+13065550177", "body": "Gutters?"}
        id = await lead_of_text(wire, company.id, **facts, received_at=now)
        found = await credited(wire, id)
        assert found["source"] == "Google Paid"
        assert 0.5 < found["confidence"] <= 1
        assert found["credited_at"] is None  # a tap may still come
        await wire.execute("UPDATE leads SET received_at = received_at - $1::interval", SETTLE_AFTER * 2)
        await wire.execute("UPDATE exposures SET shown_at = shown_at - interval '1 hour'")
    assert await credit_some(database, set()) == 1
    async with database.companies(company.id) as wire:
        assert (await credited(wire, id))["credited_at"] is not None


async def test_nobody_saw_the_number_so_nothing_is_known(database: Database) -> None:
    company = await make_company(database)
    async with database.companies(company.id) as wire:
        number, e164 = await lend(wire, company)
        facts: dict[str, Any] = {"number_id": number, "number": e164, "phone": "+13065550177", "body": "Gutters?"}
        id = await lead_of_text(wire, company.id, **facts, received_at=datetime.now(UTC))
        assert (await credited(wire, id))["source"] is None

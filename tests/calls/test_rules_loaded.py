"""The rules of a company, read from a real Postgres: traps, countries, announcements, fax machines."""

import json
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from uuid import uuid4

import pytest_asyncio

from gateway.calls.directory import Directory
from gateway.calls.load import load_directory
from gateway.calls.policy import Phrase
from gateway.calls.route import Destination
from gateway.calls.steps import Moment
from gateway.calls.traffic import MOST_KNOWN, Traffic, past_of
from gateway.pools import setup
from gateway.pools.setup import Company
from gateway.store.database import Connection, Database

LAST = Destination("PJSIP/last", 30)
STATIC, IDLE, LENT, NEW, FAX = (f"+1306555200{each}" for each in range(1, 6))
SOUND = "/said/recorded"
SPOKEN = MappingProxyType({(1, Phrase.RECORDED): SOUND})


@pytest_asyncio.fixture
async def wire(database_dsn: str) -> AsyncIterator[Connection]:
    database = await Database.open(database_dsn, 2)
    try:
        async with database.everything() as connection:
            yield connection
    finally:
        await database.close()


async def acme(wire: Connection, **policy: object) -> Company:
    company = await setup.add_company(wire, "Acme", region="CA", main_number="+13065550100")
    await setup.add_source(wire, company, "Sign")
    await setup.add_pool(wire, company, "Lent", "dynamic")
    await setup.add_number(wire, company, STATIC, source="Sign")
    for number in (IDLE, LENT, NEW):
        await setup.add_number(wire, company, number, pool="Lent")
    await setup.add_number(wire, company, FAX, source="Sign", fax=True)
    await rules(wire, **policy)
    return company


async def rules(wire: Connection, **policy: object) -> None:
    await wire.execute(
        "INSERT INTO call_policies VALUES (1, $1) ON CONFLICT (company_id) DO UPDATE SET body = excluded.body",
        json.dumps(policy),
    )


async def loaded(wire: Connection, phrases: Mapping[tuple[int, Phrase], str] = SPOKEN) -> Directory:
    return await load_directory(wire, LAST, phrases=phrases)


def traps(directory: Directory) -> set[str]:
    return {number.e164 for number in directory.numbers.values() if number.is_trap}


async def exposed(wire: Connection, number: str, days: float) -> None:
    at = datetime.now(UTC) - timedelta(days=days)
    await wire.execute(
        "INSERT INTO exposures (company_id, id, visit_id, number_id, shown_at, last_seen) "
        "SELECT 1, $1, $2, id, $3, $3 FROM tracking_numbers WHERE e164 = $4",
        *(uuid4(), uuid4(), at, number),
    )


async def test_numbers_on_loan_that_nobody_was_shown_are_traps(wire: Connection) -> None:
    await acme(wire, traps=True, trap_days=30)
    await wire.execute("UPDATE tracking_numbers SET created_at = now() - interval '1 year' WHERE e164 <> $1", NEW)
    # As long as visits do not reach back so far, nothing is known of who was shown what.
    assert traps(await loaded(wire)) == set()
    await exposed(wire, LENT, 40)
    assert traps(await loaded(wire)) == {IDLE, LENT}
    await exposed(wire, LENT, 10)
    assert traps(await loaded(wire)) == {IDLE}
    # One that is printed is a trap only where somebody says so; one that is gone is none.
    await wire.execute("UPDATE tracking_numbers SET is_trap = true WHERE e164 = ANY ($1)", [STATIC, FAX])
    await wire.execute("UPDATE tracking_numbers SET retired_at = now() WHERE e164 = $1", IDLE)
    assert traps(await loaded(wire)) == {STATIC}
    await rules(wire, traps=False, trap_days=30)
    assert traps(await loaded(wire)) == set()


async def test_a_destination_in_a_country_that_is_not_allowed_is_passed_over(wire: Connection) -> None:
    company = await acme(wire)
    await setup.add_destination(wire, company, "Desk", "PJSIP/desk")
    await setup.add_destination(wire, company, "London", "Trunk/+442079460018", next_name="Desk")
    await wire.execute(
        "UPDATE tracking_numbers SET destination_id = (SELECT id FROM destinations WHERE name = 'London') "
        "WHERE e164 = $1",
        STATIC,
    )

    async def rings() -> list[str]:
        return [each.dial for each in (await loaded(wire)).decide([STATIC]).destinations]

    assert await rings() == ["Trunk/+442079460018", "PJSIP/desk"]
    await rules(wire, countries=["CA"])
    assert await rings() == ["PJSIP/desk"]
    # What costs extra is so in any case, unless the company says otherwise: it may have been there before.
    await rules(wire)
    await wire.execute("UPDATE destinations SET dial = 'Trunk/+19005551234' WHERE name = 'London'")
    assert await rings() == ["PJSIP/desk"]
    await rules(wire, premium=True)
    assert await rings() == ["Trunk/+19005551234", "PJSIP/desk"]


async def test_which_announcement_a_number_has(wire: Connection) -> None:
    await acme(wire, announce="by_region", place="US-CO")

    def route(directory: Directory, did: str, caller: str) -> tuple[bool, str | None, bool]:
        found = directory.decide([did], caller, Moment(datetime.now(UTC)))
        return found.record, found.announcement, found.untold

    directory = await loaded(wire)
    texas, california = "+15125550123", "+14155550123"
    assert route(directory, STATIC, texas) == (True, None, False)
    assert route(directory, STATIC, california) == (True, SOUND, False)
    assert route(directory, STATIC, "") == (True, SOUND, False)
    assert route(directory, FAX, california) == (False, None, False)
    assert directory.decide([STATIC]).announcement == SOUND  # nobody to ask: the stricter
    mute = await loaded(wire, {})
    assert route(mute, STATIC, texas) == (True, None, False)
    assert route(mute, STATIC, california) == (False, None, True)
    assert mute.decide([STATIC]).record is False
    # A number that nobody owns is the default company's; a sound of its own takes the place of spoken words.
    assert route(directory, "+13065559999", california) == (True, SOUND, False)
    await wire.execute("UPDATE companies SET announcement = 'custom/ours'")
    assert route(await loaded(wire, {}), STATIC, california) == (True, "custom/ours", False)


async def test_rules_that_cannot_be_read_hold_up_no_call(wire: Connection) -> None:
    await acme(wire, something="of a later Numberpool", most_calls=0)
    directory = await loaded(wire)
    assert directory.doors == {}
    assert directory.decide([STATIC], "", Moment(datetime.now(UTC))).destinations == (LAST,)


async def test_what_the_log_tells(wire: Connection) -> None:
    company = await acme(wire, often_calls=3, traps=True)
    await wire.execute("INSERT INTO nodes (name) VALUES ('pbx')")
    calls = [  # caller, minutes ago, talk, screened, state
        ("+13065550111", 10, None, None, "ended"),
        ("+13065550111", 20, 59.0, None, "ended"),
        ("+13065550111", 3000, None, None, "ended"),
        ("+13065550222", 5000, 61.0, None, "ended"),
        ("+13065550333", 6000, 5.0, "trap", "ended"),
        (None, 1, None, None, "ringing"),
    ]
    for at, (caller, minutes, talk, screened, state) in enumerate(calls):
        await wire.execute(
            "INSERT INTO calls (company_id, node_id, asterisk_id, stage, state, outcome, did, caller, started_at, "
            "talk_seconds, screened, trunk) "
            "VALUES ($1, 1, $2, $3, $4, $5, $6, $7, now() - $8::float8 * interval '1 minute', $9, $10, 'it')",
            *(company.id, f"call-{at}", 3 if state == "ended" else 1, state, "answered" if state == "ended" else None),
            *(STATIC, caller, minutes, talk, screened),
        )
    found = await past_of(wire)
    assert [(who, key) for who, key, _ in found.lately] == [
        ((1, "+13065550111"), "call-1"),
        ((1, "+13065550111"), "call-0"),
    ]
    assert [who for who, _ in found.suspects] == [(1, "+13065550333")]
    assert list(found.known) == [(1, "+13065550222")]
    assert [(key, company, trunk) for key, company, trunk, _ in found.open_calls] == [("call-5", 1, "it")]
    traffic = Traffic()
    traffic.remember(found)
    door = (await loaded(wire)).doors[1]
    assert traffic.seen(1, "+13065550111", "it", door.policy).lately == 2
    assert traffic.seen(1, "+13065550333", "it", door.policy).is_suspect
    assert len(list(found.known)) < MOST_KNOWN

"""People are put together from real rows as they come, and corrected by hand."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest_asyncio

from gateway.leads import people
from gateway.leads.belonging import Key, KeyKind
from gateway.leads.gathering import gather_all, gather_some
from gateway.store.database import Database
from tests.http.company import MadeCompany, add_call, make_company

DANA, MARIA = "+13065550142", "+13065550199"


class Town:
    """A company, and what comes in."""

    def __init__(self, database: Database, company: MadeCompany, site: int) -> None:
        self.database, self.company, self.site = database, company, site
        self.at = datetime(2026, 11, 1, tzinfo=UTC)

    async def call(self, caller: str | None = DANA, name: str = "", source: str = "Google Ads") -> int:
        self.at += timedelta(hours=1)
        return await add_call(
            self.database, self.company, caller=caller, caller_name=name, source=source, started_at=self.at
        )

    async def form(
        self, phone: str = "", email: str = "", name: str = "", visitor: UUID | None = None, suspect: str = ""
    ) -> UUID:
        self.at += timedelta(hours=1)
        id, visit = uuid4(), uuid4() if visitor else None
        async with self.database.companies(self.company.id) as wire:
            await wire.execute(
                "INSERT INTO leads (company_id, site_id, id, kind, data, phone, email, visit_id, visitor_id, suspect, "
                "received_at) VALUES ($1, $2, $3, 'form', $4, $5, $6, $7, $8, $9, $10)",
                *(self.company.id, self.site, id, json.dumps({"name": name}), phone, email, visit, visitor, suspect),
                self.at,
            )
        return id

    async def visitor(self, call: int | None = None, confidence: float = 0.99) -> UUID:
        """Somebody known again, who made a call."""
        id = uuid4()
        async with self.database.companies(self.company.id) as wire:
            await wire.execute(
                "INSERT INTO visitors (company_id, site_id, id, first_seen, last_seen) VALUES ($1, $2, $3, $4, $4)",
                *(self.company.id, self.site, id, self.at),
            )
            if call is not None:
                await wire.execute(
                    "INSERT INTO attributions (company_id, call_id, basis, visit_id, visitor_id, confidence, "
                    "source_confidence, because, decided_at, settled_at) "
                    "VALUES ($1, $2, 'visits', $3, $4, $5, $5, '{tap}', now(), now())",
                    *(self.company.id, call, uuid4(), id, confidence),
                )
        return id

    async def groups(self) -> set[frozenset[int | UUID]]:
        """Who has which calls and forms, once all is looked at."""
        await gather_all(self.database)
        found: dict[int, set[int | UUID]] = {}
        async with self.database.companies(self.company.id) as wire:
            for row in await wire.fetch("SELECT person_id, call_id, lead_id FROM person_of"):
                found.setdefault(row[0], set()).add(row[1] or row[2])
        return {frozenset(group) for group in found.values()}

    async def person(self, entry: int | UUID) -> dict[str, object]:
        """The person of a call or form."""
        await gather_all(self.database)
        column = "call_id" if isinstance(entry, int) else "lead_id"
        async with self.database.companies(self.company.id) as wire:
            row = await wire.fetchrow(
                "SELECT p.* FROM people p JOIN person_of o ON o.company_id = p.company_id AND o.person_id = p.id "
                f"WHERE o.{column} = $1",
                entry,
            )
        assert row is not None
        return dict(row)

    async def everything(self) -> list[str]:
        """All rows of people, to be compared."""
        async with self.database.companies(self.company.id) as wire:
            return [
                row[0]
                for table in ("people", "person_keys", "person_of", "people_apart", "person_words")
                for row in await wire.fetch(
                    f"SELECT (to_jsonb(t) - 'created_at' - 'reversed')::text FROM {table} t ORDER BY 1"
                )
            ]


def group(*entries: int | UUID) -> frozenset[int | UUID]:
    return frozenset(entries)


@pytest_asyncio.fixture
async def town(database_dsn: str) -> AsyncIterator[Town]:
    database = await Database.open(database_dsn)
    company = await make_company(database)
    async with database.companies(company.id) as wire:
        site = await wire.fetchval(
            "INSERT INTO sites (company_id, name, public_key) VALUES ($1, 'Home', 'abcdefghijklmnop') RETURNING id",
            company.id,
        )
    yield Town(database, company, site)
    await database.close()


async def test_calls_and_forms_come_together(town: Town) -> None:
    first, second, other = await town.call(), await town.call(), await town.call(MARIA)
    form = await town.form(DANA, "dana@example.com", "Dana Whitford")
    later = await town.form(email="dana@example.com")
    assert await town.groups() == {group(first, second, form, later), group(other)}
    person = await town.person(first)
    assert (person["calls"], person["forms"], person["name"], person["phone"], person["email"]) == (
        2,
        2,
        "Dana Whitford",
        DANA,
        "dana@example.com",
    )
    assert person["source_id"] == town.company.sources["Google Ads"]
    assert person["last_at"] == town.at


async def test_two_who_turn_out_to_be_one_are_joined(town: Town) -> None:
    call, form = await town.call(), await town.form(email="dana@example.com")
    assert await town.groups() == {group(call), group(form)}
    before = await town.person(call)
    both = await town.form(DANA, "dana@example.com")
    assert await town.groups() == {group(call, form, both)}
    assert (await town.person(form))["id"] == before["id"]


async def test_withheld_callers_and_programs_are_nobody(town: Town) -> None:
    withheld = await town.call(None)
    await town.visitor(withheld)
    await town.call("102")
    await town.form(DANA, suspect="headless")
    await town.form()
    assert await town.groups() == set()


async def test_a_visitor_counts_who_surely_called(town: Town) -> None:
    sure, guessed = await town.call(), await town.call(MARIA)
    visitor, other = await town.visitor(sure, 0.97), await town.visitor(guessed, 0.6)
    wrote, elsewhere = await town.form(visitor=visitor), await town.form(visitor=other)
    assert await town.groups() == {group(sure, wrote), group(guessed), group(elsewhere)}


async def test_whoever_is_forgotten_is_not_known_by_the_browser(town: Town) -> None:
    call = await town.call()
    visitor = await town.visitor(call)
    form = await town.form(visitor=visitor)
    assert await town.groups() == {group(call, form)}
    async with town.database.companies(town.company.id) as wire:
        await wire.execute("DELETE FROM visitors")
        assert await wire.fetchval("SELECT count(*) FROM person_keys WHERE kind = 'visitor'") == 0
        await wire.execute("UPDATE leads SET visit_id = NULL, visitor_id = NULL")
    assert await town.groups() == {group(call)}


async def test_a_call_that_is_deleted_takes_its_part_along(town: Town) -> None:
    first, second = await town.call(), await town.call()
    await town.groups()
    async with town.database.companies(town.company.id) as wire:
        await wire.execute("DELETE FROM calls WHERE id = $1", second)
    assert (await town.person(first))["calls"] == 1
    async with town.database.companies(town.company.id) as wire:
        await wire.execute("DELETE FROM calls")
    await gather_all(town.database)
    assert await town.everything() == []


async def test_jobs_are_counted_once_with_their_value(town: Town) -> None:
    first, second = await town.call(), await town.call()
    async with town.database.companies(town.company.id) as wire:
        job = await wire.fetchval(
            "INSERT INTO jobs (company_id, value, currency, booked_at) VALUES ($1, 1200, 'CAD', now()) RETURNING id",
            town.company.id,
        )
        for call in (first, second):
            await wire.execute(
                "INSERT INTO job_leads (company_id, job_id, call_id) VALUES ($1, $2, $3)", town.company.id, job, call
            )
    person = await town.person(first)
    assert (person["jobs"], person["value"], person["currency"]) == (1, 1200, "CAD")
    async with town.database.companies(town.company.id) as wire:
        await wire.execute("UPDATE jobs SET value = 1500")
    assert (await town.person(first))["value"] == 1500
    async with town.database.companies(town.company.id) as wire:
        await wire.execute("DELETE FROM jobs")
    assert (await town.person(first))["jobs"] == 0


async def test_history_comes_out_as_what_comes_live(town: Town) -> None:
    for turn in range(40):
        await town.call(f"+130655501{turn % 13:02}")
        await town.form(f"+130655501{turn % 7:02}" if turn % 3 else "", f"{turn % 5}@example.com", "Somebody")
        if turn % 4 == 0:
            await gather_some(town.database)
    live = await town.groups()
    async with town.database.companies(town.company.id) as wire:
        await wire.execute("DELETE FROM people")
        await wire.execute("DELETE FROM people_due")
        await wire.execute("INSERT INTO people_due (company_id, call_id) SELECT company_id, id FROM calls")
        await wire.execute("INSERT INTO people_due (company_id, lead_id) SELECT company_id, id FROM leads")
    assert await town.groups() == live


async def test_joined_by_hand_and_taken_back(town: Town) -> None:
    one, other = await town.call(name="D WHITFORD"), await town.call(MARIA, "M LAVALLEE")
    mine, hers = (await town.person(one))["id"], (await town.person(other))["id"]
    before = await town.everything()
    async with town.database.companies(town.company.id) as wire:
        back = await people.join(wire, town.company.id, mine, hers)  # type: ignore[arg-type]
        assert await people.join(wire, town.company.id, mine, hers) is None  # type: ignore[arg-type]
    assert await town.groups() == {group(one, other)}
    async with town.database.companies(town.company.id) as wire:
        await people.unjoin(wire, town.company.id, json.loads(json.dumps(back)))
    await gather_all(town.database)
    assert await town.everything() == before
    async with town.database.companies(town.company.id) as wire:
        await people.join(wire, town.company.id, mine, hers)  # type: ignore[arg-type]
    third = await town.call(MARIA)
    assert await town.groups() == {group(one, other, third)}


async def test_split_is_remembered_and_can_be_taken_back(town: Town) -> None:
    call, form = await town.call(), await town.form(DANA, "maria@example.com")
    hers = await town.form(email="maria@example.com")
    person = (await town.person(call))["id"]
    before = await town.everything()
    address = Key(KeyKind.EMAIL, "maria@example.com")
    async with town.database.companies(town.company.id) as wire:
        made = await people.split(wire, town.company.id, person, [address])  # type: ignore[arg-type]
    assert made is not None
    assert await town.groups() == {group(call, form), group(hers)}
    again = await town.form(DANA, "maria@example.com")
    assert await town.groups() == {group(call, form, again), group(hers)}
    async with town.database.companies(town.company.id) as wire:
        await wire.execute("DELETE FROM leads WHERE id = $1", again)
    await gather_all(town.database)
    async with town.database.companies(town.company.id) as wire:
        await people.unsplit(wire, town.company.id, json.loads(json.dumps(made.back)))
        await wire.execute(
            "UPDATE person_keys k SET last_at = (SELECT max(received_at) FROM leads l WHERE l.phone = k.value) "
            "WHERE kind = 'phone'"
        )
    await gather_all(town.database)
    assert len(before) == len(await town.everything())
    assert await town.groups() == {group(call, form, hers)}


async def test_single_calls_split_off_stay_where_they_were_put(town: Town) -> None:
    his, hers = await town.call(), await town.call()
    person = (await town.person(his))["id"]
    async with town.database.companies(town.company.id) as wire:
        assert await people.split(wire, town.company.id, person, [], [his, hers]) is None  # type: ignore[arg-type]
        assert await people.split(wire, town.company.id, person, [], []) is None  # type: ignore[arg-type]
        made = await people.split(wire, town.company.id, person, [], [hers])  # type: ignore[arg-type]
    assert made is not None
    async with town.database.companies(town.company.id) as wire:
        await wire.execute("UPDATE calls SET source_id = NULL")  # all are looked at again
    assert await town.groups() == {group(his), group(hers)}


async def test_a_switchboard_is_nobodys_number(town: Town) -> None:
    desk = await town.call()
    one = await town.form(DANA, "one@example.com")
    person = (await town.person(desk))["id"]
    before = await town.groups()
    async with town.database.companies(town.company.id) as wire:
        made = await people.share(wire, town.company.id, person, Key(KeyKind.PHONE, DANA))  # type: ignore[arg-type]
    assert made is not None
    other = await town.form(DANA, "other@example.com")
    again = await town.call()
    assert await town.groups() == {group(desk, again), group(one), group(other)}
    async with town.database.companies(town.company.id) as wire:
        await wire.execute("DELETE FROM leads WHERE id = $1", other)
        await wire.execute("DELETE FROM calls WHERE id = $1", again)
        await people.take_back_sharing(wire, town.company.id, json.loads(json.dumps(made.back)))
    assert await town.groups() == before


async def test_a_name_given_by_hand_stays(town: Town) -> None:
    call = await town.call(name="WHITFORD D")
    person = (await town.person(call))["id"]
    async with town.database.companies(town.company.id) as wire:
        back = await people.rename(wire, town.company.id, person, "Dana from the mill")  # type: ignore[arg-type]
    await town.form(DANA, name="Dana Whitford")
    assert (await town.person(call))["name"] == "Dana from the mill"
    async with town.database.companies(town.company.id) as wire:
        assert {row[0] for row in await wire.fetch("SELECT word FROM person_words")} == {"dana", "from", "the", "mill"}
        await people.name_back(wire, town.company.id, back or {})
    assert (await town.person(call))["name"] == "WHITFORD D"


async def test_nothing_of_another_company(town: Town) -> None:
    other = Town(town.database, await make_company(town.database, "Other", ("4001", "4002", "4003")), 0)
    ours, theirs = await town.call(), await other.call()
    assert (await town.groups(), await other.groups()) == ({group(ours)}, {group(theirs)})
    mine, his = (await town.person(ours))["id"], (await other.person(theirs))["id"]
    async with town.database.companies(town.company.id) as wire:
        assert await people.join(wire, town.company.id, mine, his) is None  # type: ignore[arg-type]

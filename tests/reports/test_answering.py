"""Who answers, by what legs and calls say."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest_asyncio

from gateway.reports.answering import Answering, Person, answering
from gateway.store.database import Database
from tests.http.company import MadeCompany, add_call, make_company

DAY = datetime(2026, 11, 18, 16, tzinfo=UTC)  # 10:00 in Regina


@pytest_asyncio.fixture
async def database(database_dsn: str) -> AsyncIterator[Database]:
    opened = await Database.open(database_dsn, 4)
    yield opened
    await opened.close()


class Office:
    """A company whose calls are made leg by leg."""

    def __init__(self, database: Database, company: MadeCompany) -> None:
        self.database, self.company, self._minutes = database, company, 0

    async def call(self, *legs: tuple[str, str, str | None, float], talk: float = 60, **more: object) -> int:
        """A call, of legs (dial, result, who answered, seconds it rang); ``kind`` of the last one may be transfer."""
        kind = more.pop("kind", "destination")
        self._minutes += 1
        answered = [by for _, _, by, _ in legs if by]
        outcome = "answered" if answered else "no_answer"
        started = DAY + timedelta(minutes=self._minutes)
        id = await add_call(
            self.database,
            self.company,
            outcome=outcome,
            talk=talk,
            started_at=started,
            caller=f"+1306555{self._minutes:04}",
        )
        async with self.database.companies(self.company.id) as wire:
            await wire.execute("DELETE FROM legs WHERE call_id = $1", id)
            await wire.execute("DELETE FROM endpoints_reached WHERE call_id = $1", id)
            if answered:
                await wire.execute(
                    "UPDATE calls SET answered_by = $2, last_answered_by = $3 WHERE id = $1",
                    id,
                    answered[0],
                    answered[-1],
                )
            for place, (dial, result, by, ring) in enumerate(legs):
                await wire.execute(
                    "INSERT INTO legs (company_id, call_id, position, kind, dial, ring_seconds, talk_seconds, result, "
                    "answered_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                    self.company.id,
                    id,
                    place,
                    kind if place == len(legs) - 1 else "destination",
                    dial,
                    ring,
                    talk / len(answered) if by else None,
                    result,
                    by,
                )
            for column, value in more.items():
                await wire.execute(f"UPDATE calls SET {column} = $2 WHERE id = $1", id, value)
        return id

    async def answering(self) -> Answering:
        async with self.database.companies(self.company.id) as wire:
            return await answering(
                wire, self.company.id, DAY - timedelta(hours=1), DAY + timedelta(hours=9), "America/Regina"
            )

    async def people(self) -> dict[str, Person]:
        return {person.name or person.key: person for person in (await self.answering()).people}


@pytest_asyncio.fixture
async def office(database: Database) -> Office:
    return Office(database, await make_company(database))


def figures(person: Person) -> tuple[int, int, int, int, int]:
    each = person.answered
    return each.calls, each.taken_over, each.answered_here, each.rang_out, each.unreachable


async def test_of_telephones_that_ring_at_once_only_one_can_answer_and_nobody_else_missed_it(office: Office) -> None:
    both = "PJSIP/101&PJSIP/102"
    await office.call((both, "answered", "PJSIP/101", 8))
    await office.call((both, "answered", "PJSIP/102", 4))
    await office.call((both, "answered", "PJSIP/101", 6))
    await office.call((both, "no_answer", None, 30))
    people = await office.people()
    assert figures(people["PJSIP/101"]) == (2, 0, 2, 1, 0)
    assert figures(people["PJSIP/102"]) == (1, 0, 1, 1, 0)
    assert people["PJSIP/101"].answered.share == 2 / 3
    assert people["PJSIP/101"].answered.ring_seconds == 7
    found = await office.answering()
    assert (found.calls, found.answered, found.total.calls) == (4, 3, 3)


async def test_one_after_the_other_the_first_has_missed_what_the_second_took(office: Office) -> None:
    await office.call(("PJSIP/reception", "no_answer", None, 20), ("PJSIP/102", "answered", "PJSIP/102", 5))
    await office.call(("PJSIP/reception", "busy", None, 0), ("PJSIP/102", "no_answer", None, 20))
    await office.call(("PJSIP/reception", "abandoned", None, 9))
    people = await office.people()
    # Named by their destination, or not at all.
    assert figures(people["Reception"]) == (0, 0, 0, 2, 1)
    assert people["Reception"].answered.ring_seconds is None
    assert figures(people["PJSIP/102"]) == (1, 0, 1, 1, 0)


async def test_whoever_takes_a_call_over_has_his_part_of_the_talk_and_the_first_has_the_call(office: Office) -> None:
    id = await office.call(
        ("PJSIP/101", "answered", "PJSIP/101", 5),
        ("102@internal", "answered", "PJSIP/102", 3),
        talk=100,
        kind="transfer",
    )
    async with office.database.companies(office.company.id) as wire:
        await wire.execute(
            "UPDATE legs SET talk_seconds = CASE position WHEN 0 THEN 30 ELSE 70 END WHERE call_id = $1", id
        )
        await wire.execute("UPDATE calls SET status = 'booked' WHERE id = $1", id)
        job = await wire.fetchval(
            "INSERT INTO jobs (company_id, value, currency, booked_at) VALUES ($1, 1200, 'CAD', now()) RETURNING id",
            office.company.id,
        )
        await wire.execute(
            "INSERT INTO job_leads (company_id, job_id, call_id) VALUES ($1, $2, $3)", office.company.id, job, id
        )
    people = await office.people()
    first, second = people["PJSIP/101"], people["PJSIP/102"]
    assert (figures(first), first.answered.talk_seconds) == ((1, 0, 1, 0, 0), 30)
    assert (figures(second), second.answered.talk_seconds) == ((0, 1, 0, 0, 0), 70)
    assert (first.answered.qualified, first.answered.jobs, first.answered.job_value) == (1, 1, Decimal(1200))
    assert (second.answered.qualified, second.answered.jobs) == (0, 0)
    assert second.answered.average_talk == 70


async def test_a_queue_and_a_number_outside_are_told_by_who_answered(office: Office) -> None:
    await office.call(("Dialplan/600@queues", "answered", "PJSIP/103", 12))
    await office.call(("Dialplan/600@queues", "no_answer", None, 60))
    await office.call(("PJSIP/+13065550100@carrier", "answered", "PJSIP/carrier", 9))
    await office.call(("PJSIP/+13065550100@carrier", "no_answer", None, 20))
    await office.call(("Trunk/+13065550101", "answered", "PJSIP/carrier", 9))
    people = await office.people()
    assert figures(people["PJSIP/103"]) == (1, 0, 0, 0, 0)
    assert people["PJSIP/103"].answered.share is None
    assert figures(people["PJSIP/+13065550100@carrier"]) == (1, 0, 1, 1, 0)
    assert figures(people["Trunk/+13065550101"]) == (1, 0, 1, 0, 0)
    assert set(people) == {"PJSIP/103", "PJSIP/+13065550100@carrier", "Trunk/+13065550101"}


async def test_a_user_is_one_person_with_all_telephones_that_are_his_alone(office: Office) -> None:
    company = office.company.id
    async with office.database.everything() as wire:
        for name, endpoints in (
            ("Anna", ["PJSIP/101", "PJSIP/desk"]),
            ("Tom", ["PJSIP/102", "PJSIP/desk", "PJSIP/109"]),
        ):
            user = await wire.fetchval("INSERT INTO users (email, name) VALUES ($1, $1) RETURNING id", name.lower())
            await wire.execute("UPDATE users SET name = $2 WHERE id = $1", user, name)
            await wire.execute("INSERT INTO memberships VALUES ($1, $2, 'agent')", user, company)
            for endpoint in endpoints:
                await wire.execute("INSERT INTO member_endpoints VALUES ($1, $2, $3)", company, user, endpoint)
    await office.call(("PJSIP/101", "answered", "PJSIP/101", 4))
    await office.call(("PJSIP/102", "answered", "PJSIP/102", 4))
    await office.call(("PJSIP/109", "answered", "PJSIP/109", 8))
    await office.call(("PJSIP/desk", "answered", "PJSIP/desk", 4))
    people = await office.people()
    assert {name: person.telephones for name, person in people.items()} == {
        "Anna": ("PJSIP/101",),
        "Tom": ("PJSIP/102", "PJSIP/109"),
        "PJSIP/desk": ("PJSIP/desk",),
    }
    assert (people["Tom"].answered.calls, people["Tom"].answered.ring_seconds) == (2, 6)
    assert people["Tom"].hours[10] == 2
    assert sum(people["Tom"].hours) == 2


async def test_a_call_without_legs_is_whose_it_says_and_spam_is_nobodys(office: Office) -> None:
    bare = await office.call(talk=45)
    async with office.database.companies(office.company.id) as wire:
        await wire.execute(
            "UPDATE calls SET outcome = 'answered', answered_by = 'PJSIP/101', talk_seconds = 45 WHERE id = $1", bare
        )
    await office.call(("PJSIP/101", "answered", "PJSIP/101", 4), status="spam")
    people = await office.people()
    assert (figures(people["PJSIP/101"]), people["PJSIP/101"].answered.talk_seconds) == ((1, 0, 0, 0, 0), 45)
    assert (await office.answering()).calls == 1


async def test_nobody_where_nobody_called(office: Office) -> None:
    found = await office.answering()
    assert (found.people, found.calls, found.share) == ((), 0, None)

"""Past calls decided again: what is listed is what is done, and what may not be done is refused."""

import asyncio
import json
import random
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from click.testing import CliRunner, Result

from gateway.attribution.errors import PeriodFrozen
from gateway.attribution.forgetting import forget_old_visits
from gateway.attribution.learner import learn_company
from gateway.attribution.live import LiveAttribution, Ringing, RingingDecision
from gateway.attribution.recompute import Recomputed, recompute, recompute_calls_of, tried
from gateway.cli import numberpool
from gateway.store.database import Database
from gateway.visits.consent import Consent, Said
from gateway.visits.journal import Journal
from tests.attribution.front import Front, open_front
from tests.pools.shop import ADS, DIRECT, SEARCH
from tests.stack import eventually

SAID = (
    "SELECT call_id, visit_id, visitor_id, confidence, source_confidence, nobody, because, label, campaign, learned_id"
    " FROM attributions ORDER BY call_id"
)
CANDIDATES = "SELECT call_id, position, is_answer, chance, visit_id, label FROM call_candidates ORDER BY 1, 2"
TOUCHES = "SELECT call_id, position, how, label FROM call_touches ORDER BY 1, 2"


@pytest_asyncio.fixture
async def front(database_dsn: str) -> AsyncIterator[Front]:
    database = await Database.open(database_dsn)
    yield await open_front(database)
    await database.close()


async def crowd(front: Front, visits: int = 60, seed: int = 3) -> None:
    """Some days of visits, taps and calls, settled; people come again and call again, some from other phones."""
    chance = random.Random(seed)
    people = [front.someone(60 * 24 * 9) for _ in range(visits // 2)]
    numbers = list(front.numbers)[:-1]
    for _ in range(visits):
        ago = chance.uniform(5, 60 * 24 * 6)
        who = chance.choice(people)
        stayed = chance.expovariate(1 / 4)
        number = chance.choice(numbers)
        visit = await front.came(
            who,
            ago,
            max(ago - stayed, 0),
            chance.choice([ADS, SEARCH, DIRECT]),
            number=number,
            left=chance.random() < 0.7,
        )
        if chance.random() < 0.5:
            called = ago - chance.expovariate(1 / 6)
            if chance.random() < 0.3:
                await front.tap(visit, called + 0.1, number)
            caller = f"+1306555{people.index(who):04}" if chance.random() < 0.8 else None
            await front.call(called, caller=caller, number=number)
    await front.settle(later=timedelta(days=3))


async def state(front: Front) -> list[list[Any]]:
    return [[tuple(row) for row in await front.rows(query)] for query in (SAID, CANDIDATES, TOUCHES)]


async def again(front: Front, *, is_trial: bool, now: datetime | None = None) -> Recomputed:
    async with front.database.companies(front.company_id) as connection:

        async def work() -> Recomputed:
            return await recompute(
                connection,
                front.company_id,
                front.ago(60 * 24 * 30),
                front.ago(-60 * 24),
                now=now or front.noon,
                is_trial=is_trial,
            )

        if not is_trial:
            return await work()
        async with tried(connection):
            return await work()


async def test_with_nothing_new_nothing_changes(front: Front) -> None:
    await crowd(front)
    before = await state(front)
    assert len(before[0]) > 20
    trial = await again(front, is_trial=True)
    assert trial.calls == len(before[0])
    assert trial.changes == ()
    assert (await again(front, is_trial=False)).changes == ()
    assert await state(front) == before


async def test_what_is_listed_is_what_is_done(front: Front) -> None:
    """New taps, newly learned delays, another model; and earlier calls bear upon later ones of the same caller."""
    await crowd(front)
    await learn_company(front.database, front.company_id, front.noon + timedelta(days=1))
    for row in await front.rows(
        "SELECT visit_id, number_id, started_at FROM call_candidates JOIN calls ON id = call_id"
        " WHERE NOT is_answer AND visit_id IS NOT NULL LIMIT 5"
    ):
        await front.rows(
            "INSERT INTO taps (company_id, visit_id, number_id, at) VALUES ($1, $2, $3, $4)",
            front.company_id,
            row["visit_id"],
            row["number_id"],
            row["started_at"] - timedelta(seconds=4),
        )
    await front.rows("UPDATE companies SET credit_model = 'last' WHERE id = $1", front.company_id)
    before = await state(front)
    sources = await front.rows("SELECT id, source_id FROM calls ORDER BY id")
    seen: list[tuple[int, int]] = []
    trial = await again(front, is_trial=True)
    assert await state(front) == before
    assert await front.rows("SELECT id, source_id FROM calls ORDER BY id") == sources
    async with front.database.companies(front.company_id) as connection:
        done = await recompute(
            connection,
            front.company_id,
            front.ago(60 * 24 * 30),
            front.ago(-60 * 24),
            now=front.noon,
            progress=lambda one, count: seen.append((one, count)),
        )
    assert done == trial
    assert len(trial.changes) > 5
    assert any(each.before.label != each.after.label for each in trial.changes)
    assert sum(trial.totals.values()) == sum(each.before.label != each.after.label for each in trial.changes)
    assert seen == [(place, done.calls) for place in range(1, done.calls + 1)]
    said = {row["call_id"]: row for row in await front.rows("SELECT * FROM attributions")}
    for change in trial.changes:
        assert said[change.call_id]["label"] == (change.after.label or "")
        assert said[change.call_id]["confidence"] == pytest.approx(change.after.confidence)
        assert await front.source(change.call_id) == change.after.label
        assert said[change.call_id]["recomputed_at"] == front.noon
    assert (await again(front, is_trial=True)).changes == ()


async def test_a_frozen_period_refuses_and_says_why(front: Front) -> None:
    ann = front.someone()
    await front.came(ann, 3, 0, left=False)
    call = await front.call()
    await front.settle()
    kept = date(2026, 11, 10)
    async with front.database.everything() as connection:
        await forget_old_visits(connection, kept, datetime(2026, 11, 10, tzinfo=UTC))
    with pytest.raises(PeriodFrozen, match="Visits before 2026-11-10 are kept no longer") as refused:
        await again(front, is_trial=True)
    assert "calls before 2027-02-08 00:00 UTC keep their sources" in str(refused.value)
    # Evidence that ends later, with a look back that is short: what came since is decided again.
    await front.rows("UPDATE companies SET credit_days = 3 WHERE id = $1", front.company_id)
    async with front.database.companies(front.company_id) as connection:
        since = datetime(2026, 11, 13, tzinfo=UTC)
        found = await recompute(connection, front.company_id, since, front.noon + timedelta(days=1), now=front.noon)
    assert found.calls == 1
    assert (await front.said(call))["visitor_id"] == ann


async def test_old_calls_lead_to_nobody_and_keep_their_credit(front: Front) -> None:
    await front.came(front.someone(), 60 * 24 * 5, 60 * 24 * 5 - 1, left=False)
    old = await front.call(60 * 24 * 5 - 2)
    await front.came(front.someone(), 3, 0, SEARCH, left=False)
    new = await front.call(caller="+13065550111")
    await front.settle()
    before = await front.said(old)
    async with front.database.everything() as connection:
        await forget_old_visits(connection, date(2026, 11, 15), datetime(2026, 11, 15, tzinfo=UTC))
    said = await front.said(old)
    assert before["visitor_id"] is not None
    assert (said["visit_id"], said["visitor_id"], said["exposure_id"]) == (None, None, None)
    assert (said["label"], said["campaign"], said["confidence"]) == ("Google Paid", "spring", before["confidence"])
    assert all(each["visitor_id"] is None for each in await front.candidates(old))
    assert (await front.said(new))["visitor_id"] is not None
    assert await front.source(old) == "Google Paid"


async def test_who_asks_to_be_forgotten_leaves_the_credit_behind(front: Front) -> None:
    ann, bob = front.someone(), front.someone()
    await front.visit(ann, 60 * 24 * 5, ADS)
    visit = await front.came(ann, 3, 0, SEARCH, left=False)
    await front.came(bob, 8, 4, SEARCH)
    call = await front.call()
    await front.settle()
    before = await front.said(call)
    assert (before["visitor_id"], before["label"]) == (ann, "Google Paid")
    async with Journal(front.database).running() as journal:
        await journal.erase(front.company_id, visit, ann, Consent(Said.DENIED, "banner", front.noon))
    said = await front.said(call)
    assert (said["visit_id"], said["visitor_id"], said["forgotten"]) == (None, None, True)
    assert (said["label"], said["confidence"]) == ("Google Paid", before["confidence"])
    rows = await front.rows(
        "SELECT visit_id, visitor_id, label, is_answer FROM call_candidates WHERE call_id = $1", call
    )
    assert {(row["is_answer"], row["visitor_id"]) for row in rows} <= {(True, None), (False, bob)}
    names = json.dumps(
        [
            dict(row)
            for table in ("attributions", "call_candidates", "call_touches")
            for row in await front.rows(f"SELECT * FROM {table} WHERE call_id = $1", call)
        ],
        default=str,
    )
    assert str(ann) not in names
    assert str(visit) not in names
    found = await again(front, is_trial=False)
    assert (found.calls, found.forgotten, found.changes) == (1, 1, ())
    assert await front.source(call) == "Google Paid"


async def test_who_says_no_while_it_rings_keeps_what_was_said_then(front: Front) -> None:
    ann = front.someone()
    visit = await front.came(ann, 3, 0, SEARCH, left=False)
    call = await front.call(state="ringing")
    heard: list[RingingDecision] = []
    live = LiveAttribution(front.database)
    live.listeners.append(heard.append)
    deciding = asyncio.create_task(live.run())
    live.rang(Ringing(front.company_id, call, "pbx", "k", "1.1", 1))

    async def is_heard() -> bool:
        return bool(heard)

    await eventually(is_heard)
    deciding.cancel()
    assert (heard[0].source, heard[0].call.unique_id, heard[0].call.call_id) == ("Google Organic", "1.1", call)
    async with Journal(front.database).running() as journal:
        await journal.erase(front.company_id, visit, ann, Consent(Said.DENIED, "banner", front.noon))
    await front.rows(
        "UPDATE calls SET state = 'ended', outcome = 'answered', ended_at = started_at WHERE id = $1",
        call,
    )
    assert await front.settle() == 1
    assert await front.settle() == 0
    said = await front.said(call)
    assert (said["forgotten"], said["label"], said["visitor_id"]) == (True, "Google Organic", None)
    assert await front.source(call) == "Google Organic"


async def test_visits_that_are_classified_anew_take_their_calls_along(front: Front) -> None:
    ann = front.someone()
    first = await front.visit(ann, 60 * 24 * 5, SEARCH)
    await front.came(ann, 3, 0, DIRECT, left=False)
    await front.came(front.someone(), 3, 0, SEARCH, number=list(front.numbers)[1], left=False)
    call = await front.call()
    other = await front.call(number=list(front.numbers)[1], caller="+13065550111")
    await front.settle()
    assert await front.source(call) == "Google Organic"
    await front.rows("UPDATE visits SET label = 'Maps', source = 'maps' WHERE id = $1", first)
    async with front.database.companies(front.company_id) as connection:
        found = await recompute_calls_of(connection, front.company_id, [first], now=front.noon)
    assert [(each.call_id, each.before.label, each.after.label) for each in found.changes] == [
        (call, "Google Organic", "Maps")
    ]
    assert await front.source(call) == "Maps"
    assert await front.source(other) == "Google Organic"


# -- the commands --------------------------------------------------------------------------------------------------


def command(dsn: str, monkeypatch: pytest.MonkeyPatch, *words: str) -> Result:
    monkeypatch.setenv("NUMBERPOOL_POSTGRES__DSN", dsn)
    return CliRunner().invoke(numberpool, words, catch_exceptions=False)


def filled(dsn: str, url: str = "https://shop.example/") -> tuple[str, int]:
    """A company with a settled call; its name, and the call. The rules have seen nothing of its visit yet."""

    async def fill() -> tuple[str, int]:
        database = await Database.open(dsn)
        front = await open_front(database)
        visit = await front.visit(front.someone(), 3, DIRECT, url=url)
        await front.page(visit, 3, 0, left=False)
        call = await front.call()
        await front.settle()
        await database.close()
        return front.shop.company.name, call

    return asyncio.run(fill())


def test_a_period_is_recomputed_by_command(database_dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    name, call = filled(database_dsn)
    period = ("attribution", "recompute", name, "--from", "2026-11-18", "--to", "2026-11-18")
    assert "1 calls: nothing would change." in command(database_dsn, monkeypatch, *period).output

    async def rename() -> None:
        database = await Database.open(database_dsn)
        async with database.everything() as connection:
            await connection.execute("UPDATE visits SET label = 'Newsletter'")
        await database.close()

    asyncio.run(rename())
    listed = command(database_dsn, monkeypatch, *period)
    assert listed.exit_code == 0
    assert "1 of 1 calls change" in listed.output
    assert "Newsletter" in listed.output
    assert "Nothing is changed yet: --apply changes them." in listed.output
    data = json.loads(command(database_dsn, monkeypatch, *period, "--json").output)
    assert data["applied"] is False
    assert [(each["call"], each["before"]["source"], each["after"]["source"]) for each in data["changes"]] == [
        (call, "Direct", "Newsletter")
    ]
    applied = json.loads(command(database_dsn, monkeypatch, *period, "--json", "--apply").output)
    assert applied == data | {"applied": True}
    assert "nothing would change" in command(database_dsn, monkeypatch, *period).output
    other_day = ("attribution", "recompute", name, "--from", "2026-11-19", "--to", "2026-11-20")
    assert "0 calls: nothing would change." in command(database_dsn, monkeypatch, *other_day).output
    backwards = ("attribution", "recompute", name, "--from", "2026-11-19", "--to", "2026-11-18")
    assert command(database_dsn, monkeypatch, *backwards).exit_code == 2
    nobody = ("attribution", "recompute", "Nobody", "--from", "2026-11-18", "--to", "2026-11-18")
    assert command(database_dsn, monkeypatch, *nobody).exit_code == 1


def test_rules_that_are_applied_take_the_calls_along(database_dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(database_dsn, url="https://shop.example/?gclid=abc")
    apply = ("sources", "rules", "apply", "--since", "2026-11-18", "--until", "2026-11-18")
    listed = command(database_dsn, monkeypatch, *apply).output
    assert "1 of 1 visits would change" in listed
    assert "1 of 1 calls change" in listed
    assert "Nothing is changed yet" in listed

    async def sources() -> list[str | None]:
        database = await Database.open(database_dsn)
        async with database.everything() as connection:
            rows = await connection.fetch(
                "SELECT s.name FROM calls c LEFT JOIN sources s ON s.id = c.source_id ORDER BY c.id"
            )
        await database.close()
        return [row["name"] for row in rows]

    assert asyncio.run(sources()) == ["Direct"]
    done = command(database_dsn, monkeypatch, *apply, "--yes").output
    assert "Changed: 1 visits." in done
    assert asyncio.run(sources()) == ["Google Paid"]


def test_how_calls_are_credited_is_set_by_command(database_dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    name, _ = filled(database_dsn)
    shown = command(database_dsn, monkeypatch, "attribution", "credit").output
    assert "the first touch of the 90 days before a call has the credit" in shown
    assert "the half-life of time decay is 7 days" in shown
    changed = command(
        database_dsn, monkeypatch, "attribution", "credit", "--model", "last paid", "--days", "30", "--half-life", "3d"
    ).output
    assert "the last paid touch of the 30 days before a call" in changed
    assert "the half-life of time decay is 3 days" in changed
    assert f"numberpool attribution recompute '{name}' --from" in changed
    assert command(database_dsn, monkeypatch, "attribution", "credit", "--model", "linear").exit_code == 2
    assert command(database_dsn, monkeypatch, "attribution", "credit", "--half-life", "soon").exit_code == 1

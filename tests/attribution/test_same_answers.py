"""A history that is replayed, and the same that went through the database: the same answers."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid5

import pytest
import pytest_asyncio

from gateway.attribution.curve import STATES
from gateway.attribution.decision import Page
from gateway.attribution.evidence import Call
from gateway.attribution.learned import PRIOR
from gateway.attribution.past import LentNumber, Past, lessons
from gateway.attribution.settling import Settling
from gateway.attribution.trial import Answer, Trial
from gateway.health import Health
from gateway.pools.pool import Kind, Pool
from gateway.store.database import Database
from gateway.visits.ids import new_id
from tests.attribution.front import Front, open_front
from tests.attribution.traffic import traffic


@pytest_asyncio.fixture
async def front(database_dsn: str) -> AsyncIterator[Front]:
    database = await Database.open(database_dsn)
    yield await open_front(database, 6)
    await database.close()


async def stored(front: Front, trial: Trial, answers: list[Answer]) -> tuple[dict[int, Answer], dict[str, str]]:
    """What the trial's pages and calls were, written as the collector and the gateway write them.

    The answers by call, and the trial's names of visitors by their ids.
    """
    ids: dict[str, UUID] = {}
    pages: list[tuple[Any, ...]] = []
    visits: dict[str, tuple[Any, ...]] = {}
    for number, showings in trial._shown.items():
        for each in showings:
            if each.last_seen < each.shown_at:
                continue  # the page of another visit showed the visitor this number
            visitor = ids.setdefault(f"visitor {each.visitor}", new_id(each.came_at))
            visit = ids.setdefault(f"visit {each.visit}", new_id(each.came_at))
            exposure = new_id(each.shown_at)
            visits.setdefault(each.visit, (front.company_id, front.shop.site.id, visit, visitor, each.came_at))
            pages.append(
                (front.company_id, exposure, visit, front.numbers[number], each.shown_at, each.last_seen, each.left_at)
            )
    by_call = {}
    async with front.database.everything() as connection:
        await connection.executemany(
            "INSERT INTO visits (company_id, site_id, id, visitor_id, started_at, label, channel, source, url)"
            " VALUES ($1, $2, $3, $4, $5, 'Direct', 'Direct', '(direct)', 'https://shop.example/')",
            list(visits.values()),
        )
        await connection.executemany(
            "INSERT INTO exposures (company_id, id, visit_id, number_id, shown_at, last_seen, left_at)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7)",
            pages,
        )
        for place, answer in enumerate(answers):
            assert answer.number is not None
            call = await connection.fetchval(
                "INSERT INTO calls (company_id, node_id, asterisk_id, stage, state, outcome, did, number_id, caller,"
                " started_at, ended_at) VALUES ($1, 1, $2, 3, 'ended', 'answered', $3, $4, $5, $6, $6) RETURNING id",
                front.company_id,
                f"same-{place}",
                answer.number,
                front.numbers[answer.number],
                answer.call.caller or None,
                answer.call.start,
            )
            by_call[call] = answer
    names = {str(id): name.removeprefix("visitor ") for name, id in ids.items() if name.startswith("visitor ")}
    return by_call, names


@pytest.mark.parametrize("shape", ["lognormal", "after leaving"])
async def test_a_day_replayed_and_settled(front: Front, shape: str) -> None:
    # Of one day: at night a replay learns, and would know more than the prior the next morning.
    history = traffic(shape, visits=5000, returning=0.4, seed=5)
    begin = history.visits[0].start
    until = begin.replace(hour=23, minute=59)
    visits = [each for each in history.visits if each.start < until - timedelta(hours=2)]
    calls = [each for each in history.calls if begin <= each.start < until]
    numbers = list(front.numbers)[:-1]
    trial = Trial(Pool(0, 0, "same", Kind.DYNAMIC), numbers, seed=1)
    answers = [each for each in trial.answers(visits, calls) if each.number is not None]
    assert len(answers) > 80
    trial._until(until + timedelta(days=1))  # pages that were open at the last call say goodbye
    by_call, names = await stored(front, trial, answers)
    settling = Settling(front.database, Health())
    while await settling.settle_some(until + timedelta(days=1)):
        pass
    rows = {row["call_id"]: row for row in await front.rows("SELECT * FROM attributions")}
    assert set(rows) == set(by_call)
    for call, answer in by_call.items():
        said, verdict = rows[call], answer.verdict
        assert verdict is not None
        assert names.get(str(said["visitor_id"])) == verdict.visitor, (answer, dict(said))
        assert said["confidence"] == pytest.approx(verdict.confidence, rel=1e-3)
        assert said["because"] == [each.value for each in verdict.evidence]
    assert any(row["visitor_id"] is None for row in rows.values())
    assert any("known caller" in row["because"] for row in rows.values())


def test_a_night_counts_the_time_of_a_day_as_a_replay_does() -> None:
    history = traffic("lognormal", visits=1500, returning=0.4, seed=5)
    begin = history.visits[0].start.replace(hour=0, minute=0, second=0, microsecond=0)
    night = begin + timedelta(days=1)
    numbers = [f"n{index}" for index in range(5)]
    trial = Trial(Pool(0, 0, "same", Kind.DYNAMIC), numbers, seed=1)
    visits = [each for each in history.visits if each.start < night - timedelta(hours=2)]
    answers = list(trial.answers(visits, [each for each in history.calls if each.start < night]))
    trial._until(night)
    pages = {
        number: sorted(
            (
                Page(
                    new_id(begin),
                    _id(f"visit {each.visit}"),
                    _id(each.visitor),
                    each.shown_at,
                    each.last_seen,
                    each.left_at,
                )
                for each in trial._shown[number]
                if each.last_seen >= each.shown_at
            ),
            key=lambda page: page.shown_at,
        )
        for number in numbers
    }
    trial._night(begin, night)
    assert any(each.came_at < each.shown_at for shown in trial._shown.values() for each in shown)
    calls = [Call(each.number, each.call.start, each.call.caller) for each in answers if each.number is not None]
    lent = {number: LentNumber(number, 1, begin, night) for number in numbers}
    examples, risk = lessons(Past(begin, night, lent, pages, {}, calls), PRIOR)
    assert len(examples) == len(trial._examples) > 80
    assert sum(examples.weights) == pytest.approx(sum(trial._examples.weights))
    # By what became of the page. A page that had a number, another and the first again is one page here: some seconds.
    ours, theirs = (each.cells.reshape(3, -1, STATES).sum(axis=1).ravel() for each in (risk, trial._risk))
    assert ours == pytest.approx(theirs, rel=0.005)


def _id(name: str) -> UUID:
    return uuid5(NAMESPACE_OID, name)

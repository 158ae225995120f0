"""How many numbers a pool needs: Erlang's formula, exports of sessions, and the advice as it is typed."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio

from gateway.attribution.advice import advise, told
from gateway.attribution.erlang import erlang_b, load_for, numbers_for
from gateway.attribution.errors import FaultySessions, LendsNothing, NoVisitsYet
from gateway.attribution.hourly import Sessions, read_sessions, sessions_of_peak
from gateway.attribution.stored_hours import hours_of_pool
from gateway.pools import setup
from gateway.pools.errors import NoSuchPool
from gateway.pools.pool import Kind, Pool, WhenFull
from gateway.store.database import Database
from gateway.visits.months import keep_months
from tests.attribution.test_replay import typed_command
from tests.pools.shop import open_shop

POOL = Pool(0, 0, "trial", Kind.DYNAMIC)
STAY = timedelta(minutes=3)


@pytest.mark.parametrize(
    ("numbers", "load", "blocked"),
    # As printed tables of Erlang B have them.
    [(0, 5.0, 1.0), (1, 1.0, 0.5), (2, 1.0, 0.2), (5, 2.219, 0.05), (10, 4.461, 0.01), (100, 84.06, 0.01)],
)
def test_erlang(numbers: int, load: float, blocked: float) -> None:
    assert erlang_b(numbers, load) == pytest.approx(blocked, rel=2e-3)
    if numbers and blocked < 0.1:
        assert load_for(numbers, at_most=blocked) == pytest.approx(load, rel=1e-3)
        assert numbers_for(load * 0.999, at_most=blocked) == numbers


def test_erlang_at_its_borders() -> None:
    assert erlang_b(5, 0.0) == 0
    assert 0 < erlang_b(10_000, 20_000.0) < 1
    assert numbers_for(0.0, at_most=0.05) == 1


EXPORTS = {
    "analytics 4": (
        b"\xef\xbb\xbf# ----------------------------------------\n# Free form 1\n# 20260501-20260531\n\n"
        b"Date + hour (YYYYMMDDHH),Session source / medium,Sessions\n2026050109,google / cpc,30\n"
        b'2026050109,(direct) / (none),12\n2026050110,google / cpc,"1,204"\n,Grand total,1246\n'
    ),
    "two columns": b"Date;Hour;Sessions\n2026-05-01;9;42\n2026-05-01;10;1.204\n",
    "tabs": b"date\thour of day\tvisits\n20260501\t09:00\t42\n20260501\t10:00\t1204\nTotal\t\t1246\n",
}


@pytest.mark.parametrize("export", EXPORTS)
def test_sessions_as_they_are_exported(export: str) -> None:
    found = read_sessions([EXPORTS[export]], "sessions.csv")
    assert dict(found.hours) == {datetime(2026, 5, 1, 9): 42, datetime(2026, 5, 1, 10): 1204}
    assert (found.peak, found.visits) == (1204, 1246)
    assert len(found.sources) == (2 if export == "analytics 4" else 0)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (b"", "is empty"),
        (b"# only words\n", "is empty"),
        (b"City,Sessions\nRegina,5\n", "line 1: has columns City, Sessions"),
        (b"#\nDate,Hour,Sessions\n2026-13-01,9,5\n", "line 3: .*tells no hour"),
        (b"Date,Hour,Sessions\n2026-05-01,25,5\n", "line 2: .*tells no hour"),
        (b"Date,Hour,Sessions\n2026-05-01,9,many\n", "line 2: 'many' is no number"),
        (b"Date,Hour,Sessions\n2026-05-01,9,0\n", "no sessions in it"),
        (b"\xff\xfe", "not text"),
    ],
)
def test_sessions_that_cannot_be_read(text: bytes, fault: str) -> None:
    with pytest.raises(FaultySessions, match=fault):
        read_sessions([text], "sessions.csv")


def test_more_numbers_lead_more_calls_right_and_take_fewer_away() -> None:
    found = advise(POOL, sessions_of_peak(12), stay=STAY, calling=0.1, sources=4, price=2.0, numbers=3)
    sizes = [each.numbers for each in found.sizes]
    assert sizes == sorted(set(sizes))
    assert {found.rule_of_thumb, found.by_erlang, 3} <= set(sizes)
    assert found.rule_of_thumb == 3
    first, last = found.sizes[0], found.sizes[-1]
    assert last.right > first.right + 0.05
    assert first.displaced > 0.2 > last.displaced
    assert [each.cost for each in found.sizes] == [2.0 * each.numbers for each in found.sizes]
    assert found.warning is not None
    assert "is full at its busiest" in found.warning
    text = told(found)
    for part in (
        "3 (now)",
        "busiest hour / 4",
        "by Erlang",
        "enough",
        "4 static numbers",
        "cost 8.00 a month",
        found.warning,
    ):
        assert part in text


def test_there_is_no_warning_while_there_is_room() -> None:
    roomy = advise(POOL, sessions_of_peak(3), stay=STAY, calling=0.2, sources=1, numbers=12)
    assert roomy.warning is None
    soon = advise(POOL, Sessions({datetime(2026, 5, 1, 9): 5}), stay=STAY, calling=0.2, sources=1, numbers=5)
    assert soon.warning is not None
    assert "gets full soon" in soon.warning


def test_a_pool_that_falls_back_counts_the_refused() -> None:
    pool = Pool(0, 0, "trial", Kind.DYNAMIC, when_full=WhenFull.FALLBACK)
    found = advise(pool, sessions_of_peak(12), stay=STAY, calling=0.1, sources=4)
    assert found.sizes[0].refused > 0.1
    assert found.sizes[0].displaced == 0
    assert "SAW A FALLBACK" in told(found)


async def test_a_pools_own_past(database: Database) -> None:
    shop = await open_shop(database, 2)
    async with database.everything() as connection:
        with pytest.raises(NoVisitsYet):
            await hours_of_pool(connection, shop.company, "Visitors", days=30)
        with pytest.raises(NoSuchPool):
            await hours_of_pool(connection, shop.company, "Nobody", days=30)
        await setup.add_pool(connection, shop.company, "Signs", "static")
        with pytest.raises(LendsNothing):
            await hours_of_pool(connection, shop.company, "Signs", days=30)
    shop.now = datetime.now(UTC) - timedelta(hours=3)
    await keep_months(database, shop.now.date())
    hour = shop.now.replace(minute=0, second=0, microsecond=0)
    shop.now = hour + timedelta(minutes=5)
    for _ in range(3):
        await shop.shown(shop.visitor())
        shop.passes(minutes=2)
    shop.now = hour + timedelta(minutes=65)
    await shop.shown(shop.visitor())
    async with database.everything() as connection:
        past = await hours_of_pool(connection, shop.company, "Visitors", days=30)
    naive = hour.replace(tzinfo=None)
    assert dict(past.sessions.hours) == {naive: 3, naive + timedelta(hours=1): 1}
    assert (past.numbers, past.stay, past.calling, past.price) == (2, None, None, None)
    assert past.pool.reserve == timedelta(minutes=20)


def test_as_it_is_typed(tmp_path: Path) -> None:
    folder = tmp_path
    (folder / "sessions.csv").write_bytes(EXPORTS["two columns"].replace(b"1.204", b"8"))
    done = typed_command(folder, "advise", "--sessions", "sessions.csv", "--price", "1.15", "--sources", "6")
    assert done.returncode == 0, done.stderr
    assert b"The busiest hour had 42 visits" in done.stdout
    assert b"6 static numbers" in done.stdout
    none = typed_command(folder, "advise")
    assert none.returncode == 2
    assert b"name a pool, or --sessions FILE, or --peak VISITS" in none.stderr


@pytest_asyncio.fixture(scope="module")
async def database(module_database_dsn: str) -> AsyncIterator[Database]:
    database = await Database.open(module_database_dsn)
    yield database
    await database.close()

"""The example in a real database: filled in, decided by the real functions, and taken out without a trace."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from gateway.example.company import set_up
from gateway.example.filling import ExampleRefused, Filled, Voices, fill
from gateway.example.removing import remove
from gateway.example.talks import by_name, record
from gateway.example.trades import ROOFING
from gateway.local.programs import AsteriskHome
from gateway.pools import setup
from gateway.store.database import Database

NOW = datetime(2026, 11, 22, 18, tzinfo=UTC)
# What is there of an installation as such, whoever uses it.
_ITS_OWN = {"alembic_version", "pgqueuer_schedules"}


@pytest_asyncio.fixture
async def database(database_dsn: str) -> AsyncIterator[Database]:
    opened = await Database.open(database_dsn, 4)
    yield opened
    await opened.close()


async def _filled(database: Database, voices: Voices | None = None, *, made_company: bool = True) -> tuple[int, Filled]:
    async with database.everything() as connection:
        company, key = await set_up(connection, ROOFING, "PJSIP/office")
    return company.id, await fill(database, ROOFING, company.id, key, NOW, voices=voices, made_company=made_company)


async def _counts(database: Database) -> dict[str, int]:
    async with database.everything() as connection:
        tables = await connection.fetch(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') "
            "AND NOT relispartition ORDER BY relname"
        )
        return {
            row["relname"]: await connection.fetchval(f'SELECT count(*) FROM "{row["relname"]}"')
            for row in tables
            if row["relname"] not in _ITS_OWN
        }


async def test_it_is_filled_decided_and_taken_out_wholly(
    database: Database, asterisk_home: AsteriskHome, tmp_path: Path
) -> None:
    before = await _counts(database)
    voices = Voices(asterisk_home.espeak, tmp_path / "voices", tmp_path / "data")
    company_id, filled = await _filled(database, voices)
    there = await _counts(database)
    assert there["calls"] == filled.calls
    assert there["visits"] == filled.visits
    assert there["recordings"] == filled.recordings > 300
    assert there["leases"] > 1000
    assert there["attributions"] == there["calls"]
    assert there["reliability"]
    assert there["learned"] == 3
    assert there["spend"] > 400
    async with database.companies(company_id) as connection:
        await _looks_right(connection)
        files = [row["file"] for row in await connection.fetch("SELECT file FROM recordings")]
        assert all((voices.data_folder / file).stat().st_size > 2000 for file in files)
        with pytest.raises(asyncpg.ExclusionViolationError):
            async with connection.transaction():
                await connection.execute(
                    "INSERT INTO leases (company_id, pool_id, number_id, holder, period, closed_as) SELECT company_id, "
                    "pool_id, number_id, 'visitor:x', period, closed_as FROM leases WHERE closed_as IS NOT NULL LIMIT 1"
                )
    with pytest.raises(ExampleRefused, match="already"):
        await _filled(database)

    removed = await remove(database, voices.data_folder)

    assert [each.company_is_gone for each in removed] == [True]
    assert await _counts(database) == before
    assert not list(voices.data_folder.rglob("*.mp3"))
    assert len(list(voices.folder.glob("*.mp3"))) == len(ROOFING.talks)
    with pytest.raises(ExampleRefused, match="no example data"):
        await remove(database, voices.data_folder)


async def _looks_right(connection: Any) -> None:
    assert await connection.fetchval("SELECT count(*) FROM calls WHERE settled_at IS NULL OR confidence IS NULL") == 0
    assert await connection.fetchval("SELECT count(*) FROM visits_other") == 0
    # The visits that were lent a number and whose callers rang from the page are found, and some calls are Unknown.
    unknown, credited = await connection.fetchval(
        "SELECT ARRAY[count(*) FILTER (WHERE c.source_id IS NULL), count(c.source_id)] FROM calls c "
        "JOIN attributions a ON a.company_id = c.company_id AND a.call_id = c.id WHERE basis = 'visits'"
    )
    assert 0.03 < unknown / (unknown + credited) < 0.35
    # Confidence keeps its promise: what is said at 0.9 and more is so.
    calls, holders = await connection.fetchval(
        "SELECT ARRAY[count(*), count(*) FILTER (WHERE l.holder = 'visitor:' || a.visitor_id)] "
        "FROM attributions a JOIN exposures e ON e.company_id = a.company_id AND e.id = a.exposure_id "
        "JOIN leases l ON l.company_id = e.company_id AND l.id = e.lease_id WHERE a.confidence >= 0.9"
    )
    assert calls == holders > 100
    assert await connection.fetchval("SELECT count(DISTINCT source_id) FROM calls") > 8
    assert await connection.fetchval("SELECT count(*) FROM calls WHERE is_first") > 200
    assert await connection.fetchval("SELECT count(*) FROM calls WHERE region = 'Saskatchewan'") > 200
    assert await connection.fetchval("SELECT sum(displaced) FROM pool_hours") == await connection.fetchval(
        "SELECT count(*) FROM leases WHERE closed_as = 'displaced'"
    )


async def test_what_is_real_is_neither_mixed_with_it_nor_taken_out_with_it(database: Database) -> None:
    async with database.everything() as connection:
        other = await setup.add_company(connection, "Real Ltd", region="CA")
        node = await connection.fetchval("INSERT INTO nodes (name) VALUES ('pbx') RETURNING id")
    company_id, _ = await _filled(database, made_company=False)
    async with database.everything() as connection:
        for company, key in ((other.id, "a"), (company_id, "b")):
            await connection.execute(
                "INSERT INTO calls (company_id, node_id, asterisk_id, stage, state, outcome, did, started_at, caller, "
                "source_id) "
                "VALUES ($1, $2, $3, 3, 'ended', 'answered', '+13065552001', now(), '+13065550111', "
                "(SELECT min(id) FROM sources WHERE company_id = $1 AND name = 'Google Paid'))",
                company,
                node,
                key,
            )

    removed = await remove(database, Path("/nonexistent"), company_id)

    assert not removed[0].company_is_gone
    async with database.everything() as connection:
        assert {row["asterisk_id"] for row in await connection.fetch("SELECT asterisk_id FROM calls")} == {"a", "b"}
        assert await connection.fetchval("SELECT count(*) FROM sources WHERE name = 'Google Paid'") == 1
        assert await connection.fetchval("SELECT count(*) FROM sources WHERE name = 'Google Organic'") == 0
        assert await connection.fetchval("SELECT count(*) FROM visits") == 0
        assert await connection.fetchval("SELECT count(*) FROM tracking_numbers") == len(
            {*ROOFING.lent, *(line.e164 for line in ROOFING.lines)}
        )
        assert await connection.fetchval("SELECT count(*) FROM lendable_numbers WHERE lease_id IS NOT NULL") == 0
    with pytest.raises(ExampleRefused, match="of its own"):
        await _filled(database)


async def test_a_filling_that_fails_leaves_nothing(
    database: Database, asterisk_home: AsteriskHome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with database.everything() as connection:
        company, key = await set_up(connection, ROOFING, "PJSIP/office")
    before = await _counts(database)

    async def breaks(*_: object, **__: object) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr("gateway.example.filling._attribute", breaks)
    voices = Voices(asterisk_home.espeak, tmp_path / "voices", tmp_path / "data")
    with pytest.raises(OSError, match="full"):
        await fill(database, ROOFING, company.id, key, NOW, voices=voices)
    assert await _counts(database) == before | {"nodes": 1}
    assert not list(voices.data_folder.rglob("*.mp3"))


async def test_conversations_can_be_heard_and_are_as_long_as_said(asterisk_home: AsteriskHome, tmp_path: Path) -> None:
    talks = {name: talk for name, talk in by_name("roofing", ROOFING.talks).items() if talk.about == "again"}
    made = await record(talks, asterisk_home.espeak, tmp_path)
    for name, talk in talks.items():
        encoded = made[name].encoded
        assert encoded.seconds == pytest.approx(talk.seconds, abs=0.1)
        caller, business = encoded.peaks[0::2], encoded.peaks[1::2]
        assert max(caller) > 150
        assert max(business) > 150
        # One speaks at a time, nearly always.
        assert sum(one > 100 and other > 100 for one, other in zip(caller, business, strict=True)) < 0.1 * len(caller)
    again = await record(talks, asterisk_home.espeak, tmp_path)
    assert {name: each.encoded for name, each in again.items()} == {name: each.encoded for name, each in made.items()}

"""Recordings of calls back: made from what lies in the spool, each side in its place, and gone when their time is."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytest_asyncio

from gateway.calls import placed_recordings, retention
from gateway.calls.encoder import Encoder
from gateway.calls.placed_recordings import make_waiting
from gateway.store.database import Database
from tests.calls.heard import sound_of
from tests.calls.sipp import loudness
from tests.store.waiting import until

KEY = "npback0123456789abcdef-123456"
ASKED = datetime(2026, 11, 3, 14, 30, tzinfo=UTC)
COMPANY_HZ, CALLEE_HZ = 440, 1000


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(placed_recordings, "SETTLE_SECONDS", 0.2)


class Spool:
    """A call back that has ended, and the folders around it."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database = database
        self.spool, self.data = folder / "spool", folder / "data"
        (self.spool / "recordings").mkdir(parents=True)
        self.company = 0

    async def ended(self, talk: float) -> int:
        async with self.database.everything() as wire:
            self.company = await wire.fetchval(
                "INSERT INTO companies (name, region, recordings_kept_days) VALUES ('Acme', 'CA', 30) RETURNING id"
            )
            node = await wire.fetchval("INSERT INTO nodes (name) VALUES ('pbx') RETURNING id")
            call = await wire.fetchval(
                "INSERT INTO calls (company_id, node_id, asterisk_id, stage, state, outcome, did, started_at) "
                "VALUES ($1, $2, 'call', 3, 'ended', 'no_answer', '+13065552001', $3) RETURNING id",
                self.company,
                node,
                ASKED,
            )
            return int(
                await wire.fetchval(
                    "INSERT INTO placed_calls (company_id, call_id, placed_by, telephone, callee, asterisk_id, "
                    "node_id, state, stage, outcome, asked_at, talk_seconds, recording, rate) VALUES ($1, $2, 'Anna', "
                    "'PJSIP/1', '+13065550142', $3, $4, 'ended', 3, 'answered', $5, $6, 'pending', 8000) RETURNING id",
                    self.company,
                    call,
                    KEY,
                    node,
                    ASKED,
                    talk,
                )
            )

    def speak(self) -> None:
        """As Asterisk wrote it: what the recorded channel, which is the company's telephone, said is the first."""
        at = np.arange(16000) / 8000
        for side, hertz in (("caller", COMPANY_HZ), ("business", CALLEE_HZ)):
            samples = (12000 * np.sin(2 * np.pi * hertz * at)).astype("<i2")
            (self.spool / "recordings" / f"{KEY}-{side}.sln").write_bytes(samples.tobytes())

    async def make(self, encoder: Encoder) -> bool:
        return bool(await make_waiting(self.database, self.data, "pbx", self.spool, encoder))

    async def row(self) -> Any:
        async with self.database.everything() as wire:
            return await wire.fetchrow("SELECT * FROM placed_calls")


@pytest_asyncio.fixture
async def spool(database_dsn: str, tmp_path: Path) -> Any:
    database = await Database.open(database_dsn, 3)
    yield Spool(database, tmp_path)
    await database.close()


async def test_it_is_made_and_later_goes(spool: Spool, tmp_path: Path) -> None:
    await spool.ended(2.0)
    spool.speak()
    encoder = Encoder()
    try:
        await until(lambda: spool.make(encoder))
    finally:
        await encoder.close()
    row = await spool.row()
    assert row["recording"] == "ready"
    assert list((spool.spool / "recordings").iterdir()) == []
    samples, rate = sound_of(spool.data / row["file"], tmp_path)
    assert loudness(samples[:, 0], CALLEE_HZ, rate) > 0.2
    assert loudness(samples[:, 1], COMPANY_HZ, rate) > 0.2
    assert loudness(samples[:, 0], COMPANY_HZ, rate) < 0.01
    assert await retention.end_retention(spool.database, spool.data, ASKED + timedelta(days=29)) == 0
    assert await retention.end_retention(spool.database, spool.data, ASKED + timedelta(days=31)) == 1
    assert not (spool.data / row["file"]).exists()
    row = await spool.row()
    assert (row["recording"], row["file"], row["peaks"]) == ("deleted", None, None)


@pytest.mark.parametrize(("talk", "state"), [(0.5, "empty"), (60.0, "failed")])
async def test_without_files_it_says_why(spool: Spool, talk: float, state: str) -> None:
    await spool.ended(talk)
    encoder = Encoder()
    try:
        assert not await spool.make(encoder)
    finally:
        await encoder.close()
    row = await spool.row()
    assert row["recording"] == state
    assert row["fault"]

"""Raw sides in a spool become recordings: once, whole, and whatever dies or fills up in between."""

import asyncio
import os
import resource
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pytest_asyncio

from gateway.calls import recordings
from gateway.calls.encoder import Encoder
from gateway.calls.leftovers import KnownCall, adopt_leftovers, fate_of
from gateway.calls.recordings import RecordingStudio, expect_recording, unchanged_for, without_files
from gateway.calls.sides import Leftover, UnsafePath, leftovers, recording_path, side_paths
from gateway.health import Condition, Health
from gateway.store import jobs
from gateway.store.database import Database
from gateway.store.jobs import release_held, run_jobs
from tests.store.waiting import until

STARTED = datetime(2026, 11, 3, 14, 30, tzinfo=UTC)
NOW = datetime(2026, 11, 3, 15, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "FIRST_DELAY_SECONDS", 0.05)
    monkeypatch.setattr(jobs, "LOOK_SECONDS", 0.2)
    monkeypatch.setattr(jobs, "POLL_SECONDS", 0.3)
    monkeypatch.setattr(recordings, "SETTLE_SECONDS", 0.3)
    for name in ("STILL_GROWING", "DISK_FULL_WAIT", "NO_SPOOL_WAIT", "TAKEN_WAIT"):
        monkeypatch.setattr(recordings, name, timedelta(seconds=0.3))


class Office:
    """A company whose calls on the node ``pbx`` are recorded."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database = database
        self.spool = folder / "spool"
        self.data = folder / "data"
        self.health = Health()
        self.encoder = Encoder()
        self.company = 0
        (self.spool / "recordings").mkdir(parents=True)

    async def call(self, key: str, *, talk: float = 3.0, expect: bool = True, ended: bool = True) -> int:
        async with self.database.everything() as connection:
            call_id = int(
                await connection.fetchval(
                    "INSERT INTO calls (company_id, node_id, asterisk_id, stage, state, outcome, did, started_at,"
                    " talk_seconds) SELECT $1, id, $2, CASE WHEN $5 THEN 3 ELSE 2 END,"
                    " CASE WHEN $5 THEN 'ended' ELSE 'answered' END, CASE WHEN $5 THEN 'answered' END,"
                    " '+13065552001', $3, $4 FROM nodes WHERE name = 'pbx' RETURNING id",
                    self.company,
                    key,
                    STARTED,
                    talk,
                    ended,
                )
            )
            if expect:
                await self.expect(connection, call_id, key)
        return call_id

    async def expect(self, connection: Any, call_id: int, key: str) -> None:
        await expect_recording(
            connection, company_id=self.company, call_id=call_id, sides=f"recordings/{key}", rate=8000
        )

    def speak(self, key: str, seconds: float = 1.0) -> tuple[Path, Path]:
        time = np.arange(int(8000 * seconds)) / 8000
        paths = []
        for side, hertz in (("caller", 440), ("business", 1000)):
            path = self.spool / "recordings" / f"{key}-{side}.sln"
            path.write_bytes((12000 * np.sin(2 * np.pi * hertz * time)).astype("<i2").tobytes())
            paths.append(path)
        return paths[0], paths[1]

    def studio(self) -> RecordingStudio:
        return RecordingStudio(self.database, self.data, {"pbx": self.spool}, self.health, self.encoder)

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        task = asyncio.create_task(run_jobs(self.database.dsn, self.studio().handlers(), self.health))
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def row(self, call_id: int) -> Any:
        async with self.database.companies(self.company) as connection:
            return await connection.fetchrow("SELECT * FROM recordings WHERE call_id = $1", call_id)

    def is_now(self, call_id: int, state: str) -> Callable[[], Awaitable[bool]]:
        async def check() -> bool:
            return bool((await self.row(call_id))["state"] == state)

        return check

    async def waiting_jobs(self) -> int:
        async with self.database.everything() as connection:
            return int(await connection.fetchval("SELECT count(*) FROM pgqueuer"))

    async def adopt(self, now: datetime = NOW) -> int:
        return await adopt_leftovers(self.database, "pbx", self.spool, self.data, self.health, now)


@pytest_asyncio.fixture
async def office(database_dsn: str, tmp_path: Path) -> AsyncIterator[Office]:
    database = await Database.open(database_dsn)
    office = Office(database, tmp_path)
    async with database.everything() as connection:
        office.company = await connection.fetchval(
            "INSERT INTO companies (name) VALUES ('Prairie Heating') RETURNING id"
        )
        await connection.execute("INSERT INTO nodes (name) VALUES ('other'), ('pbx')")
    yield office
    await office.encoder.close()
    await database.close()


async def test_a_call_becomes_a_recording_and_its_raw_files_go(office: Office) -> None:
    raw = office.speak("100-1", seconds=2.5)
    call_id = await office.call("100-1")
    async with office.working():
        await until(office.is_now(call_id, "ready"))
        await until(lambda: _gone(*raw))
    row = await office.row(call_id)
    assert row["file"] == f"recordings/{office.company}/2026/11/{call_id}.mp3"
    assert row["seconds"] == pytest.approx(2.5)
    assert row["fault"] is None
    finished = recording_path(office.data, row["file"])
    assert finished.stat().st_size == row["bytes"]
    assert finished.stat().st_mode & 0o777 == 0o640
    assert len(row["peaks"]) == 2 * 125
    assert await office.waiting_jobs() == 0
    assert office.health.reports()["recordings"].condition is Condition.OK


async def test_expected_twice_it_is_made_once(office: Office) -> None:
    office.speak("100-2")
    call_id = await office.call("100-2")
    async with office.database.companies(office.company) as connection:
        await office.expect(connection, call_id, "100-2")
    assert await office.waiting_jobs() == 1


async def test_nothing_is_expected_of_a_call_that_was_not_committed(office: Office) -> None:
    with suppress(ZeroDivisionError):
        async with office.database.companies(office.company) as connection:
            call_id = await office.call("100-3", expect=False)
            await office.expect(connection, call_id, "100-3")
            raise ZeroDivisionError
    assert await office.row(call_id) is None
    assert await office.waiting_jobs() == 0


async def test_made_twice_at_once_it_is_whole(office: Office) -> None:
    """As after a lost connection, when a second worker takes a job that the first is still at."""
    for turn in range(5):
        key = f"200-{turn}"
        raw = office.speak(key, seconds=20)
        call_id = await office.call(key)
        encoders = [Encoder(), Encoder()]
        handlers = [
            RecordingStudio(office.database, office.data, {"pbx": office.spool}, office.health, encoder).handlers()
            for encoder in encoders
        ]
        job = jobs.Job("make_recording:pbx", {"company_id": office.company, "call_id": call_id}, 1, False)

        async def until_done(handler: jobs.Handler, job: jobs.Job = job, delay: float = 0.05 * turn) -> None:
            await asyncio.sleep(delay)
            while True:
                with suppress(jobs.TryLater):
                    return await handler(job)
                await asyncio.sleep(0.05)

        first, second = (each["make_recording:pbx"] for each in handlers)
        await asyncio.gather(until_done(first, delay=0), until_done(second))
        row = await office.row(call_id)
        assert row["state"] == "ready"
        assert row["seconds"] == pytest.approx(20)
        peaks = np.frombuffer(row["peaks"], np.uint8)
        assert peaks.min() > 200  # neither side fell silent
        assert await _gone(*raw)
        for encoder in encoders:
            await encoder.close()


@pytest.mark.parametrize(("talk", "state"), [(0.4, "empty"), (12.0, "failed")])
async def test_no_files_at_all(office: Office, talk: float, state: str) -> None:
    call_id = await office.call("300-1", talk=talk)
    async with office.working():
        await until(office.is_now(call_id, state))
    row = await office.row(call_id)
    if state == "failed":
        assert "They talked for 12 s" in row["fault"]
        assert "same folder" in row["fault"]
        assert office.health.reports()["recordings"].condition is Condition.NEEDS_PERSON
        # The folder is put right: the sound is found again, and made.
        office.speak("300-1")
        assert await office.adopt(datetime.now(UTC) + timedelta(minutes=10)) == 1
        async with office.working():
            await until(office.is_now(call_id, "ready"))
        assert office.health.reports()["recordings"].condition is Condition.OK
    else:
        assert "over before anything was recorded" in row["fault"]


async def test_silence_is_told_and_its_files_go(office: Office) -> None:
    raw = office.speak("301-1", seconds=0)
    call_id = await office.call("301-1")
    async with office.working():
        await until(office.is_now(call_id, "empty"))
        await until(lambda: _gone(*raw))
    assert "No sound" in (await office.row(call_id))["fault"]


async def test_what_asterisk_still_writes_is_waited_for(office: Office) -> None:
    caller, _ = office.speak("302-1")
    call_id = await office.call("302-1")
    async with office.working():
        with caller.open("ab", buffering=0) as file:
            for _ in range(10):
                file.write(bytes(1600))
                await asyncio.sleep(0.1)
                assert (await office.row(call_id))["state"] == "pending"
        await until(office.is_now(call_id, "ready"))
    assert (await office.row(call_id))["seconds"] == pytest.approx(2.0)


async def test_a_full_disk_holds_the_recording_until_there_is_room(office: Office) -> None:
    office.speak("warm-up")
    warm = await office.call("warm-up")
    raw = office.speak("400-1", seconds=3)
    async with office.working():
        await until(office.is_now(warm, "ready"))
        worker = office.encoder._process
        assert worker is not None
        _, hard = resource.prlimit(worker.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(worker.pid, resource.RLIMIT_FSIZE, (5000, hard))
        call_id = await office.call("400-1")

        async def told() -> bool:
            return office.health.reports()["recordings"].condition is Condition.NEEDS_PERSON

        await until(told)
        assert "full" in office.health.reports()["recordings"].message
        await asyncio.sleep(3)  # longer than all attempts of a failing job would take
        assert (await office.row(call_id))["state"] == "pending"
        assert all(path.exists() for path in raw)
        assert [path.name for path in office.data.rglob("*.part")] == []
        resource.prlimit(worker.pid, resource.RLIMIT_FSIZE, (hard, hard))
        await until(office.is_now(call_id, "ready"))
    assert office.health.reports()["recordings"].condition is Condition.OK


async def test_a_spool_that_is_not_mounted_is_told_and_waited_for(office: Office) -> None:
    office.speak("401-1")
    away = office.spool.rename(office.spool.with_name("away"))
    call_id = await office.call("401-1")
    async with office.working():

        async def told() -> bool:
            return "recordings" in office.health.reports()

        await until(told)
        assert str(office.spool) in office.health.reports()["recordings"].message
        away.rename(office.spool)
        await until(office.is_now(call_id, "ready"))


async def test_the_encoder_is_killed_in_the_middle(office: Office) -> None:
    raw = office.speak("402-1", seconds=120)
    call_id = await office.call("402-1")
    async with office.working():

        async def encoding() -> bool:
            return any(office.data.rglob("*.part"))

        await until(encoding)
        assert office.encoder._process is not None
        office.encoder._process.kill()
        await until(office.is_now(call_id, "ready"), 30)
        await until(lambda: _gone(*raw))
    assert (await office.row(call_id))["seconds"] == pytest.approx(120)


async def test_stopping_in_the_middle_makes_it_at_the_next_start(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "STOP_SECONDS", 0.1)
    raw = office.speak("403-1", seconds=300)
    call_id = await office.call("403-1")

    async def encoding() -> bool:
        return any(office.data.rglob("*.part"))

    async with office.working():
        await until(encoding)
    assert (await office.row(call_id))["state"] == "pending"
    assert all(path.exists() for path in raw)
    assert await office.waiting_jobs() == 1
    async with office.working():
        await until(office.is_now(call_id, "ready"), 30)


async def test_what_cannot_be_encoded_is_kept_held_and_tried_again(office: Office) -> None:
    caller, business = office.speak("404-1")
    elsewhere = caller.rename(office.spool / "elsewhere.sln")
    caller.symlink_to(elsewhere)  # a link is never followed
    call_id = await office.call("404-1")
    async with office.working():
        await until(office.is_now(call_id, "failed"), 20)

        async def held() -> bool:
            report = office.health.reports().get("jobs")
            return report is not None and report.condition is Condition.NEEDS_PERSON

        await until(held)
        assert "raw files are kept" in (await office.row(call_id))["fault"]
        assert business.exists()
        assert await office.adopt(datetime.now(UTC) + timedelta(hours=1)) == 0  # a person is asked already
        caller.unlink()
        elsewhere.rename(caller)
        async with office.database.everything() as connection:
            assert await release_held(connection) == 1
        await until(office.is_now(call_id, "ready"))


async def test_recordings_that_no_job_knows_are_queued_again(office: Office) -> None:
    office.speak("500-1")
    call_id = await office.call("500-1")
    async with office.database.everything() as connection:
        await connection.execute("DELETE FROM pgqueuer")
    assert sum(await asyncio.gather(office.adopt(), office.adopt())) >= 1
    assert await office.waiting_jobs() == 1
    assert await office.adopt() == 0
    async with office.working():
        await until(office.is_now(call_id, "ready"))


async def test_sound_of_an_ended_call_without_its_recording_is_taken_up(office: Office) -> None:
    for path in office.speak("501-1"):
        os.utime(path, (NOW.timestamp() - 3600,) * 2)
    call_id = await office.call("501-1", expect=False)
    await asyncio.gather(office.adopt(), office.adopt())
    assert await office.waiting_jobs() == 1
    async with office.working():
        await until(office.is_now(call_id, "ready"))


async def test_raw_files_left_after_the_commit_go(office: Office) -> None:
    raw = office.speak("502-1")
    call_id = await office.call("502-1")
    async with office.working():
        await until(office.is_now(call_id, "ready"))
        await until(lambda: _gone(*raw))
    made = (await office.row(call_id))["ready_at"]
    for path in office.speak("502-1", seconds=9):
        os.utime(path, (NOW.timestamp() - 3600,) * 2)
    assert await office.adopt() == 1
    async with office.working():
        await until(lambda: _gone(*raw))
    row = await office.row(call_id)
    assert (row["ready_at"], row["seconds"]) == (made, pytest.approx(1.0))


async def test_sound_without_a_call_is_left_and_told_after_a_day(office: Office) -> None:
    raw = office.speak("503-1")
    for path in raw:
        os.utime(path, (NOW.timestamp() - 3600,) * 2)
    part = office.data / "recordings" / "1" / "2026" / "11" / ".7.mp3.x.part"
    part.parent.mkdir(parents=True)
    part.touch()
    os.utime(part, (0, 0))
    assert await office.adopt() == 0
    assert office.health.reports()["recordings:pbx"].condition is Condition.OK
    await office.adopt(NOW + timedelta(days=2))
    report = office.health.reports()["recordings:pbx"]
    assert report.condition is Condition.NEEDS_PERSON
    assert "503-1" in report.message
    assert all(path.exists() for path in raw)
    assert not part.exists()


@pytest.mark.parametrize(
    ("age", "call", "fate"),
    [
        (timedelta(minutes=1), None, "leave"),
        (timedelta(minutes=1), KnownCall(True, None, False, answered=True), "leave"),
        (timedelta(minutes=6), None, "leave"),
        (timedelta(hours=25), None, "strange"),
        (timedelta(hours=25), KnownCall(False, None, False, answered=True), "leave"),
        (timedelta(hours=1), KnownCall(True, None, False, answered=True), "expect"),
        (timedelta(hours=1), KnownCall(True, "pending", False, answered=True), "make"),
        (timedelta(hours=1), KnownCall(True, "ready", False, answered=True), "make"),
        (timedelta(hours=1), KnownCall(True, "empty", False, answered=True), "make"),
        (timedelta(hours=1), KnownCall(True, "failed", False, answered=True), "make"),
        (timedelta(hours=1), KnownCall(True, "failed", True, answered=True), "leave"),
        (timedelta(hours=1), KnownCall(True, None, False, answered=False), "expect"),
    ],
)
def test_the_fate_of_leftovers(age: timedelta, call: KnownCall | None, fate: str) -> None:
    assert fate_of(Leftover("1-1", 8000, NOW - age, 32_000), call, NOW) == fate


@pytest.mark.parametrize("size", [0, 31_999])
def test_files_without_a_message_of_a_call_that_nobody_answered_are_discarded(size: int) -> None:
    call = KnownCall(True, None, False, answered=False)
    assert fate_of(Leftover("1-1", 8000, NOW - timedelta(hours=1), size), call, NOW) == "discard"


@pytest.mark.parametrize(
    "sides",
    [
        "",
        "recordings",
        "recordings/",
        "/recordings/1",
        "recordings/../../etc/passwd",
        "recordings/..",
        "recordings/.hidden",
        "recordings/a/../b",
        "recordings//1",
        "other/1",
        "recordings/1\n",
        "recordings/1\0",
        "recordings/ä",
        "recordings/" + "1" * 200,
        "recordings/link/1",
    ],
)
def test_sides_never_leave_the_spool(tmp_path: Path, sides: str) -> None:
    (tmp_path / "spool" / "recordings").mkdir(parents=True)
    (tmp_path / "spool" / "recordings" / "link").symlink_to(tmp_path)
    with pytest.raises(UnsafePath):
        side_paths(tmp_path / "spool", sides, 8000)


def test_sides_have_the_ending_of_their_rate(tmp_path: Path) -> None:
    assert side_paths(tmp_path, "recordings/17-3.4", 8000).caller == tmp_path / "recordings/17-3.4-caller.sln"
    assert side_paths(tmp_path, "recordings/17-3.4", 16000).business == tmp_path / "recordings/17-3.4-business.sln16"
    with pytest.raises(UnsafePath):
        side_paths(tmp_path, "recordings/17", 44100)


async def test_a_row_with_an_unsafe_path_fails_in_words(office: Office) -> None:
    call_id = await office.call("600-1", expect=False)
    async with office.database.companies(office.company) as connection:
        await expect_recording(
            connection, company_id=office.company, call_id=call_id, sides="recordings/../../etc/passwd", rate=8000
        )
    async with office.working():
        await until(office.is_now(call_id, "failed"))
    assert "leave the folder" in (await office.row(call_id))["fault"]


@pytest.mark.parametrize(
    "file", ["", "/etc/passwd", "recordings/1/2026/11/../../../x.mp3", "recordings/1/2026/11/1.wav"]
)
def test_a_finished_file_is_only_ever_a_recording(tmp_path: Path, file: str) -> None:
    with pytest.raises(UnsafePath):
        recording_path(tmp_path, file)


def test_leftovers_are_calls_not_files(tmp_path: Path) -> None:
    folder = tmp_path / "recordings"
    assert leftovers(tmp_path) == []
    folder.mkdir()
    for name in ("2-caller.sln", "2-business.sln", "1-business.sln16", "notes.txt", ".3-caller.sln", "4-caller.wav"):
        (folder / name).write_bytes(b"..")
    (folder / "5-caller.sln").symlink_to("/etc/hostname")
    os.utime(folder / "1-business.sln16", (1000, 1000))
    os.utime(folder / "2-caller.sln", (2000, 2000))
    os.utime(folder / "2-business.sln", (3000, 3000))
    assert leftovers(tmp_path) == [
        Leftover("1", 16000, datetime.fromtimestamp(1000, UTC), 2),
        Leftover("2", 8000, datetime.fromtimestamp(3000, UTC), 4),
    ]
    assert leftovers(tmp_path)[0].sides == "recordings/1"


@pytest.mark.parametrize(
    ("changed", "settled"),
    [
        ([None, None], False),
        ([98.0, 99.0], True),
        ([98.0, None], True),
        ([98.0, 99.1], False),
        ([98.0, 200.0], False),
    ],
)
def test_files_are_settled_once_both_are_old_enough(changed: list[float | None], settled: bool) -> None:
    looks = tuple(None if at is None else (1, int(at * 1e9)) for at in changed)
    assert unchanged_for(looks, 1.0, 100.0) is settled


async def test_many_calls_that_end_together_are_soon_made(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recordings, "SETTLE_SECONDS", 1.0)
    made = []
    for number in range(60):
        office.speak(f"700-{number}", seconds=2)
        made.append(await office.call(f"700-{number}"))
    async with office.working():
        began = asyncio.get_running_loop().time()
        for call_id in made:
            await until(office.is_now(call_id, "ready"), 30)
        assert asyncio.get_running_loop().time() - began < 15  # waiting for each to settle in turn would take that long


@pytest.mark.parametrize(("talk", "state"), [(None, "empty"), (0, "empty"), (1.9, "empty"), (2.0, "failed")])
def test_no_file_is_a_fault_only_where_somebody_talked(tmp_path: Path, talk: float | None, state: str) -> None:
    assert without_files(side_paths(tmp_path, "recordings/1", 8000), talk)[0] == state


async def _gone(*paths: Path) -> bool:
    return not any(path.exists() for path in paths)

"""Calling back: the telephone of whoever clicks rings, then the caller's; and what is kept of it."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from gateway.asterisk.reply import watch
from gateway.calls import placed, screening
from gateway.calls.directory import build_directory
from gateway.calls.placed import Asked, Refused, Unplaceable, shown_number, telephone_of, unplaceable
from gateway.calls.policy import Policy
from gateway.calls.record import parse_record
from gateway.calls.route import Destination, Route
from gateway.calls.traffic import Traffic
from gateway.local.programs import AsteriskHome
from gateway.store.database import Database
from gateway.store.queries import load_queries
from tests.calls.exchange import Exchange
from tests.calls.heard import Samples, sound_of
from tests.calls.scenarios import Invite, caller_gives_up, line_answers, line_refuses, line_rings
from tests.calls.sipp import Listener, listener, loudness, make_sound
from tests.calls.wire import Seen, address
from tests.installation import Installation, Number, Row
from tests.stack import PROJECT, eventually

DID = "+13065552001"
RECORDED = "+13065552002"
MAIN = "+13065550000"
DESK_HZ, CALLER_HZ, NOTICE_HZ = 440.0, 1000.0, 1500.0

_sql = load_queries(Path(placed.__file__).parent, "placed.sql")


def installation(home: AsteriskHome, folder: Path, dsn: str) -> Installation:
    return Installation(
        home,
        folder,
        dsn,
        [Number(DID, ("rings",)), Number(RECORDED, ("rings",), record=True)],
        ("main", "rings", "desk", "carrier"),
        company={"main_number": MAIN},
        trunks=[{"name": "carrier", "shows": "tracking"}],
    )


@pytest_asyncio.fixture(scope="module")
async def database(exchange: Exchange) -> AsyncIterator[Database]:
    database = await Database.open(exchange.installation.dsn)
    yield database
    await database.close()


class Back:
    """A missed call, and whoever calls back."""

    def __init__(self, exchange: Exchange, database: Database, caller: str) -> None:
        self.exchange = exchange
        self.installation = exchange.installation
        self.database = database
        self.caller = caller

    async def missed(self, did: str = DID) -> Row:
        return await self.exchange.call(caller_gives_up(Invite(did, self.caller), 0.05), "rings")

    async def ask(self, call: Row, telephone: str = "PJSIP/desk", user_id: int | None = None) -> Asked | Refused:
        async with self.database.companies(1) as connection:
            row = await _sql.answered_call(connection, company_id=1, call_id=call["id"])
            return await placed.ask(connection, 1, row, telephone=telephone, by="Anna", user_id=user_id)

    async def asked(self, call: Row, telephone: str = "PJSIP/desk") -> int:
        asked = await self.ask(call, telephone)
        assert isinstance(asked, Asked)
        assert asked.is_new
        return asked.id

    async def row(self, id: int) -> Row:
        (row,) = await self.installation.sql("SELECT * FROM placed_calls WHERE id = $1", id)
        return row

    async def hang_up(self, id: int) -> None:
        async with self.database.companies(1) as connection:
            await _sql.hang_up(connection, company_id=1, id=id)

    async def until(self, id: int, state: str) -> Row:
        rows: list[Row] = []

        async def is_so() -> bool:
            rows[:] = [await self.row(id)]
            return bool(rows[0]["state"] == state)

        try:
            await eventually(is_so, 60)
        except TimeoutError:
            raise AssertionError(f"{state} wanted: {rows}\n{self.installation.gateway.log[-4000:]}") from None
        return rows[0]


@pytest.fixture
def back(exchange: Exchange, database: Database, caller: str) -> Back:
    return Back(exchange, database, caller)


async def test_it_rings_here_then_there_and_both_are_heard(exchange: Exchange, back: Back) -> None:
    await exchange.line("desk", line_answers(tone=exchange.tone(DESK_HZ)))
    seen = Seen({"carrier": await exchange.line("carrier", line_answers(0.3, tone=exchange.tone(CALLER_HZ)))})
    call = await back.missed(RECORDED)
    before = await back.installation.newest()
    id = await back.asked(call)
    talking = await back.until(id, "talking")
    assert talking["picked_up_at"] <= talking["answered_at"]
    await asyncio.sleep(1.5)  # what they say to each other
    await back.hang_up(id)
    row = await back.until(id, "ended")
    assert (row["outcome"], row["call_id"], row["placed_by"]) == ("answered", call["id"], "Anna")
    assert row["talk_seconds"] >= 1.0  # either end may be heard of late
    assert row["ring_seconds"] > 0
    (invite,) = seen.invites("carrier")
    assert invite.user == back.caller
    assert address(RECORDED) in invite.caller
    samples, rate = await _recording(back, id)
    middle = samples[len(samples) // 3 : 2 * len(samples) // 3]
    assert loudness(middle[:, 0], CALLER_HZ, rate) > 0.1  # whoever had called, on the left as ever
    assert loudness(middle[:, 1], DESK_HZ, rate) > 0.1
    assert loudness(middle[:, 0], DESK_HZ, rate) < 0.01
    assert await back.installation.newest() == before  # it is no call that came in


async def _recording(back: Back, id: int) -> tuple[Samples, int]:
    rows: list[Row] = []

    async def is_made() -> bool:
        rows[:] = [await back.row(id)]
        return rows[0]["recording"] not in (None, "pending")

    await eventually(is_made, 30)
    assert rows[0]["recording"] == "ready", rows
    assert not [file for file in (back.installation.spool / "recordings").iterdir() if file.name.startswith("npback")]
    return sound_of(back.installation.data / rows[0]["file"], back.installation.folder)


@pytest.mark.parametrize(
    ("desk", "carrier", "outcome"),
    [
        (line_answers, lambda: line_refuses("486 Busy Here"), "busy"),
        (line_answers, lambda: line_refuses("404 Not Found"), "failed"),
        (lambda: line_refuses("486 Busy Here"), line_answers, "telephone_busy"),
        (lambda: line_refuses("603 Decline"), line_answers, "telephone_busy"),
        (line_rings, line_answers, "telephone_no_answer"),
    ],
)
async def test_what_becomes_of_it(
    exchange: Exchange, back: Back, desk: Callable[[], str], carrier: Callable[[], str], outcome: str
) -> None:
    await exchange.line("desk", desk())
    await exchange.line("carrier", carrier())
    row = await back.until(await back.asked(await back.missed()), "ended")
    assert row["outcome"] == outcome
    assert row["answered_at"] is None
    assert row["talk_seconds"] is None
    assert (row["picked_up_at"] is None) == outcome.startswith("telephone")


async def test_it_can_be_ended_at_every_moment(exchange: Exchange, back: Back) -> None:
    await exchange.line("desk", line_rings())
    await exchange.line("carrier", line_rings())
    call = await back.missed()
    id = await back.asked(call)
    await back.until(id, "telephone")
    await back.hang_up(id)
    assert (await back.until(id, "ended"))["outcome"] == "given_up"
    await exchange.line("desk", line_answers())
    id = await back.asked(call)
    await back.until(id, "ringing")
    await back.hang_up(id)
    row = await back.until(id, "ended")
    assert (row["outcome"], row["answered_at"]) == ("given_up", None)
    await back.installation.wait_quiet()


async def test_however_often_somebody_clicks_it_is_one_call(exchange: Exchange, back: Back) -> None:
    await exchange.line("desk", line_answers())
    seen = Seen({"carrier": await exchange.line("carrier", line_answers())})
    call = await back.missed()
    asked = await asyncio.gather(*(back.ask(call) for _ in range(5)))
    new = [each for each in asked if isinstance(each, Asked) and each.is_new]
    assert len(new) == 1
    await back.until(new[0].id, "talking")
    again = await back.ask(call)
    assert again == Asked(new[0].id, False, "Anna", False)
    await back.hang_up(new[0].id)
    await back.until(new[0].id, "ended")
    assert len(seen.invites("carrier")) == 1


async def test_whoever_clicks_without_end_is_slowed_down(exchange: Exchange, back: Back) -> None:
    (user,) = await back.installation.sql(
        "INSERT INTO users (email, name) VALUES ('clicker@example.com', 'Clicker') RETURNING id"
    )
    call = await back.missed()
    await back.installation.sql(
        "INSERT INTO placed_calls (company_id, call_id, user_id, placed_by, telephone, callee, asterisk_id, state, "
        "outcome) SELECT 1, $1, $2, 'Clicker', 'PJSIP/desk', '+13065550199', 'old-' || n, 'ended', 'busy' "
        "FROM generate_series(1, $3::int) n",
        call["id"],
        user["id"],
        placed.MOST_IN_A_MINUTE,
    )
    assert await back.ask(call, user_id=user["id"]) is Refused.TOO_MANY


async def test_a_telephone_that_asterisk_does_not_know(exchange: Exchange, back: Back) -> None:
    row = await back.until(await back.asked(await back.missed(), "PJSIP/nobody"), "ended")
    assert row["outcome"] == "telephone_unreachable"


async def test_a_number_that_must_not_be_dialled_is_not(exchange: Exchange, back: Back) -> None:
    """Whatever the page lets through, the gateway asks again."""
    await exchange.line("desk", line_answers())
    call = await back.missed()
    await back.installation.sql("UPDATE calls SET caller = '+19005551234' WHERE id = $1", call["id"])
    row = await back.until(await back.asked(call), "ended")
    assert row["outcome"] == "refused"


async def test_the_command_does_the_same_and_says_how_it_goes_on(exchange: Exchange, back: Back) -> None:
    await exchange.line("desk", line_answers(0.5))
    await exchange.line("carrier", line_answers(0.5, hangs_up_after=1.0))
    call = await back.missed()
    command = [sys.executable, "-m", "gateway", "--config", str(back.installation.gateway.config)]
    done = await asyncio.to_thread(
        subprocess.run,
        [*command, "call-back", str(call["id"]), "--telephone", "desk"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert f"Talking with {back.caller}." in done.stdout
    assert "Talked for 1 s." in done.stdout
    (noted,) = await back.installation.sql("SELECT via FROM audit_log WHERE action = 'call.placed'")
    assert noted["via"] == "command"


async def test_whoever_is_called_back_hears_that_it_is_recorded(exchange: Exchange, back: Back) -> None:
    """And the recording begins after it, so that it is not on the record."""
    installation, call = back.installation, await back.missed(RECORDED)
    sound = make_sound(installation.folder, "recorded", NOTICE_HZ, 0.6)
    await installation.sql("UPDATE companies SET announcement = $1", sound)
    try:
        await installation.wait_fallback(RECORDED, f"|1|{sound}|")
        async with listener() as (callee, ear):
            await exchange.line("desk", line_answers(tone=exchange.tone(DESK_HZ)))
            await exchange.line("carrier", line_answers(0.2, tone=ear))
            id = await back.asked(call)
            await back.until(id, "talking")
            await eventually(lambda: _hears(callee, DESK_HZ), 30)
            await back.hang_up(id)
            await back.until(id, "ended")
    finally:
        await installation.sql("UPDATE companies SET announcement = NULL")
        await installation.wait_fallback(RECORDED, "|1||")
    assert callee.loudness(NOTICE_HZ) > 0.01
    samples, rate = await _recording(back, id)
    assert loudness(samples[:, 0], NOTICE_HZ, rate) < 0.002
    assert loudness(samples[:, 1], NOTICE_HZ, rate) < 0.002


async def _hears(listener: Listener, hertz: float) -> bool:
    return loudness(listener.samples[-4000:], hertz) > 0.05


async def test_a_gateway_that_dies_in_the_middle_changes_nothing(exchange: Exchange, back: Back) -> None:
    await exchange.line("desk", line_answers(tone=exchange.tone(DESK_HZ)))
    await exchange.line("carrier", line_answers(0.2, tone=exchange.tone(CALLER_HZ), hangs_up_after=2.0))
    id = await back.asked(await back.missed(RECORDED))
    await back.until(id, "ringing")
    await back.installation.gateway.kill()
    await back.installation.wait_quiet()
    assert (await back.row(id))["state"] != "ended"
    await back.installation.gateway.start()
    row = await back.until(id, "ended")
    assert (row["outcome"], row["hung_up_by"]) == ("answered", "callee")
    assert row["talk_seconds"] >= 1.5
    await _recording(back, id)


async def test_no_asterisk_is_told_at_once(exchange: Exchange, back: Back) -> None:
    call = await back.missed()
    await back.installation.pbx.stop()
    await back.installation.gateway.wait_health("asterisk:pbx", "troubled")
    row = await back.until(await back.asked(call), "ended")
    assert row["outcome"] == "no_asterisk"
    await back.installation.pbx.start()
    await back.installation.gateway.wait_ready()


@pytest.mark.parametrize(
    ("callee", "why"),
    [
        ("+13065550142", None),
        (None, Unplaceable.WITHHELD),
        ("anonymous", Unplaceable.WITHHELD),
        ("+1911", Unplaceable.EMERGENCY),
        ("+112", Unplaceable.EMERGENCY),
        ("+19005551234", Unplaceable.PREMIUM),
        ("+499001234567", Unplaceable.PREMIUM),
        (DID, Unplaceable.OURS),
        ("+442079460000", Unplaceable.COUNTRY),
        ("+1", Unplaceable.IMPOSSIBLE),
    ],
)
def test_whom_may_be_called(callee: str | None, why: Unplaceable | None) -> None:
    assert unplaceable(callee, "CA", {DID}, {"CA", "US", "DE"}) is why


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("102", "PJSIP/102"),
        ("PJSIP/anna", "PJSIP/anna"),
        (" anna-desk ", "PJSIP/anna-desk"),
        ("306 555 0142", "+13065550142"),
        ("+44 20 7946 0000", "+442079460000"),
    ],
)
def test_a_telephone_as_people_write_it(text: str, kept: str) -> None:
    assert telephone_of(text, "CA") == kept


@pytest.mark.parametrize(
    "text", ["", "PJSIP/1&PJSIP/2", "PJSIP/+19005551234@carrier", "Local/1@x", "a,b", "911", "+19005551234", "${X}"]
)
def test_what_is_no_telephone(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        telephone_of(text, "CA")


def test_whoever_is_called_back_has_not_called() -> None:
    """Rules against those who call too often count what they did, and not what was done about it."""
    record = parse_record(
        "v=1&key=npback1-1&id=npback1&placed=1&caller=%2B13065550142&name=&trunk=&first=&request=&to=&party="
        "&at=1000&channel=PJSIP/desk-1&stage=1"
    )
    route = Route((Destination("PJSIP/main", 5),))
    directory, traffic = build_directory((), {1: "CA"}, 1, route), Traffic()
    watch(record, directory, traffic, 0.0)
    assert traffic.seen(1, "+13065550142", "", Policy(often_calls=2, most_calls=1)) == screening.Seen()
    watch(replace(record, placed=None), directory, traffic, 0.0)
    assert traffic.seen(1, "+13065550142", "", Policy(often_calls=2, most_calls=1)) != screening.Seen()


def test_which_number_is_shown() -> None:
    assert shown_number("tracking", DID, MAIN) == DID
    assert shown_number("main", DID, MAIN) == MAIN
    assert shown_number("main", DID, None) == DID
    assert shown_number("tracking", "unknown", MAIN) == MAIN
    assert shown_number("tracking", "unknown", None) == ""

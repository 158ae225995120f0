"""The dialplan is rendered and reloaded in the middle of calls: none of them changes, and the old version goes."""

import asyncio
import re
import sys
from pathlib import Path

from gateway.local.asterisk import PrivateAsterisk
from gateway.local.programs import AsteriskHome
from tests.calls.exchange import Exchange
from tests.calls.scenarios import Invite, caller_talks, line_answers
from tests.calls.sipp import make_sound
from tests.installation import Installation, Number
from tests.stack import PROJECT, eventually

TALKS, SLOW, WHISPERED = "+13065552001", "+13065552002", "+13065552003"
BOUND_MS = 4000
LINES = ("main", "slow", "whispered")


def installation(home: AsteriskHome, folder: Path, dsn: str) -> Installation:
    whisper = make_sound(folder, "whisper", 700, 3)
    return Installation(
        home,
        folder,
        dsn,
        [
            Number(TALKS, record=True),
            Number(SLOW, ("busy", "slow"), record=True, ring_seconds=20),
            Number(WHISPERED, ("whispered",), whisper=whisper),
        ],
        (*LINES, "busy"),
        {"extensions.conf": "[general](+)\nclearglobalvars=yes\n"},
        bound_ms=BOUND_MS,
    )


async def versions(pbx: PrivateAsterisk) -> set[str]:
    """The versions of our contexts that this Asterisk knows."""
    return set(re.findall(r"np-call-([0-9a-f]{8})", await pbx.cli("dialplan show"))) & set(
        re.findall(r"'([0-9a-f]{8})' =>", await pbx.cli("dialplan show numberpool-versions"))
    )


async def render(here: Installation, ring_seconds: int) -> str:
    """``numberpool asterisk render`` after a change of the settings; what it says."""
    changed = here.folder / "changed.toml"
    changed.write_text(here.gateway.config.read_text().replace("ring_seconds = 5", f"ring_seconds = {ring_seconds}"))
    command = [
        sys.executable,
        "-m",
        "gateway",
        "--config",
        str(changed),
        "asterisk",
        "render",
        "--into",
        str(here.conf),
    ]
    process = await asyncio.create_subprocess_exec(*command, cwd=PROJECT, stdout=asyncio.subprocess.PIPE)
    said, _ = await process.communicate()
    assert process.returncode == 0
    return said.decode()


async def answered(exchange: Exchange, after: int) -> int:
    rows = await exchange.installation.sql("SELECT 1 FROM calls WHERE id > $1 AND state = 'answered'", after)
    return len(rows)


async def test_fifty_calls_and_a_reload_among_them(exchange: Exchange) -> None:
    """Calls that talk, ring at a second destination, hear a whisper, and wait for a gateway that hangs."""
    here = exchange.installation
    before = await here.newest()
    await exchange.line("slow", line_answers(after=5))
    await exchange.line("whispered", line_answers())
    for line in ("main", "busy"):
        await exchange.line(line)
    old = await versions(here.pbx)
    placed = [
        await exchange.place(caller_talks(Invite(TALKS, f"13067{n}[call_number]"), 9), calls=10, rate=20)
        for n in ("71", "72")
    ]
    await eventually(lambda: _has(exchange, before, 20), 20)
    placed.append(await exchange.place(caller_talks(Invite(SLOW, "1306773[call_number]"), 4), calls=15, rate=20))
    placed.append(await exchange.place(caller_talks(Invite(WHISPERED, "1306774[call_number]"), 5), calls=10, rate=20))
    await eventually(lambda: _channels(here.pbx, 2 * 45), 20)
    await render(here, 9)
    here.gateway.suspend()
    placed.append(await exchange.place(caller_talks(Invite(TALKS, "1306775[call_number]"), 3), calls=5, rate=20))
    await eventually(lambda: _channels(here.pbx, 2 * 45 + 5), 20)
    await here.pbx.cli("dialplan reload")
    assert len(await versions(here.pbx)) == 2
    assert await here.variable("NP_GATEWAY") == ""  # clearglobalvars=yes
    here.gateway.resume()
    for sipp in placed:
        await sipp.done()
    rows = await here.ended(before, 50, 30)
    assert {row["outcome"] for row in rows} == {"answered"}
    # Those that waited at the gate may have run out of time on a busy machine, and ring all the same.
    waited = [row for row in rows if row["caller"].lstrip("+").startswith("1306775")]
    assert len(waited) == 5
    assert {row["decided_by"] for row in rows if row not in waited} == {"gateway"}
    by_caller = {row["caller"]: row for row in rows}
    for start, count, seconds, line in (
        ("+130677[12]", 20, 9, "PJSIP/main"),
        ("+1306773", 15, 4, "PJSIP/slow"),
        ("+1306774", 10, 5, "PJSIP/whispered"),
        ("+1306775", 5, 3, "PJSIP/main"),
    ):
        group = [row for caller, row in by_caller.items() if re.match(start.replace("+", r"\+?"), caller)]
        assert len(group) == count
        assert {row["answered_by"] for row in group} == {line}
        assert all(row["talk_seconds"] > seconds - 0.2 for row in group)
        assert all(row["hung_up_by"] == "caller" for row in group)
    recorded = await here.sql("SELECT call_id FROM recordings WHERE call_id > $1", before)
    assert len(recorded) == 40

    # New calls go by the new version, and the old one is taken out by itself.
    await eventually(lambda: _versions_are(here.pbx, 1), 40)
    (new,) = await versions(here.pbx)
    assert {new} != old
    assert (await exchange.talk(Invite(TALKS)))["decided_by"] == "gateway"


async def test_a_version_stays_while_a_call_is_in_it(exchange: Exchange) -> None:
    here = exchange.installation
    before = await here.newest()
    sipp = await exchange.place(caller_talks(Invite(TALKS), 14), "main")
    await eventually(lambda: _has(exchange, before, 1), 20)
    said = await render(here, 11)
    assert said.count("removed, no call is in it") == 1  # the version of the test before
    assert said.count("stays while calls may be in it") == 1
    await here.pbx.cli("dialplan reload")
    both = await versions(here.pbx)
    assert len(both) == 2
    await asyncio.sleep(11)  # the gateway looks every five seconds, and takes away at the second look
    assert await versions(here.pbx) == both
    await sipp.done()
    (row,) = await here.ended(before)
    assert row["talk_seconds"] > 13
    await eventually(lambda: _versions_are(here.pbx, 1), 40)
    assert len(list(here.conf.glob("numberpool-dialplan-*.conf"))) == 2
    await render(here, 11)
    assert len(list(here.conf.glob("numberpool-dialplan-*.conf"))) == 1


async def _has(exchange: Exchange, after: int, count: int) -> bool:
    return await answered(exchange, after) >= count


async def _channels(pbx: PrivateAsterisk, count: int) -> bool:
    found = re.search(r"(\d+) active channel", await pbx.cli("core show channels count"))
    return found is not None and int(found[1]) >= count


async def _versions_are(pbx: PrivateAsterisk, count: int) -> bool:
    return len(await versions(pbx)) == count

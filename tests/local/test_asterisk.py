"""The private Asterisk: ready when it says so, mended when it dies, gone when we are."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from gateway.local.asterisk import PrivateAsterisk
from gateway.local.errors import ProcessDied
from gateway.local.processes import ProcessFile, started_at
from gateway.local.programs import AsteriskHome
from tests.stack import PROJECT, StartAsterisk

DIALPLAN = "[numbers]\nexten => 100,1,Answer()\n same => n,Hangup()\n"


async def test_it_is_ready_with_what_was_added_and_a_clean_log(
    start_asterisk: StartAsterisk,
) -> None:
    pbx = await start_asterisk("pbx", config={"extensions.conf": DIALPLAN})
    assert "1. Answer()" in await pbx.cli("dialplan show numbers")
    assert f"{pbx.address}:{pbx.sip_port}" in await pbx.cli("pjsip show transports")
    settings = await pbx.cli("core show settings")
    assert "System name:                 pbx" in settings
    complaints = [line for line in pbx.log_file.read_text().splitlines() if "NOTICE" not in line]
    # Its greeting is the one line without a level.
    assert len(complaints) == 1


async def test_ami_listens_on_the_port_that_it_names(start_asterisk: StartAsterisk) -> None:
    pbx = await start_asterisk("pbx")
    reader, writer = await asyncio.open_connection("127.0.0.1", pbx.ami_port)
    assert (await reader.readline()).startswith(b"Asterisk Call Manager/")
    writer.close()


async def test_two_live_side_by_side(start_asterisk: StartAsterisk) -> None:
    one = await start_asterisk("one")
    other = await start_asterisk("other", address="127.0.0.2")
    assert one.pid != other.pid
    assert "fully booted" in await one.cli("core waitfullybooted")
    assert "fully booted" in await other.cli("core waitfullybooted")


async def test_it_comes_back_after_a_death_and_not_after_a_stop(
    start_asterisk: StartAsterisk,
) -> None:
    pbx = await start_asterisk("pbx")
    first = pbx.pid
    pbx.kill()
    await pbx.wait_dead()
    await pbx.wait_booted()
    assert pbx.pid not in {None, first}
    # Asterisk cannot run itself again through another loader; the supervision does.
    await pbx.cli("core restart now")
    await pbx.wait_dead()
    await pbx.wait_booted()
    assert pbx.starts == 3
    await pbx.stop()
    assert pbx.pid is None


async def test_it_stays_dead_when_told_so_and_keeps_what_it_knew(
    start_asterisk: StartAsterisk,
) -> None:
    pbx = await start_asterisk("pbx")
    await pbx.cli("database put routes 3065552001 main")
    # AstDB commits once a second.
    await asyncio.sleep(1.2)
    pbx.supervised = False
    pbx.kill()
    await pbx.wait_dead()
    await asyncio.sleep(0.3)
    assert pbx.pid is None
    pbx.supervised = True
    await pbx.start()
    assert "main" in await pbx.cli("database get routes 3065552001")
    pbx.kill()
    await pbx.wait_dead()
    await pbx.wait_booted()


async def test_a_suspended_one_does_not_answer_and_goes_on_afterwards(
    start_asterisk: StartAsterisk,
) -> None:
    pbx = await start_asterisk("pbx")
    pbx.suspend()
    with pytest.raises(TimeoutError):
        await pbx.cli("core show uptime", timeout=0.3)
    pbx.resume()
    await pbx.wait_booted()
    assert pbx.starts == 1


async def test_a_deep_folder_is_no_obstacle(asterisk_home: AsteriskHome, short_path: Path) -> None:
    pbx = PrivateAsterisk(asterisk_home, short_path / ("a" * 80) / ("b" * 80), name="pbx")
    await pbx.start()
    assert "fully booted" in await pbx.cli("core waitfullybooted")
    await pbx.stop()


async def test_one_that_cannot_start_says_why(asterisk_home: AsteriskHome, short_path: Path) -> None:
    broken = {"extensions.conf": "#include /nowhere/at/all.conf\n", "modules.conf": "require = no\n"}
    pbx = PrivateAsterisk(asterisk_home, short_path / "pbx", name="pbx", config=broken)
    with pytest.raises(ProcessDied, match=r"ended at once"):
        await pbx.start()
    await pbx.stop()


_START_AND_DIE = """
import asyncio, os, sys
from pathlib import Path
from gateway.local.asterisk import PrivateAsterisk
from gateway.local.programs import prepare
async def main():
    pbx = PrivateAsterisk(prepare(Path(sys.argv[1])), Path(sys.argv[2]), name="pbx")
    await pbx.start()
    print(pbx.pid, flush=True)
    os.kill(os.getpid(), 9)
asyncio.run(main())
"""


async def test_it_ends_with_us_however_we_end(asterisk_home: AsteriskHome, short_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        _START_AND_DIE,
        str(PROJECT / ".numberpool" / "asterisk"),
        str(short_path / "pbx"),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
    )
    assert process.stdout is not None
    pid = int(await process.stdout.readline())
    await process.wait()
    async with asyncio.timeout(20):
        while started_at(pid) is not None:  # noqa: ASYNC110 - another process, nothing to wait on
            await asyncio.sleep(0.02)


def test_a_number_used_again_by_another_process_is_not_ours(tmp_path: Path) -> None:
    file = ProcessFile(tmp_path / "process")
    file.write(os.getpid())
    assert file.read() == os.getpid()
    file.path.write_text(f"{os.getpid()} 1\n")
    assert file.read() is None
    assert not file.end()

"""What came in step by step goes out step by step, and leaves nothing behind."""

from contextlib import AsyncExitStack
from pathlib import Path

from gateway.local.programs import AsteriskHome
from tests.guides.by_hand import PHONES, files
from tests.guides.guide import read_guide
from tests.guides.site import Site

OWNER = "+13065559002"
FAILED_CALL = "+13065552002"


async def test_taking_it_out_again(asterisk_home: AsteriskHome, short_path: Path, database_dsn: str) -> None:
    async with AsyncExitStack() as running:
        site = Site(asterisk_home, short_path, database_dsn, PHONES)
        site.pbx.config.update(files(site))
        running.push_async_callback(site.stop)
        await site.start()
        contexts = await _contexts(site)
        await site.follow(
            [block for block in read_guide("BY-HAND.md") if "All numbers of the trunk" not in block.headings]
        )
        assert site.gateway is not None
        await site.gateway.start()
        assert await site.call(FAILED_CALL, "+13064440001") == ["reception"]
        await site.log("+13064440001")
        assert await _contexts(site) > contexts

        await site.gateway.stop()
        await site.follow([block for block in read_guide("README.md") if "Taking it out again" in block.headings])
        assert await _contexts(site) == contexts
        assert "numberpool" not in await site.pbx.cli("manager show users")
        assert "0 results found" in await site.pbx.cli("database show numberpool")
        assert not (site.pbx.etc / "numberpool").exists()
        assert await site.call(OWNER, "+13064440002") == ["owner"]


async def _contexts(site: Site) -> set[str]:
    """The dialplan's contexts."""
    shown = await site.pbx.cli("dialplan show")
    return {line.split("'")[1] for line in shown.splitlines() if line.startswith("[ Context '")}

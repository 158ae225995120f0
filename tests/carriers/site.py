"""Numberpool on a PBX that is connected by one of the examples, and the world outside."""

from collections.abc import Sequence
from contextlib import AsyncExitStack

from gateway.local.asterisk import PrivateAsterisk
from tests.calls.exchange import Exchange
from tests.carriers.far_end import FarEnd
from tests.installation import Installation, Row
from tests.stack import eventually


class Site:
    """An installation, the far ends that call it and are called, and SIPps where those must misbehave."""

    def __init__(self, installation: Installation, *fars: FarEnd) -> None:
        self.installation = installation
        self.exchange = Exchange(installation)
        self.fars = fars
        self._running = AsyncExitStack()

    @property
    def pbx(self) -> PrivateAsterisk:
        """The company's Asterisk."""
        return self.installation.pbx

    @property
    def far(self) -> FarEnd:
        """The first far end."""
        return self.fars[0]

    async def start(self) -> None:
        """Start everything; the far ends first, because the PBX registers with them."""
        for far in self.fars:
            self._running.push_async_callback(far.stop)
            await far.start()
        self._running.push_async_callback(self.installation.stop)
        self._running.push_async_callback(self.exchange.stop)
        await self.installation.start()

    async def stop(self) -> None:
        """Stop everything."""
        await self._running.aclose()

    async def call(self, did: str, caller: str, way: str, far: FarEnd | None = None, **what: object) -> Row:
        """Have the far end call ``did`` by its endpoint ``way``; the call's row, once it has ended."""
        before = await self.installation.newest()
        (far or self.far).place(f"PJSIP/{did}@{way}", caller, **what)  # type: ignore[arg-type]
        return await self.installation.ended_one(before, 20)

    async def recording(self, call: Row) -> Row:
        """The row of the call's recording, once it is settled."""
        rows: list[Row] = []

        async def is_settled() -> bool:
            rows[:] = await self.installation.sql("SELECT * FROM recordings WHERE call_id = $1", call["id"])
            return bool(rows) and rows[0]["state"] != "pending"

        await eventually(is_settled, 20)
        return rows[0]

    def complaints(self, *known: str) -> list[str]:
        """What the PBX warned of, without what is ``known``."""
        expected = ("The use of '_!' for an extension is strongly discouraged", *known)
        return [
            line
            for line in self.pbx.log_file.read_text().splitlines()
            if ("WARNING" in line or "ERROR" in line) and not any(words in line for words in expected)
        ]

    async def contact_is(self, state: str, *contacts: str) -> None:
        """Return once the PBX has found the contacts to be ``Avail`` or ``Unavail``."""

        async def are() -> bool:
            shown = (await self.pbx.cli("pjsip show contacts")).splitlines()
            return all(any(contact in line and f" {state} " in line for line in shown) for contact in contacts)

        await eventually(are, 20, 0.05)


def same_in_every_example() -> Sequence[tuple[str, str]]:
    """What matters to Numberpool in each trunk, as ``pjsip show endpoint`` says it."""
    return (
        ("context", "numberpool-in"),
        ("allow_transfer", "false"),
        ("allow_subscribe", "false"),
        ("direct_media", "false"),
        ("trust_id_inbound", "false"),
    )


def settings(shown: str) -> list[tuple[str, str]]:
    """Name and value of each setting that ``pjsip show ...`` prints."""
    parts = (line.split(":", 1) for line in shown.splitlines() if ":" in line)
    return [(name.strip(), value.strip()) for name, value in parts]

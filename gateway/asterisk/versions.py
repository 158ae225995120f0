"""Takes old versions of the rendered contexts out of a running Asterisk, once no call is in them.

Every version's contexts are in a file of their own and in the list ``numberpool-versions``; each call counts itself in
the group of its version (``GROUP(numberpool)``), which Asterisk ends with the channel. Removed is what is in memory,
extension by extension: a reload would also load what an admin has half written. The file goes with the next
``numberpool asterisk render``.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from gateway.asterisk.ami import AmiError, AmiLink, tls_context
from gateway.settings import NodeSettings

LIST = "numberpool-versions"
ENTRY = "numberpool-in"
_GOTO = re.compile(r"np-call-([0-9a-f]+),s,1")


@dataclass
class Versions:
    """The versions of one Asterisk. One is idle once it was found without a call twice."""

    _idle: set[str] = field(default_factory=set)

    async def drop_idle(self, link: AmiLink) -> list[str]:
        """Remove the versions that no call is in and that new calls do not take; which. Raises AmiError.

        A call may just have entered one and not have counted itself yet, so that none goes at first sight.
        """
        listed = {str(row.extension): str(row.appdata) for row in await link.listing("ShowDialPlan", Context=LIST)}
        current = await _current(link)
        if not current:  # half a reload, or not our dialplan at all: touch nothing
            return []
        idle = await without_calls(link, listed)
        gone = sorted(idle & self._idle)
        self._idle = idle
        for version in gone:
            for context in listed[version].split():
                await _remove(link, f"np-{context}-{version}")
            await link.action("DialplanExtensionRemove", Context=LIST, Extension=version)
        return gone


async def calls_in(link: AmiLink, version: str) -> int:
    """How many calls go by that version now. Raises AmiError."""
    answer = await link.action("Getvar", Variable=f"GROUP_COUNT({version}@numberpool)")
    return int(str(answer.value or "0"))


async def _remove(link: AmiLink, context: str) -> None:
    rows = await link.listing("ShowDialPlan", Context=context)
    for extension in sorted({str(row.extension) for row in rows}):
        await link.action("DialplanExtensionRemove", Context=context, Extension=extension)


async def without_calls(link: AmiLink, versions: Iterable[str]) -> set[str]:
    """Which of ``versions`` neither a call nor the entry of new calls needs. Raises AmiError."""
    current = await _current(link)
    return {version for version in versions if version not in current and await calls_in(link, version) == 0}


async def _current(link: AmiLink) -> set[str]:
    """The version that new calls take; none where Asterisk has not loaded our dialplan."""
    entry = await link.listing("ShowDialPlan", Context=ENTRY)
    return {found[1] for row in entry if (found := _GOTO.search(str(row.appdata)))}


async def unused_now(node: NodeSettings, versions: Iterable[str]) -> set[str]:
    """The same, asked over a connection of its own; none where Asterisk cannot be asked, which knows of its calls."""
    try:
        link = await AmiLink.connect(
            node.host,
            node.port,
            node.store_username,
            node.store_secret.get_secret_value(),
            lambda _: None,
            tls_context(node.tls_ca) if node.tls else None,
        )
    except AmiError:
        return set()
    try:
        return await without_calls(link, versions) if await _current(link) else set()
    except AmiError:
        return set()
    finally:
        link.close()

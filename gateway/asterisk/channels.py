"""What is asked of a channel: its variables, and whom it is connected to."""

import re

from gateway.asterisk.ami import ActionFailed, AmiLink

# A ring group behind a queue behind follow-me is three.
MOST_LOCAL_CHANNELS = 8
_LOCAL = re.compile(r"(Local/.+);([12])")


async def variable(link: AmiLink, channel: str, name: str) -> str:
    """A variable of a channel; empty where it is not set, or the channel has gone. Raises LinkLost."""
    try:
        return str((await link.action("Getvar", Channel=channel, Variable=name)).value or "")
    except ActionFailed:
        return ""


async def person_behind(link: AmiLink, caller: str) -> tuple[str | None, list[str]]:
    """From the caller's channel through Local channels to a person: that channel, and those on the way."""
    way = [caller]
    here = caller
    while len(way) <= 2 * MOST_LOCAL_CHANNELS:
        peers = [peer for peer in (await variable(link, here, "BRIDGEPEER")).split(",") if peer and peer not in way]
        people = [peer for peer in peers if not _LOCAL.fullmatch(peer)]
        if people or not peers:
            return (people[0] if people else None), way
        near = peers[0]
        local = _LOCAL.fullmatch(near)
        assert local is not None
        here = f"{local[1]};{'2' if local[2] == '1' else '1'}"
        way += [near, here]
    return None, way

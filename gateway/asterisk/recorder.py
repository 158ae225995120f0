"""Keeps a recording whole when the person at the other end changes.

MixMonitor stays on the caller's channel through transfers, but the ear it listens with drops every packet of the new
person whose RTP sequence number is older, modulo 2^16, than the last of the person before (Asterisk 22.10; numbers
start at random, so that every second transfer would lose a voice for minutes). A new ear begins afresh: the recorder is
stopped, one packet's time must pass, and it goes on at the end of the same files.
"""

import asyncio
from pathlib import Path

from gateway.asterisk.ami import AmiLink
from gateway.asterisk.channels import variable

# The old ear goes with the next packet of 20 ms after its recorder; at once, the new recorder would get the old ear.
PAUSE_SECONDS = 0.05


async def record_anew(link: AmiLink, channel: str, key: str, recordings: Path) -> bool:
    """Go on recording with a new ear; whether the call is recorded at all.

    ``link`` is of the account with write class ``system``, which starting a recorder needs. Raises AmiError; then the
    recording may end here.
    """
    recorder = await variable(link, channel, "NP_MIX")
    if not recorder:
        return False
    rate = await variable(link, channel, "NP_RATE")
    await link.action("StopMixMonitor", Channel=channel, MixMonitorID=recorder)
    await asyncio.sleep(PAUSE_SECONDS)
    sides = (f"{recordings / key}-{side}.sln{rate}" for side in ("caller", "business"))
    await link.action("MixMonitor", Channel=channel, Options="abSr({})t({})i(NP_MIX)".format(*sides))
    return True

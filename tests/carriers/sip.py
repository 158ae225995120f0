"""What a SIPp has sent and received, while it runs."""

import re

from tests.calls.sipp import Sipp
from tests.stack import eventually


async def audio_port(sipp: Sipp, first: str, seen: str = "", kind: str = "audio") -> int:
    """The port that the PBX named in the message that begins with ``first``, the first one after what was ``seen``."""
    found: list[str] = []

    async def is_named() -> bool:
        messages = "".join(received_messages(sipp.messages.removeprefix(seen), first))
        found[:] = re.findall(rf"m={kind} (\d+)", messages)
        return bool(found)

    await eventually(is_named, 10, 0.01)
    return int(found[0])


def received(sipp: Sipp, first: str) -> str:
    """The first message that SIPp received and that begins with ``first``."""
    return received_messages(sipp.messages, first)[0]


def received_messages(messages: str, first: str) -> list[str]:
    """Those of SIPp's ``messages`` that it received and that begin with ``first``."""
    each = re.split(r"-{40,} \S+\n", messages)
    return [text for text in each if "message received" in text and f"\n{first}" in text]

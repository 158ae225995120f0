"""Places a call back: rings the telephone of whoever wants to call; the dialplan then dials whom he calls."""

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import quote

from gateway.asterisk.ami import ActionFailed, AmiError, AmiLink
from gateway.asterisk.routecode import encode_route
from gateway.calls.outbound import NoTrunk, Trunk, attempts
from gateway.calls.route import Destination, Route

# In numberpool-extensions.conf: where the call goes on once that telephone is picked up.
CONTEXT = "numberpool-back"
# A mobile rings some thirty seconds until its mailbox takes over; a telephone of one's own desk is near.
TELEPHONE_SECONDS = 25
CALLEE_SECONDS = 60
_NOT_THERE = frozenset({"INVALID", "UNAVAILABLE"})


class OldDialplan(AmiError):
    """Asterisk's configuration is older than calls back: render it again (numberpool asterisk render), and reload."""


class NotConnected(AmiError):
    """There is no connection to this Asterisk now."""


class NoTelephone(AmiError):
    """Asterisk does not know that telephone, or nothing answers at its address."""


@dataclass(frozen=True, slots=True)
class Placing:
    """A call back that is to begin. Numbers are E.164; ``telephone`` is such a number or ``PJSIP/<name>``.

    ``notice`` is a sound that the callee hears before the two are connected.
    """

    id: int
    key: str
    telephone: str
    callee: str
    shown: str
    name: str = ""
    record: bool = False
    notice: str | None = None
    longest_seconds: int | None = None

    @property
    def unique_id(self) -> str:
        """That of its first channel."""
        return self.key.rpartition("-")[0]


def originate(placing: Placing, trunks: Sequence[Trunk]) -> dict[str, str]:
    """The fields of the AMI action. Raises ValueError, NoTrunk among them, for what must not be dialled."""
    if not trunks:
        raise NoTrunk(NoTrunk.__doc__)
    route = Route(
        (Destination(f"Trunk/{placing.callee}", CALLEE_SECONDS),),
        record=placing.record,
        whisper=placing.notice or "-",
        did=placing.shown or None,
        main_number=placing.shown or None,
        longest_seconds=placing.longest_seconds,
    )
    is_outside = placing.telephone.startswith("+")
    telephone = attempts(f"Trunk/{placing.telephone}", trunks)[0] if is_outside else placing.telephone
    said = f"v=1&key={placing.key}&id={placing.unique_id}&placed={placing.id}&caller={quote(placing.callee, safe='')}"
    variables = {
        "__NP_KEY": placing.key,
        "NP_DID1": placing.shown,
        "NP_ROUTE": encode_route(route, trunks),
        "NP_CALL": f"{said}&name=&trunk=&first=&request=&to=&party=",
    }
    return {
        "Channel": telephone,
        "ChannelId": placing.unique_id,
        "Context": CONTEXT,
        "Exten": "s",
        "Priority": "1",
        "Timeout": str(TELEPHONE_SECONDS * 1000),
        # A telephone of the house shows who will be called; over a trunk it is a number of ours.
        "CallerID": f"<{placing.shown}>" if is_outside else f'"{display_name(placing.name)}" <{placing.callee}>',
        "Async": "true",
        "Variable": ",".join(f"{name}={value}" for name, value in variables.items()),
    }


def display_name(name: str) -> str:
    """A name from outside as a telephone may show it: letters of any script, digits, blanks and a few marks."""
    return re.sub(r"[^\w .-]", "", name)[:40].strip()


async def place(link: AmiLink, placing: Placing, trunks: Sequence[Trunk]) -> None:
    """Begin ``placing``. Raises OldDialplan, NoTelephone, ActionFailed, LinkLost, ValueError (NoTrunk among them)."""
    fields = originate(placing, trunks)
    if not await link.listing("ShowDialPlan", Context=CONTEXT):
        raise OldDialplan(OldDialplan.__doc__)
    if not placing.telephone.startswith("+"):
        state = await link.action("Getvar", Variable=f"DEVICE_STATE({placing.telephone})")
        if str(state.value) in _NOT_THERE:
            raise NoTelephone(NoTelephone.__doc__)
    await link.action("Originate", **fields)


async def end(link: AmiLink, unique_id: str) -> None:
    """Hang up the telephone of whoever called, and with it the call. Raises LinkLost."""
    with suppress(ActionFailed):  # it has ended by itself
        await link.action("Hangup", Channel=unique_id, Cause="16")

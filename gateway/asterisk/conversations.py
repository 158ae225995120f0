"""Who each caller talks with: told by Asterisk in passing, and then asked.

Asterisk's events of bridges and transfers name people, and a stranger can forge events (events.py). So they are hints
only, of when to look: whom a channel is connected to, Asterisk is asked itself (``BRIDGEPEER``). A Local channel is not
a person; the way goes on at its other half, however many stand between (a queue, a ring group, follow-me).
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import structlog

from gateway.asterisk.ami import AmiError, AmiLink
from gateway.asterisk.channels import person_behind, variable
from gateway.asterisk.events import BridgeHint, Hint, TransferHint, UnholdHint
from gateway.asterisk.recorder import Renewals
from gateway.calls.record import CallRecord, Stage
from gateway.calls.turns import Turn, Turns, decode_turn, encode_turn, talks_with, transferred
from gateway.health import Condition, Health

# Asterisk sets BRIDGEPEER a moment after it tells of the bridge (tried on 22.10).
LOOK_AGAIN_SECONDS = (0.0, 0.02, 0.04, 0.08, 0.16, 0.3)
# And forgets who has left a moment after it told of that.
SETTLE_SECONDS = 0.03
# Calls whose end never came here; beyond this the oldest are forgotten.
MOST_CALLS = 20_000
# Hints may be forged: no more of them wait for one call (whoever looks, looks later than at the last), and no more
# channels are in bridges, or in one of them (a conference).
MOST_HINTS = 50
MOST_BRIDGED = 20_000
MOST_IN_BRIDGE = 200
_log = structlog.get_logger(__name__)

Answered = Callable[[CallRecord], None]
Changed = Callable[[CallRecord], Awaitable[None]]


@dataclass
class _Followed:
    """One call and what is known of its conversation. Moments are seconds after its start, ``began`` monotonic."""

    record: CallRecord
    began: float
    turns: Turns = ()
    kept: Turns | None = None  # what the channel carries; none: not read yet
    way: frozenset[str] = frozenset()  # the channels to whom the caller talks with, and that one
    hints: list[Hint | None] = field(default_factory=list)
    hinted_at: list[float] = field(default_factory=list)
    sent_on: tuple[str, float] | None = None  # the last transfer that was told of: its target, and when
    watched: bool = False  # from its start on, by one link
    hinted: bool = False
    looking: asyncio.Task[None] | None = None


class Conversations:
    """The conversations of one node's calls, over the link that ``link`` gives.

    ``answered`` gets the record of a call that somebody took elsewhere than in our own Dial(), ``changed`` that of one
    in which another voice has just come to the other end.
    """

    def __init__(
        self, node: str, link: Callable[[], AmiLink | None], answered: Answered, changed: Changed, health: Health
    ) -> None:
        self._renewals = Renewals(changed)
        self._part = f"asterisk:{node}:conversations"
        self._health = health
        self._heard_nothing = True
        self._link = link
        self._answered = answered
        self._calls: dict[str, _Followed] = {}
        self._by_channel: dict[str, set[str]] = {}  # channel -> keys of the calls whose way it is on
        self._bridges: dict[str, set[str]] = {}
        self._bridge_of: dict[str, str] = {}

    # -- which calls ---------------------------------------------------------------------------------------------

    def heard(self, record: CallRecord, live: bool, clock_ahead: float) -> CallRecord:
        """A call's record has come in, ``live`` or out of the outbox; the node's clock is so many seconds ahead.

        Gives the record back: without Asterisk's own guess at an answer where we watched the whole call.
        """
        call = self._calls.get(record.key)
        if record.stage is Stage.ENDED:
            self._forget(record.key)
            if call is not None and live and call.watched:
                if record.answered_at is not None and not call.hinted:
                    self._unheard(record)
                record = replace(record, talked_seconds=None)
            if call is not None and record.sent_on_by and call.sent_on is not None and not _waits(record.turns):
                # It failed at once, and the call ended before the channel could be told.
                record = replace(record, turns=transferred(record.turns, *call.sent_on))
        elif call is None:
            self._begin(record, live, clock_ahead)
        elif record.stage > call.record.stage:
            call.record = record
        return record

    def _begin(self, record: CallRecord, live: bool, clock_ahead: float) -> None:
        if not record.channel:
            return
        if len(self._calls) >= MOST_CALLS:
            self._forget(next(iter(self._calls)))
        now = time.monotonic()
        began = now if live and record.stage is Stage.STARTED else now - _age(record.started_at, clock_ahead)
        self._calls[record.key] = call = _Followed(record, began, watched=live and record.stage is Stage.STARTED)
        self._leads(call, frozenset((record.channel,)))
        if not live:  # it may have been talking before we came
            self._hint(call, None, now)

    def linked(self) -> None:
        """There is a new link: what was told of bridges is out of date, and every call is looked at again."""
        self._bridges.clear()
        self._bridge_of.clear()
        now = time.monotonic()
        for call in self._calls.values():
            call.kept = None
            call.watched = False
            self._hint(call, None, now)

    def _unheard(self, record: CallRecord) -> None:
        """A call was answered, and no event told of the conversation: none comes. (Or it was over in a moment.)"""
        if record.ended_at and record.answered_at and record.ended_at - record.answered_at > timedelta(seconds=5):
            self._heard_nothing = True
            self._health.tell(
                self._part,
                Condition.NEEDS_PERSON,
                "Asterisk does not tell who talks with whom, so transfers stay unknown: Numberpool's AMI account needs "
                "read = user,call and its eventfilter lines. Render the configuration again (numberpool asterisk "
                "render), then run: asterisk -rx 'manager reload'",
            )

    def _forget(self, key: str) -> None:
        call = self._calls.pop(key, None)
        self._renewals.forget(key)
        if call is not None:
            self._leads(call, frozenset())
            if call.looking is not None:
                call.looking.cancel()

    def _leads(self, call: _Followed, way: frozenset[str]) -> None:
        key = call.record.key
        for channel in call.way - way:
            self._by_channel[channel].discard(key)
            if not self._by_channel[channel]:
                del self._by_channel[channel]
        for channel in way - call.way:
            self._by_channel.setdefault(channel, set()).add(key)
        call.way = way

    # -- hints ---------------------------------------------------------------------------------------------------

    def hint(self, hint: Hint, now: float) -> None:
        """Asterisk says that something happened at monotonic ``now`` to the channels of a bridge."""
        if self._heard_nothing:
            self._heard_nothing = False
            self._health.tell(self._part, Condition.OK, "Asterisk tells who talks with whom.")
        touched = {hint.channel}
        if isinstance(hint, BridgeHint):
            touched |= self._leaves_bridge(hint.channel)
            if hint.entered and len(self._bridges.get(hint.bridge, ())) < MOST_IN_BRIDGE:
                if len(self._bridge_of) >= MOST_BRIDGED:
                    self._leaves_bridge(next(iter(self._bridge_of)))
                self._bridge_of[hint.channel] = hint.bridge
                self._bridges.setdefault(hint.bridge, set()).add(hint.channel)
            touched |= self._bridges.get(hint.bridge, set())
        for key in {key for channel in touched for key in self._by_channel.get(channel, ())}:
            self._hint(self._calls[key], hint, now)

    def _leaves_bridge(self, channel: str) -> set[str]:
        """Whoever else is in the bridge that ``channel`` was in."""
        bridge = self._bridge_of.pop(channel, None)
        if bridge is None:
            return set()
        members = self._bridges[bridge]
        members.discard(channel)
        if not members:
            del self._bridges[bridge]
        return members

    def _hint(self, call: _Followed, hint: Hint | None, now: float) -> None:
        call.hinted = call.hinted or hint is not None
        if isinstance(hint, TransferHint):
            call.sent_on = hint.target, max(0.0, now - call.began)
        if len(call.hints) < MOST_HINTS:
            call.hints.append(hint)
            call.hinted_at.append(now)
        if call.looking is None:
            call.looking = asyncio.ensure_future(self._look(call))

    # -- looking -------------------------------------------------------------------------------------------------

    async def _look(self, call: _Followed) -> None:
        """Take the hints of ``call`` until there is none left."""
        try:
            while call.hints:
                link = self._link()
                if link is None or link.closed:
                    call.hints.clear()
                    call.hinted_at.clear()
                    return
                hint, at = call.hints.pop(0), call.hinted_at.pop(0)
                if isinstance(hint, BridgeHint) and not hint.entered:
                    await asyncio.sleep(SETTLE_SECONDS)
                if call.kept is None:
                    call.kept = call.turns = await _kept(link, call.record.channel)
                if isinstance(hint, UnholdHint):
                    self._renewals.due(call.record)  # many phones speak in a new stream of sound then
                    continue
                moment = max(0.0, at - call.began)
                if isinstance(hint, TransferHint):
                    if await self._is_sent_on(link, call, hint):
                        call.turns = transferred(call.turns, hint.target, moment)
                else:
                    found = await self._person(link, call)
                    if found is None:
                        continue
                    person, dialled = found
                    if person == _who_sent_on(call.turns):
                        person = None
                    before = _people(call.turns)
                    call.turns = talks_with(call.turns, person, moment, dialled)
                    if 0 < before < _people(call.turns):
                        self._renewals.due(call.record)
                _log.debug("a conversation", call=call.record.key, hint=hint, at=round(moment, 3), turns=call.turns)
                await self._keep(link, call)
        except (AmiError, ValueError) as error:  # the next link looks again; a channel that has gone needs no look
            _log.debug("a conversation could not be looked at", call=call.record.key, fault=str(error))
            call.hints.clear()
            call.hinted_at.clear()
        finally:
            call.looking = None

    async def _is_sent_on(self, link: AmiLink, call: _Followed, hint: TransferHint) -> bool:
        """Whether Asterisk itself says so: by a mark that goes when the next bridge is there, and by who is gone.

        On a busy machine the mark may have gone before whom the caller talked with is forgotten, so it is asked again.
        """
        before = call.turns[-1].channel if call.turns else call.record.answered_channel
        for wait in LOOK_AGAIN_SECONDS:
            await asyncio.sleep(wait)
            if await variable(link, hint.channel, "BLINDTRANSFER"):
                return True
            person, _ = await person_behind(link, call.record.channel)
            if person != before:
                return True
        return False

    async def _person(self, link: AmiLink, call: _Followed) -> tuple[str | None, str] | None:
        """The channel of whom the caller talks with (none: nobody), and what was dialled to reach it.

        Nothing where more has happened since, which says more: above all a transfer, before whoever it led to.
        """
        for wait in LOOK_AGAIN_SECONDS:
            if wait:
                await asyncio.sleep(wait)
            if any(isinstance(hint, TransferHint) for hint in call.hints) or (wait and call.hints):
                return None
            person, way = await person_behind(link, call.record.channel)
            self._leads(call, frozenset((*way, person) if person else way))
            if person is not None:
                return person, await variable(link, person, "DIALEDPEERNUMBER")
            # Nobody, although somebody is in the bridge at the end of the way: not set yet.
            if len(self._bridges.get(self._bridge_of.get(way[-1], ""), ())) < 2:
                break
        return None, ""

    async def _keep(self, link: AmiLink, call: _Followed) -> None:
        """Write what is new onto the caller's channel, and tell of the first person."""
        kept, call.kept = call.kept or (), call.turns
        for number, turn in enumerate(call.turns, start=1):
            if number > len(kept) or kept[number - 1] != turn:
                link.send(
                    (
                        "Setvar",
                        {
                            "Channel": call.record.channel,
                            "Variable": f"NP_TURN_{number}",
                            "Value": encode_turn(turn),
                        },
                    )
                )
        for number in range(len(call.turns) + 1, len(kept) + 1):  # fewer, where they had no more room
            link.send(("Setvar", {"Channel": call.record.channel, "Variable": f"NP_TURN_{number}", "Value": ""}))
        first = next((turn for turn in call.turns if turn.answered is not None), None)
        if first is not None and call.record.stage is Stage.STARTED and call.record.answered_at is None:
            self._answered(replace(call.record, stage=Stage.ANSWERED, turns=call.turns))


def _age(started_at: datetime, clock_ahead: float) -> float:
    """Seconds since a call started by its node's clock. One just heard of gives nearly nought."""
    return max(0.0, time.time() + clock_ahead - started_at.timestamp())


def _people(turns: Turns) -> int:
    return sum(bool(turn.channel) for turn in turns)


def _who_sent_on(turns: Turns) -> str | None:
    """Whom the caller was just taken from by a transfer: that channel is leaving, and is not who answers it."""
    return turns[-2].channel if len(turns) > 1 and _waits(turns) else None


def _waits(turns: Turns) -> bool:
    """Whether the last thing that happened is a transfer that nobody has answered."""
    return bool(turns) and not turns[-1].channel and turns[-1].ended is None


async def _kept(link: AmiLink, channel: str) -> Turns:
    """The turns that the caller's channel carries, of a gateway before this one."""
    found: list[Turn] = []
    while text := await variable(link, channel, f"NP_TURN_{len(found) + 1}"):
        try:
            found.append(decode_turn(text))
        except ValueError:
            break
    return tuple(found)

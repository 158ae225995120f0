"""How a node's calls reach the ledger: as events, out of the outbox, and, where Asterisk died, by their absence."""

import asyncio
import re
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import structlog

from gateway.asterisk.ami import AmiLink
from gateway.asterisk.outbox import Outbox
from gateway.calls.ledger import Ledger, Noted, Settled
from gateway.calls.record import CallRecord, Stage
from gateway.calls.stopwatch import Stopwatch
from gateway.health import Condition, Health
from gateway.settings import NodeSettings
from gateway.store.database import AWAY

OUTBOX_SECONDS = 0.5
_log = structlog.get_logger(__name__)


class Intake:
    """Takes the records of one node's calls and sees them into the database.

    ``listener`` gets each record first, with whether it is live and how far the node's clock is ahead, and gives back
    what is known then.
    ``clock_ahead``: seconds by which the node's clock is ahead of ours, as last measured.
    """

    def __init__(
        self,
        settings: NodeSettings,
        ledger: Ledger,
        health: Health,
        listener: Callable[[CallRecord, bool, float], CallRecord],
    ) -> None:
        self._listener = listener
        self._name = settings.name
        self._ledger = ledger
        self._health = health
        self._outbox = Outbox(settings.spool / "outbox") if settings.spool else None
        self._stopwatch = Stopwatch()
        self._suspects: set[str] = set()
        self.clock_ahead = 0.0
        ledger.on_settled[self._name] = self._settled
        if self._outbox:
            ledger.on_back.append(self._outbox.forget)

    def heard(self, record: CallRecord) -> None:
        """A call's event has just come in."""
        self._note(record, time.monotonic())

    def _note(self, record: CallRecord, heard_at: float | None) -> None:
        record = self._listener(record, heard_at is not None, self.clock_ahead)
        measured = self._stopwatch.see(record.key, record.stage, heard_at)
        self._ledger.note(Noted(self._name, record, measured, self.clock_ahead))

    def _settled(self, settled: Settled) -> None:
        key = settled.noted.record.key
        self._stopwatch.forget(key)
        if self._outbox is None:
            return
        part = f"outbox:{self._name}:files"
        try:
            if settled.fault is None:
                self._outbox.delete(key)
            else:
                self._outbox.reject(key, settled.fault)
        except OSError as error:
            self._tell_outbox(part, error)
        else:
            self._health.tell(part, Condition.OK, "What is in the database leaves the outbox.")

    def _tell_outbox(self, part: str, error: OSError) -> None:
        self._health.tell(
            part,
            Condition.NEEDS_PERSON,
            f"The outbox of Asterisk {self._name} cannot be read or emptied ({error}). It belongs to Asterisk's user, "
            "and the user that Numberpool runs as must be able to write there. Calls ring meanwhile.",
        )

    async def read_outbox(self) -> None:
        """Read what is new in the outbox, until cancelled; at once ended where this node's is out of our reach."""
        part = f"outbox:{self._name}"
        while self._outbox is not None:
            try:
                records = await asyncio.to_thread(self._outbox.unread)
            except OSError as error:
                self._tell_outbox(part, error)
                records = []
            else:
                self._health.tell(part, Condition.OK, "The outbox is read.")
            for record in records:
                self._note(record, None)
            if not records:
                await asyncio.sleep(OUTBOX_SECONDS)

    async def close_cut_off(self, link: AmiLink) -> None:
        """Close the calls that have neither an end nor a channel: their Asterisk died under them.

        A call must be found so twice, one round apart: its end may be on its way here. Raises AmiError.
        """
        try:
            open_calls = await self._ledger.open_calls(self._name)
        except AWAY as error:  # there is another time
            _log.debug("open calls cannot be read", fault=str(error))
            return
        living: set[str] = set()
        if open_calls:
            living = {_key_part(str(channel.uniqueid)) for channel in await link.listing("CoreShowChannels")}
        dead = {key for key in open_calls if key.rpartition("-")[0] not in living}
        for key in sorted(dead & self._suspects):
            _log.info("a call was cut off", node=self._name, call=key)
            record = await asyncio.to_thread(self._outbox.read, key) if self._outbox else None
            if record is None:
                with suppress(*AWAY):
                    await self._ledger.cut_off(self._name, key)
            elif record.stage is not Stage.ENDED:
                self._note(replace(record, stage=Stage.ENDED, cut_off=True), None)
        self._suspects = dead


def _key_part(unique_id: str) -> str:
    """The unique id as the dialplan puts it into a call's key (np-call): its random number follows."""
    return re.sub(r"[^A-Za-z0-9._-]", "", unique_id)

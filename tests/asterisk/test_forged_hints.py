"""Hints of bridges, transfers and hold can be forged by the thousand; what they cost is bounded."""

import asyncio
import time
from datetime import UTC, datetime

from gateway.asterisk.conversations import MOST_BRIDGED, MOST_HINTS, MOST_IN_BRIDGE, Conversations
from gateway.asterisk.events import BridgeHint, Hint, TransferHint, UnholdHint
from gateway.asterisk.recorder import MOST_AT_ONCE, RENEW_SECONDS, Renewals
from gateway.calls.record import CallRecord, Stage
from gateway.health import Health
from tests.stack import eventually

RECORD = CallRecord(
    key="pbx-1.1-1",
    unique_id="pbx-1.1",
    stage=Stage.STARTED,
    started_at=datetime.now(UTC),
    trunk="trunk",
    dialled=("", "", "", ""),
    caller="",
    caller_name="",
    channel="PJSIP/trunk-00000001",
)


async def _holds(condition: bool) -> bool:
    return condition


async def _nothing(_: CallRecord) -> None:
    return


async def test_ten_thousand_hints_of_a_call_are_few_looks() -> None:
    conversations = Conversations("pbx", lambda: None, lambda _: None, _nothing, Health())
    conversations.heard(RECORD, live=True, clock_ahead=0)
    kinds: list[Hint] = [
        BridgeHint("b", RECORD.channel, entered=True),
        BridgeHint("b", RECORD.channel, entered=False),
        UnholdHint(RECORD.channel),
        TransferHint(RECORD.channel, "1@x"),
    ]
    for number in range(10_000):
        conversations.hint(kinds[number % len(kinds)], time.monotonic())
    (call,) = conversations._calls.values()
    assert len(call.hints) == len(call.hinted_at) == MOST_HINTS


async def test_channels_that_never_leave_their_bridge_are_forgotten() -> None:
    conversations = Conversations("pbx", lambda: None, lambda _: None, _nothing, Health())
    for number in range(MOST_BRIDGED + 100):
        conversations.hint(BridgeHint(f"b{number // 2}", f"PJSIP/x-{number}", entered=True), 0.0)
    assert len(conversations._bridge_of) == MOST_BRIDGED
    assert sum(map(len, conversations._bridges.values())) == MOST_BRIDGED
    for number in range(MOST_IN_BRIDGE + 100):
        conversations.hint(BridgeHint("one", f"PJSIP/y-{number}", entered=True), 0.0)
    for number in range(MOST_IN_BRIDGE + 100):
        assert len(conversations._bridges["one"]) <= MOST_IN_BRIDGE
        conversations.hint(BridgeHint("one", f"PJSIP/y-{number}", entered=number % 2 == 0), 0.0)


async def test_a_recording_is_begun_anew_at_once_but_not_without_end() -> None:
    began: list[float] = []

    async def anew(_: CallRecord) -> None:
        began.append(time.monotonic())

    renewals = Renewals(anew)
    start = time.monotonic()
    while time.monotonic() - start < 1.5 * RENEW_SECONDS:
        renewals.due(RECORD)
        await asyncio.sleep(0.005)
    # What was due when the time came, and once more for all that came after it.
    await eventually(lambda: _holds(len(began) == MOST_AT_ONCE + 2))
    renewals.forget(RECORD.key)
    assert began[MOST_AT_ONCE - 1] - start < RENEW_SECONDS
    assert began[-1] - start >= 2 * RENEW_SECONDS * 0.99

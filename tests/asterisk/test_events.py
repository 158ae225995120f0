"""Our own events out of what AMI sends: only whole ones, only with the token, only in their order."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.asterisk.events import BridgeHint, ForgedEvent, TransferHint, Unfiltered, parse_event
from gateway.calls.record import CallRecord, MalformedRecord, Stage
from tests.calls.lines import as_of, line_of
from tests.calls.records import ended_records, texts

TOKEN = "sEcret-token_0"
CALL = "v=1&key=k-1&id=k&at=1.0&trunk=t&first=1&request=1&to=&party=&caller=2&name=&stage=1&ask=7"
# What Asterisk puts before our fields (a channel's snapshot) is partly the caller's.
SNAPSHOT = ("Privilege: user,all", "Channel: PJSIP/trunk-1", "CallerIDNum: 1", "CallerIDName: Zoë", "Uniqueid: 1.1")


def block(*lines: str) -> bytes:
    return "\r\n".join(lines).encode()


def genuine(call: str = CALL, token: str = TOKEN, snapshot: tuple[str, ...] = SNAPSHOT) -> bytes:
    return block("Event: UserEvent", *snapshot, "UserEvent: NPCall", f"Token: {token}", f"Call: {call}")


@given(ended_records(), st.sampled_from(list(Stage)))
def test_a_genuine_event_is_read(record: CallRecord, stage: Stage) -> None:
    wanted = as_of(record, stage)
    assert parse_event(genuine(line_of(wanted)), TOKEN) == wanted


@pytest.mark.parametrize(
    "forged",
    [
        genuine(token=""),
        genuine(token="another"),
        genuine(token=TOKEN + "x"),
        genuine(token=TOKEN.upper()),
        genuine(snapshot=(*SNAPSHOT, "UserEvent: NPCall")),
        genuine(snapshot=(*SNAPSHOT, f"Token: {TOKEN}")),
        genuine(snapshot=(*SNAPSHOT, f"token : {TOKEN}")),
        genuine(snapshot=(*SNAPSHOT, "CALLERIDNUM: 2")),
        genuine(snapshot=(*SNAPSHOT, "Call: x")),
        block("Event: UserEvent", f"Token: {TOKEN}", f"Call: {CALL}", "UserEvent: NPCall"),
        block("Event: UserEvent", "UserEvent: NPCall", f"Call: {CALL}", f"Token: {TOKEN}"),
        block("Event: UserEvent", "UserEvent: NPCall", f"Token: {TOKEN}", f"Call: {CALL}", "CallerIDName: x"),
        block("Event: UserEvent", "UserEvent: NPCall", f"Token: {TOKEN}", "X: y", f"Call: {CALL}"),
        block("Event: UserEvent", "UserEvent: NPCall", "X: y", f"Token: {TOKEN}", f"Call: {CALL}"),
        block("Event: UserEvent", "UserEvent: NPCall", f"Call: {CALL}"),
        block("Event: UserEvent", "UserEvent: NPCall"),
    ],
)
def test_what_only_looks_like_ours_is_refused(forged: bytes) -> None:
    with pytest.raises(ForgedEvent):
        parse_event(forged, TOKEN)


def test_without_a_token_of_our_own_nothing_is_ours() -> None:
    with pytest.raises(ForgedEvent):
        parse_event(genuine(token=""), "")


def test_a_genuine_event_with_a_broken_record_is_malformed() -> None:
    with pytest.raises(MalformedRecord):
        parse_event(genuine("v=1&key=k"), TOKEN)


BRIDGE = ("Privilege: call,all", "BridgeUniqueid: b-1", "BridgeNumChannels: 2", "Channel: PJSIP/101-1")
SENT_ON = ("Privilege: call,all", "Result: Success", "TransfererChannel: PJSIP/101-1", "TransfereeChannel: PJSIP/t-2")


@pytest.mark.parametrize(
    ("sent", "hint"),
    [
        (block("Event: BridgeEnter", *BRIDGE, "CallerIDNum: 1"), BridgeHint("b-1", "PJSIP/101-1", True)),
        (block("Event: BridgeLeave", *BRIDGE), BridgeHint("b-1", "PJSIP/101-1", False)),
        # What follows a caller's text may be the caller's as well.
        (
            block("Event: BridgeEnter", *BRIDGE, "CallerIDNum: 1", "Channel: PJSIP/false-1"),
            BridgeHint("b-1", "PJSIP/101-1", True),
        ),
        (block("Event: BridgeEnter", "CallerIDNum: 1", *BRIDGE), None),
        (block("Event: BridgeEnter"), None),
        (
            block("Event: BlindTransfer", *SENT_ON, "Context: internal", "Extension: 102"),
            TransferHint("PJSIP/t-2", "102@internal"),
        ),
        (block("Event: BlindTransfer", *SENT_ON[:1], "Result: Fail", *SENT_ON[2:]), None),
        (block("Event: BlindTransfer", *SENT_ON[:3], "Context: internal", "Extension: 102"), None),
    ],
)
def test_hints_of_conversations(sent: bytes, hint: BridgeHint | TransferHint | None) -> None:
    assert parse_event(sent, TOKEN) == hint


def test_a_transfer_with_two_of_a_field_is_refused() -> None:
    with pytest.raises(ForgedEvent):
        parse_event(block("Event: BlindTransfer", *SENT_ON, "TransfereeChannel: PJSIP/other-1"), TOKEN)


@pytest.mark.parametrize(
    ("sent", "meaning"),
    [
        (block("Event: FullyBooted", "Status: Fully Booted"), None),
        (block("Event: Shutdown", "Shutdown: Cleanly"), None),
        (block("Event: UserEvent", "Privilege: user,all", "UserEvent: NPProof"), None),
        (block("Event: UserEvent", "Privilege: user,all", "UserEvent: Numberpool-unfiltered"), Unfiltered.EVENT),
        (block("Event: Hangup", "Channel: PJSIP/x"), Unfiltered.EVENT),
        (block("Event: Newchannel", "UserEvent: NPCall", f"Token: {TOKEN}", f"Call: {CALL}"), Unfiltered.EVENT),
        (b"", Unfiltered.EVENT),
    ],
)
def test_what_else_asterisk_sends(sent: bytes, meaning: Unfiltered | None) -> None:
    assert parse_event(sent, TOKEN) is meaning


@given(st.binary() | texts.map(str.encode))
def test_no_bytes_do_worse_than_be_refused(sent: bytes) -> None:
    for raw in (
        sent,
        b"Event: UserEvent\r\n" + sent,
        b"Event: UserEvent\r\nUserEvent: NPCall\r\n" + sent,
        b"Event: BridgeEnter\r\n" + sent,
    ):
        with contextlib.suppress(ForgedEvent, MalformedRecord):
            assert not isinstance(parse_event(raw, TOKEN), CallRecord)


@given(texts, texts)
def test_no_text_of_a_caller_makes_an_event_without_the_token(name: str, number: str) -> None:
    """Whatever stands in the snapshot, line breaks included: with a wrong token there is never a record."""
    snapshot = (*SNAPSHOT[:2], f"CallerIDNum: {number}", f"CallerIDName: {name}")
    for part in genuine(token="guess", snapshot=snapshot).split(b"\r\n\r\n"):
        with contextlib.suppress(ForgedEvent, MalformedRecord):
            assert not isinstance(parse_event(part, TOKEN), CallRecord)

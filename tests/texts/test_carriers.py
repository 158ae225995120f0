"""Each carrier's signature and words, by what it documents; and what is not quite so is refused."""

from base64 import b64encode
from datetime import UTC, datetime, timedelta

import pytest

from gateway.texts.carriers import CARRIERS
from gateway.texts.carriers.shape import Account, CannotRead, Kind, Posted, Refused, Taken, refused
from gateway.texts.carriers.twilio import signature as twilio_signature
from gateway.texts.text import Arrived, Part, Reported, State
from tests.texts.signing import KINDS, PLAIN, SECRETS, SIGNED, Post, inbound, report

ADDRESS = "https://calls.example.com/np/v1/texts/abc"
OURS, THEIRS = "+13065552001", "+13065550142"


def account(kind: str) -> Account:
    return Account(1, 1, "CA", "Carrier", Kind(kind), "t" * 40, PLAIN[kind], SECRETS[kind])


def posted(post: Post, *addresses: str) -> Posted:
    query, body, headers = post
    names = {name.lower(): value for name, value in headers.items()}
    return Posted("POST" if body else "GET", addresses or (ADDRESS,), query, names, body)


def is_genuine(kind: str, post: Posted, late: timedelta = timedelta(0)) -> bool:
    return CARRIERS[Kind(kind)].is_genuine(account(kind), post, datetime.now(UTC) + late)


def some(kind: str) -> Post:
    return inbound(kind, ADDRESS, id="M1", body="Dach & Zaun = 1? 🏠", number=OURS, other=THEIRS)


def test_every_carrier_is_tried() -> None:
    assert set(CARRIERS) == {Kind(kind) for kind in KINDS} == set(Kind)


def test_the_example_that_twilio_prints() -> None:
    """twilio.com/docs/usage/security, its example of a voice request."""
    fields = [
        ("CallSid", "CA1234567890ABCDE"),
        ("Caller", "+12349013030"),
        ("Digits", "1234"),
        ("From", "+12349013030"),
        ("To", "+18005551212"),
    ]
    assert (
        twilio_signature("12345", "https://mycompany.com/myapp.php?foo=1&bar=2", fields)
        == "0/KCTR6DLpKmkAf8muzZqo1nDgQ="
    )


@pytest.mark.parametrize("kind", KINDS)
def test_what_the_carrier_signed_is_its_own(kind: str) -> None:
    assert is_genuine(kind, posted(some(kind)))


@pytest.mark.parametrize("kind", SIGNED)
def test_nothing_else_is(kind: str) -> None:
    query, body, headers = some(kind)
    if kind != "bandwidth":  # it shows a password, and signs nothing
        changed = body.replace(b"M1", b"M2")
        assert changed != body
        if kind != "plivo":  # signs its address alone
            assert not is_genuine(kind, posted((query, changed, headers)))
    if kind in ("twilio", "signalwire", "plivo"):
        assert not is_genuine(kind, posted((query, body, headers), "https://elsewhere.example/np/v1/texts/abc"))
    shown = {"Content-Type": headers["Content-Type"]}
    unsigned = body.split(b"&sig=")[0] if kind == "vonage" else body
    assert not is_genuine(kind, posted((query, unsigned, shown)))
    for name, value in headers.items():
        if name != "Content-Type" and "timestamp" not in name.lower():
            assert not is_genuine(kind, posted((query, body, {**headers, name: value[:-2] + "é="})))


@pytest.mark.parametrize("kind", SIGNED)
def test_without_a_secret_nothing_is_believed(kind: str) -> None:
    if kind == "general":  # there the secret may be the address
        return
    bare = Account(1, 1, "CA", "Carrier", Kind(kind), "t" * 40)
    assert not CARRIERS[Kind(kind)].is_genuine(bare, posted(some(kind)), datetime.now(UTC))


def test_what_is_old_is_refused_where_the_time_is_signed() -> None:
    assert not is_genuine("telnyx", posted(some("telnyx")), timedelta(minutes=6))
    assert not is_genuine("vonage", posted(some("vonage")), timedelta(days=3))
    assert is_genuine("vonage", posted(some("vonage")), timedelta(hours=20))


def test_behind_a_proxy_one_of_the_addresses_is_enough() -> None:
    inside = "http://127.0.0.1:8081/v1/texts/abc"
    for kind in ("twilio", "signalwire", "plivo"):
        assert is_genuine(kind, posted(some(kind), inside, ADDRESS))
        assert not is_genuine(kind, posted(some(kind), inside))


def test_a_port_in_twilios_address_is_one_or_none() -> None:
    with_port = "https://calls.example.com:443/np/v1/texts/abc"
    post = inbound("twilio", with_port, id="M1", body="x", number=OURS, other=THEIRS)
    assert is_genuine("twilio", posted(post))


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_text_says(kind: str) -> None:
    media = () if kind == "vonage" else ("https://media.example/1.jpg", "https://media.example/2.jpg")
    post = inbound(kind, ADDRESS, id="M1", body="Dach & Zaun? 🏠", number=OURS, other=THEIRS, media=media)
    (text,) = CARRIERS[Kind(kind)].read(account(kind), posted(post))
    assert isinstance(text, Arrived)
    assert (text.body, text.id, text.media) == ("Dach & Zaun? 🏠", "M1", media)
    assert text.number.removeprefix("+").removeprefix("1") == "3065552001"
    assert text.other.removeprefix("+").removeprefix("1") == "3065550142"


@pytest.mark.parametrize("kind", SIGNED)
@pytest.mark.parametrize("state", ["sent", "delivered", "failed"])
def test_what_a_report_says(kind: str, state: str) -> None:
    post = report(kind, ADDRESS, id="M1", state=state, code="30003" if state == "failed" else "")
    assert is_genuine(kind, posted(post))
    (said,) = CARRIERS[Kind(kind)].read(account(kind), posted(post))
    assert isinstance(said, Reported)
    assert (said.id, said.state) == ("M1", State(state))
    assert ("30003" in said.fault) == (state == "failed" and kind != "general")


def test_of_other_events_nothing_is_kept() -> None:
    other = posted(("", b'{"data": {"event_type": "call.initiated", "payload": {}}}', {"content-type": "a/json"}))
    assert CARRIERS[Kind.TELNYX].read(account("telnyx"), other) == []
    queued = posted(("", b"MessageSid=M1&MessageStatus=queued", {}))
    assert CARRIERS[Kind.TWILIO].read(account("twilio"), queued) == []


@pytest.mark.parametrize("kind", ["telnyx", "bandwidth", "general"])
@pytest.mark.parametrize("body", [b"", b"{", b"[[[[", b"\xff\xfe", b'"x"'])
def test_what_cannot_be_read_is_said_so(kind: str, body: bytes) -> None:
    post = posted(("", body, {"content-type": "application/json"}))
    try:
        read = CARRIERS[Kind(kind)].read(account(kind), post)
    except CannotRead:
        return
    assert not any(isinstance(each, Reported) for each in read)


def test_a_long_text_of_vonage_is_in_parts() -> None:
    fields = (
        "msisdn=13065550142&to=13065552001&messageId=M2&text=two&concat=true&concat-ref=7&concat-total=2&concat-part=2"
    )
    (text,) = CARRIERS[Kind.VONAGE].read(account("vonage"), posted(("", fields.encode(), {})))
    assert isinstance(text, Arrived)
    assert text.part == Part("13065550142/7", 2)


@pytest.mark.parametrize(
    ("kind", "answer", "id"),
    [
        ("twilio", b'{"sid": "SM1", "status": "queued"}', "SM1"),
        ("telnyx", b'{"data": {"id": "uuid-1"}}', "uuid-1"),
        ("plivo", b'{"message_uuid": ["u1"], "api_id": "x"}', "u1"),
        ("vonage", b'{"messages": [{"status": "0", "message-id": "v1"}, {"status": "0", "message-id": "v2"}]}', "v2"),
        ("bandwidth", b'{"id": "b1"}', "b1"),
        ("voipms", b'{"status": "success", "sms": 23434}', "23434"),
        ("general", b'{"data": {"id": "g1"}}', "g1"),
    ],
)
def test_what_an_answer_says(kind: str, answer: bytes, id: str) -> None:
    assert CARRIERS[Kind(kind)].taken(account(kind), 202, answer) == Taken(id)


@pytest.mark.parametrize(
    ("kind", "status", "answer", "why", "again"),
    [
        (
            "twilio",
            400,
            b'{"code": 21610, "message": "Unsubscribed recipient"}',
            "21610: Unsubscribed recipient",
            False,
        ),
        ("telnyx", 422, b'{"errors": [{"code": "40300", "title": "Blocked"}]}', "40300: Blocked", False),
        ("plivo", 401, b"Could not verify", "Could not verify", False),
        ("bandwidth", 503, b"", "HTTP 503", True),
        ("twilio", 429, b'{"message": "Too many"}', "Too many", True),
        ("twilio", 502, b"<html>", "<html>", None),
        ("vonage", 200, b'{"messages": [{"status": "1", "error-text": "Throttled"}]}', "1: Throttled", True),
        ("vonage", 200, b'{"messages": [{"status": "9", "error-text": "Quota"}]}', "9: Quota", False),
        (
            "vonage",
            200,
            b'{"messages": [{"status": "0"}, {"status": "1", "error-text": "Throttled"}]}',
            "1: Throttled",
            None,
        ),
        ("vonage", 200, b"?", "an answer that Vonage does not give", None),
        ("voipms", 200, b'{"status": "invalid_dst"}', "invalid_dst", False),
    ],
)
def test_what_a_refusal_says(kind: str, status: int, answer: bytes, why: str, again: bool | None) -> None:
    assert CARRIERS[Kind(kind)].taken(account(kind), status, answer) == Refused(why, again)


def test_a_refusal_of_many_words_is_short() -> None:
    assert len(refused(400, "x" * 9000).why) <= 300


@pytest.mark.parametrize("kind", KINDS)
def test_no_secret_is_printed(kind: str) -> None:
    out = CARRIERS[Kind(kind)].outgoing(account(kind), OURS, THEIRS, "secret words", None)
    seen = repr(account(kind)) + repr(out)
    for secret in SECRETS[kind].values():
        assert secret not in seen
        assert b64encode(secret.encode()).decode() not in seen

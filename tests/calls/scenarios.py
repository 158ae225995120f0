"""SIPp scenarios: callers, and what business lines do. Text in, XML out; SIPp's own words stand in [brackets]."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import quoteattr

SDP_TEXT = """\
v=0
o=- 1 1 IN IP4 [media_ip]
s=-
c=IN IP4 [media_ip]
t=0 0
m=audio {port} RTP/AVP 0
a=rtpmap:0 PCMU/8000
"""


@dataclass(frozen=True)
class Tone:
    """A sound to be sent over and over: raw u-law samples, 8000 a second."""

    file: Path


@dataclass(frozen=True)
class Ear:
    """A port of this machine that listens in SIPp's place (``tests.calls.sipp.Listener``)."""

    port: int


Sound = Tone | Ear


@dataclass(frozen=True)
class Invite:
    """What a caller's INVITE says; SIPp fills in what is left open."""

    did: str = "+13065552001"
    caller: str = "+13065550100"
    request_user: str | None = None  # none: the DID
    to: str | None = None  # the whole header; none: the DID
    from_: str | None = None  # the whole header without its tag; none: the caller
    headers: tuple[str, ...] = ()

    @property
    def request(self) -> str:
        """The request line's address."""
        user = self.did if self.request_user is None else self.request_user
        return f"sip:{user}@[remote_ip]:[remote_port]" if user else "sip:[remote_ip]:[remote_port]"

    def head(self, method: str, cseq: int, *, to_tag: bool, after_ok: bool = False) -> list[str]:
        """Request line and the headers that every request of this call has.

        A CANCEL, and the ACK to a refusal, belong to the transaction of their INVITE; the ACK to a 200 does not.
        """
        to = f"<sip:{self.did}@[remote_ip]:[remote_port]>" if self.to is None else self.to
        from_ = f"<sip:{self.caller}@[local_ip]>" if self.from_ is None else self.from_
        transaction = f"{cseq}-ok" if after_ok else f"{cseq}"
        return [
            f"{method} {self.request} SIP/2.0",
            f"Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=z9hG4bK-[pid]-[call_number]-{transaction}",
            f"From: {from_};tag=[pid]-[call_number]",
            f"To: {to}" + ("[peer_tag_param]" if to_tag else ""),
            "Call-ID: [call_id]",
            f"CSeq: {cseq} {method}",
            "Contact: <sip:caller@[local_ip]:[local_port]>",
            "Max-Forwards: 70",
        ]


def message(lines: Sequence[str], body: str = "", attributes: str = "") -> str:
    """One ``<send>``."""
    kind = ["Content-Type: application/sdp"] if body else []
    text = "\n".join([*lines, *kind, "Content-Length: [len]", "", body.strip("\n")])
    return f"<send {attributes}><![CDATA[\n\n{text}\n\n]]></send>"


def receive(what: str, attributes: str = "") -> str:
    """One ``<recv>``: a response by its code, a request by its method."""
    kind = "response" if what.isdigit() else "request"
    return f'<recv {kind}="{what}" {attributes}/>'


def pause(seconds: float) -> str:
    """Wait."""
    return f'<pause milliseconds="{round(seconds * 1000)}"/>'


def play(tone: Sound | None) -> str:
    """Begin to send sound, without end; nothing where there is none."""
    if not isinstance(tone, Tone):
        return ""
    return f"<nop><action><exec rtp_stream={quoteattr(f'{tone.file},-1,0,PCMU/8000')}/></action></nop>"


def scenario(*steps: str) -> str:
    """The whole XML."""
    body = "\n".join(steps)
    return f'<?xml version="1.0" encoding="UTF-8" ?>\n<scenario name="numberpool">\n{body}\n</scenario>\n'


def sdp(tone: Sound | None) -> str:
    """An offer or answer; with a tone, from the port that SIPp streams from."""
    if isinstance(tone, Ear):
        return SDP_TEXT.format(port=tone.port)
    return SDP_TEXT.format(port="[rtpstream_audio_port]" if tone else "[media_port]")


PROVISIONAL = "".join(receive(code, 'optional="true"') for code in ("100", "180", "183"))


# -- callers -----------------------------------------------------------------------------------------------------------


def _invite(invite: Invite, tone: Sound | None = None, attributes: str = 'retrans="500"') -> str:
    return message([*invite.head("INVITE", 1, to_tag=False), *invite.headers], sdp(tone), attributes)


def _request(invite: Invite, method: str, cseq: int, attributes: str = "", headers: Sequence[str] = ()) -> str:
    return message([*invite.head(method, cseq, to_tag=True), *headers], attributes=attributes)


def _acknowledge(invite: Invite, cseq: int, attributes: str = "") -> str:
    """The ACK to a 200."""
    return message(invite.head("ACK", cseq, to_tag=True, after_ok=True), attributes=attributes)


def hang_up(invite: Invite, cseq: int = 2) -> str:
    """A caller's BYE and its answer; a BYE that comes the other way at that moment is answered by SIPp itself."""
    return _request(invite, "BYE", cseq, 'retrans="500"') + receive("200")


def caller_talks(
    invite: Invite, seconds: float = 0.3, tone: Sound | None = None, meanwhile: Sequence[str] = (), next_cseq: int = 2
) -> str:
    """Is answered, talks and hangs up."""
    return scenario(
        _invite(invite, tone),
        PROVISIONAL,
        receive("200"),
        _acknowledge(invite, 1),
        play(tone),
        *meanwhile,
        pause(seconds),
        hang_up(invite, next_cseq),
    )


def press(invite: Invite, digit: str, after: float, cseq: int = 2) -> list[str]:
    """Waits a moment, then presses a key (SIP INFO)."""
    return [
        pause(after),
        message(
            [*invite.head("INFO", cseq, to_tag=True), "Content-Type: application/dtmf-relay"],
            f"Signal={digit}\nDuration=160\n",
            'retrans="500"',
        ).replace("Content-Type: application/sdp\n", ""),
        receive("200"),
    ]


def caller_presses(invite: Invite, digit: str, seconds: float = 0.3, tone: Sound | None = None) -> str:
    """Is answered, listens a moment to what is said, presses a key, talks and hangs up."""
    return caller_talks(invite, seconds, tone, meanwhile=press(invite, digit, 0.3), next_cseq=3)


def caller_listens(invite: Invite, tone: Sound | None = None, meanwhile: Sequence[str] = ()) -> str:
    """Is answered, and waits until the other side hangs up."""
    return scenario(
        _invite(invite, tone),
        PROVISIONAL,
        receive("200"),
        _acknowledge(invite, 1),
        play(tone),
        *meanwhile,
        receive("BYE"),
        ok(),
    )


def caller_refused(invite: Invite, code: int) -> str:
    """Is told ``code``."""
    return scenario(
        _invite(invite),
        PROVISIONAL,
        receive(str(code)),
        message([*invite.head("ACK", 1, to_tag=True)]),
    )


def caller_gives_up(invite: Invite, after: float) -> str:
    """Hangs up while it rings, ``after`` seconds from the first ring."""
    return scenario(
        _invite(invite),
        receive("100", 'optional="true"'),
        receive("180"),
        pause(after),
        message(invite.head("CANCEL", 1, to_tag=False), attributes='retrans="500"'),
        receive("200"),
        receive("487"),
        message(invite.head("ACK", 1, to_tag=True)),
    )


def caller_gives_up_at_the_answer(invite: Invite) -> str:
    """Its CANCEL crosses the 200 on the wire; as RFC 3261 (9.1) has it, the call then stands, and it hangs up."""
    return scenario(
        _invite(invite, attributes='retrans="500" start_txn="invite"'),
        *(receive(code, 'optional="true" response_txn="invite"') for code in ("100", "180")),
        receive("200", 'response_txn="invite"'),
        message(invite.head("CANCEL", 1, to_tag=False), attributes='start_txn="cancel"'),
        receive("200", 'response_txn="cancel"'),
        _acknowledge(invite, 1, 'ack_txn="invite"'),
        hang_up(invite),
    )


def caller_reinvites(invite: Invite, headers: Sequence[str], seconds: float = 0.3) -> str:
    """Is answered, sends a re-INVITE with ``headers``, and hangs up."""
    return caller_talks(
        invite,
        seconds,
        meanwhile=[
            message([*invite.head("INVITE", 2, to_tag=True), *headers], sdp(None), 'retrans="500"'),
            receive("100", 'optional="true"'),
            receive("200"),
            _acknowledge(invite, 2),
        ],
        next_cseq=3,
    )


def caller_refers(invite: Invite, refer_to: str) -> str:
    """Is answered, asks to be transferred with a REFER, is refused or not, and hangs up."""
    return caller_talks(
        invite,
        0.3,
        meanwhile=[
            _request(invite, "REFER", 2, 'retrans="500"', [f"Refer-To: <{refer_to}>", "Referred-By: <sip:caller@x>"]),
            receive("202", 'optional="true" next="1"'),
            receive("603", 'optional="true" next="1"'),
            receive("501", 'optional="true" next="1"'),
            receive("403"),
            '<label id="1"/>',
        ],
        next_cseq=3,
    )


# -- business lines ----------------------------------------------------------------------------------------------------

_ECHO = ("[last_Via:]", "[last_From:]", "[last_To:]", "[last_Call-ID:]", "[last_CSeq:]")
_CONTACT = "Contact: <sip:line@[local_ip]:[local_port]>"


def reply(
    status: str, contact: str = _CONTACT, headers: Sequence[str] = (), body: str = "", attributes: str = ""
) -> str:
    """An answer to the last request."""
    tag = ";tag=[pid]-line-[call_number]"
    echoed = [line + tag if line == "[last_To:]" else line for line in _ECHO]
    return message([f"SIP/2.0 {status}", *echoed, contact, *headers], body, attributes)


def ok() -> str:
    """200 to the last request of a dialog, whose To has its tag."""
    return message(["SIP/2.0 200 OK", *_ECHO, _CONTACT])


def line_answers(
    after: float = 0.05,
    tone: Sound | None = None,
    contact: str = _CONTACT,
    headers: Sequence[str] = (),
    hangs_up_after: float | None = None,
) -> str:
    """Rings, answers, talks; waits for the other side to hang up, or does so itself."""
    end = (
        [receive("BYE"), ok()]
        if hangs_up_after is None
        else [
            pause(hangs_up_after),
            *_bye(1),
        ]
    )
    return scenario(
        _take_invite(),
        reply("180 Ringing", contact, headers),
        pause(after),
        reply("200 OK", contact, headers, sdp(tone), 'retrans="500"'),
        _take_ack(),
        play(tone),
        *end,
    )


def line_presses(
    keys: str,
    after: float = 0.3,
    tone: Sound | None = None,
    between: float = 0.3,
    long: float = 3.0,
    hangs_up: bool = False,
) -> str:
    """Rings, answers, waits, presses ``keys`` one after the other (SIP INFO), a blank being a ``long`` pause.

    Then it waits until the other side hangs up, or does so itself after a long pause.
    """
    pressed = []
    for number, key in enumerate(keys, start=1):
        pressed += [pause(long)] if key == " " else [*_key(key, number), pause(between)]
    return scenario(
        _take_invite(),
        reply("180 Ringing"),
        pause(0.05),
        reply("200 OK", body=sdp(tone), attributes='retrans="500"'),
        _take_ack(),
        play(tone),
        pause(after),
        *pressed,
        *([pause(long), *_bye(len(keys) + 1)] if hangs_up else [receive("BYE"), ok()]),
    )


def _key(key: str, cseq: int) -> list[str]:
    """A line presses a key in the dialog of a call that came in."""
    lines = [*_of_line("INFO", cseq), "Content-Type: application/dtmf-relay"]
    text = message(lines, f"Signal={key}\nDuration=160\n", 'retrans="500"')
    return [text.replace("Content-Type: application/sdp\n", ""), receive("200")]


def _bye(cseq: int) -> list[str]:
    """A line hangs up."""
    return [message(_of_line("BYE", cseq), attributes='retrans="500"'), receive("200")]


def _of_line(method: str, cseq: int) -> list[str]:
    """The head of a request of a line's, in the dialog of a call that came in."""
    return [
        f"{method} [next_url] SIP/2.0",
        "Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]",
        "From: [$line]",
        "To: [$caller]",
        "Call-ID: [call_id]",
        f"CSeq: {cseq} {method}",
        "Max-Forwards: 70",
    ]


def _take_invite() -> str:
    return receive("INVITE", 'rrs="true"')


def _take_ack() -> str:
    """The ACK, and the two names of the dialog as the other side writes them, for a BYE of ours."""
    return (
        '<recv request="ACK"><action>'
        '<ereg regexp=".*" search_in="hdr" header="To:" assign_to="line"/>'
        '<ereg regexp=".*" search_in="hdr" header="From:" assign_to="caller"/>'
        '</action></recv><Reference variables="line,caller"/>'
    )


def line_refuses(status: str, contact: str = _CONTACT, rings: float = 0.0) -> str:
    """Refuses with ``status``, such as ``486 Busy Here``; a 302 points to ``contact``."""
    ringing = [reply("180 Ringing", contact), pause(rings)] if rings else []
    return scenario(_take_invite(), *ringing, reply(status, contact), receive("ACK"))


def carrier_takes_only(numbers: str, status: str) -> str:
    """A carrier that lets its customer show nothing but ``numbers`` (a pattern): it refuses others with ``status``."""
    own = quoteattr(f"<sip:{numbers}@")
    return scenario(
        f'<recv request="INVITE" rrs="true"><action><ereg regexp={own} search_in="hdr" header="From:" '
        'assign_to="own"/></action></recv>',
        '<nop next="takes" test="own"/>',
        reply(status),
        receive("ACK", 'next="over"'),
        '<label id="takes"/>',
        reply("180 Ringing"),
        pause(0.05),
        reply("200 OK", body=sdp(None), attributes='retrans="500"'),
        receive("ACK"),
        receive("BYE"),
        ok(),
        '<label id="over"/>',
    )


def line_rings() -> str:
    """Rings until the other side gives up."""
    return scenario(
        _take_invite(), reply("180 Ringing"), receive("CANCEL"), ok(), _invite_again("487 Request Terminated")
    )


def line_answers_a_cancel() -> str:
    """Its 200 crosses the CANCEL: the call is answered though the caller has just gone."""
    return scenario(
        _take_invite(),
        reply("180 Ringing"),
        receive("CANCEL"),
        ok(),
        _invite_again("200 OK", sdp(None)),
        receive("BYE", 'optional="false"'),
        ok(),
    )


def _invite_again(status: str, body: str = "") -> str:
    """The final answer to the INVITE after its CANCEL was answered, and the ACK."""
    lines = ["[last_Via:]", "[last_From:]", "[last_To:];tag=[pid]-line-[call_number]", "[last_Call-ID:]"]
    return message([f"SIP/2.0 {status}", *lines, "CSeq: [last_cseq_number] INVITE", _CONTACT], body) + receive("ACK")

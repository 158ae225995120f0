"""Telephones of the people who answer: they take calls, hold them, transfer them, park and fetch them.

A SIPp scenario follows one call; a consultation that becomes a transfer is two, joined by a Replaces (RFC 3891). So
these phones are driven by the test step by step, and speak and hear real sound. Callers and outside lines stay SIPp's.
"""

import asyncio
import re
import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Self, cast
from urllib.parse import quote

from tests.calls.scenarios import SDP_TEXT
from tests.calls.sip import Sip, tag_of
from tests.calls.voice import Voice

# Where phones live: no trunk's address, so Asterisk knows them by the user of their From.
PHONES = "127.0.0.8"
# RFC 3261, 17.1.1.1: the first retransmission over UDP.
_T1 = 0.5
_LONGEST_SECONDS = 20.0
_ECHOED = ("via", "from", "to", "call-id", "cseq")


class PhoneFailed(AssertionError):
    """The other side said something else than the test wants; the message holds what the phone saw."""


@dataclass(eq=False)
class Line:
    """One call on a phone, whoever began it. Made by ``Phone.rings`` and ``Phone.call``."""

    phone: "Phone"
    call_id: str
    local: str  # our own address with our tag, as From or To has it
    remote: str
    target: str
    voice: Voice
    invite: Sip | None = None  # how a call came in
    rings: bool = False  # and is not answered yet
    over: asyncio.Event = field(default_factory=asyncio.Event)
    refused: int | None = None  # what an INVITE of ours was told, where it was no 200
    cancelled: bool = False
    notified: list[int] = field(default_factory=list)  # what NOTIFYs said of a transfer of ours
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    _cseq: int = 0
    _held: bool = False

    # -- what a person does ------------------------------------------------------------------------------------------

    async def answer(self) -> Self:
        """Pick up what rings; talking when this returns."""
        assert self.invite is not None
        self.rings = False
        self._listen_to(self.invite)
        self.phone.reply(self.invite, "200 OK", self.local, self.offer())
        return self

    def refuse(self, status: str = "486 Busy Here") -> None:
        """Refuse what rings."""
        assert self.invite is not None
        self.phone.reply(self.invite, status, self.local)
        self.end()

    async def hang_up(self) -> None:
        """Put the receiver down."""
        if not self.over.is_set():
            self.voice.hush()
            await self.ask("BYE")
            self.end()

    async def hold(self) -> None:
        """Put the other side on hold (RFC 3264, 8.4)."""
        self._held = True
        self.voice.hush()
        await self._reinvite()

    async def resume(self, counts_from: int | None = None) -> None:
        """Take it back; with ``counts_from``, in a new stream of sound."""
        self._held = False
        if counts_from is not None:
            self.voice.begin_anew(counts_from)
        await self._reinvite()

    async def press(self, keys: str) -> None:
        """Press keys of the dial pad, as SIP INFO tells them."""
        for key in keys:
            body = f"Signal={key}\nDuration=100\n"
            await self.ask("INFO", body, ["Content-Type: application/dtmf-relay"])

    async def transfer(self, number: str) -> None:
        """Ask the exchange to connect the other side with ``number`` (RFC 3515), as the transfer key does."""
        await self._refer(f"sip:{number}@{self.phone.exchange}")

    async def transfer_to(self, consultation: "Line") -> None:
        """Connect the two people whom this phone talks with (RFC 3891)."""
        theirs, ours = tag_of(consultation.remote), tag_of(consultation.local)
        replaces = quote(f"{consultation.call_id};to-tag={theirs};from-tag={ours}", safe="")
        user = re.search(r"sip:([^@>]*)@", consultation.remote)
        await self._refer(f"sip:{user[1] if user else ''}@{self.phone.exchange}?Replaces={replaces}")

    async def transferred(self) -> int:
        """What came of the transfer: the status in the last NOTIFY of it, at least 200."""
        async with asyncio.timeout(_LONGEST_SECONDS):
            while not self.notified or self.notified[-1] < 200:
                self.changed.clear()
                await self.changed.wait()
        return self.notified[-1]

    async def gone(self) -> None:
        """Return once the other side has hung up or given up."""
        async with asyncio.timeout(_LONGEST_SECONDS):
            await self.over.wait()

    # -- how it is said ----------------------------------------------------------------------------------------------

    async def ask(self, method: str, body: str = "", headers: Sequence[str] = ()) -> Sip:
        """Send a request of this call; the final answer."""
        self._cseq += 1
        return await self.phone.send_request(self, method, self._cseq, body, headers)

    async def invite_to(self, number: str) -> None:
        """Call ``number``; returns when it has answered or refused."""
        answer = await self.ask("INVITE", self.offer())
        if answer.code == 200:
            self._listen_to(answer)
        else:
            self.refused = answer.code
            self.end()

    async def _reinvite(self) -> None:
        answer = await self.ask("INVITE", self.offer())
        if answer.code != 200:
            raise PhoneFailed(f"{self.phone.name}: a re-INVITE got {answer.first}\n{self.phone.log}")
        if not self._held:
            self._listen_to(answer)

    async def _refer(self, target: str) -> None:
        answer = await self.ask("REFER", headers=[f"Refer-To: <{target}>", f"Referred-By: <{self.phone.address}>"])
        if answer.code != 202:
            raise PhoneFailed(f"{self.phone.name}: a REFER got {answer.first}\n{self.phone.log}")

    def offer(self) -> str:
        """What this phone offers, or answers an offer with."""
        text = SDP_TEXT.format(port=self.voice.port).replace("[media_ip]", self.phone.place)
        return text + ("a=sendonly\n" if self._held else "")

    def _listen_to(self, message: Sip) -> None:
        """Speak to where the SDP of ``message`` says."""
        address, port = re.search(r"c=IN IP4 (\S+)", message.body), re.search(r"m=audio (\d+)", message.body)
        if address and port and not self._held:
            self.voice.speak_to(address[1], int(port[1]))

    def take(self, request: Sip) -> None:
        """Answer a request of the other side."""
        match request.method:
            case "ACK":
                return
            case "INVITE":  # such as a new connected line
                self.phone.reply(request, "200 OK", self.local, self.offer())
                self._listen_to(request)
            case "CANCEL":
                assert self.invite is not None
                self.phone.reply(request, "200 OK", self.local)
                self.phone.reply(self.invite, "487 Request Terminated", self.local)
                self.cancelled = True
                self.end()
            case "BYE":
                self.phone.reply(request, "200 OK", self.local)
                self.end()
            case "NOTIFY":
                self.phone.reply(request, "200 OK", self.local)
                found = re.match(r"SIP/2.0 (\d{3})", request.body)
                if found:
                    self.notified.append(int(found[1]))
                    self.changed.set()
            case _:
                self.phone.reply(request, "200 OK", self.local)

    def end(self) -> None:
        """It is over."""
        self.over.set()
        self.voice.close()
        self.phone.forget(self)


class Phone(asyncio.DatagramProtocol):
    """One extension. ``async with Phone.plugged_in(...)`` or ``plug_in`` and ``unplug``."""

    def __init__(self, name: str, place: str, remote: tuple[str, int], hertz: float) -> None:
        self.name = name
        self.place = place
        self.hertz = hertz
        self.exchange = f"{remote[0]}:{remote[1]}"
        self.counts_from = 0  # the first sequence number of each voice from now on
        self.log: list[str] = []  # first lines of all messages, its own marked with >
        self._remote = remote
        self._lines: dict[str, Line] = {}
        self._ringing: asyncio.Queue[Line] = asyncio.Queue()
        self._answers: dict[tuple[str, str], asyncio.Queue[Sip]] = {}
        self._replies: dict[tuple[str, str], bytes] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @classmethod
    async def plug_in(cls, name: str, port: int, remote: tuple[str, int], hertz: float, place: str = PHONES) -> Self:
        """A phone on ``port`` of ``place`` at the exchange ``remote``, whose voice is a tone of ``hertz``.

        At a trunk's address it is a caller, and ``name`` the caller's number.
        """
        loop = asyncio.get_running_loop()
        _, self = await loop.create_datagram_endpoint(lambda: cls(name, place, remote, hertz), local_addr=(place, port))
        return self

    async def unplug(self) -> None:
        """Hang up what is left, and be gone."""
        for line in list(self._lines.values()):
            if line.rings:
                line.refuse("480 Temporarily Unavailable")
            else:
                with suppress(TimeoutError):
                    async with asyncio.timeout(2):
                        await line.hang_up()
        for task in self._tasks:
            task.cancel()
        self._transport.close()

    @property
    def address(self) -> str:
        """What it calls itself."""
        return f"sip:{self.name}@{self.place}:{self._port}"

    async def rings(self) -> Line:
        """The next call that comes in; it rings."""
        async with asyncio.timeout(_LONGEST_SECONDS):
            return await self._ringing.get()

    async def answers(self) -> Line:
        """The next call that comes in, picked up at once."""
        line = await self.rings()
        return await line.answer()

    async def dial(self, number: str) -> tuple[Line, asyncio.Task[None]]:
        """Begin to call ``number``: the line, and what is done once it has answered or refused."""
        line = Line(
            self,
            secrets.token_hex(8),
            f"<{self.address}>;tag={secrets.token_hex(4)}",
            f"<sip:{number}@{self.exchange}>",
            f"sip:{number}@{self.exchange}",
            await Voice.open(self.place, self.hertz, self.counts_from),
        )
        self._lines[line.call_id] = line
        task = asyncio.create_task(line.invite_to(number))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return line, task

    async def call(self, number: str) -> Line:
        """Call ``number``; answered or refused when this returns."""
        line, answered = await self.dial(number)
        await answered
        return line

    # -- the wire ----------------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Where it listens."""
        self._transport = cast(asyncio.DatagramTransport, transport)
        self._port: int = transport.get_extra_info("sockname")[1]

    def datagram_received(self, data: bytes, addr: object) -> None:
        """A message of the exchange; what is no SIP was meant for a port beside a voice of before (RTCP)."""
        if data[:1] >= b"\x80":
            return
        message = Sip.parse(data)
        self.log.append(message.first)
        if message.code:
            waiting = self._answers.get((message.branch, message.method))
            if waiting is not None:
                waiting.put_nowait(message)
            return
        said = self._replies.get((message.branch, message.method))
        if said is not None:
            self._transport.sendto(said, self._remote)
            return
        line = self._lines.get(message["call-id"])
        if line is not None:
            line.take(message)
        elif message.method == "INVITE":
            task = asyncio.create_task(self._ring(message))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        elif message.method != "ACK":
            self.reply(message, "200 OK" if message.method == "OPTIONS" else "481 No Such Call", message["to"])

    async def _ring(self, invite: Sip) -> None:
        contact = re.search(r"<([^>]+)>", invite["contact"])
        line = Line(
            self,
            invite["call-id"],
            f"{invite['to']};tag={secrets.token_hex(4)}",
            invite["from"],
            contact[1] if contact else "",
            await Voice.open(self.place, self.hertz, self.counts_from),
            invite,
            rings=True,
        )
        self._lines[line.call_id] = line
        self.reply(invite, "180 Ringing", line.local)
        self._ringing.put_nowait(line)

    def reply(self, request: Sip, status: str, local: str, body: str = "") -> None:
        """Answer a request; it gets the same answer again if it comes again."""
        echoed = [f"{name}: {local if name == 'to' else value}" for name, value in request.headers if name in _ECHOED]
        data = self._message([f"SIP/2.0 {status}", *echoed], body)
        self._replies[request.branch, request.method] = data
        self._transport.sendto(data, self._remote)

    async def send_request(
        self, line: Line, method: str, cseq: int, body: str = "", headers: Sequence[str] = ()
    ) -> Sip:
        """Send a request until it is answered; the final answer. An INVITE's is acknowledged."""
        branch = f"z9hG4bK-{line.call_id}-{cseq}"
        data = self._request(line, method, cseq, branch, body, headers)
        answers = self._answers[branch, method] = asyncio.Queue()
        self._transport.sendto(data, self._remote)
        async with asyncio.timeout(_LONGEST_SECONDS):
            while (answer := await self._next(answers, data)).code < 200:
                # The early dialog already has a name, for a Replaces.
                line.remote = answer["to"] if ";tag=" in answer["to"] else line.remote
        if method == "INVITE":
            if answer.code == 200:
                line.remote = answer["to"]
                contact = re.search(r"<([^>]+)>", answer["contact"])
                line.target = contact[1] if contact else line.target
            branch = f"{branch}-ack" if answer.code == 200 else branch
            to = answer["to"]
            self._transport.sendto(self._request(line, "ACK", cseq, branch, to=to), self._remote)
        return answer

    async def _next(self, answers: asyncio.Queue[Sip], data: bytes) -> Sip:
        """The next answer; the request again for as long as there is none."""
        while True:
            try:
                async with asyncio.timeout(_T1):
                    return await answers.get()
            except TimeoutError:
                self._transport.sendto(data, self._remote)

    def _request(
        self,
        line: Line,
        method: str,
        cseq: int,
        branch: str,
        body: str = "",
        headers: Sequence[str] = (),
        to: str | None = None,
    ) -> bytes:
        lines = [
            f"{method} {line.target} SIP/2.0",
            f"Via: SIP/2.0/UDP {self.place}:{self._port};branch={branch}",
            f"From: {line.local}",
            f"To: {to or line.remote}",
            f"Call-ID: {line.call_id}",
            f"CSeq: {cseq} {method}",
            "Max-Forwards: 70",
            *headers,
        ]
        return self._message(lines, body)

    def _message(self, lines: Sequence[str], body: str) -> bytes:
        self.log.append(f"> {lines[0]}")
        text = body.replace("\n", "\r\n")
        kind = ["Content-Type: application/sdp"] if body.startswith("v=") else []
        head = [*lines, f"Contact: <{self.address}>", *kind, f"Content-Length: {len(text)}", "", text]
        return "\r\n".join(head).encode()

    def forget(self, line: Line) -> None:
        """The line is over."""
        self._lines.pop(line.call_id, None)

"""The simulated carrier: callers and a business line, over SIP with real sound.

    carrier = Carrier(home, folder / "carrier", sounds, customer=("127.0.0.1", 5060))
    await carrier.start()
    report = await carrier.place("+13065552001", "+13065550101", Scenario(talk=5))

It is an Asterisk of its own on another loopback address. `place` dials a number of the customer's
PBX; when that PBX forwards the call here, the business line does what the scenario says, chosen
by the caller's number.
"""

import asyncio
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Literal

from gateway.local.asterisk import PrivateAsterisk
from gateway.local.programs import AsteriskHome
from gateway.local.voices import Side, Sounds

ADDRESS = "127.0.0.2"

_CONF = Path(__file__).parent / "carrier_conf"

# Longer than any scenario: an answered call that nobody ends is a fault of the test.
_REPORT_SECONDS = 180.0

DidForm = Literal["+E164", "E164", "national"]
DidIn = Literal["request", "to", "party"]


class Business(StrEnum):
    """What the business line does."""

    ANSWER = "answer"
    EARLY_MEDIA = "early"
    NO_ANSWER = "ring"
    BUSY = "busy"
    FORBIDDEN = "forbidden"
    UNAVAILABLE = "unavailable"


# Q.850 causes, and what Asterisk makes of them in SIP: 486, 403, 503.
_CAUSES = {Business.BUSY: 17, Business.FORBIDDEN: 21, Business.UNAVAILABLE: 34}


@dataclass(frozen=True)
class Scenario:
    """What happens in one call; times in seconds.

    The business line rings for `after`, then does what `business` says. An answered call ends
    after `talk` seconds, by the side `ends`; `caller_leaves_at` is when the caller hangs up,
    counted from his INVITE, in whatever state the call is.
    """

    business: Business = Business.ANSWER
    after: float = 1.0
    talk: float = 5.0
    ends: Side = Side.BUSINESS
    caller_leaves_at: float | None = None
    conversation: str = "tone"

    def plan(self, sounds: Sounds) -> str:
        """What the carrier's dialplan reads: action, delay, talk, voice, cause."""
        action = "reject" if self.business in _CAUSES else self.business.value
        talk = f"{self.talk:.3f}" if self.ends is Side.BUSINESS else ""
        voice = sounds.voice(self.conversation, Side.BUSINESS)
        cause = _CAUSES.get(self.business, "")
        return f"{action}^{self.after:.3f}^{talk}^{voice}^{cause}"


@dataclass(frozen=True)
class CallerReport:
    """One call as the caller's side saw it; times in seconds, `began` and `ended` Unix time."""

    began: float
    ended: float
    status: str
    cause: int
    sip_code: int | None
    ring_seconds: float
    talk_seconds: float

    @property
    def answered(self) -> bool:
        """Whether anybody picked up."""
        return self.status == "ANSWER"


@dataclass(frozen=True)
class BusinessReport:
    """One call as the business line saw it; Unix times."""

    began: float
    answered: float | None
    ended: float
    dialled: str
    caller: str
    caller_name: str
    cause: int


def did_as(did: str, form: DidForm) -> str:
    """A North American number, given in E.164, as carriers write it."""
    digits = did.removeprefix("+")
    return {"+E164": f"+{digits}", "E164": digits, "national": digits.removeprefix("1")}[form]


def _number(text: str) -> float:
    return float(text) if text else 0.0


def parse_placed(line: str) -> CallerReport:
    """The report that `[placed]` of the carrier's dialplan writes."""
    began, ended, status, cause, sip, ring_ms, answered_ms = line.strip().split("^")
    words = sip.split()
    code = int(words[1]) if len(words) > 1 and words[1].isdigit() else None
    return CallerReport(
        _number(began),
        _number(ended),
        status,
        int(cause or 0),
        code,
        _number(ring_ms) / 1000,
        _number(answered_ms) / 1000,
    )


def parse_rung(line: str) -> BusinessReport:
    """The report that `[rung]` of the carrier's dialplan writes; the name, free text, is last."""
    began, answered, ended, dialled, caller, cause, name = line.rstrip("\n").split("^", 6)
    return BusinessReport(
        _number(began),
        _number(answered) or None,
        _number(ended),
        dialled,
        caller,
        name,
        int(cause or 0),
    )


class Carrier:
    """A carrier whose only customer is the PBX at `customer` (address and SIP port)."""

    def __init__(
        self,
        home: AsteriskHome,
        folder: Path,
        sounds: Sounds,
        customer: tuple[str, int],
        *,
        verbose: int = 0,
    ) -> None:
        self.sounds = sounds
        self.customer = customer
        self.asterisk = PrivateAsterisk(home, folder, name="carrier", address=ADDRESS, config={}, verbose=verbose)
        self.asterisk.config.update(self._config())
        self._reports = self.asterisk.folder / "reports"

    @property
    def address(self) -> tuple[str, int]:
        """Where it takes the calls that the PBX forwards: `PJSIP/<number>@` an endpoint there."""
        return self.asterisk.address, self.asterisk.sip_port

    def _config(self) -> Mapping[str, str]:
        host, port = self.customer
        to_trunk = f"[customer-to](customer-way)\noutbound_proxy = sip:account@{host}:{port}\n"
        way = "[customer-way](!)\ntype = endpoint\ntransport = udp\ndisallow = all\nallow = ulaw\ndirect_media = no\n\n"
        global_variables = (
            "[globals]\n"
            f"REPORTS = {self.asterisk.folder / 'reports'}\n"
            f"EARLY = {self.sounds.voice('early', Side.BUSINESS)}\n\n"
        )
        return {
            "pjsip.conf": (_CONF / "pjsip.conf").read_text() + way + to_trunk,
            "extensions.conf": global_variables + (_CONF / "extensions.conf").read_text(),
        }

    async def start(self) -> None:
        """Start it; callers whom nobody announced are answered after a second."""
        self._reports.mkdir(parents=True, exist_ok=True)
        await self.asterisk.start()
        await self.expect(None, Scenario())

    async def stop(self) -> None:
        """Stop it; calls in progress end."""
        await self.asterisk.stop()

    async def expect(self, caller: str | None, scenario: Scenario) -> None:
        """Choose what the business line does for this caller from now on (None: for all others)."""
        digits = "".join(filter(str.isdigit, caller or ""))[-10:]
        key = f"n{digits}" if digits else "anyone"
        plan = scenario.plan(self.sounds)
        answer = await self.asterisk.cli(f'database put business {key} "{plan}"')
        if "success" not in answer.lower():
            raise RuntimeError(f"the carrier does not take the plan: {answer}")

    async def place(
        self,
        did: str,
        caller: str | None,
        scenario: Scenario | None = None,
        *,
        name: str = "",
        did_form: DidForm = "+E164",
        did_in: DidIn = "request",
        did_suffix: str = "",
    ) -> CallerReport:
        """Place a call and wait until it has ended.

        `caller` in E.164, or None for a withheld number. `did_in` says which header has the
        number; what else stands in the user part follows in `did_suffix` (`;npdi=yes`).
        """
        scenario = scenario or Scenario()
        await self.expect(caller, scenario)
        host, port = self.customer
        number = did_as(did, did_form) + did_suffix
        direct = did_in != "party"
        call = secrets.token_hex(8)
        variables = {
            "CALL": call,
            "TRUNK": "customer-to" if did_in == "to" else "customer",
            "URI": f"sip:{number if direct else 'account'}@{host}:{port}",
            # Inherited by the outgoing leg, whose headers it is for.
            "__CALLED_PARTY": "" if direct else f"sip:{number}@{host}",
            "FROM_NUMBER": caller or "",
            "FROM_NAME": name,
            "PATIENCE": "" if scenario.caller_leaves_at is None else f"{scenario.caller_leaves_at}",
            "TALK": f"{scenario.talk:.3f}" if scenario.ends is Side.CALLER else "",
            "VOICE": self.sounds.voice(scenario.conversation, Side.CALLER),
        }
        self._write_call_file(call, variables)
        return parse_placed(await self._report(f"placed-{call}"))

    def _write_call_file(self, call: str, variables: Mapping[str, str]) -> None:
        # One line a value; ";" begins a comment there unless it is escaped (pbx_spool.c).
        lines = [
            "Channel: Local/s@place/n",
            "Context: speak",
            "Extension: s",
            "Priority: 1",
            "WaitTime: 150",
            "MaxRetries: 0",
        ]
        for key, value in variables.items():
            if set(value) & set("\r\n\0"):
                raise ValueError(f"{key} must be one line")
            escaped = value.replace(";", "\\;")
            lines.append(f"Setvar: {key}={escaped}")
        spool = self.asterisk.spool
        part = spool / "tmp" / f"{call}.call"
        part.write_text("\n".join(lines) + "\n")
        part.rename(spool / "outgoing" / part.name)

    async def _report(self, name: str) -> str:
        async with asyncio.timeout(_REPORT_SECONDS):
            while not (self._reports / f"{name}.end").exists():  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.02)
        return (self._reports / f"{name}.part").read_text()

    def business_reports(self) -> list[BusinessReport]:
        """Every call that has ended on the business line since the folder was made, in order."""
        ends = self._reports.glob("rung-*.end")
        found = [parse_rung(path.with_suffix(".part").read_text()) for path in ends]
        return sorted(found, key=lambda report: report.began)

    async def business_report(self, caller: str, seconds: float = 5.0) -> BusinessReport:
        """The last call of this caller on the business line, which may end a moment after ours."""
        async with asyncio.timeout(seconds):
            while True:
                found = [each for each in self.business_reports() if each.caller == caller]
                if found:
                    return found[-1]
                await asyncio.sleep(0.02)

"""Who calls: believed only from trunks that are trusted, withheld stays withheld, and names survive in any script."""

from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.calls.caller import caller_name, caller_number
from gateway.local.programs import AsteriskHome
from tests.calls.exchange import Exchange
from tests.calls.scenarios import Invite, caller_gives_up, caller_reinvites, caller_talks, line_answers
from tests.calls.wire import Seen
from tests.installation import TRUNK, TRUNK_TRUSTING, Installation, Number

DID = "+13065552001"
RINGS = "+13065552002"
DESK = "+13065552003"  # a phone that is told all that Asterisk knows
SECRET = "+13065550177"
ANONYMOUS = '"Anonymous" <sip:anonymous@anonymous.invalid>'
OPEN = f'"Anna Kern" <sip:{SECRET}@[local_ip]>'
PAI = f'P-Asserted-Identity: "Anna Kern" <sip:{SECRET}@[local_ip]>'
RPID = f'Remote-Party-ID: "Anna Kern" <sip:{SECRET}@[local_ip]>;party=calling;screen=yes'


def installation(home: AsteriskHome, folder: Path, dsn: str) -> Installation:
    numbers = [Number(DID), Number(RINGS, ("rings",)), Number(DESK, ("desk",))]
    tells_all = {"desk": "send_pai=yes\nsend_rpid=yes\ntrust_id_outbound=yes"}
    return Installation(home, folder, dsn, numbers, ("main", "rings", "desk"), endpoints=tells_all)


@dataclass(frozen=True)
class Said:
    """What an INVITE says of its caller."""

    from_: str
    headers: tuple[str, ...] = ()

    @property
    def invite(self) -> Invite:
        return Invite(DID, from_=self.from_, headers=self.headers)


WITHHELD = {
    "From alone": Said(ANONYMOUS),
    "From in capitals": Said('"Anonymous" <sip:Anonymous@carrier.example>'),
    "From of another carrier": Said('"Restricted" <sip:Restricted@carrier.example>'),
    "From with a number at anonymous.invalid": Said(f"<sip:{SECRET}@anonymous.invalid>"),
    "asserted, and Privacy: id": Said(ANONYMOUS, (PAI, "Privacy: id")),
    "asserted, without Privacy": Said(ANONYMOUS, (PAI,)),
    "Privacy: id, number in From": Said(OPEN, ("Privacy: id",)),
    "Privacy: id, number everywhere": Said(OPEN, (PAI, "Privacy: id")),
    "Privacy: user": Said(OPEN, (PAI, "Privacy: user")),
    "Privacy: header": Said(OPEN, (PAI, "Privacy: header")),
    "Privacy in several words": Said(OPEN, (PAI, "Privacy: session;USER;critical")),
    "Remote-Party-ID, full": Said(OPEN, (RPID + ";privacy=full",)),
    "Remote-Party-ID, quoted": Said(OPEN, (RPID + ';privacy="full"',)),
    "Remote-Party-ID, uri": Said(OPEN, (RPID + ";privacy=uri",)),
    "Remote-Party-ID behind an anonymous From": Said(ANONYMOUS, (RPID + ";privacy=full",)),
    "a name that is no number": Said('"" <sip:agent42@carrier.example>'),
}
TRUNKS = {"untrusted": TRUNK, "trusted": TRUNK_TRUSTING}


@pytest.mark.parametrize("address", TRUNKS.values(), ids=list(TRUNKS))
@pytest.mark.parametrize("said", WITHHELD.values(), ids=list(WITHHELD))
async def test_withheld_stays_withheld(exchange: Exchange, said: Said, address: str) -> None:
    """Not in the log of calls, not on the phone, not in what the gateway writes."""
    seen = Seen({"main": await exchange.line("main")})
    before = len(seen.invites("main"))
    row = await exchange.call(caller_talks(said.invite, 0.05), "main", address=address)
    assert (row["caller"], row["caller_name"], row["outcome"]) == (None, "", "answered")
    (phone,) = seen.invites("main")[before:]
    for told in (phone, row, exchange.installation.gateway.log):
        assert SECRET.removeprefix("+") not in str(told)
        assert "Anna" not in str(told)
    assert "anonymous" in phone.caller or "agent" in said.from_


SHOWN = {
    "From": (Said(OPEN), SECRET, SECRET),
    "Privacy: none": (Said(OPEN, (PAI, "Privacy: none")), SECRET, SECRET),
    "Privacy of the session alone": (Said(OPEN, ("Privacy: session",)), SECRET, SECRET),
    "Remote-Party-ID, off": (Said(OPEN, (RPID + ";privacy=off",)), SECRET, SECRET),
    "asserted otherwise": (Said("<sip:+13065550111@[local_ip]>", (PAI,)), "+13065550111", SECRET),
    "asserted as tel": (Said("<sip:100@[local_ip]>", (f"P-Asserted-Identity: <tel:{SECRET}>",)), "100", SECRET),
    "Remote-Party-ID otherwise": (
        Said("<sip:+13065550111@[local_ip]>", (RPID + ";privacy=off",)),
        "+13065550111",
        SECRET,
    ),
    "preferred is no assertion": (
        Said("<sip:+13065550111@[local_ip]>", (f"P-Preferred-Identity: <sip:{SECRET}@[local_ip]>",)),
        "+13065550111",
        "+13065550111",
    ),
    "the network's silence": (Said('"Unavailable" <sip:unavailable@unknown.invalid>', (PAI,)), None, SECRET),
    "with what belongs to the user": (Said(f"<sip:{SECRET};npdi=yes;rn=5@[local_ip]>"), SECRET, SECRET),
    "with dashes": (Said("<sip:+1-306-555-0177@[local_ip]>"), SECRET, SECRET),
    "national": (Said("<sip:3065550177@[local_ip]>"), SECRET, SECRET),
}


@pytest.mark.parametrize(("said", "untrusted", "trusted"), SHOWN.values(), ids=list(SHOWN))
async def test_what_is_believed(exchange: Exchange, said: Said, untrusted: str | None, trusted: str | None) -> None:
    for address, caller in ((TRUNK, untrusted), (TRUNK_TRUSTING, trusted)):
        row = await exchange.call(caller_talks(said.invite, 0.05), "main", address=address)
        assert row["caller"] == caller


async def test_a_re_invite_tells_the_phone_nothing_of_who_is_withheld(exchange: Exchange) -> None:
    """A carrier that refreshes its session may name the caller then; this phone would be told."""
    seen = Seen({"desk": await exchange.line("desk", line_answers())})
    invite = Invite(DESK, from_=ANONYMOUS, headers=(PAI, "Privacy: id"))
    row = await exchange.call(caller_reinvites(invite, [PAI], 0.5), address=TRUNK_TRUSTING)
    assert (row["outcome"], row["caller"]) == ("answered", None)
    assert SECRET.removeprefix("+") not in seen.lines["desk"].messages
    assert "Anna" not in seen.lines["desk"].messages


async def test_who_is_withheld_and_gives_up(exchange: Exchange) -> None:
    """The record of a call that nobody answered knows no more."""
    before = await exchange.installation.newest()
    invite = Invite(RINGS, from_=ANONYMOUS, headers=(PAI, "Privacy: id"))
    sipp = await exchange.place(caller_gives_up(invite, 0.05), "rings", address=TRUNK_TRUSTING)
    await sipp.done()
    row = await exchange.installation.ended_one(before)
    assert (row["outcome"], row["caller"], row["caller_name"]) == ("abandoned", None, "")


# -- names -------------------------------------------------------------------------------------------------------------

NAMES = {
    "Cyrillic": "Анна Кузнецова",
    "Chinese": "王小明",
    "Japanese, with a wide space": "山田\u3000太郎",
    "Arabic, from right to left": "محمد بن عبد الله",
    "Hebrew": "שרה כהן",
    "Persian, with a joiner": "علی‌رضا",
    "Hindi": "अनुष्का शर्मा",
    "Thai": "สมชาย ใจดี",
    "accents": "Zoë Müller-Åström",
    "accents that combine": "Zoe\u0308 Mu\u0308ller",
    "emoji": "Ana 👩‍🔧 ❤️",
    "signs": "O'Hara & Söhne, Ltd. <50%> ${x}|^~;=#",
}


@pytest.mark.parametrize("name", NAMES.values(), ids=list(NAMES))
async def test_a_name_in_any_script(exchange: Exchange, caller: str, name: str) -> None:
    row = await exchange.call(caller_talks(Invite(DID, from_=f'"{name}" <sip:{caller}@[local_ip]>'), 0.05), "main")
    assert (row["caller"], row["caller_name"]) == (caller, name)


async def test_a_quoted_name(exchange: Exchange, caller: str) -> None:
    from_ = rf'"Anna \"Ann\" O\\Hara" <sip:{caller}@[local_ip]>'
    row = await exchange.call(caller_talks(Invite(DID, from_=from_), 0.05), "main")
    assert row["caller_name"] == r'Anna "Ann" O\Hara'


@pytest.mark.parametrize("letter", ["я", "王", "👩", "e"])
async def test_a_long_name_ends_at_a_letter(exchange: Exchange, caller: str, letter: str) -> None:
    """Asterisk keeps 79 bytes of a name, whole letters of them; so do we."""
    row = await exchange.call(
        caller_talks(Invite(DID, from_=f'"{letter * 100}" <sip:{caller}@[local_ip]>'), 0.05), "main"
    )
    assert set(row["caller_name"]) == {letter}
    assert 79 - len(letter.encode()) < len(row["caller_name"].encode()) <= 79


@given(st.text(max_size=40))
def test_no_name_breaks_a_line_or_turns_the_text_around_it(text: str) -> None:
    kept = caller_name(text)
    assert not set(kept) & set("\0\r\n\t\u202a\u202b\u202d\u202e\u2066\u2067\u2068\u2069")
    assert kept == caller_name(kept.replace("\\", "\\\\"))


@given(st.text(st.characters(categories=("L", "M", "N")), max_size=40))
def test_letters_of_every_script_stay(text: str) -> None:
    assert caller_name(text) == text


@given(st.text("0123456789+*#", max_size=20), st.sampled_from(("CA", "GB", "DE", None)))
def test_any_number_is_kept_as_one(given: str, region: str | None) -> None:
    kept = caller_number(given, region)
    assert (kept is None) == (not given)
    assert kept is None or set(kept) <= set("0123456789+*#")
    assert kept is None or caller_number(kept, region) == kept

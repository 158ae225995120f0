"""Emergency numbers are dialled by nothing here, and emergency services that call back wait for nothing."""

from pathlib import Path

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.asterisk.render import render_texts
from gateway.calls.emergency import emergency_callers, emergency_dialled, is_emergency, is_emergency_caller
from gateway.calls.load import load_directory
from gateway.calls.route import Destination
from gateway.local.programs import AsteriskHome
from gateway.pools import errors
from gateway.pools.setup import add_company, add_destination, add_number, set_main_number
from gateway.settings import CallSettings, NodeSettings, SettingsError, load_settings
from gateway.store.database import Database
from tests.calls.exchange import Exchange
from tests.calls.scenarios import Invite, caller_refused, caller_talks, line_answers
from tests.calls.sipp import make_sound
from tests.installation import Installation, Number, Row

DID = "+13065552001"
DISPATCH = "+13065550911"
ANNOUNCEMENT_SECONDS = 1.0


def installation(home: AsteriskHome, folder: Path, dsn: str) -> Installation:
    sound = make_sound(folder, "announcement", 700, ANNOUNCEMENT_SECONDS)
    numbers = [Number(DID, record=True, whisper=sound)]
    return Installation(
        home, folder, dsn, numbers, ("main",), company={"announcement": sound}, emergency_callers=[DISPATCH]
    )


# -- what is one -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "region"),
    [
        *(("911", "CA"), ("9911", "CA"), ("8911", "CA"), ("+1911", "US"), ("1911", "CA"), ("91911", "US")),
        *(("112", "CA"), ("112", "DE"), ("110", "DE"), ("0110", "DE"), ("+49110", "DE"), ("999", "GB"), ("9999", "GB")),
        *(("000", "AU"), ("17", "FR"), ("9-1-1", "US"), ("911", "FR"), ("112", None), ("999", "US"), ("00911", "US")),
    ],
)
def test_an_emergency_number(number: str, region: str | None) -> None:
    assert is_emergency(number, region)


@pytest.mark.parametrize(
    ("number", "region"),
    [
        *(("+13065550911", "CA"), ("3065550911", "CA"), ("5550911", "CA"), ("911000", "CA"), ("411", "CA"), ("", "CA")),
        *(("110", "CA"), ("17", "CA"), ("+442079460999", "GB"), ("02079460112", "GB"), ("600", "CA"), ("611", "US")),
    ],
)
def test_no_emergency_number(number: str, region: str) -> None:
    assert not is_emergency(number, region)


@pytest.mark.parametrize(
    ("dial", "number"),
    [
        *(("PJSIP/911@carrier", "911"), ("PJSIP/9911@carrier", "9911"), ("PJSIP/+1911@carrier", "1911")),
        *(("PJSIP/carrier/sip:911@192.0.2.1", "911"), ("DAHDI/g1/911", "911"), ("SIP/carrier/112", "112")),
        *(("IAX2/me@carrier/999", "999"), ("PJSIP/main&PJSIP/911@carrier", "911"), ("Trunk/911", "911")),
        *(("Local/911@from-internal/n", "911"), ("Dialplan/9911@outside", "9911"), ("PJSIP/110@carrier", "110")),
        ("PJSIP/9-1-1@carrier", "911"),
        # Phones may have any name, and extensions those of other countries' emergency numbers.
        *(("PJSIP/911", None), ("PJSIP/110", None), ("SIP/112", None), ("Dialplan/110@queues", None)),
        *(("Local/101@phones/n", None), ("PJSIP/+13065551234@carrier", None), ("Trunk/+13065551234", None)),
        *(("PJSIP/desk911@carrier", None), ("PJSIP/main", None), ("Dialplan/600@queues", None)),
        # By other addresses, with a service code or pauses before it.
        *((dial, "911") for dial in ("PJSIP/carrier/sips:911@10.0.0.1", "PJSIP/carrier/tel:911", "PJSIP/911@carrier/")),
        *((dial, "911") for dial in ("IAX2/peer/911@outside", "PJSIP/*67911@carrier", "DAHDI/g1/ww911")),
        ("PJSIP/#31#112@carrier", "112"),
        *((dial, None) for dial in ("IAX2/user:911@host/600@inside", "PJSIP/*97@carrier", "SIP/911")),
    ],
)
def test_what_a_dial_string_calls(dial: str, number: str | None) -> None:
    assert emergency_dialled(dial, "CA") == number


@given(st.from_regex(r"\+[1-9][0-9]{9,14}", fullmatch=True), st.sampled_from(sorted(phonenumbers.SUPPORTED_REGIONS)))
def test_no_full_number_is_taken_for_one(number: str, region: str) -> None:
    assert not is_emergency(number, region)
    assert not is_emergency_caller(number, region, emergency_callers())


@pytest.mark.parametrize("number", ["911", "112", "999", "000", "110", "119", "15", "1911", "190", "10111"])
def test_every_country_s_are_known_as_callers(number: str) -> None:
    assert number in emergency_callers()
    assert is_emergency_caller(f"+{number}", None, emergency_callers())


def test_nobody_is_no_emergency_service() -> None:
    assert not is_emergency_caller("", "CA", emergency_callers())


def test_further_callers_are_known_in_every_form() -> None:
    known = emergency_callers([DISPATCH])
    assert {"13065550911", "3065550911", "01113065550911"} <= known
    assert "3065550911" not in emergency_callers()


def test_the_dialplan_has_them_all(tmp_path: Path) -> None:
    node = NodeSettings.model_validate({"secret": "a", "store_secret": "b", "spool": "/x"})
    text = render_texts(node, CallSettings(emergency_callers=(DISPATCH,)), tmp_path)["numberpool-emergency.conf"]
    assert {f"exten => 0{number},1,NoOp()" for number in emergency_callers([DISPATCH])} <= set(text.splitlines())


# -- never dialled -----------------------------------------------------------------------------------------------------


async def test_none_can_be_set_up(database_dsn: str) -> None:
    database = await Database.open(database_dsn, 2)
    try:
        async with database.everything() as connection:
            acme = await add_company(connection, "Acme", region="CA")
            for dial in ("PJSIP/911@carrier", "PJSIP/9911@carrier", "Local/911@outside/n", "DAHDI/g1/911"):
                with pytest.raises(errors.DialsEmergency, match="911, an emergency number"):
                    await add_destination(connection, acme, "Main", dial)
            with pytest.raises(errors.EmergencyNumber, match="'911' is an emergency number"):
                await add_destination(connection, acme, "Main", "Trunk/911")
            for text in ("911", "9-1-1", "+1 911", "112"):
                with pytest.raises(errors.EmergencyNumber):
                    await add_number(connection, acme, text, source="Google Ads")
                with pytest.raises(errors.EmergencyNumber):
                    await set_main_number(connection, acme, text)
            await add_destination(connection, acme, "Mobile", "Trunk/(306) 555-1234")
            with pytest.raises(errors.NoTrunks, match=r"\[\[nodes\.trunks\]\]"):
                await add_destination(connection, acme, "Mobile 2", "Trunk/(306) 555-1235", trunks=False)
            assert await connection.fetchval("SELECT string_agg(dial, ' ') FROM destinations") == "Trunk/+13065551234"
    finally:
        await database.close()


async def test_one_that_is_there_all_the_same_is_passed_over(database_dsn: str) -> None:
    """Written past the commands, or before these checks were there."""
    database = await Database.open(database_dsn, 2)
    try:
        async with database.everything() as connection:
            acme = await add_company(connection, "Acme", region="CA")
            desk = await add_destination(connection, acme, "Desk", "PJSIP/desk")
            wrong = await connection.fetchval(
                "INSERT INTO destinations (company_id, name, dial, next_id) "
                "VALUES ($1, 'Wrong', 'PJSIP/911@carrier', $2) RETURNING id",
                acme.id,
                desk,
            )
            await connection.execute(
                "UPDATE destinations SET is_default = (id = $1) WHERE company_id = $2", wrong, acme.id
            )
            directory = await load_directory(connection, Destination("PJSIP/last", 30))
    finally:
        await database.close()
    assert directory.dial_emergency == {"PJSIP/911@carrier"}
    assert directory.default_route.destinations == (Destination("PJSIP/desk", 30),)


def test_the_default_line_is_none(tmp_path: Path) -> None:
    file = tmp_path / "numberpool.toml"
    file.write_text('[calls]\ndefault_destination = "PJSIP/911@carrier"\n')
    with pytest.raises(SettingsError, match="dials 911, an emergency number"):
        load_settings(file)


# -- who calls back ----------------------------------------------------------------------------------------------------


def _at_once(row: Row) -> bool:
    """Whether it rang without asking anybody, and without the announcement before or the whisper after."""
    return bool(
        row["decided_by"] == "fallback" and row["decision_ms"] == 0 and row["ring_seconds"] < ANNOUNCEMENT_SECONDS
    )


CALLERS = {
    "911": Invite(DID, "911"),
    "+1911": Invite(DID, "+1911"),
    "112": Invite(DID, "112"),
    "of another country": Invite(DID, "+110"),
    "of the settings": Invite(DID, DISPATCH),
    "of the settings, national": Invite(DID, "3065550911"),
    "by RFC 7090": Invite(DID, "+13065550123", headers=("Priority: psap-callback",)),
    "by RFC 7090, in capitals": Invite(DID, "+13065550123", headers=("Priority: PSAP-Callback",)),
    "withheld, by RFC 7090": Invite(
        DID, from_="<sip:anonymous@anonymous.invalid>", headers=("Priority: psap-callback",)
    ),
}


@pytest.mark.parametrize("invite", CALLERS.values(), ids=list(CALLERS))
async def test_emergency_services_call_back(exchange: Exchange, invite: Invite) -> None:
    """It rings at once, is recorded as the number says, and the person hears the caller, not a whisper."""
    await exchange.line("main", line_answers())
    row = await exchange.call(caller_talks(invite, 0.05), "main")
    assert (row["outcome"], row["answered_by"], row["number_id"], row["recorded"]) == (
        "answered",
        "PJSIP/main",
        1,
        True,
    )
    assert _at_once(row)
    assert row["talk_seconds"] < ANNOUNCEMENT_SECONDS


async def test_a_gateway_that_hangs_does_not_keep_them_waiting(exchange: Exchange) -> None:
    before = await exchange.installation.newest()
    exchange.installation.gateway.suspend()
    try:
        sipp = await exchange.place(caller_talks(CALLERS["911"], 0.05), "main")
        await sipp.done()
    finally:
        exchange.installation.gateway.resume()
    row = await exchange.installation.ended_one(before)
    assert row["outcome"] == "answered"
    assert _at_once(row)


@pytest.mark.parametrize(
    "invite", [CALLERS["of the settings"], CALLERS["by RFC 7090"]], ids=["of the settings", "RFC 7090"]
)
async def test_no_rule_blocks_them(exchange: Exchange, invite: Invite) -> None:
    """Though a rule about that very number is there."""
    for caller in (DISPATCH, "+13065550123"):
        await exchange.installation.sql(
            "INSERT INTO caller_rules (company_id, caller, verdict) VALUES (1, $1, 'block') ON CONFLICT DO NOTHING",
            caller,
        )
    await exchange.installation.sql("UPDATE companies SET main_number = '+13065550001'")
    await exchange.installation.wait_fallback(DID, "+13065550001")
    row = await exchange.call(caller_talks(invite, 0.05), "main")
    assert row["outcome"] == "answered"
    assert _at_once(row)
    # The same number without the word of an emergency service is blocked.
    row = await exchange.call(caller_refused(Invite(DID, "+13065550123"), 403), "main")
    assert row["outcome"] == "blocked"


async def test_others_hear_the_announcement(exchange: Exchange, caller: str) -> None:
    invite = Invite(DID, caller, headers=("Priority: urgent",))
    row = await exchange.call(caller_talks(invite, 2 * ANNOUNCEMENT_SECONDS + 0.5), "main")
    assert (row["decided_by"], row["outcome"]) == ("gateway", "answered")
    assert row["ring_seconds"] >= ANNOUNCEMENT_SECONDS - 0.1

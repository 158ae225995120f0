"""Whom a company lets through and whom it blocks: by table, by property, on the wire, and typed."""

import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.calls.admission import Admission, Verdict, admission
from gateway.calls.directory import Directory, Number, build_directory
from gateway.calls.route import Destination, Route
from gateway.calls.rules import NeverBlocked, NoCallersNumber, NoSuchRule, forget, rules, set_rule
from gateway.local.programs import AsteriskHome
from gateway.pools.numbers import forms
from gateway.pools.setup import Company
from gateway.store.database import Database
from tests.calls.exchange import Exchange
from tests.calls.scenarios import Invite, caller_refused, caller_talks
from tests.calls.wire import Seen
from tests.installation import Installation
from tests.installation import Number as TrackingNumber

DID = "+13065552001"
BAD, GOOD = "+13065550666", "+13065550777"
RULES = {BAD: Verdict.BLOCK, GOOD: Verdict.ALLOW}


def installation(home: AsteriskHome, folder: Path, dsn: str) -> Installation:
    return Installation(home, folder, dsn, [TrackingNumber(DID, record=True)], ("main",))


# -- the decision ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("caller", "emergency", "expected"),
    [
        (BAD, False, Admission.BLOCKED),
        (GOOD, False, Admission.ALLOWED),
        ("+13065550111", False, Admission.NO_RULE),
        (None, False, Admission.NO_RULE),
        (BAD, True, Admission.EMERGENCY),
        (None, True, Admission.EMERGENCY),
    ],
)
def test_who_is_admitted(caller: str | None, emergency: bool, expected: Admission) -> None:
    assert admission(caller, RULES, emergency=emergency) is expected


callers = st.sampled_from([BAD, GOOD, "+13065550111", "911", "112", "2", ""])
rule_sets = st.dictionaries(callers.filter(bool), st.sampled_from(Verdict))


@given(st.none() | callers, rule_sets, st.booleans())
def test_only_a_rule_about_that_very_number_blocks(
    caller: str | None, known: dict[str, Verdict], emergency: bool
) -> None:
    found = admission(caller, known, emergency=emergency)
    assert found.rings == (emergency or not caller or known.get(caller) is not Verdict.BLOCK)
    assert emergency is (found is Admission.EMERGENCY)


@given(st.none() | callers, rule_sets, st.booleans())
def test_to_allow_never_makes_a_call_worse(caller: str | None, known: dict[str, Verdict], emergency: bool) -> None:
    assert caller is None or admission(caller, known | {caller: Verdict.ALLOW}, emergency=emergency).rings


def directory(known: dict[int, dict[str, Verdict]]) -> Directory:
    route = Route((Destination("PJSIP/main", 30),), True, "custom/hello", "custom/whisper", 7, did=DID)
    number = Number(7, 2, DID, None, route, forms(DID, "CA"))
    made = build_directory([number], {1: "GB", 2: "CA"}, 1, Route((Destination("PJSIP/main", 30),)))
    return Directory(
        made.numbers, made.by_form, made.regions, made.default_company, made.default_route, caller_rules=known
    )


@pytest.mark.parametrize("sent", [BAD, "13065550666", "3065550666"])
def test_a_caller_is_met_in_every_form(sent: str) -> None:
    route = directory({2: RULES}).decide([DID], sent)
    assert route == Route((), number_id=7, did=DID, blocked=True, marks=("listed", "off"))


@pytest.mark.parametrize("sent", [GOOD, "+13065550111", "", "anything", "911"])
def test_everybody_else_rings(sent: str) -> None:
    assert directory({2: RULES | {"911": Verdict.BLOCK}}).decide([DID], sent).destinations


def test_a_rule_is_of_one_company() -> None:
    assert directory({1: RULES}).decide([DID], BAD).destinations
    # A number that nobody owns belongs to the default company.
    assert directory({1: RULES}).decide(["+13065559999"], BAD).blocked
    assert directory({2: RULES}).decide(["+13065559999"], BAD).destinations


# -- on the wire -------------------------------------------------------------------------------------------------------


_changes = itertools.count(1)


async def _rule(exchange: Exchange, caller: str, verdict: str) -> None:
    """Make a rule, and return once the gateway knows of it: what is changed after it has arrived in AstDB."""
    await exchange.installation.sql(
        "INSERT INTO caller_rules (company_id, caller, verdict) VALUES (1, $1, $2) "
        "ON CONFLICT (company_id, caller) DO UPDATE SET verdict = excluded.verdict",
        caller,
        verdict,
    )
    later = f"+1306555{next(_changes):04}"
    await exchange.installation.sql("UPDATE companies SET main_number = $1", later)
    await exchange.installation.wait_fallback(DID, later)


async def test_a_blocked_caller(exchange: Exchange, caller: str) -> None:
    """Nothing rings, nothing is recorded; the log knows it as what it is."""
    await _rule(exchange, caller, "block")
    seen = Seen({"main": await exchange.line("main")})
    rung = len(seen.invites("main"))
    row = await exchange.call(caller_refused(Invite(DID, caller), 403), "main")
    assert (row["outcome"], row["caller"], row["decided_by"]) == ("blocked", caller, "gateway")
    assert (row["number_id"], row["recorded"], row["answered_at"], row["hangup_cause"]) == (1, False, None, 21)
    assert await exchange.installation.legs(row) == []
    assert len(seen.invites("main")) == rung

    # Who is blocked by number and withholds it, is nobody that a rule knows.
    invite = Invite(DID, from_=f'"Anonymous" <sip:{caller}@anonymous.invalid>')
    row = await exchange.call(caller_talks(invite, 0.05), "main")
    assert (row["outcome"], row["caller"]) == ("answered", None)

    # A gateway that is gone blocks nobody.
    await exchange.installation.gateway.stop()
    before = await exchange.installation.newest()
    try:
        sipp = await exchange.place(caller_talks(Invite(DID, caller), 0.05), "main")
        await sipp.done()
    finally:
        await exchange.installation.gateway.start()
    row = await exchange.installation.ended_one(before)
    assert (row["outcome"], row["decided_by"]) == ("answered", "fallback")

    await _rule(exchange, caller, "allow")
    row = await exchange.call(caller_talks(Invite(DID, caller), 0.05), "main")
    assert (row["outcome"], row["decided_by"]) == ("answered", "gateway")


# -- as it is set up ---------------------------------------------------------------------------------------------------


async def test_rules_as_they_are_typed(database_dsn: str) -> None:
    database = await Database.open(database_dsn, 2)
    try:
        async with database.everything() as connection:
            await connection.execute("INSERT INTO companies (name, region) VALUES ('Acme', 'CA')")
            acme = Company(1, "Acme", "CA")
            assert await set_rule(connection, acme, "(306) 555-0666", Verdict.BLOCK, "  sells  windows ") == BAD
            assert await set_rule(connection, acme, "+44 20 7946 0018", Verdict.ALLOW) == "+442079460018"
            assert await set_rule(connection, acme, "*97", Verdict.BLOCK) == "*97"
            # The last word holds.
            await set_rule(connection, acme, "306.555.0666", Verdict.ALLOW)
            known = [(row["caller"], row["verdict"], row["note"]) for row in await rules(connection, acme)]
            assert known == [("+13065550666", "allow", ""), ("+442079460018", "allow", ""), ("*97", "block", "")]
            await forget(connection, acme, "3065550666")
            with pytest.raises(NoSuchRule):
                await forget(connection, acme, "3065550666")
            for nonsense in ("", "nobody", "306-555-01x", "+" * 50):
                with pytest.raises(NoCallersNumber):
                    await set_rule(connection, acme, nonsense, Verdict.BLOCK)
            for emergency in ("911", "+1911", "112", "999"):
                with pytest.raises(NeverBlocked, match="emergency"):
                    await set_rule(connection, acme, emergency, Verdict.BLOCK)
    finally:
        await database.close()

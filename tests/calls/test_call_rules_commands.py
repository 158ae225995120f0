"""``numberpool announcement``, ``spam`` and ``limits`` as a person types them, on a real Postgres."""

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.calls.abroad import Unwanted, countries_of, unwanted
from gateway.calls.policy import NOTHING, Policy
from tests.stack import Typed

HOME = Policy(countries=("CA", "US"))


@pytest.mark.parametrize(
    ("dial", "why"),
    [
        ("PJSIP/reception", None),
        ("PJSIP/reception&PJSIP/+442079460018@carrier", Unwanted.COUNTRY),
        ("Trunk/+13065551234", None),
        ("Trunk/+442079460018", Unwanted.COUNTRY),
        ("PJSIP/442079460018@carrier", Unwanted.COUNTRY),
        ("PJSIP/01144 2079460018@carrier".replace(" ", ""), Unwanted.COUNTRY),
        ("PJSIP/3065551234@carrier", None),
        ("PJSIP/600@pbx", None),  # an extension behind a trunk
        ("Dialplan/00442079460018@abroad", None),  # the admin's own
        ("DAHDI/g1/13065551234", None),
        ("DAHDI/g1/442079460018", Unwanted.COUNTRY),
        ("Trunk/+19005551234", Unwanted.PREMIUM),
        ("Trunk/+449098790000", Unwanted.PREMIUM),
        ("Trunk/+88213123456", None),  # of no country: Thuraya and the like are not known to be anywhere
    ],
)
def test_where_calls_are_forwarded(dial: str, why: Unwanted | None) -> None:
    assert unwanted(dial, "CA", HOME) is why
    # By itself, only what costs extra.
    assert unwanted(dial, "CA", NOTHING) is (Unwanted.PREMIUM if why is Unwanted.PREMIUM else None)
    assert unwanted(dial, "CA", Policy(premium=True)) is None


def test_the_countries_of_destinations() -> None:
    dials = ["Trunk/+442079460018", "PJSIP/reception", "PJSIP/3065551234@carrier"]
    assert countries_of(dials, "CA") == {"GB", "CA"}


numbers = st.from_regex(r"\A\+[1-9][0-9]{6,13}\Z")


@given(numbers, st.lists(st.sampled_from(["CA", "US", "GB", "RU"]), unique=True))
def test_more_countries_never_forbid_more(number: str, countries: list[str]) -> None:
    narrow = unwanted(f"Trunk/{number}", "CA", Policy(countries=tuple(countries)))
    wide = unwanted(f"Trunk/{number}", "CA", Policy(countries=(*countries, "DE")))
    assert narrow is not None or wide is None


async def _numbers(dsn: str, sql: str) -> list[object]:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("SET numberpool.companies = 'all'")
        return [row[0] for row in await connection.fetch(sql)]
    finally:
        await connection.close()


async def test_the_rules_by_command(numberpool: Typed, database_dsn: str) -> None:
    def says(*words: str) -> str:
        done = numberpool(*words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    says("company", "add", "Acme Roofing", "--region", "CA", "--main-number", "+13065550100")
    says("source", "add", "Sign")
    says("number", "add", "306 555 2001", "--source", "Sign")
    assert "everybody must know (PIPEDA" in says("announcement", "show")
    assert "by the law" not in says("announcement", "set", "by-region", "--place", "US-CO")
    assert "one party knows, which is enough there (Colo. Rev." in says("announcement", "show")
    assert "against the law" in says("announcement", "set", "never")
    assert "ring in any case" in says("spam", "withheld", "press")
    assert "3 times within 10 minutes is blocked" in says("spam", "often", "3", "--minutes", "10", "--then", "block")
    assert "traps are on" in says("spam", "traps", "on", "--days", "90")
    assert "is a trap" in says("spam", "trap", "306 555 2001")
    shown = says("spam", "show")
    assert "3 calls within 10 minutes: block" in shown
    assert "(306) 555-2001, and numbers on loan that nobody was shown for 90 days" in shown
    assert "at most 5 calls at once." in says("limits", "calls", "5")
    assert "at most 2 calls at once over carrier" in says("limits", "calls", "2", "--trunk", "carrier")
    assert "end after 90 minutes" in says("limits", "length", "90")
    assert "to CA, US alone" in says("limits", "countries", "us", "CA")
    assert "CA US" in says("limits", "show")

    # A destination is checked when it is made, and a limit against those that are there.
    abroad = numberpool("destination", "add", "London", "PJSIP/+442079460018@carrier")
    assert abroad.returncode == 1
    assert "not forwarded to" in abroad.stderr
    premium = numberpool("destination", "add", "Hotline", "PJSIP/+19005551234@carrier")
    assert "costs extra" in premium.stderr
    says("limits", "countries", "--all")
    says("destination", "add", "London", "PJSIP/+442079460018@carrier")
    refused = numberpool("limits", "countries", "CA")
    assert refused.returncode == 1
    assert "London" in refused.stderr
    assert "in a country" not in says("limits", "countries", "CA", "GB")

    assert await _numbers(database_dsn, "SELECT count(*) FROM call_policies") == [1]
    lines = await _numbers(database_dsn, "SELECT details->>'command' FROM audit_log")
    noted = " | ".join(map(str, lines))
    assert all(each in noted for each in ("spam often", "limits calls", "announcement set")), noted


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("announcement", "set", "always", "--place", "Colorado"), "place"),
        (("spam", "often", "1"), "often_calls"),
        (("spam", "trap", "+13065559999"), "no number of this company"),
        (("limits", "countries"), "CA US"),
        (("limits", "countries", "Canada"), "countries"),
    ],
)
def test_what_cannot_be_a_rule(numberpool: Typed, words: tuple[str, ...], says: str) -> None:
    assert numberpool("company", "add", "Acme").returncode == 0
    done = numberpool(*words)
    assert done.returncode != 0
    assert says in done.stderr
    assert "Traceback" not in done.stderr

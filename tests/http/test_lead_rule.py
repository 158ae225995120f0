"""What counts as a lead: tried on the last ninety days, set, taken back; the list goes by the same."""

import random
import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gateway.assets import asset_folder
from gateway.http.forms import Form
from gateway.http.language import load_languages
from gateway.http.lead_rule import form_values, outlook, read_rule
from gateway.http.permissions import Role
from gateway.http.words import Words
from gateway.leads.marks import Status
from gateway.leads.qualified import MARKED, LeadRule
from tests.http.company import add_call
from tests.http.conftest import Pages

WORDS = Words(load_languages(asset_folder("web") / "translations")["en"], "CA")


def talk(
    status: str, seconds: int | None, calls: int, outcome: str = "answered", is_first: bool = True
) -> dict[str, Any]:
    return {"status": status, "outcome": outcome, "is_first": is_first, "seconds": seconds, "calls": calls}


def test_marks_go_before_talk() -> None:
    talks = [
        talk("lead", None, 2, "busy"),
        talk("spam", 500, 3),
        talk("new", 59, 5),
        talk("new", 60, 7, is_first=False),
        talk("new", None, 11, "no_answer"),
        talk("new", None, 13, "voicemail"),
    ]
    assert [outlook(talks, LeadRule(seconds)).qualified for seconds in (0, 59, 60, 61)] == [14, 14, 9, 2]
    assert outlook(talks, LeadRule(59, first_only=True)).qualified == 7
    assert outlook(talks, LeadRule(61, voicemail=True)).qualified == 15
    assert outlook(talks, LeadRule(61, always=frozenset(), never=frozenset())).qualified == 3
    assert outlook(talks, LeadRule(60)).calls == 41


@given(
    st.sampled_from(Status),
    st.sampled_from(["answered", "voicemail", "no_answer", "cut_off"]),
    st.none() | st.integers(0, 8000),
    st.booleans(),
    st.builds(
        LeadRule,
        st.integers(0, 7200),
        st.booleans(),
        st.booleans(),
        st.frozensets(st.sampled_from([Status.LEAD, Status.QUOTED, Status.BOOKED])),
        st.frozensets(st.sampled_from([Status.LOST, Status.SPAM])),
    ),
)
def test_more_talk_never_makes_less_of_a_lead(
    status: Status, outcome: str, seconds: int | None, is_first: bool, rule: LeadRule
) -> None:
    counts = rule.counts(status, outcome, seconds, is_first)
    assert not (counts and status in rule.never)
    assert counts or status not in rule.always
    assert not counts or rule.counts(status, outcome, (seconds or 0) + 1, True)
    assert LeadRule.of(rule.columns) == rule
    assert read_rule(Form(form_values(rule), WORDS)) == rule


async def test_postgres_says_the_same(pages: Pages) -> None:
    dice, cases = random.Random(5), []
    for _ in range(2000):
        marks = dice.sample(MARKED, len(MARKED))
        cut, end = sorted(dice.choices(range(len(marks) + 1), k=2))
        rule = LeadRule(
            dice.choice([0, 1, 30, 60]),
            dice.random() < 0.5,
            dice.random() < 0.5,
            frozenset(marks[:cut]),
            frozenset(marks[cut:end]),
        )
        talked = dice.choice([None, 0.0, 0.5, 1.0, 29.5, 30.0, 59.75, 60.0, 61.0])
        outcome = dice.choice(["answered", "voicemail", "no_answer", "busy"])
        cases.append((rule, dice.choice(list(Status)).value, outcome, talked, dice.random() < 0.5))
    async with pages.database.companies(pages.company.id) as wire:
        for rule, status, outcome, talked, is_first in cases:
            found = await wire.fetchval(
                "SELECT numberpool_qualified($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                *(rule.seconds, rule.first_only, list(rule.always), list(rule.never), rule.voicemail),
                *(status, outcome, talked, is_first),
            )
            assert found == rule.counts(status, outcome, talked, is_first), (rule, status, outcome, talked, is_first)


async def test_the_outlook_is_what_the_list_then_shows(pages: Pages) -> None:
    client = await pages.signed_in()
    calls = [await add_call(pages.database, pages.company, talk=talk) for talk in (5, 29.9, 30, 45, 200)]
    calls.append(await add_call(pages.database, pages.company, outcome="no_answer"))
    await client.post(f"/calls/{calls[0]}/status", data={"status": "lead"})
    await client.post(f"/calls/{calls[4]}/status", data={"status": "spam"})
    page = await (await client.get("/settings/leads?seconds=30")).text()
    assert re.search(r"Qualified by this rule</dt>\s*<dd>3<", page), page
    assert "would make 3 of the 6 calls" in page
    async with pages.database.companies(pages.company.id) as wire:
        assert await wire.fetchval("SELECT qualified_seconds FROM companies") == 60
    page = await (await client.post("/settings/leads", data={"seconds": "30"})).text()
    assert re.search(r"Qualified now</dt>\s*<dd>3<", page)
    listed = (await (await client.get("/calls/export.csv?qualified=yes")).text()).splitlines()
    assert len(listed) == 1 + 3
    found = re.search(r'action="(/undo/\d+)"', page)
    assert found
    await client.post(found.group(1), data={"next": "/settings/leads"})
    async with pages.database.companies(pages.company.id) as wire:
        assert await wire.fetchval("SELECT qualified_seconds FROM companies") == 60


async def test_what_is_no_time_is_refused_in_place(pages: Pages) -> None:
    client = await pages.signed_in()
    for typed in ("", "-1", "7201", "long", "1.5"):
        answer = await client.post("/settings/leads", data={"seconds": typed})
        assert answer.status == 422
        assert 'id="seconds-problem"' in await answer.text()
    assert (await client.get("/settings/leads?seconds=long")).status == 422
    analyst = await pages.signed_in(Role.ANALYST)
    assert (await analyst.get("/settings/leads")).status == 200
    assert (await analyst.post("/settings/leads", data={"seconds": "5"})).status == 403


async def test_marks_messages_and_first_calls_are_said_by_the_company_and_the_list_follows(pages: Pages) -> None:
    client = await pages.signed_in()
    first = await add_call(pages.database, pages.company, caller="+13065550001", talk=90)
    again = await add_call(pages.database, pages.company, caller="+13065550001", talk=90)
    lost = await add_call(pages.database, pages.company, caller="+13065550002", talk=300)
    message = await add_call(pages.database, pages.company, caller="+13065550003", outcome="voicemail")
    await client.post(f"/calls/{lost}/status", data={"status": "lost"})

    async def listed() -> set[int]:
        text = await (await client.get("/calls?qualified=yes&period=all")).text()
        return {id for id in (first, again, lost, message) if f"/calls/{id}?" in text or f'/calls/{id}"' in text}

    assert await listed() == {first, again, lost}
    rule = {"seconds": "60", "callers": "first", "voicemail": "yes", "status-lost": "no", "status-spam": "no"}
    assert (await client.post("/settings/leads", data=rule)).status == 200
    assert await listed() == {first, message}
    page = await (await client.get("/settings/leads")).text()
    assert re.search(r"Qualified now</dt>\s*<dd>2<", page)
    assert (await client.post("/settings/leads", data=rule | {"status-lost": "perhaps"})).status == 422

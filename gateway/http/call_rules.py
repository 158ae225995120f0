"""Calls you take: what callers are told, the rules against spam, the limits; and letting a call through after all."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from gateway.audit import Action, note
from gateway.calls import policy_setup, rules
from gateway.calls.admission import Verdict
from gateway.calls.consent import law_of, place_of
from gateway.calls.policy import Act, Announce, Policy, PolicyRefused, Withheld, read_policy, write_policy
from gateway.calls.policy_setup import ForwardedThere, NoSuchTrap
from gateway.calls.region import state_name
from gateway.calls.screening import Screened
from gateway.http import call_store
from gateway.http.accounts import Company
from gateway.http.actor import actor_of
from gateway.http.call_pages import call_id_of
from gateway.http.forms import Form
from gateway.http.keys import ALLOWED, PARTS, VIEWER
from gateway.http.notices import Notice, changed
from gateway.http.permissions import Permission
from gateway.http.protection import form_of
from gateway.http.refusals import CallNotFound
from gateway.http.rendering import render, words_for
from gateway.http.routing import companies_with
from gateway.http.scope import company_of
from gateway.http.undo import Reversal, Undoing, offer_undo
from gateway.http.words import Words
from gateway.pools.numbers import NumberError, to_e164
from gateway.pools.setup import Company as Owner
from gateway.store.queries import load_queries

PATH = "/settings/calls"

_queries = load_queries(Path(policy_setup.__file__).parent, "policies.sql")
_destination_queries = load_queries(Path(__file__).parent, "destination_pages.sql")


@dataclass(frozen=True, slots=True)
class Rules:
    """What is in force: the policy, and the numbers that were marked as traps."""

    policy: Policy
    traps: tuple[str, ...]

    @property
    def kept(self) -> dict[str, Any]:
        """For an undo."""
        return {"policy": write_policy(self.policy), "traps": list(self.traps)}


async def rules_page(request: web.Request) -> web.StreamResponse:
    """The rules in force, and what each did lately."""
    return await _show(request, company_of(request), None)


async def change(request: web.Request) -> web.StreamResponse:
    """Set the rules; they hold from the next call on."""
    company = company_of(request)
    words = words_for(request, company)
    form = Form(await form_of(request), words)
    step = None
    async with request.app[PARTS].database.companies(company.id) as connection:
        before = await _rules(connection, company.id)
        trunks = await _trunks(connection, company.id, before.policy)
        wanted = _read(form, words, before.policy, trunks)
        traps = [each for line in form.value("trap_numbers").splitlines() if (each := line.strip())]
        if wanted is not None:
            try:
                after = await _set(connection, company, wanted, traps)
            except ForwardedThere as error:
                form.refuse("countries", words.say("Calls are forwarded elsewhere now: %(why)s") % {"why": error.name})
            except (NoSuchTrap, NumberError):
                form.refuse("trap_numbers", words.say("Only your own numbers can be traps, one a line."))
            else:
                if after != before:
                    step = await offer_undo(connection, company.id, request[VIEWER], "call-rules.changed", before.kept)
                    await _note(request, connection, company.id, before, after)
    if form.problems:
        return await _show(request, company, form)
    to = f"{PATH}?{urlencode({'company': company.id})}" if len(request[ALLOWED]) > 1 else PATH
    return changed(request, to, Notice(words.say("The rules hold from the next call on."), undo=step))


async def take_back(undoing: Undoing) -> str:
    """The rules are as they were."""
    kept = undoing.values
    await policy_setup.put_policy(undoing.connection, undoing.company_id, kept["policy"])
    await _mark_traps(undoing.connection, undoing.company_id, "US", kept["traps"])
    return f"call-rules/{undoing.company_id}"


async def let_through(request: web.Request) -> web.StreamResponse:
    """Not spam: the call counts again, and its caller's calls ring from now on whatever rule there is."""
    words = words_for(request)
    await form_of(request)
    async with request.app[PARTS].database.companies(*request[ALLOWED]) as connection:
        call = await call_store.call_by_id(connection, call_id_of(request))
    company = request[VIEWER].company(call.row.company_id) if call else None
    if company is None:
        raise CallNotFound()
    async with request.app[PARTS].database.companies(company.id) as connection:
        row = await _queries.let_through(connection, company_id=company.id, id=call_id_of(request))
        if row is None:
            raise CallNotFound()
        kept, caller = None, row["caller"]
        if caller is not None:
            rule = await _destination_queries.caller_rule(connection, company_id=company.id, caller=caller)
            kept = None if rule is None else {"verdict": rule["verdict"], "note": rule["note"]}
            owner = Owner(company.id, company.name, company.region)
            await rules.set_rule(connection, owner, caller, Verdict.ALLOW, words.say("not spam"))
        values = {"call": row["id"], "caller": caller, "before": kept}
        step = await offer_undo(connection, company.id, request[VIEWER], "call.let-through", values)
        await note(
            connection, actor_of(request), company.id, Action.CALL_MARKED, f"call/{row['id']}", what="let through"
        )
    said = words.say("The call counts again.")
    if caller is not None:
        said = words.say("The call counts again, and calls from %(number)s always ring.") % {
            "number": words.phone(caller)
        }
    return changed(request, f"/calls/{row['id']}", Notice(said, undo=step))


async def turn_away_again(undoing: Undoing) -> str:
    """The call is as it was, and so is what is said of its caller."""
    values = undoing.values
    await _queries.turn_away_again(undoing.connection, company_id=undoing.company_id, id=values["call"])
    if caller := values["caller"]:
        await _destination_queries.remove_caller_rule(undoing.connection, company_id=undoing.company_id, caller=caller)
        if (before := values["before"]) is not None:
            owner = Owner(undoing.company_id, "", "US")
            verdict = Verdict(before["verdict"])
            await rules.set_rule(undoing.connection, owner, caller, verdict, before["note"])
    return f"call/{values['call']}"


REVERSALS = {
    "call-rules.changed": Reversal(Permission.SETTINGS_WRITE, take_back),
    "call.let-through": Reversal(Permission.SETTINGS_WRITE, turn_away_again),
}


def _read(form: Form, words: Words, before: Policy, trunks: list[str]) -> Policy | None:
    """The rules that a form says; none where it has problems."""
    announce = None if form.value("announce") == "" else form.choice("announce", Announce)
    withheld = form.choice("withheld", Withheld, Withheld.RING)
    often = form.choice("often", Act, Act.PRESS)
    often_calls = form.whole("often_calls", least=2, most=1000, required=False)
    often_minutes = form.whole("often_minutes", least=1, most=1440, required=False)
    trap_days = form.whole("trap_days", least=7, most=365, required=False)
    most_calls = form.whole("most_calls", least=1, most=10_000, required=False)
    longest = form.whole("longest_minutes", least=1, most=1440, required=False)
    by_trunk = {
        trunk: most
        for at, trunk in enumerate(trunks)
        if (most := form.whole(f"trunk-{at}", least=1, most=10_000, required=False)) is not None
    }
    place = form.text("place", longest=5, required=False).strip().upper() or None
    countries = tuple(sorted({each for each in form.value("countries").upper().replace(",", " ").split() if each}))
    if form.problems or withheld is None or often is None:
        return None
    try:
        return read_policy(
            write_policy(
                replace(
                    before,
                    announce=announce,
                    place=place,
                    withheld=withheld,
                    often=often,
                    often_calls=often_calls,
                    often_minutes=often_minutes or before.often_minutes,
                    traps=form.flag("traps"),
                    trap_days=trap_days,
                    most_calls=most_calls,
                    most_by_trunk=by_trunk,
                    longest_minutes=longest,
                    countries=countries or None,
                    premium=form.flag("premium"),
                )
            )
        )
    except PolicyRefused as error:
        field = str(error).partition(".")[0].partition(":")[0]
        if field == "place":
            form.refuse("place", words.say("Write a country, such as GB, or a state, such as US-CO."))
        else:
            form.refuse("countries", words.say("Write countries by their two letters, such as CA US."))
        return None


def _values(rules: Rules, trunks: list[str], words: Words) -> Mapping[str, Any]:
    """The rules as the fields of their form hold them."""
    policy = rules.policy
    return {
        "announce": policy.announce.value if policy.announce else "",
        "place": policy.place or "",
        "withheld": policy.withheld.value,
        "often": policy.often.value,
        "often_calls": policy.often_calls or "",
        "often_minutes": policy.often_minutes,
        "traps": "yes" if policy.traps else "",
        "trap_days": policy.trap_days or "",
        "trap_numbers": "\n".join(words.phone(each) for each in rules.traps),
        "most_calls": policy.most_calls or "",
        "longest_minutes": policy.longest_minutes or "",
        "countries": " ".join(policy.countries or ()),
        "premium": "yes" if policy.premium else "",
        **{f"trunk-{at}": policy.most_by_trunk.get(trunk, "") for at, trunk in enumerate(trunks)},
    }


def _place_words(place: str, words: Words) -> str:
    """Colorado, or Canada; a country without its state where that is not known."""
    country, _, state = place.partition("-")
    name = state_name(state)
    return words.place(name) if name else str(words.locale.territories.get(country, country))


async def _rules(connection: Any, company_id: int) -> Rules:
    traps = await policy_setup.traps_of(connection, company_id)
    return Rules(await policy_setup.policy_of(connection, company_id), tuple(traps))


async def _trunks(connection: Any, company_id: int, policy: Policy) -> list[str]:
    """Those that calls came over lately, and those that are limited."""
    used = await policy_setup.trunks_of(connection, company_id, datetime.now(UTC))
    return sorted({*used, *policy.most_by_trunk})


async def _set(connection: Any, company: Company, wanted: Policy, traps: list[str]) -> Rules:
    """Set both, or neither. Raises ForwardedThere, NoSuchTrap, NumberError."""
    async with connection.transaction():
        changes = {name: getattr(wanted, name) for name in Policy.__dataclass_fields__}
        await policy_setup.set_policy(connection, company.id, **changes)
        await _mark_traps(connection, company.id, company.region, traps)
    return await _rules(connection, company.id)


async def _mark_traps(connection: Any, company_id: int, region: str, wanted: list[str]) -> None:
    present = set(await policy_setup.traps_of(connection, company_id))
    numbers = {to_e164(each, region) for each in wanted}
    for number in sorted(numbers - present):
        await policy_setup.mark_trap(connection, company_id, region, number, is_trap=True)
    for number in sorted(present - numbers):
        await policy_setup.mark_trap(connection, company_id, region, number, is_trap=False)


async def _note(request: web.Request, connection: Any, company_id: int, before: Rules, after: Rules) -> None:
    changes = dict(policy_setup.differences(before.policy, after.policy))
    if before.traps != after.traps:
        changes["trap_numbers"] = [list(before.traps), list(after.traps)]
    subject = f"call-rules/{company_id}"
    await note(connection, actor_of(request), company_id, Action.SETTING_CHANGED, subject, changes=changes)


async def _show(request: web.Request, company: Company, form: Form | None) -> web.StreamResponse:
    words, now = words_for(request, company), datetime.now(UTC)
    async with request.app[PARTS].database.companies(company.id) as connection:
        present = await _rules(connection, company.id)
        trunks = await _trunks(connection, company.id, present.policy)
        done = await policy_setup.acted(connection, company.id, now)
        ended = await policy_setup.ended_by_length(connection, company.id, now)
        owner = await _queries.hold_company(connection, company_id=company.id)
    place = present.policy.place or place_of(owner["main_number"]) or str(owner["region"])
    return render(
        request,
        "call_rules.html",
        company=company,
        status=422 if form is not None else 200,
        form=form or Form(_values(present, trunks, words), words),
        policy=present.policy,
        trunks=trunks,
        done={each.value: done.get(each, policy_setup.Acted()) for each in Screened},
        ended=ended,
        place=_place_words(place, words),
        law=law_of(place),
        records=owner["record_calls"],
        own_sound=owner["announcement"],
        days=policy_setup.LATELY.days,
        may_write=company.id in companies_with(Permission.SETTINGS_WRITE, request[VIEWER]),
    )

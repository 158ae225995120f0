"""The editor of a flow: every button gives the whole draft back changed, and nothing is stored before "Save"."""

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from gateway.audit import Action, note
from gateway.calls import flow_changes, flow_setup, own_sounds
from gateway.calls.flow import KEYS, WEEK, Strategy, read_flow, write_flow
from gateway.calls.speech import sounds_folder
from gateway.http.accounts import Company
from gateway.http.actor import actor_of
from gateway.http.destination_form import dial_words
from gateway.http.flow_draft import (
    OTHER_SOUND,
    Card,
    Chain,
    Draft,
    Kind,
    cards_of,
    new_card,
    read_draft,
)
from gateway.http.flow_judge import Judge
from gateway.http.flow_moves import change
from gateway.http.flow_pages import moment_of, names_of, picture_of, the_flow, to_flows
from gateway.http.flow_said import (
    Names,
    chain_said,
    details_of,
    end_of,
    flat,
    lines_of,
    order_of,
    state_of,
    title_of,
    when_of,
)
from gateway.http.forms import Form
from gateway.http.keys import PARTS, VIEWER
from gateway.http.notices import Notice, changed
from gateway.http.permissions import Permission
from gateway.http.pool_pages import of_setup
from gateway.http.protection import form_of
from gateway.http.refusals import NotFound
from gateway.http.rendering import render, words_for
from gateway.http.scope import company_of
from gateway.http.undo import NoWayBack, Reversal, Undoing, offer_undo
from gateway.http.words import Words
from gateway.pools import setup

LONGEST_NAME = 80
_OFFERED = (Kind.RING, Kind.SOUND, Kind.VOICEMAIL, Kind.MENU, Kind.HOURS)


@dataclass(frozen=True, slots=True)
class Change:
    """A line of what saving would change: added, or gone."""

    is_added: bool
    text: str


async def new_page(request: web.Request) -> web.StreamResponse:
    """The editor of a flow that is not there yet, begun as ``?begin=`` says, or as a copy of another."""
    company = company_of(request)
    words = words_for(request, company)
    async with request.app[PARTS].database.companies(company.id) as connection:
        destinations = await setup.destinations(connection, of_setup(company))
        stored = {str(each.id): each for each in await flow_setup.flows(connection, of_setup(company))}
    first = next((str(row["id"]) for row in destinations if row["is_default"]), "")
    copied = stored.get(request.query.get("copy", ""))
    if copied is not None:
        name = words.say("Copy of %(name)s") % {"name": copied.name}
        return await _show(request, company, Draft(name[:LONGEST_NAME], cards_of(copied.start)))
    return await _show(request, company, Draft("", _begun(request.query.get("begin", ""), first)))


async def edit_page(request: web.Request) -> web.StreamResponse:
    """The editor of one that is there."""
    company = company_of(request)
    async with request.app[PARTS].database.companies(company.id) as connection:
        flow = await the_flow(request, connection, company)
    return await _show(request, company, Draft(flow.name, cards_of(flow.start), flow.revision))


async def edit(request: web.Request) -> web.StreamResponse:
    """A button of the editor: a change of the draft, a look at it, or saving it."""
    company = company_of(request)
    posted = await form_of(request)
    draft, wish = read_draft(posted), posted.get("do", "look")
    if wish == "save":
        return await _save(request, company, draft)
    if wish == "look":
        return await _show(request, company, draft, judged=True)
    async with request.app[PARTS].database.companies(company.id) as connection:
        destinations = await setup.destinations(connection, of_setup(company))
    first = next((str(row["id"]) for row in destinations if row["is_default"]), "")
    return await _show(request, company, draft, place=change(draft, wish, first))


async def _save(request: web.Request, company: Company, draft: Draft) -> web.StreamResponse:
    words, is_new = words_for(request, company), "id" not in request.match_info
    judge, name, id, step = Judge(words, ()), " ".join(draft.name.split()), None, None
    async with request.app[PARTS].database.companies(company.id) as connection:
        judge = Judge(words, await flow_setup.destination_names(connection, of_setup(company)))
        start = _judged(judge, draft, words)
        if start is not None and is_new:
            id = await flow_changes.add_flow(connection, company.id, name, start)
            if id is None:
                judge.problems["name"] = words.say("Another one has this name already.")
            else:
                values = {"id": id, "revision": 1}
                step = await offer_undo(connection, company.id, request[VIEWER], "flow.added", values)
                subject = f"flow/{id}"
                await note(connection, actor_of(request), company.id, Action.SETTING_ADDED, subject, name=name)
        elif start is not None:
            id, step = await _changed(connection, request, company, draft, name, start, judge, words)
    if judge.problems or id is None:
        return await _show(request, company, draft, judged=True, judge=judge)
    said = (
        words.say("%(name)s is added. Now say whose calls go by it.") if is_new else words.say("%(name)s is changed.")
    )
    return changed(request, to_flows(request, company, f"/{id}"), Notice(said % {"name": name}, undo=step))


async def _changed(
    connection: Any,
    request: web.Request,
    company: Company,
    draft: Draft,
    name: str,
    start: Any,
    judge: Judge,
    words: Words,
) -> tuple[int | None, int | None]:
    """Write a flow that is there; its id and the step that takes it back."""
    id = int(request.match_info["id"]) if len(request.match_info["id"]) < 19 else 0
    before = await flow_changes.one_flow(connection, company.id, id, hold=True)
    if before is None:
        raise NotFound()
    if draft.revision != before.revision:
        judge.problems[""] = words.say(
            "Somebody else has changed it meanwhile. What saving would change now stands below; save again to do so."
        )
        draft.revision = before.revision
        return None, None
    after = await flow_changes.change_flow(connection, company.id, id, name, write_flow(start))
    if after is None:
        judge.problems["name"] = words.say("Another one has this name already.")
        return None, None
    if (after.name, after.body) == (before.name, before.body):
        return id, None
    values = {**before.as_values, "made": after.revision, "as": after.name}
    step = await offer_undo(connection, company.id, request[VIEWER], "flow.changed", values)
    changes = {
        key: [was, now]
        for key, was, now in (("name", before.name, after.name), ("flow", before.body, after.body))
        if was != now
    }
    subject = f"flow/{id}"
    await note(connection, actor_of(request), company.id, Action.SETTING_CHANGED, subject, name=name, changes=changes)
    return id, step


def _judged(judge: Judge, draft: Draft, words: Words) -> Any:
    form = Form({"name": draft.name}, words)
    form.text("name", longest=LONGEST_NAME)
    judge.problems.update(form.problems)
    return judge.flow_of(draft)


async def _show(
    request: web.Request,
    company: Company,
    draft: Draft,
    *,
    judged: bool = False,
    judge: Judge | None = None,
    place: str = "",
) -> web.StreamResponse:
    words = words_for(request, company)
    posted = await form_of(request) if request.method == "POST" else {}
    async with request.app[PARTS].database.companies(company.id) as connection:
        stored = await the_flow(request, connection, company) if "id" in request.match_info else None
        house = await flow_setup.house_of(connection, of_setup(company))
        names = await names_of(request, connection, company)
        sounds = await own_sounds.sounds(connection, company.id, sounds_folder(request.app[PARTS].settings))
        destinations = await setup.destinations(connection, of_setup(company))
    if judge is None:
        judge = Judge(words, names.destinations)
        if judged:
            _judged(judge, draft, words)
    at, is_now = moment_of(posted.get("at", ""), house)
    said = chain_said(draft.cards, names, words)
    trial = Judge(words, names.destinations)
    start = trial.flow_of(draft)
    saving = judged and bool(judge.problems) and posted.get("do") == "save"
    return render(
        request,
        "flow_edit.html",
        company=company,
        status=422 if saving else 200,
        stored=stored,
        draft=draft,
        problems=judge.problems,
        first_problem=next(iter(judge.problems), None) if saving else None,
        shown_place=place,
        said=said,
        picture=picture_of(draft.cards, said, house, at, words),
        state=state_of(start, house, at, words) if start is not None else None,
        at_value=at.astimezone(house.zone).strftime("%Y-%m-%dT%H:%M") if not is_now else "",
        changes=list(_changes(stored.name if stored else "", stored.start if stored else None, draft, names, words)),
        destination_choices=[(str(row["id"]), row["name"], dial_words(row["dial"], words)) for row in destinations],
        sound_choices=[(each.path, each.name) for each in sounds],
        other_sound=OTHER_SOUND,
        known_sounds={each.path: each.id for each in sounds},
        strategies=[(each.value, order_of(each.value, words)) for each in Strategy],
        week=WEEK,
        weekday=words.weekday,
        keys=KEYS,
        kinds=[
            (kind, title_of(kind, words)) for kind in (Kind.RING, Kind.SOUND, Kind.VOICEMAIL, Kind.MENU, Kind.HOURS)
        ],
        title_of=lambda card: title_of(card.kind, words),
        when_of=lambda card, branch: when_of(card, branch, words),
        end_of=lambda chain: end_of(chain, words),
        summary_of=lambda card: ", ".join(lines_of(card, names, words)),
        is_now=is_now,
    )


def _changes(name: str, start: Any, draft: Draft, names: Names, words: Words) -> Iterator[Change]:
    """What saving would change, in words; nothing of a flow that is not there yet."""
    if start is None:
        return
    if " ".join(draft.name.split()) != name:
        yield Change(False, words.say("Name: %(name)s") % {"name": name})
        yield Change(True, words.say("Name: %(name)s") % {"name": draft.name})
    yield from _differences(_told(cards_of(start), names, words), _told(draft.cards, names, words))


def _told(cards: Chain, names: Names, words: Words) -> list[str]:
    return [*flat(chain_said(cards, names, words)), *details_of(Draft("", cards), words)]


def _differences(before: list[str], after: list[str]) -> Iterator[Change]:
    for line in difflib.ndiff(before, after):
        if line[:2] in ("- ", "+ "):
            yield Change(line[0] == "+", line[2:].strip())


def _begun(begin: str, first: str) -> Chain:
    """The cards of a new flow: what most people want, to be changed."""
    ring = new_card(Kind.RING, first)
    ring.values["seconds"] = "20"
    if begin == "empty":
        return []
    cards: Chain = [ring, new_card(Kind.VOICEMAIL)]
    if begin == "hours":
        return [_above(new_card(Kind.HOURS), "open", cards)]
    if begin == "menu":
        return [_above(new_card(Kind.MENU, first), "else", cards)]
    return cards


def _above(card: Card, branch: str, cards: Chain) -> Card:
    card.branches[branch] = cards
    return card


async def take_back_change(undoing: Undoing) -> str:
    """The flow is as it was, unless it was changed again since."""
    connection, company_id, values = undoing.connection, undoing.company_id, undoing.values
    present = await flow_changes.one_flow(connection, company_id, int(values["id"]), hold=True)
    if present is None or present.revision != values["made"] or present.name != values["as"]:
        raise NoWayBack
    read_flow(values["body"])
    if await flow_changes.change_flow(connection, company_id, present.id, values["name"], values["body"]) is None:
        raise NoWayBack
    return f"flow/{present.id}"


async def take_back_addition(undoing: Undoing) -> str:
    """A flow that was just made is gone, unless it was changed since or calls go by it."""
    connection, company_id, id = undoing.connection, undoing.company_id, int(undoing.values["id"])
    present = await flow_changes.one_flow(connection, company_id, id, hold=True)
    if present is None or present.revision != undoing.values["revision"]:
        raise NoWayBack
    await flow_changes.drop_flow(connection, company_id, id)
    return f"flow/{id}"


REVERSALS = {
    "flow.changed": Reversal(Permission.SETTINGS_WRITE, take_back_change),
    "flow.added": Reversal(Permission.SETTINGS_WRITE, take_back_addition),
}

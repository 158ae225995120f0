"""The page of one call: its sound, why it has its source, how the visitor came, and what else this caller did."""

import secrets
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from aiohttp import web

from gateway.attribution.why import Why, why
from gateway.calls.number_facts import NumberFacts, NumberKind, facts_of
from gateway.calls.pauses import pauses_of
from gateway.calls.placed import backs_of
from gateway.http import back_words, call_board, call_store, call_story
from gateway.http.accounts import Company, Viewer
from gateway.http.call_filter import CallFilter
from gateway.http.call_pages import call_id_of, may, view_of
from gateway.http.forms import Form
from gateway.http.keys import ALLOWED, PARTS, VIEWER
from gateway.http.periods import Period, Span
from gateway.http.permissions import Permission
from gateway.http.protection import content_policy
from gateway.http.refusals import CallNotFound
from gateway.http.rendering import render, words_for
from gateway.http.routing import companies_with
from gateway.http.timeline import moments, timeline, unrecorded
from gateway.http.waveform import heights, speech
from gateway.http.why_view import WhyView, chance, why_view
from gateway.http.words import Words
from gateway.store.database import Connection

# Bars of the large waveform: at its widest one stands on every three pixels.
BARS = 320
SPEEDS = ("0.5", "0.75", "1", "1.25", "1.5", "1.75", "2", "2.5", "3")


@dataclass(frozen=True, slots=True)
class Caller:
    """What the caller's number tells, in words; empty where it tells nothing. ``clock`` is the time there now."""

    place: str
    carrier: str
    kind: str
    clock: str


async def one_call(request: web.Request) -> web.StreamResponse:
    """Everything about one call that the viewer may know."""
    viewer = request[VIEWER]
    async with request.app[PARTS].database.companies(*request[ALLOWED]) as connection:
        call = await call_store.call_by_id(connection, call_id_of(request))
        company = viewer.company(call.row.company_id) if call else None
        if call is None or company is None:
            raise CallNotFound()
        words = words_for(request, company)
        sees_visitors = _may(viewer, company, Permission.VISITORS_READ)
        found = await why(connection, company.id, call.row.id)
        story = await call_story.story_of(
            connection,
            call.row,
            found,
            visits=sees_visitors,
            people=_may(viewer, company, Permission.PEOPLE_READ),
        )
        pauses = await pauses_of(connection, company.id, call.row.id) if call.row.recorded else []
        reason = await _reason(connection, company, found, words, sees_visitors)
        board = await call_board.board_of(connection, company.id, call.row)
        called_back = await backs_of(connection, company.id, call.row.id)
    row = call.row
    silences = unrecorded(pauses, row.recording_seconds or 0.0, words)
    view = view_of(request, company, CallFilter(Period.read(request.query)))
    # The library that draws the sound brings a stylesheet of its own into its drawing: that one, and no other.
    nonce = secrets.token_urlsafe(16)
    return render(
        request,
        "call.html",
        headers={"Content-Security-Policy": content_policy(style_nonce=nonce)},
        company=company,
        view=view,
        all_of_caller=view.url(period=Period(Span.ALL), caller=row.caller),
        call=call,
        row=row,
        board=board,
        called_back=called_back,
        back_in_short=lambda row: back_words.in_short(row, words),
        form=Form(None, words),
        timeline=timeline(call, words),
        moments=sorted(
            [
                *(moment for moment in moments(call, words) if moment.seconds >= 1),
                *(step for step, _ in silences),
            ],
            key=lambda moment: moment.seconds,
        ),
        unrecorded=silences,
        why=reason,
        chance=chance,
        may_let_through=_may(viewer, company, Permission.SETTINGS_WRITE),
        story=story,
        sees_visitors=sees_visitors,
        caller=_caller(facts_of(row.caller, words.language.tag, words.now), words),
        bars=BARS,
        heights=heights,
        speech=speech,
        speeds=SPEEDS,
        nonce=nonce,
        **may(request, company.id),
    )


async def _reason(
    connection: Connection, company: Company, found: Why | None, words: Words, sees_visitors: bool
) -> WhyView | None:
    if found is None:
        return None
    ids = [each.source_id for each in found.suspects] + [each.source_id for each in found.touches]
    sources = await call_story.sources_by_id(connection, company.id, ids)
    return why_view(found, sources, words, sees_visitors=sees_visitors)


def _may(viewer: Viewer, company: Company, permission: Permission) -> bool:
    return company.id in companies_with(permission, viewer)


def _caller(facts: NumberFacts, words: Words) -> Caller:
    say = words.say
    kind = {
        NumberKind.MOBILE: say("mobile"),
        NumberKind.FIXED: say("landline"),
        NumberKind.TOLL_FREE: say("toll-free"),
        NumberKind.INTERNET: say("internet telephone"),
    }.get(facts.kind, "")
    return Caller(facts.place, facts.carrier, kind, _clock(facts.zone, words))


def _clock(zone: ZoneInfo | None, words: Words) -> str:
    """What time it is there, where that is another time than here."""
    if zone is None or words.now.astimezone(zone).utcoffset() == words.now.utcoffset():
        return ""
    return words.time_in(words.now, zone)

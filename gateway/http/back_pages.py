"""Calling back: one click, how it goes on, and what became of all calls back."""

from typing import Any

from aiohttp import hdrs, web

from gateway import audit
from gateway.audit import Action
from gateway.calls import placed
from gateway.calls.placed import Refused
from gateway.calls.policy_setup import policy_of
from gateway.calls.sides import UnsafePath, recording_path
from gateway.http import back_words
from gateway.http.actor import actor_of
from gateway.http.call_pages import call_id_of
from gateway.http.call_store import source_of
from gateway.http.forms import Form
from gateway.http.keys import ALLOWED, PARTS, VIEWER
from gateway.http.notices import Notice, changed
from gateway.http.permissions import Permission
from gateway.http.protection import form_of, local_path
from gateway.http.recording import LISTENING_SESSION
from gateway.http.refusals import BadRequest, CallNotFound, NoRecording, NotFound
from gateway.http.rendering import render, words_for
from gateway.http.routing import companies_with
from gateway.http.scope import bounds_of, company_of
from gateway.http.shell import named_company
from gateway.http.undo import Reversal, Undoing, offer_undo
from gateway.http.words import Words
from gateway.store.queries import load_queries

_sql = load_queries(placed.FOLDER, "placed.sql")

PATH = "/calls/back"
TELEPHONE = "/account/telephone"
PAGE = 50
SHOWS = ("tracking", "main")


async def call_back(request: web.Request) -> web.StreamResponse:
    """Ring the viewer's telephone, then the caller of this call."""
    viewer, form = request[VIEWER], await form_of(request)
    call_id = call_id_of(request)
    to = local_path(form.get("next"), f"/calls/{call_id}")
    async with request.app[PARTS].database.companies(*request[ALLOWED]) as connection:
        for company_id in request[ALLOWED]:
            call = await _sql.answered_call(connection, company_id=company_id, call_id=call_id)
            if call is not None:
                break
        else:
            raise CallNotFound()
        company = viewer.company(company_id)
        words = words_for(request, company)
        policy = await policy_of(connection, company_id)
        ours = [call["caller"]] if call["is_ours"] else ()
        why = placed.unplaceable(call["caller"], call["region"], ours, policy.countries)
        if why is not None:
            return _refused(request, to, back_words.unplaceable(why, words))
        telephone = await _telephone(connection, viewer.user_id)
        if telephone is None:
            return _onward(
                request, f"{TELEPHONE}?next=/calls/{call_id}", words.say("Say first which telephone is yours.")
            )
        name = viewer.name or viewer.email
        asked = await placed.ask(connection, company_id, call, telephone=telephone, by=name, user_id=viewer.user_id)
        if isinstance(asked, Refused):
            return _refused(request, to, _refusal(asked, words))
        if asked.is_new:
            subject = f"call/{call_id}"
            await audit.note(
                connection, actor_of(request), company_id, Action.CALL_PLACED, subject, telephone=telephone
            )
        elif not asked.own:
            who = asked.by or words.say("Somebody")
            return _refused(request, to, words.say("%(who)s is calling this number now.") % {"who": who})
    return _onward(request, f"{PATH}/{asked.id}", "")


def _refusal(refused: Refused, words: Words) -> str:
    if refused is Refused.TOO_MANY:
        return words.say("These are many calls in a short time. Wait a minute, then call again.")
    return words.say("Somebody is calling this number now.")


def _refused(request: web.Request, to: str, text: str) -> web.Response:
    return changed(request, to, Notice(text, is_problem=True))


def _onward(request: web.Request, page: str, text: str) -> web.Response:
    """On to ``page``; a script that asked for JSON is told of it, and opens it over the present one."""
    if "application/json" in request.headers.get(hdrs.ACCEPT, ""):
        return web.json_response({"text": text, "page": page})
    return web.Response(status=303, headers={hdrs.LOCATION: page})


async def _telephone(connection: Any, user_id: int) -> str | None:
    """The viewer's telephone: what he has said, else the one that an owner has said is his, if it is one."""
    row = await _sql.telephone_of(connection, user_id=user_id)
    if row is not None and row["telephone"]:
        return str(row["telephone"])
    known = [row["endpoint"] async for row in _sql.telephones_of_person(connection, user_id=user_id)]
    return known[0] if len(known) == 1 else None


async def one_back(request: web.Request) -> web.StreamResponse:
    """One call back: how it goes on, or what became of it."""
    async with request.app[PARTS].database.companies(*request[ALLOWED]) as connection:
        row = await _one(connection, request)
    company = request[VIEWER].company(row["company_id"])
    words = words_for(request, company)
    return render(
        request,
        "call_back.html",
        company=company,
        back=row,
        source=source_of(row),
        says=back_words.ended(row, words) if row["state"] == "ended" else back_words.going_on(row, words),
        is_own=row["user_id"] == request[VIEWER].user_id,
        telephone=back_words.telephone_name(row["telephone"], words),
        can_hear=row["company_id"] in companies_with(Permission.RECORDINGS_HEAR, request[VIEWER])
        and _spoke(request, row),
        can_call_back=row["company_id"] in companies_with(Permission.CALLS_BACK, request[VIEWER]),
    )


async def _one(connection: Any, request: web.Request) -> Any:
    row = await _sql.placed_by_id(connection, id=call_id_of(request))
    if row is None or row["company_id"] not in request[ALLOWED]:
        raise NotFound()
    return row


async def hang_up(request: web.Request) -> web.StreamResponse:
    """End a call back; one's own, or of a company whose settings one may change."""
    viewer = request[VIEWER]
    await form_of(request)
    async with request.app[PARTS].database.companies(*request[ALLOWED]) as connection:
        row = await _one(connection, request)
        is_own = row["user_id"] == viewer.user_id
        if not is_own and row["company_id"] not in companies_with(Permission.SETTINGS_WRITE, viewer):
            raise NotFound()
        await _sql.hang_up(connection, company_id=row["company_id"], id=row["id"])
    return _onward(request, f"{PATH}/{row['id']}", "")


async def all_back(request: web.Request) -> web.StreamResponse:
    """Every call back of a company, the newest first; all, those that reached somebody, or those that did not."""
    company = company_of(request)
    since, until = bounds_of(request, company)
    show = request.query.get("show", "")
    if show not in ("", "reached", "not"):
        raise BadRequest(part="show")
    place = _page_of(request)
    words = words_for(request, company)
    async with request.app[PARTS].database.companies(company.id) as connection:
        found = _sql.placed_list(
            connection,
            company_id=company.id,
            since=since,
            until=until,
            reached={"": None, "reached": True, "not": False}[show],
            user_id=None,
            most=PAGE + 1,
            skip=(place - 1) * PAGE,
        )
        rows = [row async for row in found]
        shows = await _sql.shows_back(connection, company_id=company.id)
    return render(
        request,
        "calls_back.html",
        company=company,
        show=show,
        rows=rows[:PAGE],
        place=place,
        has_more=len(rows) > PAGE,
        source_of=source_of,
        in_short=lambda row: back_words.in_short(row, words),
        telephone_of=lambda row: back_words.telephone_name(row["telephone"], words),
        form=Form({"shows": shows}, words),
        can_hear=company.id in companies_with(Permission.RECORDINGS_HEAR, request[VIEWER]),
        may_write=company.id in companies_with(Permission.SETTINGS_WRITE, request[VIEWER]),
    )


async def change_shows(request: web.Request) -> web.StreamResponse:
    """Which number of the company's whoever is called back sees."""
    company = company_of(request)
    words = words_for(request, company)
    shows = (await form_of(request)).get("shows", "")
    if shows not in SHOWS:
        raise BadRequest(part="shows")
    step = None
    async with request.app[PARTS].database.companies(company.id) as connection:
        before = await _sql.shows_back(connection, company_id=company.id)
        if before != shows:
            await _sql.show_back(connection, company_id=company.id, shows=shows)
            subject, changes = f"company/{company.id}", {"back_shows": [before, shows]}
            await audit.note(
                connection,
                actor_of(request),
                company.id,
                Action.SETTING_CHANGED,
                subject,
                name=company.name,
                changes=changes,
            )
            step = await offer_undo(connection, company.id, request[VIEWER], "company.back_shows", {"shows": before})
    return changed(request, f"{PATH}?company={company.id}", Notice(words.say("Saved."), undo=step))


async def _take_back(undoing: Undoing) -> str:
    await _sql.show_back(undoing.connection, company_id=undoing.company_id, shows=str(undoing.values["shows"]))
    return f"company/{undoing.company_id}"


REVERSALS = {"company.back_shows": Reversal(Permission.SETTINGS_WRITE, _take_back)}


async def play(request: web.Request) -> web.StreamResponse:
    """The recording of a call back, whole or in parts; the hearing is in the audit log first."""
    parts = request.app[PARTS]
    async with parts.database.companies(*request[ALLOWED]) as connection:
        row = await _sql.to_hear(connection, id=call_id_of(request))
        if row is None or row["company_id"] not in request[ALLOWED] or not _spoke(request, row):
            raise NoRecording()
        try:
            file = recording_path(parts.settings.data_folder, row["file"])
        except UnsafePath:
            raise NoRecording() from None
        if not file.is_file():
            raise NoRecording()
        if request.method == hdrs.METH_GET:
            await audit.note_once(
                connection,
                actor_of(request),
                row["company_id"],
                Action.RECORDING_HEARD,
                f"call/{row['call_id']}",
                LISTENING_SESSION,
                session=request[VIEWER].session.hex()[:12],
                back=row["id"],
            )
    return web.FileResponse(file, headers={hdrs.CONTENT_TYPE: "audio/mpeg"})


def _spoke(request: web.Request, row: Any) -> bool:
    """An agent hears what he said himself; everybody else who may hear recordings, all of them."""
    limit = request[VIEWER].own_calls
    return limit is None or row["company_id"] not in limit.companies or row["user_id"] == request[VIEWER].user_id


# ------------------------------------------------------------------------------------------------------ the telephone


async def telephone_page(request: web.Request) -> web.StreamResponse:
    """Which telephone rings when the viewer calls back."""
    return await _telephone_page(request, local_path(request.query.get("next"), "/account"))


async def set_telephone(request: web.Request) -> web.StreamResponse:
    """Say which it is; empty: none."""
    viewer, words = request[VIEWER], words_for(request)
    values = await form_of(request)
    to = local_path(values.get("next"), "/account")
    form = Form(values, words)
    text = form.text("telephone", longest=60, required=False)
    companies = companies_with(Permission.CALLS_BACK, viewer)
    company = named_company(request, viewer)
    telephone: str | None = None
    if text:
        try:
            telephone = placed.telephone_of(text, company.region if company else None)
        except ValueError:
            form.refuse(
                "telephone",
                words.say("Write the name of a telephone, such as 102, or a number with + in front."),
            )
    async with request.app[PARTS].database.companies(*companies) as connection:
        if telephone is not None and not telephone.startswith("+") and not form.problems:
            known = {row["endpoint"] async for row in _sql.telephones_of(connection, companies=list(companies))}
            if telephone not in known and not companies_with(Permission.USERS_MANAGE, viewer):
                form.refuse("telephone", words.say("No telephone of your company has this name. Ask an owner for it."))
        if not form.problems:
            await _sql.set_telephone(connection, user_id=viewer.user_id, telephone=telephone)
    if form.problems:
        return await _telephone_page(request, to, form)
    if telephone is None:
        return changed(request, to, Notice(words.say("You have no telephone here any more.")))
    said = words.say("Your telephone is %(telephone)s.")
    return changed(request, to, Notice(said % {"telephone": back_words.telephone_name(telephone, words)}))


async def _telephone_page(request: web.Request, to: str, form: Form | None = None) -> web.StreamResponse:
    viewer = request[VIEWER]
    companies = companies_with(Permission.CALLS_BACK, viewer)
    async with request.app[PARTS].database.companies(*companies) as connection:
        known = [row["endpoint"] async for row in _sql.telephones_of(connection, companies=list(companies))]
        present = await _telephone(connection, viewer.user_id)
    return render(
        request,
        "telephone.html",
        company=named_company(request, viewer),
        status=422 if form is not None else 200,
        form=form or Form({"telephone": (present or "").removeprefix("PJSIP/")}, words_for(request)),
        known=[placed.named(each) for each in known],
        to=to,
    )


def _page_of(request: web.Request) -> int:
    text = request.query.get("page") or "1"
    if not text.isascii() or not text.isdigit() or not 0 < int(text[:8]) < 100_000:
        raise BadRequest(part="page")
    return int(text[:8])

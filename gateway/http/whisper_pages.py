"""Whispers: whether whoever answers hears first where a call comes from, in which language, and by which sound."""

from typing import Any
from urllib.parse import urlencode

import structlog
from aiohttp import web

from gateway.asterisk.dialstring import checked_sound
from gateway.audit import Action, note
from gateway.calls import own_sounds, whispering
from gateway.calls.own_sounds import OwnSound
from gateway.calls.speech import CannotSpeak, Speech, sounds_folder
from gateway.calls.whisper import Brought, language_of, whispers
from gateway.http.accounts import Company
from gateway.http.actor import actor_of
from gateway.http.flow_draft import OTHER_SOUND
from gateway.http.forms import Form
from gateway.http.keys import ALLOWED, PARTS, VIEWER
from gateway.http.notices import Notice, changed
from gateway.http.permissions import Permission
from gateway.http.protection import form_of
from gateway.http.refusals import NotFound
from gateway.http.rendering import render, words_for
from gateway.http.scope import company_of, id_in_path
from gateway.http.site_pages import may_write
from gateway.http.sound_pages import LANGUAGE
from gateway.http.undo import Reversal, Undoing, offer_undo
from gateway.http.words import Words

PATH = "/settings/whisper"

_log = structlog.get_logger(__name__)


async def whisper_page(request: web.Request) -> web.StreamResponse:
    """The page; ``?say=`` tries other words."""
    return await _show(request, company_of(request))


async def change(request: web.Request) -> web.StreamResponse:
    """Whether they are spoken, and in which language."""
    company = company_of(request)
    words = words_for(request, company)
    form = Form(await form_of(request), words)
    spoken, language = form.flag("spoken"), form.value("language").strip().lower() or None
    if language is not None and not LANGUAGE.fullmatch(language):
        form.refuse("language", words.say("Write a language such as en, de, pt-br or ru."))
        return await _show(request, company, form)
    step = None
    async with request.app[PARTS].database.companies(company.id) as connection:
        before = await whispering.whisper_of(connection, company.id)
        after = {"spoken": spoken, "language": language}
        if before != after:
            await whispering.set_whisper(connection, company.id, spoken, language)
            values = {"company": before}
            step = await offer_undo(connection, company.id, request[VIEWER], "whisper.changed", values)
            changes = {key: [before[key], after[key]] for key in after if before[key] != after[key]}
            subject = f"whisper/{company.id}"
            await note(connection, actor_of(request), company.id, Action.SETTING_CHANGED, subject, changes=changes)
    said = words.say("Whoever answers hears where a call comes from.") if spoken else words.say("Nothing is whispered.")
    return changed(request, _to(request, company), Notice(said, undo=step))


async def change_source(request: web.Request) -> web.StreamResponse:
    """A sound of its own for a source, or words again."""
    company = company_of(request)
    words, id = words_for(request, company), id_in_path(request)
    posted = await form_of(request)
    chosen = posted.get("sound", "").strip()
    sound = (posted.get("othersound", "").strip() if chosen == OTHER_SOUND else chosen) or None
    to = _to(request, company)
    if sound is not None:
        try:
            sound = checked_sound(sound)
        except ValueError:
            said = words.say("The name of a sound, such as custom/google-ads: letters, digits, - and /.")
            return changed(request, to, Notice(said, is_problem=True))
    step = None
    async with request.app[PARTS].database.companies(company.id) as connection:
        row = await _source(connection, company, id)
        if row["whisper"] != sound:
            await whispering.set_source_sound(connection, company.id, id, sound)
            values = {"source": id, "sound": row["whisper"]}
            step = await offer_undo(connection, company.id, request[VIEWER], "whisper.changed", values)
            changes = {"whisper": [row["whisper"], sound]}
            subject, name = f"whisper/{id}", row["name"]
            await note(
                connection, actor_of(request), company.id, Action.SETTING_CHANGED, subject, name=name, changes=changes
            )
    said = words.say("%(name)s has a sound of its own.") if sound else words.say("%(name)s is spoken in words.")
    return changed(request, to, Notice(said % {"name": row["name"]}, undo=step))


async def listen(request: web.Request) -> web.StreamResponse:
    """What is whispered for a source; with ``?keyword=`` for a visit that searched for it."""
    company = company_of(request)
    keyword = request.query.get("keyword", "")[:80]
    settings = request.app[PARTS].settings
    async with request.app[PARTS].database.companies(company.id) as connection:
        row = await _source(connection, company, id_in_path(request))
        setting = await whispering.whisper_of(connection, company.id)
        sounds = {each.path: each for each in await own_sounds.sounds(connection, company.id, sounds_folder(settings))}
        own = sounds.get(row["whisper"] or "")
        if own is not None and not keyword:
            samples = await own_sounds.samples_of(connection, company.id, own.id)
            return web.Response(body=own_sounds.as_wav(samples or b""), content_type="audio/wav")
    language = setting["language"] or language_of(company.region)
    spoken = whispers(Brought(row["name"], keyword), language)
    try:
        if not spoken:
            raise NotFound()
        speech = Speech(sounds_folder(settings), settings.speech)
        return web.Response(body=own_sounds.as_wav(await speech.spoken(spoken[0])), content_type="audio/wav")
    except CannotSpeak as error:
        _log.warning("a whisper could not be spoken", fault=str(error))
        raise NotFound() from None


async def take_back(undoing: Undoing) -> str:
    """Whispers are as they were."""
    values = undoing.values
    if "company" in values:
        before = values["company"]
        await whispering.set_whisper(undoing.connection, undoing.company_id, before["spoken"], before["language"])
        return f"whisper/{undoing.company_id}"
    await whispering.set_source_sound(undoing.connection, undoing.company_id, int(values["source"]), values["sound"])
    return f"whisper/{values['source']}"


REVERSALS = {"whisper.changed": Reversal(Permission.SETTINGS_WRITE, take_back)}


async def _show(request: web.Request, company: Company, form: Form | None = None) -> web.StreamResponse:
    words, settings = words_for(request, company), request.app[PARTS].settings
    async with request.app[PARTS].database.companies(company.id) as connection:
        setting = await whispering.whisper_of(connection, company.id)
        sources = await whispering.sources_of(connection, company.id)
        sounds = await own_sounds.sounds(connection, company.id, sounds_folder(settings))
    language = setting["language"] or language_of(company.region)
    keyword = " ".join(request.query.get("say", "").split())[:60]
    return render(
        request,
        "whisper.html",
        company=company,
        status=422 if form is not None else 200,
        setting=setting,
        sources=[(row, _said(row, keyword, language), _sound_name(row, sounds, words)) for row in sources],
        sound_choices=[(each.path, each.name) for each in sounds],
        other_sound=OTHER_SOUND,
        own_sounds={each.path for each in sounds},
        keyword=keyword,
        language=language,
        form=form or Form({"spoken": "yes" if setting["spoken"] else "", "language": setting["language"]}, words),
        may_write=may_write(request, company),
    )


def _said(row: Any, keyword: str, language: str) -> str:
    spoken = whispers(Brought(row["name"], keyword), language)
    return spoken[0].text if spoken else ""


def _sound_name(row: Any, sounds: list[OwnSound], words: Words) -> str:
    """What the source's own sound is called; empty where it is spoken."""
    if row["whisper"] is None:
        return ""
    return next((each.name for each in sounds if each.path == row["whisper"]), row["whisper"])


async def _source(connection: Any, company: Company, id: int) -> Any:
    for row in await whispering.sources_of(connection, company.id):
        if row["id"] == id:
            return row
    raise NotFound()


def _to(request: web.Request, company: Company) -> str:
    return f"{PATH}?{urlencode({'company': company.id})}" if len(request[ALLOWED]) > 1 else PATH

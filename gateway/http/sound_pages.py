"""Sounds of a company's own: uploaded or spoken, listened to, and where each is played."""

import asyncio
import re
from typing import Any
from urllib.parse import urlencode

import structlog
from aiohttp import web

from gateway.audit import Action, note
from gateway.calls import own_sounds
from gateway.calls.own_sounds import LONGEST_TEXT, NothingToHear, SoundRefused, TooLong, UnknownSound
from gateway.calls.speech import CannotSpeak, Speech, Words, sounds_folder
from gateway.calls.whisper import language_of
from gateway.http.accounts import Company
from gateway.http.actor import actor_of
from gateway.http.forms import Form
from gateway.http.keys import ALLOWED, PARTS, VIEWER
from gateway.http.notices import Notice, changed
from gateway.http.permissions import Permission
from gateway.http.pool_pages import of_setup
from gateway.http.posted_file import posted_with_file
from gateway.http.protection import form_of
from gateway.http.refusals import NotFound
from gateway.http.rendering import render, words_for
from gateway.http.scope import company_of, id_in_path
from gateway.http.site_pages import may_write
from gateway.http.undo import NoWayBack, Reversal, Undoing, offer_undo


def N_(text: str) -> str:
    """Marks a text for the catalogues; it is translated where it is shown."""
    return text


PATH = "/settings/sounds"
LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{1,8}){0,3}")
LONGEST_NAME = 80

# Why a file is no sound, for the catalogues.
_REFUSALS: dict[type[SoundRefused], str] = {
    UnknownSound: N_("This is no sound file; choose a WAV, MP3, Ogg, FLAC, M4A or AIFF."),
    NothingToHear: N_("There is nothing to hear in this file; record it again, nearer to the microphone."),
    TooLong: N_("It is longer than three minutes; nobody listens so long. Cut it."),
}

_log = structlog.get_logger(__name__)


async def all_sounds(request: web.Request) -> web.StreamResponse:
    """The sounds, and the forms for another."""
    return await _show(request, company_of(request))


async def add(request: web.Request) -> web.StreamResponse:
    """Keep what was uploaded, or speak what was typed."""
    company = company_of(request)
    words = words_for(request, company)
    posted, content = await posted_with_file(request, own_sounds.LARGEST_BYTES)
    form = Form(posted, words)
    is_spoken = form.value("how") == "speak"
    name = " ".join(form.text("name", longest=LONGEST_NAME).split())
    text, language = "", ""
    samples: bytes | None = None
    if is_spoken:
        text = " ".join(form.text("text", longest=LONGEST_TEXT, lines=True).split())
        language = form.value("language").strip().lower() or language_of(company.region)
        if not LANGUAGE.fullmatch(language):
            form.refuse("language", words.say("Write a language such as en, de, pt-br or ru."))
    elif content is None:
        form.refuse("file", words.say("Choose a file."))
    elif len(content) > own_sounds.LARGEST_BYTES:
        form.refuse("file", words.say("The file is larger than 12 MB; cut it, or save it as MP3."))
    if not form.problems:
        try:
            if is_spoken:
                settings = request.app[PARTS].settings
                speech = Speech(sounds_folder(settings), settings.speech)
                samples = await speech.spoken(Words(text, language, LONGEST_TEXT))
            else:
                samples = await asyncio.to_thread(own_sounds.from_file, content or b"")
        except CannotSpeak as error:
            _log.warning("a sound could not be spoken", fault=str(error))
            form.refuse("text", words.say("It could not be spoken: the server has no engine for it. Upload a file."))
        except SoundRefused as error:
            form.refuse("file", words.say(_REFUSALS.get(type(error), str(error))))
    step = None
    if samples is not None and not form.problems:
        async with request.app[PARTS].database.companies(company.id) as connection:
            id = await own_sounds.add_sound(connection, company.id, name, samples, text=text, language=language)
            if id is None:
                form.refuse("name", words.say("Another one has this name already."))
            else:
                step = await offer_undo(connection, company.id, request[VIEWER], "sound.added", {"id": id})
                subject = f"sound/{id}"
                await note(connection, actor_of(request), company.id, Action.SETTING_ADDED, subject, name=name)
    if form.problems:
        return await _show(request, company, form)
    await _put_in_place(request)
    said = words.say("%(name)s is there; routings can play it.") % {"name": name}
    return changed(request, to_sounds(request, company), Notice(said, undo=step))


async def listen(request: web.Request) -> web.StreamResponse:
    """A sound for the browser."""
    company = company_of(request)
    async with request.app[PARTS].database.companies(company.id) as connection:
        samples = await own_sounds.samples_of(connection, company.id, id_in_path(request))
    if samples is None:
        raise NotFound()
    return web.Response(body=own_sounds.as_wav(samples), content_type="audio/wav")


async def remove(request: web.Request) -> web.StreamResponse:
    """Take a sound away that nothing plays."""
    company = company_of(request)
    words, id = words_for(request, company), id_in_path(request)
    await form_of(request)
    async with request.app[PARTS].database.companies(company.id) as connection:
        found = next((each for each in await _sounds(request, connection, company) if each.id == id), None)
        if found is None:
            raise NotFound()
        used = (await own_sounds.uses(connection, of_setup(company))).get(found.path)
        step = None
        if not used:
            await own_sounds.remove_sound(connection, company.id, id)
            step = await offer_undo(connection, company.id, request[VIEWER], "sound.removed", {"id": id})
            subject = f"sound/{id}"
            await note(connection, actor_of(request), company.id, Action.SETTING_REMOVED, subject, name=found.name)
    if used:
        said = words.say("%(name)s is still played; take it out there first.") % {"name": found.name}
        return changed(request, to_sounds(request, company), Notice(said, is_problem=True))
    said = words.say("%(name)s is removed.") % {"name": found.name}
    return changed(request, to_sounds(request, company), Notice(said, undo=step))


async def take_back_removal(undoing: Undoing) -> str:
    """It is there again."""
    if not await own_sounds.restore_sound(undoing.connection, undoing.company_id, int(undoing.values["id"])):
        raise NoWayBack
    return f"sound/{undoing.values['id']}"


async def take_back_addition(undoing: Undoing) -> str:
    """It is gone, unless something plays it."""
    connection, company_id, id = undoing.connection, undoing.company_id, int(undoing.values["id"])
    if await own_sounds.is_used(connection, company_id, id):
        raise NoWayBack
    await own_sounds.remove_sound(connection, company_id, id)
    return f"sound/{id}"


REVERSALS = {
    "sound.removed": Reversal(Permission.SETTINGS_WRITE, take_back_removal),
    "sound.added": Reversal(Permission.SETTINGS_WRITE, take_back_addition),
}


def to_sounds(request: web.Request, company: Company) -> str:
    """The address of the list."""
    return f"{PATH}?{urlencode({'company': company.id})}" if len(request[ALLOWED]) > 1 else PATH


async def _show(request: web.Request, company: Company, form: Form | None = None) -> web.StreamResponse:
    words = words_for(request, company)
    async with request.app[PARTS].database.companies(company.id) as connection:
        sounds = await _sounds(request, connection, company)
        uses = await own_sounds.uses(connection, of_setup(company))
    return render(
        request,
        "sounds.html",
        company=company,
        status=422 if form is not None else 200,
        sounds=sounds,
        uses=uses,
        longest=own_sounds.LONGEST_SECONDS,
        longest_text=LONGEST_TEXT,
        form=form or Form({"how": "upload", "language": language_of(company.region)}, words),
        may_write=may_write(request, company),
    )


async def _sounds(request: web.Request, connection: Any, company: Company) -> list[own_sounds.OwnSound]:
    return await own_sounds.sounds(connection, company.id, sounds_folder(request.app[PARTS].settings))


async def _put_in_place(request: web.Request) -> None:
    """Write the file at once, for the call that comes now; where that fails, the gateway says so and tries again."""
    parts = request.app[PARTS]
    try:
        await own_sounds.put_in_place(parts.database, sounds_folder(parts.settings))
    except OSError as error:
        _log.warning("a sound could not be put in place at once", fault=str(error))

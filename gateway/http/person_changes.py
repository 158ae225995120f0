"""Correcting people: joined, split, named, a number that many use. Every change can be undone."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from aiohttp import web

from gateway import audit
from gateway.audit import Action
from gateway.http import people_list, person_story
from gateway.http.accounts import Company
from gateway.http.actor import actor_of
from gateway.http.forms import Form
from gateway.http.keys import ALLOWED, PARTS, VIEWER
from gateway.http.notices import Notice, changed
from gateway.http.people_list import PeopleView, PersonDetails
from gateway.http.people_pages import person_of, person_page
from gateway.http.permissions import Permission
from gateway.http.protection import form_of
from gateway.http.refusals import BadRequest, NotFound
from gateway.http.rendering import render, words_for
from gateway.http.undo import Reversal, Undoing, offer_undo
from gateway.http.words import Words
from gateway.leads import people
from gateway.leads.belonging import Key
from gateway.leads.naming import LONGEST_NAME
from gateway.store.database import Connection

MOST_TO_JOIN = 12


@dataclass(frozen=True, slots=True)
class Changing:
    """A person who is being changed."""

    request: web.Request
    connection: Connection
    company: Company
    person: PersonDetails
    words: Words

    async def done(self, sentence: str, what: str, kind: str, back: dict[str, Any], to: int) -> web.StreamResponse:
        """Write down what was done and offer to take it back; on to the person ``to``."""
        await audit.note(
            self.connection, actor_of(self.request), self.company.id, Action.PERSON_CHANGED, f"person/{to}", what=what
        )
        step = await offer_undo(self.connection, self.company.id, self.request[VIEWER], kind, back)
        return self.on(Notice(sentence, undo=step), to)

    def on(self, notice: Notice, to: int | None = None) -> web.StreamResponse:
        """On to a person's page."""
        return changed(self.request, f"/people/{to or self.person.id}", notice)


async def join_page(request: web.Request) -> web.StreamResponse:
    """Who else may be the same person."""
    async with request.app[PARTS].database.companies(*request[ALLOWED]) as connection:
        person, company = await person_of(connection, request)
        asked = "q" in request.query
        view = PeopleView.parse({"q": request.query.get("q", "") if asked else person.name}, None)
        found = await people_list.page_of_people(connection, company, view, MOST_TO_JOIN, but=person.id)
        shown = found.people if view.q else ()
    return render(request, "person_join.html", company=company, person=person, q=view.q, asked=asked, people=shown)


async def join(request: web.Request) -> web.StreamResponse:
    """Both are one."""
    posted = await form_of(request)
    other = _whole(posted.get("other", ""))
    async with request.app[PARTS].database.companies(*request[ALLOWED]) as connection:
        changing = await _changing(connection, request)
        second = await people_list.person_by_id(connection, other)
        if second is None or second.company_id != changing.company.id:
            raise NotFound()
        back = await people.join(connection, changing.company.id, changing.person.id, other)
        if back is None:
            raise NotFound()
        return await changing.done(
            changing.words.say("Joined: both are one person now."), "joined", "person.joined", back, changing.person.id
        )


async def split_page(request: web.Request) -> web.StreamResponse:
    """What of this person is somebody else's."""
    async with request.app[PARTS].database.companies(*request[ALLOWED]) as connection:
        return await _split_page(await _changing(connection, request))


async def split(request: web.Request) -> web.StreamResponse:
    """Make another person of what is ticked."""
    posted = await form_of(request)
    async with request.app[PARTS].database.companies(*request[ALLOWED]) as connection:
        changing = await _changing(connection, request)
        keys = await people.keys_of(connection, changing.company.id, changing.person.id)
        made = await people.split(
            connection,
            changing.company.id,
            changing.person.id,
            {Key(key.kind, key.value) for key in keys if posted.get(key.name)},
            {_whole(name[5:]) for name in posted if name.startswith("call:")},
            {_uuid(name[7:]) for name in posted if name.startswith("letter:")},
        )
        if made is None:
            say = changing.words.say
            return await _split_page(
                changing, say("Tick what is somebody else’s, and leave something for this person.")
            )
        sentence = changing.words.say("Split into two, who are never joined again by themselves.")
        return await changing.done(sentence, "split", "person.split", made.back, changing.person.id)


async def set_name(request: web.Request) -> web.StreamResponse:
    """Name a person."""
    posted = await form_of(request)
    async with request.app[PARTS].database.companies(*request[ALLOWED]) as connection:
        changing = await _changing(connection, request)
        form = Form({"note": changing.person.note, **posted}, changing.words)
        name = form.text("name", longest=LONGEST_NAME, required=False)
        if form.problems:
            return await person_page(request, connection, changing.company, changing.person, form)
        back = await people.rename(connection, changing.company.id, changing.person.id, name)
        sentence = changing.words.say("The name is saved.") if name else changing.words.say("The name is removed.")
        return await changing.done(sentence, "corrected", "person.named", back or {}, changing.person.id)


async def set_note(request: web.Request) -> web.StreamResponse:
    """What is worth remembering of a person."""
    posted = await form_of(request)
    async with request.app[PARTS].database.companies(*request[ALLOWED]) as connection:
        changing = await _changing(connection, request)
        person = changing.person
        form = Form({"name": person.name if person.name_from == people.BY_HAND else "", **posted}, changing.words)
        note = form.text("note", longest=people.LONGEST_NOTE, required=False, lines=True)
        if form.problems:
            return await person_page(request, connection, changing.company, person, form)
        before = await people.write_note(connection, changing.company.id, person.id, note)
        sentence = changing.words.say("The note is saved.") if note else changing.words.say("The note is removed.")
        return await changing.done(sentence, "note", "person.note", {"person": person.id, "note": before}, person.id)


async def share(request: web.Request) -> web.StreamResponse:
    """Many use this number, address or browser, such as a switchboard; or one person does after all."""
    posted = await form_of(request)
    async with request.app[PARTS].database.companies(*request[ALLOWED]) as connection:
        changing = await _changing(connection, request)
        company, person = changing.company, changing.person
        keys = await people.keys_of(connection, company.id, person.id)
        chosen = next((key for key in keys if key.name == posted.get("key")), None)
        if chosen is None:
            raise NotFound()
        key, say = Key(chosen.kind, chosen.value), changing.words.say
        if chosen.is_shared:
            await people.unshare(connection, company.id, key)
            sentence = say("One person uses it: what comes from it is this person’s.")
            back = {"person": person.id, "key": people.told(key)}
            return await changing.done(sentence, "unshared", "person.unshared", back, person.id)
        made = await people.share(connection, company.id, person.id, key)
        if made is None:
            raise NotFound()
        sentence = say("Many use it: it no longer joins people. What has no other sign stays together.")
        return await changing.done(sentence, "shared", "person.shared", made.back, person.id)


async def _changing(connection: Connection, request: web.Request) -> Changing:
    person, company = await person_of(connection, request)
    return Changing(request, connection, company, person, words_for(request, company))


async def _split_page(changing: Changing, problem: str = "") -> web.StreamResponse:
    connection, company, person = changing.connection, changing.company, changing.person
    keys = await people.keys_of(connection, company.id, person.id)
    story = await person_story.story_of(connection, company.id, person.id, None, changing.words, visits=False)
    return render(
        changing.request,
        "person_split.html",
        company=company,
        status=422 if problem else 200,
        person=person,
        keys=keys,
        events=[event for day in story.days for event in day.events if event.kind != "job"],
        problem=problem,
    )


def _whole(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text[:20]) >= 2**63:
        raise BadRequest(part="other")
    return int(text[:20])


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise BadRequest(part="letter") from None


async def _unjoin(undoing: Undoing) -> str:
    await people.unjoin(undoing.connection, undoing.company_id, undoing.values)
    return f"person/{undoing.values['person']}"


async def _unsplit(undoing: Undoing) -> str:
    await people.unsplit(undoing.connection, undoing.company_id, undoing.values)
    return f"person/{undoing.values['person']}"


async def _name_back(undoing: Undoing) -> str:
    await people.name_back(undoing.connection, undoing.company_id, undoing.values)
    return f"person/{undoing.values['person']}"


async def _note_back(undoing: Undoing) -> str:
    values = undoing.values
    await people.write_note(undoing.connection, undoing.company_id, values["person"], values["note"] or "")
    return f"person/{values['person']}"


async def _not_shared(undoing: Undoing) -> str:
    await people.take_back_sharing(undoing.connection, undoing.company_id, undoing.values)
    return f"person/{undoing.values['person']}"


async def _shared_again(undoing: Undoing) -> str:
    connection, company_id, person = undoing.connection, undoing.company_id, undoing.values["person"]
    for key in await people.keys_of(connection, company_id, person):
        if people.told(key) == undoing.values["key"]:
            await people.share(connection, company_id, person, Key(key.kind, key.value))
    return f"person/{person}"


REVERSALS = {
    "person.joined": Reversal(Permission.PEOPLE_CHANGE, _unjoin),
    "person.split": Reversal(Permission.PEOPLE_CHANGE, _unsplit),
    "person.named": Reversal(Permission.PEOPLE_CHANGE, _name_back),
    "person.note": Reversal(Permission.PEOPLE_CHANGE, _note_back),
    "person.shared": Reversal(Permission.PEOPLE_CHANGE, _not_shared),
    "person.unshared": Reversal(Permission.PEOPLE_CHANGE, _shared_again),
}

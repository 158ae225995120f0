"""What the letters say: invitations, new passwords, notices about one's account.

Each is a few paragraphs and at most one link, in the language of who gets it; as text and as HTML.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from gateway.delivery.letters import Letter, Writer, Written
from gateway.delivery.mail import Mail
from gateway.http import accounts, invitations, links
from gateway.http.audit_words import ROLES
from gateway.http.browsers import browser_of
from gateway.http.language import SOURCE, Language
from gateway.http.mail_sheet import one_line
from gateway.http.rendering import Templates
from gateway.http.report_letters import mail_words
from gateway.http.words import UTC, Words
from gateway.reports import mail_figures, mail_subscriptions
from gateway.reports.mail_subscriptions import Purpose
from gateway.store.database import Database
from gateway.store.queries import load_queries

_queries = load_queries(accounts.FOLDER, "accounts.sql")
_message_queries = load_queries(accounts.FOLDER, "messages.sql")
# A text of ten segments as a whole; what is longer is read on the page.
_LONGEST_TOLD = 2000


@dataclass(frozen=True, slots=True)
class Sheet:
    """A letter before it is a mail; ``link`` is what the button says, and where it leads."""

    subject: str
    paragraphs: tuple[str, ...]
    link: tuple[str, str] | None = None
    after: tuple[str, ...] = ()


def writers(database: Database, templates: Templates, base_url: str) -> Mapping[Letter, Writer]:
    """How each letter is written. Its links lead to ``base_url``, which comes from the settings and nowhere else."""
    desk = _Desk(database, templates, base_url.rstrip("/"))
    return {
        Letter.INVITATION: desk.invitation,
        Letter.RESET: desk.reset,
        Letter.NEW_DEVICE: desk.new_device,
        Letter.PASSWORD_CHANGED: desk.password_changed,
        Letter.SECOND_STEP_CHANGED: desk.second_step_changed,
        Letter.SUBSCRIPTION: desk.subscription,
        Letter.MESSAGE: desk.message,
        Letter.TEXT: desk.text,
        Letter.LIMIT: desk.limit,
    }


class _Desk:
    def __init__(self, database: Database, templates: Templates, base_url: str) -> None:
        self._database = database
        self._templates = templates
        self._base_url = base_url

    async def invitation(self, about: Mapping[str, Any]) -> Written | None:
        id = int(about["invitation"])
        async with self._database.everything() as connection:
            invitation = await invitations.by_id(connection, id)
            if invitation is None:
                return None  # withdrawn, accepted, or too old
            token = await invitations.make_link(connection, id)
        words = self._words(invitation.language)
        say = words.say
        places = [
            say("%(company)s, as %(role)s") % {"company": place.company, "role": say(ROLES[place.role.value])}
            for place in invitation.places
        ]
        companies = ", ".join(place.company for place in invitation.places)
        sheet = Sheet(
            say("You are invited to the calls of %(companies)s") % {"companies": companies},
            (
                say("%(who)s invites you to Numberpool, which shows what made the telephone ring:")
                % {"who": invitation.invited_by or say("Somebody")},
                *places,
            ),
            (say("Accept the invitation"), f"{self._base_url}/invitation/{token}"),
            (say("The link works once, for seven days."), say("You expected nothing of the kind? Then do nothing.")),
        )

        async def sent() -> None:
            async with self._database.everything() as connection:
                await invitations.was_sent(connection, id)

        return Written(self._mail(invitation.email, sheet, words), sent)

    async def reset(self, about: Mapping[str, Any]) -> Written | None:
        email = str(about["email"])
        async with self._database.everything() as connection:
            token = await links.link_token(connection, email, links.Purpose.RESET)
        if token is None:
            return None  # whoever asked was told nothing else
        words = self._words(str(about.get("language", SOURCE)))
        say = words.say
        sheet = Sheet(
            say("A new password for Numberpool"),
            (say("Somebody, we hope you, asked for a new password for this address."),),
            (say("Choose a new password"), f"{self._base_url}/sign-in/reset/{token}"),
            (
                say("The link works once, for an hour."),
                say("It was not you? Then do nothing: your password stays as it is."),
            ),
        )
        return Written(self._mail(email, sheet, words))

    async def new_device(self, about: Mapping[str, Any]) -> Written | None:
        user = await self._user(about)
        if user is None:
            return None
        words = self._words(user["language"])
        say = words.say
        browser = browser_of(str(about.get("user_agent", "")), words)
        return Written(
            self._mail(
                user["email"],
                Sheet(
                    say("A new browser signed in as you"),
                    (
                        say("Somebody signed in to Numberpool with your password, in a browser that is new to us:"),
                        say("%(browser)s, from %(address)s") % {"browser": browser, "address": about.get("address")},
                        say("If that was you, all is well."),
                    ),
                    (say("Where you are signed in"), f"{self._base_url}/account"),
                    (say("It was not you? Sign that browser out there, and set a new password."),),
                ),
                words,
            )
        )

    async def password_changed(self, about: Mapping[str, Any]) -> Written | None:
        user = await self._user(about)
        if user is None:
            return None
        words = self._words(user["language"])
        say = words.say
        return Written(
            self._mail(
                user["email"],
                Sheet(
                    say("Your password was changed"),
                    (
                        say("Your password for Numberpool was changed, from %(address)s.")
                        % {"address": about.get("address")},
                        say("If that was you, all is well."),
                    ),
                    (say("Choose a new password"), f"{self._base_url}/sign-in/forgotten"),
                    (say("It was not you? Then choose a new one at once, and tell an owner of your company."),),
                ),
                words,
            )
        )

    async def second_step_changed(self, about: Mapping[str, Any]) -> Written | None:
        user = await self._user(about)
        if user is None:
            return None
        words = self._words(user["language"])
        say = words.say
        if about.get("on"):
            subject = say("The second step of signing in is on")
            said = say("From now on, signing in to Numberpool also asks for a code of your telephone.")
        else:
            subject = say("The second step of signing in is off")
            said = say("From now on, your password alone signs you in to Numberpool.")
        sheet = Sheet(
            subject,
            (said, say("If that was you, all is well.")),
            (say("Your account"), f"{self._base_url}/account"),
            (say("It was not you? Then choose a new password at once, and tell an owner of your company."),),
        )
        return Written(self._mail(user["email"], sheet, words))

    async def subscription(self, about: Mapping[str, Any]) -> Written | None:
        async with self._database.everything() as connection:
            found = await mail_subscriptions.subscription(connection, int(about["subscription"]))
            firm = None if found is None else await mail_figures.firm_of(connection, found.company_id)
        if found is None or firm is None or found.removed_at is not None or found.confirmed_at is not None:
            return None
        words = self._words(found.wish.language)
        say = words.say
        named = {"what": mail_words(words, found.wish.kind), "company": one_line(firm.name)}
        sheet = Sheet(
            say("Do you want %(what)s of %(company)s?") % named,
            (
                say("%(who)s would like to send you %(what)s of %(company)s by mail.")
                % {"who": one_line(str(about.get("asked_by", ""))) or say("Somebody"), **named},
                say("Nothing is sent before you say yes."),
            ),
            (say("Yes, send it to me"), f"{self._base_url}/mail/confirm/{found.token(Purpose.CONFIRM)}"),
            (say("You do not want it, or know nothing of it? Then do nothing."),),
        )
        return Written(self._mail(found.address, sheet, words))

    async def message(self, about: Mapping[str, Any]) -> Written | None:
        """Of an earlier Numberpool, which wrote to one address: whoever wants to know subscribes (report_letters)."""
        return None

    async def text(self, about: Mapping[str, Any]) -> Written | None:
        """A text that somebody wrote to one of our numbers, and the conversation in which it can be answered."""
        company_id, text_id, to = int(about["company"]), int(about["text"]), str(about["to"])
        async with self._database.companies(company_id) as connection:
            text = await _message_queries.text_received(connection, company_id=company_id, text_id=text_id, to=to)
        if text is None:
            return None  # deleted meanwhile, or this reader wants no more of them
        words = self._words(text["language"], text["region"], ZoneInfo(text["time_zone"]))
        say = words.say
        other = words.phone(text["other"])
        named = {"who": one_line(text["person"] or "") or other, "company": one_line(text["company"])}
        pictures = len(json.loads(text["media"]))
        sheet = Sheet(
            say("A text from %(who)s to %(company)s") % named,
            (
                say("%(number)s wrote to %(did)s on %(when)s:")
                % {"number": other, "did": words.phone(text["number"]), "when": words.full_time(text["at"])},
                text["body"][:_LONGEST_TOLD] or say("(no words)"),
                *(
                    (words.ngettext("With %(num)s picture or file.", "With %(num)s pictures or files.", pictures),)
                    if pictures
                    else ()
                ),
            ),
            (say("Read and answer"), f"{self._base_url}/conversations/{text['conversation_id']}"),
        )
        return Written(self._mail(to, sheet, words))

    async def limit(self, about: Mapping[str, Any]) -> Written | None:
        """Calls were turned away, because more came at once than the company takes."""
        user, company_id = await self._user(about), int(about["company"])
        async with self._database.companies(company_id) as connection:
            company = await _message_queries.company_told(connection, company_id=company_id)
        if user is None or company is None:
            return None
        words = self._words(user["language"], company["region"], ZoneInfo(company["time_zone"]))
        say = words.say
        count = words.ngettext(
            "%(num)s call to %(company)s came when there was no line left, and heard that all lines are busy.",
            "%(num)s calls to %(company)s came when there was no line left, and heard that all lines are busy.",
            int(about["calls"]),
            company=one_line(company["name"]),
        )
        sheet = Sheet(
            say("Calls to %(company)s were turned away") % {"company": one_line(company["name"])},
            (count, say("Is it a flood of calls, or do you need more lines? Raise the limit if these were customers.")),
            (say("Look at the limits"), f"{self._base_url}/settings/calls?company={company_id}"),
            (say("You are told once an hour at most."),),
        )
        return Written(self._mail(user["email"], sheet, words))

    async def _user(self, about: Mapping[str, Any]) -> Any:
        async with self._database.everything() as connection:
            return await _queries.user_by_id(connection, user_id=int(about["user"]))

    def _words(self, tag: str | None, region: str = "US", zone: ZoneInfo = UTC) -> Words:
        languages: Mapping[str, Language] = self._templates.languages
        return Words(languages.get(tag or SOURCE, languages[SOURCE]), region, zone)

    def _mail(self, to: str, sheet: Sheet, words: Words) -> Mail:
        parts = [*sheet.paragraphs, *([f"{sheet.link[0]}:\n{sheet.link[1]}"] if sheet.link else []), *sheet.after]
        # A company's or a person's name is one line in a subject, whatever was typed.
        subject = " ".join(sheet.subject.split())
        html = self._templates.render("letter.html", words.language, {"sheet": sheet, "words": words})
        return Mail(to, subject, "\n\n".join(parts) + "\n\n-- \nNumberpool\n", html)

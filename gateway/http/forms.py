"""Posted forms: each field is read once, and what is wrong with it is said beside it, in the reader's language.

    form = Form(await form_of(request), words)
    name = form.text("name", longest=80)
    role = form.choice("role", list(Role))
    if form.problems:
        return render(request, "settings/users.html", status=422, form=form, ...)

The template writes the fields with the macros of forms.html, which show values and problems of ``form``.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, TypeVar

import phonenumbers
from babel.numbers import NumberFormatError, parse_decimal

from gateway.http.words import Words

Member = TypeVar("Member", bound=StrEnum)


class Form:
    """The values of a form, as they were typed, and the problems found so far, by field."""

    def __init__(self, values: Mapping[str, Any] | None, words: Words) -> None:
        self.values = {name: "" if value is None else str(value) for name, value in (values or {}).items()}
        self.problems: dict[str, str] = {}
        self._words = words

    def value(self, name: str) -> str:
        """What stands in a field."""
        return self.values.get(name, "")

    def refuse(self, name: str, why: str) -> None:
        """Say what is wrong with a field; the first thing said stays."""
        self.problems.setdefault(name, why)

    @property
    def first_problem(self) -> str | None:
        """The field where the reader is taken."""
        return next(iter(self.problems), None)

    def text(self, name: str, *, longest: int = 200, required: bool = True, lines: bool = False) -> str:
        """Text without white space around it, and on one line unless ``lines``."""
        text = self.value(name).strip().replace("\r\n", "\n")
        plain = text.replace("\n", "").replace("\t", "") if lines else text
        if required and not text:
            self.refuse(name, self._words.say("Write something here."))
        elif len(text) > longest:
            self.refuse(
                name, self._words.say("At most %(count)s characters, please.") % {"count": self._words.number(longest)}
            )
        elif not plain.isprintable():
            self.refuse(name, self._words.say("There is a character here that cannot be shown."))
        return text

    def choice(self, name: str, among: Iterable[Member], otherwise: Member | None = None) -> Member | None:
        """One of a few; ``otherwise`` where nothing was chosen."""
        text = self.value(name)
        if not text and otherwise is not None:
            return otherwise
        found = next((member for member in among if member.value == text), None)
        if found is None:
            self.refuse(name, self._words.say("Choose one of these."))
        return found

    def whole(self, name: str, *, least: int = 0, most: int = 2**31 - 1, required: bool = True) -> int | None:
        """A whole number between two others, both included."""
        number = self.decimal(name, least=Decimal(least), most=Decimal(most), required=required)
        if number is not None and number != number.to_integral_value():
            self.refuse(name, self._words.say("A whole number, please."))
            return None
        return None if number is None else int(number)

    def decimal(
        self,
        name: str,
        *,
        least: Decimal = Decimal(0),
        most: Decimal = Decimal(10**9),
        required: bool = True,
        places: int = 2,
    ) -> Decimal | None:
        """A number as the reader's country writes it (1,200.50 or 1 200,50), such as an amount of money."""
        text = self.value(name).strip()
        if not text:
            if required:
                self.refuse(name, self._words.say("Write a number here."))
            return None
        number = self._number(text)
        if number is None or not number.is_finite():
            self.refuse(name, self._words.say("This is not a number."))
            return None
        if not least <= number <= most:
            self.refuse(
                name,
                self._words.say("Between %(least)s and %(most)s, please.")
                % {"least": self._words.number(float(least)), "most": self._words.number(float(most))},
            )
            return None
        return round(number, places)

    def phone(self, name: str, *, required: bool = True) -> str | None:
        """A telephone number in any way of writing it, as E.164."""
        text = self.value(name).strip()
        if not text:
            if required:
                self.refuse(name, self._words.say("Write a telephone number here."))
            return None
        try:
            parsed = phonenumbers.parse(text[:60], self._words.region)
        except phonenumbers.NumberParseException:
            parsed = None
        if parsed is None or not phonenumbers.is_possible_number(parsed):
            self.refuse(name, self._words.say("This is not a telephone number; write it with its area code."))
            return None
        return str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164))

    def flag(self, name: str) -> bool:
        """A box that is ticked."""
        return self.value(name) not in ("", "0", "no")

    def _number(self, text: str) -> Decimal | None:
        tidy = text.replace("\u00a0", " ").replace("\u202f", " ").replace(" ", "")[:40]
        try:
            return Decimal(tidy)
        except InvalidOperation:
            pass
        for locale in (self._words.locale, "en_US"):
            try:
                return Decimal(parse_decimal(text.strip()[:40], locale=locale))
            except (NumberFormatError, InvalidOperation):
                continue
        return None

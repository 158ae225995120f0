"""How a person who sent a form can be reached: telephone number and e-mail address, found among what was typed. No I/O.

A form names its fields as it likes, so the name goes first and what the value looks like second.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import phonenumbers
from phonenumbers import Leniency, PhoneNumberFormat, PhoneNumberMatcher

from gateway.pools.numbers import NumberError, to_e164

Value = str | int | float | bool


def _listed(words: str) -> frozenset[str]:
    return frozenset(words.split())


# Words in names of fields, in the languages of the countries that Numberpool is used in.
_PHONE_WORDS = _listed("""
    phone phones phonenumber telephone telephon telefon telefone telefono teléfono téléphone telefonnummer
    telefoonnummer telnr tel mobile mobil mobiel mobilenumber móvil movil cell cellphone cellular celular handy
    handynummer rufnummer gsm whatsapp viber msisdn callback телефон тел моб мобильный сотовый телефона номертелефона
""")
_EMAIL_WORDS = _listed("email emailaddress mail courriel correo epost почта емейл имейл")
# A telephone, and yet not the person's.
_NO_PHONE_WORDS = _listed("fax telefax факс code код extension ext")
# Digits that are none.
_OTHER_WORDS = _NO_PHONE_WORDS | _listed("""
    zip zipcode postal postcode plz order invoice vat tax id date day year birthday amount price budget total quantity
    card account iban bic coupon inn kpp ogrn ssn sin license vin ref reference индекс инн
""")
_WORD = re.compile(r"[^\W\d_]+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
# What people type as an address: RFC 5322 allows more, mail providers give out less.
_EMAIL = re.compile(
    r"(?<![\w.+-])[\w!#$%&'*+/=?^`{|}~-]{1,40}(?:\.[\w!#$%&'*+/=?^`{|}~-]{1,40}){0,6}"
    r"@(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,6}[^\W\d_]{2,24}(?![\w-])"
)
_LONGEST_EMAIL = 254
# A whole value that is nothing but a telephone number as people write it.
_LOOKS_DIALLED = re.compile(r"\s*(?:\+|\(|[0-9])[0-9\s()./\-\u2010-\u2015\u00a0]{6,24}\s*")
_LONGEST_TEXT = 2000


@dataclass(frozen=True, slots=True)
class Contact:
    """``phone`` as E.164, ``email`` in small letters; empty where none was found."""

    phone: str = ""
    email: str = ""


def contact_of(data: Mapping[str, Value], region: str) -> Contact:
    """How to reach who sent ``data``; national numbers are read as ``region``'s."""
    texts = [(_words(name), str(value)) for name, value in data.items() if not isinstance(value, bool)]
    return Contact(_phone(texts, region), _email(texts))


def _words(name: str) -> frozenset[str]:
    """The words of a field's name, and the whole of it without what parts them: ``your-phone``, ``phoneNumber``."""
    found = [word.lower() for word in _WORD.findall(_CAMEL.sub(" ", name))]
    return frozenset([*found, "".join(found)])


def _phone(texts: Iterable[tuple[frozenset[str], str]], region: str) -> str:
    others = []
    for words, text in texts:
        if words & _PHONE_WORDS and not words & _NO_PHONE_WORDS:
            if found := _named_phone(text, region):
                return found
        elif words & _OTHER_WORDS:
            continue
        others.append(text)
    for text in others:
        if _LOOKS_DIALLED.fullmatch(text) and (found := _surely(text.strip(), region)):
            return found
    for text in others:
        if found := _within(text, region):
            return found
    return ""


def _named_phone(text: str, region: str) -> str:
    """What stands in a field for telephone numbers; an extension is left away, a second number too."""
    try:
        return to_e164(text.strip(), region)
    except NumberError:
        return _within(text, region, Leniency.POSSIBLE)


def _surely(text: str, region: str) -> str:
    """Digits in a field that does not say what they are: only what can be nothing but a telephone number counts."""
    if sum(letter.isdigit() for letter in text) < 10 and not text.startswith("+"):
        return ""
    return _within(text, region)


def _within(text: str, region: str, leniency: int = Leniency.VALID) -> str:
    """The first telephone number in a sentence; empty where there is none."""
    for match in PhoneNumberMatcher(text[:_LONGEST_TEXT], region, leniency=leniency, max_tries=20):
        return str(phonenumbers.format_number(match.number, PhoneNumberFormat.E164))
    return ""


def _email(texts: Iterable[tuple[frozenset[str], str]]) -> str:
    ordered = sorted(texts, key=lambda each: not each[0] & _EMAIL_WORDS)
    for _, text in ordered:
        found = _EMAIL.search(text[:_LONGEST_TEXT])
        if found is not None and len(found[0]) <= _LONGEST_EMAIL:
            return found[0].lower()
    return ""

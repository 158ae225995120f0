"""Who calls: number and name as they come, and as they are kept."""

import re
import unicodedata

import phonenumbers

# Joiners that letters need: Persian words, Indic clusters, emoji of several people.
_JOINERS = "\u200c\u200d"
_QUOTED = re.compile(r"\\(.)")


def caller_number(given: str, region: str | None) -> str | None:
    """A caller's number as E.164 where it can be read in ``region``, else as it came; none of an empty one."""
    if not given:
        return None
    try:
        parsed = phonenumbers.parse(given, region)
    except phonenumbers.NumberParseException:
        return given
    if not phonenumbers.is_possible_number(parsed):
        return given
    return str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164))


def caller_name(given: str) -> str:
    """A caller's name as people read it.

    Letters of every script stay. Asterisk leaves the backslashes that a quoted name has in SIP (RFC 3261, 25.1); what
    Postgres cannot store or what would turn the text around it (NUL, line breaks, direction marks) goes.
    """
    text = _QUOTED.sub(r"\1", given)
    return "".join(character for character in text if _stays(character)).strip()


def _stays(character: str) -> bool:
    return character.isprintable() or character in _JOINERS or unicodedata.category(character) == "Zs"

"""What the person who answers hears before the caller: where the call comes from, in a few words."""

from dataclasses import dataclass

from babel import Locale, UnknownLocaleError, languages

from gateway.calls.speech import Words

# Nobody listens to more while a caller waits.
_LONGEST_PART = 60


@dataclass(frozen=True, slots=True)
class Brought:
    """What brought a call, as people call it: the source, and what was searched for or the campaign."""

    source: str
    keyword: str = ""
    campaign: str = ""


def whisper_texts(brought: Brought) -> tuple[str, ...]:
    """What to say, the most telling first; where that was never spoken yet, the next is played.

    ``Google Ads, emergency roof repair``, then ``Google Ads``. Nothing where the source has no name.
    """
    source = _part(brought.source)
    if not source:
        return ()
    more = next((part for part in (_part(brought.keyword), _part(brought.campaign)) if part), "")
    if not more or more.casefold() == source.casefold():
        return (source,)
    return (f"{source}, {more}", source)


def whispers(brought: Brought, language: str) -> tuple[Words, ...]:
    """The same, to be spoken in ``language``."""
    return tuple(Words(text, language) for text in whisper_texts(brought))


def language_of(region: str) -> str:
    """The language that most people of a country speak (``CA``: ``en``), by CLDR's territory information."""
    for language in languages.get_official_languages(region, de_facto=True):
        try:
            return Locale.parse(language.replace("_", "-"), sep="-").language
        except (UnknownLocaleError, ValueError):
            continue
    return "en"


def _part(text: str) -> str:
    """Readable words: separators of campaign names are no words, and nobody wants to hear an id."""
    words = "".join(letter if letter.isalnum() or letter in " '’&%$€£.," else " " for letter in text).split()
    kept = [word for word in words if not _is_id(word)]
    line = " ".join(kept).strip(" ,.")
    return line if len(line) <= _LONGEST_PART else line[: _LONGEST_PART + 1].rpartition(" ")[0] or line[:_LONGEST_PART]


def _is_id(word: str) -> bool:
    """A long number, or letters and digits mixed at length, as machines write."""
    digits = sum(letter.isdigit() for letter in word)
    return digits >= 6 or (digits >= 3 and len(word) >= 10)

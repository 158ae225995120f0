"""The languages of the pages: English in the source, others from a catalogue (``web/translations/*.po``)."""

from dataclasses import dataclass
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path

from aiohttp import hdrs, web
from babel import Locale, UnknownLocaleError, negotiate_locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

COOKIE = "np_language"
SOURCE = "en"


@dataclass(frozen=True, slots=True)
class Language:
    """A language that the pages can be read in."""

    tag: str
    name: str  # as its own readers call it
    translations: NullTranslations

    def locale(self, region: str) -> Locale:
        """How this language writes numbers and times in a country; as in the language's own where none is known."""
        try:
            return Locale.parse(f"{self.tag}_{region}")
        except (UnknownLocaleError, ValueError):
            return Locale.parse(self.tag)


def load_languages(folder: Path) -> dict[str, Language]:
    """English, and every catalogue in ``folder``, compiled in memory; by tag."""
    languages = {SOURCE: Language(SOURCE, "English", NullTranslations())}
    for file in sorted(folder.glob("*.po")):
        with file.open("rb") as text:
            catalogue = read_po(text, locale=file.stem)
        compiled = BytesIO()
        write_mo(compiled, catalogue)
        compiled.seek(0)
        own_name = (Locale.parse(file.stem).get_display_name() or file.stem).capitalize()
        languages[file.stem] = Language(file.stem, own_name, GNUTranslations(compiled))
    return languages


def language_of(request: web.Request, languages: dict[str, Language]) -> Language:
    """The one chosen on the page, else the first that the browser asks for, else English."""
    chosen = request.cookies.get(COOKIE)
    if chosen in languages:
        return languages[chosen]
    wanted = [part.split(";")[0].strip() for part in request.headers.get(hdrs.ACCEPT_LANGUAGE, "")[:200].split(",")]
    tag = negotiate_locale([tag for tag in wanted if tag], list(languages), sep="-")
    return languages[tag if tag in languages else SOURCE]

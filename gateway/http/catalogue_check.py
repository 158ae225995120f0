"""``make check``: every text of the pages is in every catalogue, translated, certain, and with its places filled.

    python -m gateway.http.catalogue_check            says what is wrong, and fails
    python -m gateway.http.catalogue_check --missing  prints the missing entries, ready to be translated

A text is found where it stands in a template, or as the argument of gettext, say, N_, ngettext or pgettext in Python.
"""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from babel.messages import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

import gateway
from gateway.assets import asset_folder

# Whose texts people read on pages and in letters.
SUBJECTS = ("http", "leads", "reports", "delivery", "site_check", "texts", "visits")
KEYWORDS: dict[str, Any] = {
    **dict.fromkeys(("_", "N_", "gettext", "say")),
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}
_JINJA = {"trim_blocks": "true", "lstrip_blocks": "true", "newstyle_gettext": "true", "silent": "false"}
_PLACE = re.compile(r"%\((\w+)\)[sd]|%[sd]")

Key = tuple[str | None, str]


@dataclass(frozen=True, slots=True)
class Said:
    """A text of the pages, and where it was first found."""

    context: str | None
    text: str
    plural: str | None
    where: str

    @property
    def key(self) -> Key:
        """What tells it from others."""
        return self.context, self.text


def said() -> list[Said]:
    """Every text that a template or a module says to people, once each."""
    root = Path(gateway.__file__).parent
    found: dict[Key, Said] = {}
    for folder, method in (
        *((root / subject, [("**.py", "python")]) for subject in SUBJECTS),
        (asset_folder("web") / "templates", [("**.html", "jinja2.ext:babel_extract")]),
    ):
        for file, line, message, _, context in extract_from_dir(folder, method, {"**.html": _JINJA}, keywords=KEYWORDS):
            text, plural = (message, None) if isinstance(message, str) else (message[0], message[-1])
            each = Said(context, text, plural, f"{folder.name}/{file}:{line}")
            found.setdefault(each.key, each)
    return sorted(found.values(), key=lambda each: each.where)


def problems(texts: list[Said], catalogue: Catalog) -> Iterator[str]:
    """What is wrong with a catalogue, one line each."""
    known = {_key(entry): entry for entry in catalogue if entry.id}
    for each in texts:
        entry = known.pop(each.key, None)
        if entry is None:
            yield f"{each.where}: not translated: {each.text!r}"
            continue
        strings = [entry.string] if isinstance(entry.string, str) else list(entry.string or ())
        if not strings or not all(strings) or (each.plural is not None and len(strings) != catalogue.num_plurals):
            yield f"{each.where}: not translated: {each.text!r}"
        elif entry.fuzzy:
            yield f"{each.where}: translated, but marked fuzzy: {each.text!r}"
        elif any(_places(string) != _places(each.text) for string in strings):
            yield f"{each.where}: not the same places in the translation: {each.text!r}"
    for _, text in known:
        yield f"{text!r} is translated, and no page says it"


def missing(texts: list[Said], catalogue: Catalog) -> str:
    """The texts that are not in the catalogue, as entries to fill in."""
    known = {_key(entry) for entry in catalogue if entry.id}
    wanted = Catalog(locale=catalogue.locale)
    for each in texts:
        if each.key not in known:
            wanted.add((each.text, each.plural) if each.plural else each.text, context=each.context)
    out = StringIO()
    for entry in wanted:
        if entry.id:
            out.write(_entry(entry, catalogue))
    return out.getvalue()


def catalogues() -> dict[str, Catalog]:
    """The catalogues that there are, by language."""
    found = {}
    for file in sorted((asset_folder("web") / "translations").glob("*.po")):
        with file.open("rb") as text:
            found[file.stem] = read_po(text, locale=file.stem)
    return found


def _key(entry: Message) -> Key:
    return entry.context, entry.id if isinstance(entry.id, str) else entry.id[0]


def _places(text: str) -> set[str]:
    return set(_PLACE.findall(text))


def _entry(entry: Message, catalogue: Catalog) -> str:
    from io import BytesIO

    alone, out = Catalog(locale=catalogue.locale), BytesIO()
    alone[entry.id] = entry
    write_po(out, alone, omit_header=True, width=110)
    return out.getvalue().decode().rstrip() + "\n\n"


def main() -> None:
    """Check all catalogues."""
    texts, found = said(), 0
    for language, catalogue in catalogues().items():
        if "--missing" in sys.argv[1:]:
            print(missing(texts, catalogue), end="")
            continue
        for problem in problems(texts, catalogue):
            found += 1
            print(f"web/translations/{language}.po: {problem}", file=sys.stderr)
    if found:
        sys.exit(f"{found} texts of the pages are not what they should be in the catalogues.")


if __name__ == "__main__":
    main()

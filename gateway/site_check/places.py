"""Where telephone numbers stand on a page, by what was read of it: plain functions over plain values."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote

import phonenumbers
from phonenumbers import Leniency, PhoneNumberMatcher

from gateway.pools.number_parts import parts_of
from gateway.pools.numbers import NumberError, to_e164
from gateway.site_check.seen import PageState

# What people put between digits: see web/snippet/numbers.ts.
_GAP = r"[\s()./\-\xad\xb7\u2000-\u2015\u2027-\u202f\u2060-\u2069\u2212\uff08-\uff0f]{0,6}"
_LONGEST_TEXT = 400_000
_EXAMPLE = 60
_NUMBER_IN_LINK = re.compile(r"^(?:tel|sms|callto):([^;?,&]+)|wa\.me/(\d+)|[?&]phone=([^&]+)", re.I)


@dataclass(frozen=True, slots=True)
class Places:
    """How often a number stands on a page, and in what form; ``kept``: where the page excepts it from swapping."""

    texts: int = 0
    links: int = 0
    attributes: int = 0
    shadows: int = 0
    kept: int = 0
    example: str = ""

    @property
    def count(self) -> int:
        """All that could be swapped."""
        return self.texts + self.links + self.attributes + self.shadows

    def without(self, left: "Places") -> "Places":
        """These, but for others."""
        return Places(
            max(0, self.texts - left.texts),
            max(0, self.links - left.links),
            max(0, self.attributes - left.attributes),
            max(0, self.shadows - left.shadows),
        )


def places_of(e164: str, page: PageState) -> Places:
    """Where a number stands on a page, in whatever way it is written."""
    pattern = _written(e164)
    texts = links = attributes = shadows = kept = 0
    example = ""
    for line in page.lines:
        found = pattern.findall(line.text)
        if not found:
            continue
        if line.kept:
            kept += len(found)
            continue
        example = example or " ".join(line.text.split())[:_EXAMPLE]
        if line.shadow:
            shadows += len(found)
        else:
            texts += len(found)
    for link in page.links:
        if not pattern.search(unquote(link.href)):
            continue
        if link.kept:
            kept += 1
            continue
        example = example or link.href[:_EXAMPLE]
        if link.shadow:
            shadows += 1
        else:
            links += 1
    for attribute in page.attributes:
        if pattern.search(attribute.value):
            example = example or attribute.value[:_EXAMPLE]
            if attribute.shadow:
                shadows += 1
            else:
                attributes += 1
    return Places(texts, links, attributes, shadows, kept, example)


def numbers_on(page: PageState, region: str) -> frozenset[str]:
    """Every telephone number of the country of ``region`` on a page, as E.164, in the order of nothing."""
    found = set(_in_text("\n".join(line.text for line in page.lines), region))
    for link in page.links:
        match = _NUMBER_IN_LINK.search(unquote(link.href))
        if match is not None:
            given = next(group for group in match.groups() if group)
            try:
                found.add(to_e164(given if given.startswith("+") or match[1] else f"+{given}", region))
            except NumberError:
                continue
    code = f"+{phonenumbers.country_code_for_region(region)}"
    return frozenset(each for each in found if each.startswith(code))


def numbers_in_html(html: str, numbers: Iterable[str]) -> list[str]:
    """Which of ``numbers`` stand in a page as the server sent it."""
    text = re.sub(r"<(?!a\b)[^>]*>", " ", html[: 2 * _LONGEST_TEXT], flags=re.I)
    return [each for each in numbers if _written(each).search(text)]


def frames_with(e164: str, page: PageState) -> list[str]:
    """The addresses of pages built into this one in which a number stands, as far as they may be read."""
    pattern = _written(e164)
    return [frame.src or "about:blank" for frame in page.frames if frame.text and pattern.search(frame.text)]


def images_with(e164: str, page: PageState) -> list[str]:
    """The addresses of pictures whose name or description holds a number."""
    pattern = _written(e164)
    return [
        image.src[:200]
        for image in page.images
        if pattern.search(image.alt) or pattern.search(unquote(image.src.rpartition("/")[2]))
    ]


def _in_text(text: str, region: str) -> Iterable[str]:
    for match in PhoneNumberMatcher(text[:_LONGEST_TEXT], region, Leniency.VALID, 2000):
        yield str(phonenumbers.format_number(match.number, phonenumbers.PhoneNumberFormat.E164))


@lru_cache(2048)
def _written(e164: str) -> re.Pattern[str]:
    parts = parts_of(e164)
    country, national = _spread(parts.country), _spread(parts.national)
    trunk = f"(?:{_spread(parts.trunk)}{_GAP})?" if parts.trunk else ""
    return re.compile(rf"(?<!\d)(?:(?:00|011)?{_GAP}{country}{_GAP}(?:\(0\){_GAP})?)?{trunk}{national}(?!\d)")


def _spread(digits: str) -> str:
    return _GAP.join(digits)

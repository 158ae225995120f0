"""A flow drawn: boxes from left to right, branches one below the other, as numbers for the template to write as SVG."""

import textwrap
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from gateway.http.flow_said import Said

WIDTH, GAP = 176, 34
# Above a row stands when it is gone.
CAPTION, BETWEEN, MARGIN = 22, 14, 2
TITLE, LINE, PADDING = 22, 18, 11
START, ENDS = 76, 116
LOW = 36
_LETTERS, _MOST_LINES = 26, 7


@dataclass(frozen=True, slots=True)
class Box:
    """A card of the picture; ``caption`` stands above it. ``role`` is start, card, end or nothing."""

    x: int
    y: int
    width: int
    height: int
    role: str
    title: str
    lines: tuple[str, ...]
    caption: str
    is_way: bool
    place: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """A line from one box to the next, as the ``d`` of a path."""

    d: str
    is_way: bool


@dataclass
class Picture:
    """All of it, in units of the drawing."""

    width: int = 0
    height: int = 0
    boxes: list[Box] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Wording:
    """The few words that the picture adds."""

    start: str
    unanswered: str
    ends: str
    nothing: str


def draw_flow(said: Sequence[Said], way: Collection[str], wording: Wording, ringing: Collection[str]) -> Picture:
    """The picture; the boxes and lines of ``way`` are marked, ``ringing`` are the places of rings."""
    picture = Picture()
    top = CAPTION + MARGIN
    start = Box(MARGIN, top, START, LOW, "start", wording.start, (), "", bool(way))
    picture.boxes.append(start)
    _chain(picture, said, MARGIN + START + GAP, top, start, "", way, wording, ringing)
    picture.width = max(box.x + box.width for box in picture.boxes) + MARGIN
    picture.height = max(box.y + box.height for box in picture.boxes) + MARGIN
    return picture


def _chain(
    picture: Picture,
    said: Sequence[Said],
    x: int,
    y: int,
    before: Box,
    caption: str,
    way: Collection[str],
    wording: Wording,
    ringing: Collection[str],
) -> int:
    """Put a chain at (x, y), joined to the box before it; where it ends below."""
    bottom = y
    for each in said:
        lines = _wrapped(each.lines)
        height = TITLE + PADDING * 2 - 4 + LINE * len(lines)
        box = Box(x, y, WIDTH, height, "card", each.title, lines, caption, each.place in way, each.place)
        _join(picture, before, box)
        bottom = max(bottom, y + height)
        x += WIDTH + GAP
        before, caption = box, wording.unanswered if each.place in ringing else ""
        below = y
        for branch, when, following in each.branches:
            place = f"{each.place}.{branch}"
            if following:
                below = _chain(picture, following, x, below, box, when, way, wording, ringing)
            else:
                empty = Box(x, below, WIDTH, LOW, "nothing", wording.nothing, (), when, place in way)
                _join(picture, box, empty)
                below += LOW
            bottom = max(bottom, below)
            below += CAPTION + BETWEEN
        if each.branches:  # what stands behind it, while it is edited, is never reached
            y = bottom + CAPTION + BETWEEN
    if said and not said[-1].branches and said[-1].place in ringing:
        end = Box(x, y, ENDS, LOW, "end", wording.ends, (), wording.unanswered, before.is_way)
        _join(picture, before, end)
        bottom = max(bottom, y + LOW)
    return bottom


def _join(picture: Picture, before: Box, box: Box) -> None:
    """A line from the middle of the first row of one box to that of the next, around a corner where it lies lower."""
    picture.boxes.append(box)
    left, right = before.x + before.width, box.x
    start, end = before.y + LOW // 2, box.y + LOW // 2
    if start == end:
        d = f"M{left} {start}H{right - 2}"
    else:
        turn = left + GAP // 2 - 4
        corners = f"Q{turn} {start} {turn} {start + 6}V{end - 6}Q{turn} {end} {turn + 6} {end}"
        d = f"M{left} {start}H{turn - 6}{corners}H{right - 2}"
    picture.links.append(Link(d, box.is_way and before.is_way))


def _wrapped(lines: Sequence[str]) -> tuple[str, ...]:
    found = [part for line in lines for part in textwrap.wrap(line, _LETTERS, max_lines=3, placeholder=" …")]
    if len(found) > _MOST_LINES:
        found = [*found[: _MOST_LINES - 1], "…"]
    return tuple(found)

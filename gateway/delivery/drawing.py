"""Pictures for mails, as PNG: columns of a chart, and the mark of Numberpool.

They hold no words: those stand around them as text, in any language, where a reader of dark mails sees them too. The
ground is transparent, and the colours are such as can be told from white and from black.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from PIL import Image, ImageDraw

# Of sources by their places in the palette of the pages (web/static/styles/tokens.css); a mail cannot know whether it
# is read in the dark, so these lie between the two sets there.
SOURCE_COLOURS = ("#1f7cc4", "#d4661a", "#1a8f70", "#c24f90", "#9a7414", "#7d64d0", "#3b93c4", "#7d746a")
NO_SOURCE = "#80786d"
GROUND_LINE = "#8d867a"
_LIVE = "#0a7a52"

# Twice as many points as a mail is wide, for screens that show them.
WIDTH, HEIGHT = 1184, 280
_GAP = 0.34
_SMOOTH = 4


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a column: how much, in which colour (as #rrggbb)."""

    value: float
    colour: str


def colour_of(place: int | None) -> str:
    """A source's colour; none: no source is known."""
    return NO_SOURCE if place is None else SOURCE_COLOURS[place % len(SOURCE_COLOURS)]


def columns(stacks: Sequence[Sequence[Piece]]) -> bytes:
    """Columns of equal width, each built of its pieces from the ground up; the highest fills the height."""
    picture = Image.new("RGBA", (WIDTH, HEIGHT), (0, 0, 0, 0))
    draw = ImageDraw.Draw(picture)
    ground = HEIGHT - 3
    highest = max((sum(piece.value for piece in stack) for stack in stacks), default=0.0)
    step = WIDTH / max(1, len(stacks))
    margin = min(step * _GAP / 2, 24.0)
    for place, stack in enumerate(stacks):
        left, right = round(place * step + margin), round((place + 1) * step - margin) - 1
        below = 0.0
        for piece in stack:
            if piece.value <= 0:
                continue
            bottom = ground - round(below / highest * (ground - 8))
            below += piece.value
            top = min(bottom - 2, ground - round(below / highest * (ground - 8)))
            # A line of ground shows between two pieces, for eyes that do not tell their colours apart.
            draw.rectangle((left, top, max(left, right), bottom - 2), fill=piece.colour)
    draw.rectangle((0, ground, WIDTH - 1, HEIGHT - 1), fill=GROUND_LINE)
    return _png(picture)


@cache
def mark(size: int = 64) -> bytes:
    """The mark of Numberpool, as web/static/mark.svg draws it: four strokes on a rounded square."""
    unit = size * _SMOOTH / 32
    picture = Image.new("RGBA", (size * _SMOOTH, size * _SMOOTH), (0, 0, 0, 0))
    draw = ImageDraw.Draw(picture)
    draw.rounded_rectangle((0, 0, size * _SMOOTH - 1, size * _SMOOTH - 1), radius=8 * unit, fill=_LIVE)
    for x, top, height in ((8, 14, 4), (13, 9, 14), (18, 12, 8), (23, 6, 20)):
        box = ((x - 1.5) * unit, (top - 1.5) * unit, (x + 1.5) * unit, (top + height + 1.5) * unit)
        draw.rounded_rectangle(box, radius=1.5 * unit, fill="#ffffff")
    return _png(picture.resize((size, size), Image.Resampling.LANCZOS))


def _png(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "PNG", optimize=True)
    return out.getvalue()

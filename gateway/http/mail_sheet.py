"""A mail before it is one: what it says, once, from which both its bodies are made."""

import base64
import re
from dataclasses import dataclass, replace

import css_inline

from gateway.delivery.drawing import colour_of, mark
from gateway.delivery.mail import Mail, Picture
from gateway.http.rendering import Templates
from gateway.http.words import Words

LOGO = "numberpool-mark"
CHART = "calls"
# Colours and shapes of sources, as the pages have them (parts.html): a mail draws the shapes as letters.
SHAPES = ("●", "■", "▲", "◆", "✚", "⬢", "▼", "◎")
# Beyond it, Gmail cuts a mail off.
MOST_BYTES = 100_000

# Letters that turn the direction of whatever follows them, or are not seen: a name keeps its own to itself.
_TURNING = re.compile("[\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
_LONGEST_NAME = 80
_LONGEST_SUBJECT = 200

_INLINER = css_inline.CSSInliner(keep_at_rules=True, load_remote_stylesheets=False)


@dataclass(frozen=True, slots=True)
class Told:
    """A figure: its name, its value, and what it changed by; ``tone`` is "better", "worse" or neither."""

    name: str
    value: str
    change: str = ""
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """What a source is known by: its colour and its shape."""

    colour: str
    shape: str


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the table: whose it is, its figures, and what is said below its name."""

    name: str
    figures: tuple[str, ...]
    mark: Mark | None = None
    says: str = ""
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """A call that somebody missed: who and when, what is known, and where to call back."""

    number: str
    tel: str | None  # for a link; none: withheld
    name: str
    facts: tuple[str, ...]
    url: str
    mark: Mark | None = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """What stands below a column of the chart: the day, and how many, where there is room."""

    label: str
    count: str = ""
    span: int = 1


@dataclass(frozen=True, slots=True)
class Mend:
    """What needs somebody, in a sentence; ``mend`` is what to do, at ``url``."""

    sentence: str
    mend: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Sheet:
    """Everything that a mail may say, from above to below; what is empty is not there."""

    subject: str
    title: str
    says: str  # the days, the company
    paragraphs: tuple[str, ...] = ()
    figures: tuple[Told, ...] = ()
    compared: str = ""
    chart: bytes | None = None
    chart_says: str = ""
    columns: tuple[Column, ...] = ()
    table_name: str = ""
    headings: tuple[str, ...] = ()
    lines: tuple[Line, ...] = ()
    calls_name: str = ""
    calls: tuple[Call, ...] = ()
    more: str = ""
    needs_name: str = ""
    needs: tuple[Mend, ...] = ()
    link: tuple[str, str] | None = None
    why: str = ""  # why this reader gets it
    manage: tuple[str, str] | None = None
    leave: tuple[str, str] | None = None
    preview: str = ""  # what a list of mails shows beside the subject


def one_line(text: str, longest: int = _LONGEST_NAME) -> str:
    """What somebody typed, or a caller sent, as a part of a sentence: one short line that turns nothing."""
    plain = "".join(letter if letter.isprintable() else " " for letter in _TURNING.sub("", text))
    plain = " ".join(plain.split())
    return plain if len(plain) <= longest else f"{plain[: longest - 1].rstrip()}…"


def mark_of(colour: int | None) -> Mark:
    """A source's; none: the source is not known."""
    if colour is None:
        return Mark(colour_of(None), "○")
    # As parts.html: once all colours are taken they come again with other shapes.
    return Mark(colour_of(colour), SHAPES[(colour + colour // len(SHAPES)) % len(SHAPES)])


def html_of(sheet: Sheet, templates: Templates, words: Words) -> str:
    """The HTML: tables only, its style in every element, for programs that know no stylesheets."""
    text = templates.render(
        "report_mail.html", words.language, {"sheet": sheet, "words": words, "logo": LOGO, "picture": CHART}
    )
    return str(_INLINER.inline(text))


def text_of(sheet: Sheet, words: Words) -> str:
    """The same as plain text."""
    blocks: list[str] = [f"{sheet.title}\n{sheet.says}", *sheet.paragraphs]
    if sheet.figures:
        said = [f"{each.name}: {each.value}{f' ({each.change})' if each.change else ''}" for each in sheet.figures]
        blocks.append("\n".join([*said, *([sheet.compared] if sheet.compared else [])]))
    if sheet.chart_says:
        blocks.append(sheet.chart_says)
    if sheet.lines:
        rows = [f"{sheet.table_name}:"]
        for line in sheet.lines:
            told = ", ".join(
                f"{heading} {figure}" for heading, figure in zip(sheet.headings, line.figures, strict=True)
            )
            rows.append(f"- {line.name}: {told}{f'. {line.says}' if line.says else ''}")
        blocks.append("\n".join(rows))
    if sheet.calls_name:
        blocks.append(f"{sheet.calls_name}:")
    for call in sheet.calls:
        facts = [call.source, *call.facts] if call.source else list(call.facts)
        name = f"{call.number} {call.name}".strip()
        blocks.append("\n".join([name, *facts, call.url]))
    if sheet.more:
        blocks.append(sheet.more)
    if sheet.needs:
        said = [f"- {each.sentence}{f' {each.mend}: {each.url}' if each.url else ''}" for each in sheet.needs]
        blocks.append("\n".join([f"{sheet.needs_name}:", *said]))
    if sheet.link:
        blocks.append(f"{sheet.link[0]}:\n{sheet.link[1]}")
    foot = [sheet.why, *(f"{each[0]}: {each[1]}" for each in (sheet.manage, sheet.leave) if each)]
    return "\n\n".join(block for block in blocks if block) + "\n\n-- \nNumberpool\n" + "\n".join(foot) + "\n"


def mail_of(
    sheet: Sheet, templates: Templates, words: Words, to: str, message_id: str, unsubscribe: str | None
) -> Mail:
    """The mail. One that would be too large goes without the longest part of it: the table, then the calls."""
    for smaller in (sheet, replace(sheet, lines=sheet.lines[:10]), replace(sheet, lines=(), calls=sheet.calls[:10])):
        html, text = html_of(smaller, templates, words), text_of(smaller, words)
        pictures = [Picture(LOGO, mark()), *([Picture(CHART, smaller.chart)] if smaller.chart else [])]
        # Pictures travel as base64, text as quoted-printable at worst.
        size = sum(len(each.png) * 4 // 3 for each in pictures) + 3 * (len(html.encode()) + len(text.encode()))
        if size < MOST_BYTES:
            break
    subject = one_line(smaller.subject, _LONGEST_SUBJECT)
    return Mail(to, subject, text, html, tuple(pictures), message_id, unsubscribe)


def standing_alone(mail: Mail) -> str:
    """The HTML with its pictures inside, for a page that shows what a mail looks like."""
    html = mail.html
    for picture in mail.pictures:
        html = html.replace(
            f'src="cid:{picture.name}"', f'src="data:image/png;base64,{base64.b64encode(picture.png).decode()}"'
        )
    return html

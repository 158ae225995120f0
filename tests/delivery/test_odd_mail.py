"""Whatever companies are called and callers say they are, a mail keeps its headers, its parts and its direction."""

from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.delivery.drawing import Piece, colour_of, columns, mark
from gateway.delivery.mail import Mail, MailRefused, Picture, written
from gateway.http.mail_sheet import LOGO, Call, Line, Sheet, mail_of, mark_of, one_line
from gateway.http.rendering import templates_of_checkout_or_wheel
from gateway.http.words import Words

TEMPLATES = templates_of_checkout_or_wheel()
WORDS = Words(TEMPLATES.languages["en"])

# What people and machines have in their names: line ends, other directions, marks that are not seen, long ones, markup.
NASTY = st.sampled_from(
    [
        "\r\nBcc: evil@example.com",
        "\n\n<script>alert(1)</script>",
        "\r\n.\r\n",
        "\u202eevil\u202c",
        "\u2066left\u2069",
        "\u0085next\u2028line\u2029end",
        "\x00\x07\x1b[31m",
        "=?utf-8?q?=0D=0ABcc=3A_x=40example=2Ecom?=",
        '"><img src=x onerror=alert(1)>',
        "محمد الحسن",
        "👩‍👩‍👧‍👦" * 40,
        "a" * 5000,
        "{{ 7 * 7 }}",
        "\ud800",
        "<bdi>",
        ",;:()<>[]@\\",
    ]
)
TEXT = st.lists(st.one_of(NASTY, st.text(max_size=60)), max_size=4).map("".join)
HEADERS = {
    "from",
    "to",
    "subject",
    "date",
    "message-id",
    "list-unsubscribe",
    "list-unsubscribe-post",
    "auto-submitted",
    "mime-version",
    "content-type",
}


def parsed(mail: Mail) -> EmailMessage:
    message = message_from_bytes(written(mail, "Calls <calls@example.com>").as_bytes(), policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


@settings(deadline=None)
@given(TEXT, TEXT, TEXT)
def test_nothing_a_name_holds_becomes_a_header_a_part_or_markup(company: str, caller: str, source: str) -> None:
    company, caller, source = (one_line(each) for each in (company, caller, source))
    call = Call("+1 306", "+13065550142", caller, (source,), "https://calls.example/calls/1", mark_of(1), source)
    sheet = Sheet(
        f"{company}: missed call of {caller}",
        "Missed call",
        company,
        lines=(Line(source, ("1",), mark_of(0), company, "https://calls.example/calls"),),
        headings=("Calls",),
        table_name="Sources",
        calls=(call,),
        why=f"You get alerts of {company}.",
        leave=("Unsubscribe", "https://calls.example/mail/leave/1-x"),
    )
    mail = mail_of(sheet, TEMPLATES, WORDS, "anna@example.com", "a" * 40, "https://calls.example/mail/leave/1-x")
    message = parsed(mail)
    assert {name.lower() for name in message.keys()} == HEADERS  # noqa: SIM118 (a header may stand there twice)
    assert len(message.keys()) == len(HEADERS)
    assert not message.defects
    assert message["To"] == "anna@example.com"
    assert message["Message-ID"] == f"<{'a' * 40}@example.com>"
    assert message["List-Unsubscribe"] == "<https://calls.example/mail/leave/1-x>"
    subject = str(message["Subject"])
    assert subject.isprintable()
    assert len(subject) <= 200
    kinds = [part.get_content_type() for part in message.walk()]
    assert kinds == ["multipart/alternative", "text/plain", "multipart/related", "text/html", "image/png"]
    assert mail.html.count("<script") == mail.html.count("<img src=x") == 0
    assert not any(letter in mail.html + mail.text for letter in "\u202e\u202d\u202a\u2066\u2067\u2028\x00\x1b")
    assert len(message.as_bytes()) < 100_000


@settings(deadline=None)
@given(TEXT, st.integers(1, 120))
def test_one_line_is_one_short_line_that_turns_nothing(text: str, longest: int) -> None:
    line = one_line(text, longest)
    assert len(line) <= longest
    assert line.isprintable()
    assert line == " ".join(line.split())
    assert one_line(line, longest) == line


@settings(deadline=None)
@given(st.text(max_size=80), st.text(max_size=80))
def test_an_address_or_identity_that_would_write_headers_is_refused_or_stays_one(address: str, identity: str) -> None:
    mail = Mail(address, "x", "x", "<p>x</p>", message_id=identity or "x", unsubscribe=f"https://x/{identity}")
    try:
        message = parsed(mail)
    except MailRefused:
        return
    assert {name.lower() for name in message.keys()} == HEADERS  # noqa: SIM118


def test_many_calls_and_sources_stay_below_what_mail_programs_cut_off() -> None:
    name = "Ω" * 80
    lines = tuple(Line(name, ("1,000", "10", "$1,000"), mark_of(1), name, "https://x/" + "y" * 300) for _ in range(200))
    call = Call("+1 306", "+13065550142", name, (name,) * 4, "https://x/calls/1", mark_of(1), name)
    stacks = [[Piece(place + 1, colour_of(colour)) for colour in range(7)] for place in range(31)]
    sheet = Sheet(
        "s",
        "t",
        "c",
        chart=columns(stacks),
        lines=lines,
        headings=("Calls", "Jobs", "A job"),
        table_name="n",
        calls=(call,) * 200,
    )
    mail = mail_of(sheet, TEMPLATES, WORDS, "anna@example.com", "a", None)
    assert len(parsed(mail).as_bytes()) < 100_000


def test_pictures_travel_with_the_html_under_the_name_that_it_uses() -> None:
    mail = mail_of(Sheet("s", "t", "c"), TEMPLATES, WORDS, "anna@example.com", "a", None)
    assert [each.name for each in mail.pictures] == [LOGO]
    html = parsed(mail).get_body(("related",))
    assert html is not None
    assert f'src="cid:{LOGO}"' in mail.html
    pictures = [part for part in parsed(mail).walk() if part.get_content_type() == "image/png"]
    assert [part["Content-ID"] for part in pictures] == [f"<{LOGO}>"]
    assert pictures[0].get_payload(decode=True) == mark()


@pytest.mark.parametrize("place", [None, *range(8)])
def test_colours_of_charts_can_be_told_from_white_and_from_black(place: int | None) -> None:
    """At least three to one on either (WCAG 2.2, success criterion 1.4.11)."""

    def luminance(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    def contrast(one: str, other: str) -> float:
        darker, lighter = sorted((luminance(one), luminance(other)))
        return (lighter + 0.05) / (darker + 0.05)

    assert contrast(colour_of(place), "#fdfcf9") >= 3
    assert contrast(colour_of(place), "#151412") >= 3


def test_empty_and_single_columns_are_drawn() -> None:
    cases: list[list[list[Piece]]] = [
        [],
        [[]],
        [[Piece(0, "#000000")]],
        [[Piece(1e-9, "#000000")]],
        [[Piece(5, "#000000")]] * 400,
    ]
    for stacks in cases:
        assert columns(stacks).startswith(b"\x89PNG")
    assert written(Mail("a@b.c", "x", "x", "x", (Picture("p", columns([])),)), "c@d.e")["To"] == "a@b.c"

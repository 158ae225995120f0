"""Where numbers stand, by what was read of a page; and what is said of every kind of finding."""

import pytest

from gateway.site_check.check import advertised, checked_address
from gateway.site_check.findings import Finding, Level, Report, report_of
from gateway.site_check.optimisers import consent_mark, optimiser_of
from gateway.site_check.places import Places, numbers_in_html, numbers_on, places_of
from gateway.site_check.seen import Attribute, Line, Link, PageState
from gateway.site_check.words import SENTENCES

MAIN = "+13065551234"
LONDON = "+442079460018"


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("(306) 555-1234", 1),
        ("306.555.1234", 1),
        ("+1 306 555 1234", 1),
        ("1-306-555-1234 or 3065551234", 2),
        ("011 1 306 555 1234", 1),
        ("3065551234", 1),
        ("306‑555–1234", 1),
        ("93065551234", 0),
        ("30655512345", 0),
        ("306-555-1235", 0),
        ("", 0),
    ],
)
def test_in_text(text: str, count: int) -> None:
    assert places_of(MAIN, PageState(lines=(Line(text=text),))).texts == count


def test_with_a_trunk_prefix() -> None:
    page = PageState(
        lines=(Line(text="020 7946 0018"), Line(text="+44 (0)20 7946 0018"), Line(text="0044 20 79460018"))
    )
    assert places_of(LONDON, page).texts == 3


def test_each_form_by_itself() -> None:
    page = PageState(
        lines=(Line(text="306 555 1234"), Line(text="306 555 1234", shadow=True), Line(text="306 555 1234", kept=True)),
        links=(Link(href="tel:+1%20306-555-1234"), Link(href="https://wa.me/13065551234", shadow=True)),
        attributes=(Attribute(name="title", value="Ring 306-555-1234"),),
    )
    assert places_of(MAIN, page) == Places(1, 1, 1, 2, 1, "306 555 1234")


def test_numbers_of_the_country() -> None:
    page = PageState(
        lines=(Line(text="Call (306) 244-7700, London +44 20 7946 0018, order 4111111111111111, 12345"),),
        links=(Link(href="tel:+13062447701"), Link(href="https://wa.me/13062447702"), Link(href="tel:911")),
    )
    assert numbers_on(page, "CA") == {"+13062447700", "+13062447701", "+13062447702"}


def test_in_a_page_as_it_is_served() -> None:
    html = '<p data-x="3065552002">Call <b>(306)</b> 555-2001</p><a href="tel:+13065552003">x</a>'
    assert numbers_in_html(html, ["+13065552001", "+13065552002", "+13065552003"]) == ["+13065552001", "+13065552003"]


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ("www.example.com", "https://www.example.com/"),
        ("http://example.com/a?b=c#d", "http://example.com/a?b=c"),
        (" https://example.com:8443 ", "https://example.com:8443/"),
    ],
)
def test_addresses(given: str, address: str) -> None:
    assert checked_address(given) == address


def test_an_advertisement_keeps_the_query() -> None:
    assert advertised("http://x/?a=1&gclid=old") == "http://x/?a=1&gclid=test-numberpool-check"


@pytest.mark.parametrize(
    ("attributes", "mark"),
    [
        (
            {"type": "text/plain", "data-cookieconsent": "statistics"},
            'type="text/plain" data-cookieconsent="statistics"',
        ),
        ({"type": "text/plain", "class": "optanon-category-C0002"}, 'class="optanon-category-C0002"'),
        ({"type": "text/plain"}, ""),
        ({"type": "text/javascript", "data-category": "x"}, ""),
        ({"data-service": "x"}, ""),
    ],
)
def test_marks_of_consent(attributes: dict[str, str], mark: str) -> None:
    assert consent_mark(attributes) == mark


@pytest.mark.parametrize(
    ("attributes", "program"),
    [
        ({"type": "rocketlazyloadscript"}, "wp_rocket"),
        ({"type": "f00-text/javascript"}, "rocket_loader"),
        ({"type": "litespeed/javascript"}, "litespeed"),
        ({"nitro-src": "x"}, "nitropack"),
        ({"data-type": "lazy", "data-src": "x"}, "flying_scripts"),
        ({"type": "pmdelayedscript"}, "perfmatters"),
        ({"type": "text/javascript", "src": "x"}, ""),
    ],
)
def test_marks_of_optimisers(attributes: dict[str, str], program: str) -> None:
    assert optimiser_of(attributes, "") == program
    assert not program or f"optimiser.{program}" in SENTENCES


def test_a_report_is_stored_and_read() -> None:
    report = Report("http://x/", "key", (Finding("page.opened", Level.GOOD, {"url": "http://x/"}),))
    assert report_of(report.as_json()) == report
    assert (
        report_of({**report.as_json(), "findings": [{"kind": "of.tomorrow", "level": "good", "facts": {}}]}).findings
        == ()
    )
    assert report_of({}).findings == ()


def test_every_kind_has_an_area_and_every_problem_could_be_mended() -> None:
    for kind, said in SENTENCES.items():
        assert Finding(kind, Level.GOOD).area
        assert said.what.endswith((".", "”", "%(url)s", "%(address)s")), kind

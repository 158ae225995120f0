"""What is made of a page that the world would have to be bent to show: plain values in, findings out."""

import re
from pathlib import Path
from typing import Any

import pytest

import gateway.site_check
from gateway.pools.number_parts import parts_of
from gateway.site_check.facts import SiteFacts
from gateway.site_check.findings import Report
from gateway.site_check.judge import judge
from gateway.site_check.seen import Blocked, Line, PageState, PolicyFault, Request, ScriptTag, Seen
from gateway.site_check.stored import SiteNamed
from gateway.site_check.words import SENTENCES

PAGE, COLLECTOR = "https://www.acme.example/", "https://www.acme.example/np/"
MAIN, LENT = "+13065551234", "+13065552001"
SITE = SiteNamed(1, 1, "Acme", "Main", "key", ("acme.example",), "CA", False)
FACTS = SiteFacts(PAGE, SITE, (SITE,), (MAIN,), frozenset({LENT}), region="CA", is_up=True, collector="http://here")


def answer(number: str = LENT, why: str = "lent", kind: str = "visitor") -> dict[str, Any]:
    """What the collector says."""
    shown = {"target": {"e164": MAIN}, "number": {"e164": number}, "why": why}
    return {"why": kind, "source": {"label": "Google Paid"}, "numbers": [shown]}


def visit(**facts: Any) -> Request:
    """The snippet's question, answered unless it is said otherwise."""
    usual = {"url": f"{COLLECTOR}v1/visit", "method": "POST", "status": 200, "mime": "application/json", "seconds": 0.1}
    return Request(**{**usual, **facts})


def script(**facts: Any) -> Request:
    """The snippet's script, as it came unless it is said otherwise."""
    return Request(**{"url": f"{COLLECTOR}np.js", "status": 200, "mime": "text/javascript", **facts})


def page(number: str = LENT, *requests: Request, answers: Any = None, ready: bool = True, **facts: Any) -> Seen:
    """A page on which ``number`` stands."""
    state = PageState(
        url=PAGE,
        ready=ready,
        site="key" if ready else "",
        scripts=(ScriptTag(attributes={"src": "/np/np.js", "data-site": "key"}),),
        lines=(Line(text=parts_of(number).written),),
    )
    seen = Seen(PAGE, PAGE, 200, html="<script src=/np/np.js>", state=state, **facts)
    seen.requests = [Request(PAGE, "Document", status=200), *(requests or (script(), visit()))]
    seen.answers = [answer()] if answers is None else answers
    return seen


DIRECT = page(MAIN, answers=[answer(MAIN, "page")])


def judged(
    seen: Seen, direct: Seen = DIRECT, addresses: dict[str, str] | None = None, facts: SiteFacts = FACTS
) -> Report:
    """What is found."""
    return judge(facts, seen, direct, addresses or {})


def kinds(report: Report) -> set[str]:
    """Their kinds."""
    return {each.kind for each in report.findings}


def test_as_it_should_be() -> None:
    report = judged(page())
    assert report.is_well
    assert kinds(report) == {
        "page.opened", "script.found", "key.right", "host.own", "collector.answered", "target.swapped", "direct.own",
        "setup.same_host",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "why"), [("away", "collector.away"), ("limited", "collector.limited"), ("bot", "collector.unproven")]
)
def test_answers_without_a_number(kind: str, why: str) -> None:
    assert why in kinds(judged(page(MAIN, answers=[answer(MAIN, "page", kind)])))


@pytest.mark.parametrize(
    ("asked", "kind"),
    [
        (visit(status=None, error="failed", blocked=Blocked.MIXED), "collector.mixed"),
        (visit(status=None, error="net::ERR_BLOCKED_BY_ADMINISTRATOR"), "collector.refused_here"),
        (visit(status=None, error="net::ERR_BLOCKED_BY_CLIENT", blocked=Blocked.CLIENT), "collector.refused_here"),
        (visit(status=None, error="net::ERR_FAILED", blocked=Blocked.CORS), "collector.cors"),
        (visit(status=None, error="net::ERR_TIMED_OUT"), "collector.failed"),
        (visit(status=429, mime="application/json"), "collector.limited"),
        (visit(status=503, mime="text/html"), "collector.gateway"),
        (visit(status=405, mime="text/html"), "collector.status"),
    ],
)
def test_questions_that_fail(asked: Request, kind: str) -> None:
    assert kind in kinds(judged(page(MAIN, script(), asked, answers=[])))


@pytest.mark.parametrize(
    ("came", "kind"),
    [
        (script(status=None, error="net::ERR_BLOCKED_BY_CLIENT", blocked=Blocked.CLIENT), "script.refused_here"),
        (script(status=None, error="net::ERR_CONNECTION_RESET"), "script.failed"),
        (script(status=None, error="net::ERR_SSL_PROTOCOL_ERROR"), "script.bad_certificate"),
    ],
)
def test_scripts_that_fail(came: Request, kind: str) -> None:
    assert kind in kinds(judged(page(MAIN, came, answers=[], ready=False)))


def test_it_runs_and_asks_nothing() -> None:
    assert "collector.not_asked" in kinds(judged(page(MAIN, script(), answers=[])))
    seen = page(MAIN, script(), answers=[], policy=[PolicyFault("connect-src", f"{COLLECTOR}v1/visit")])
    assert "collector.policy" in kinds(judged(seen))


def test_it_is_loaded_and_does_not_run() -> None:
    assert "script.not_started" in kinds(judged(page(MAIN, script(), answers=[], ready=False)))


def test_a_page_that_takes_its_time() -> None:
    assert "page.slow" in kinds(judged(page(timed_out=True)))


def test_the_number_is_not_written() -> None:
    assert "target.not_written" in kinds(judged(page(MAIN)))


def test_who_moves_first() -> None:
    assert "optimiser.late" in kinds(judged(page(moved_first=True)))


@pytest.mark.parametrize(
    ("collector", "fetch_site", "addresses", "kind"),
    [
        (COLLECTOR, "same-origin", {}, "setup.same_host"),
        ("https://np.acme.example/", "same-site", {"np.acme.example": "203.0.9.9"}, "setup.sub_domain"),
        ("https://np.acme.example/", "same-site", {"np.acme.example": "198.51.100.9"}, "setup.sub_domain_far"),
        ("https://np.acme.example/", "same-site", {}, "setup.sub_domain_far"),
        ("https://np.acme.example/", "same-site", {"np.acme.example": "2001:db8::1"}, "setup.sub_domain_far"),
        ("https://collector.example/", "cross-site", {}, "setup.foreign"),
    ],
)
def test_where_the_collector_stands(collector: str, fetch_site: str, addresses: dict[str, str], kind: str) -> None:
    seen = page(LENT, script(url=f"{collector}np.js"), visit(url=f"{collector}v1/visit", fetch_site=fetch_site))
    assert kind in kinds(judged(seen, addresses={"www.acme.example": "203.0.113.7", **addresses}))


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        ("net::ERR_TIMED_OUT", None, "page.silent"),
        ("net::ERR_ABORTED", None, "page.no_page"),
        ("net::ERR_TOO_MANY_REDIRECTS", None, "page.no_answer"),
        ("net::ERR_CERT_DATE_INVALID", None, "page.bad_certificate"),
        ("", 451, "page.not_found"),
        ("", 429, "page.refused"),
    ],
)
def test_pages_that_do_not_open(error: str, status: int | None, kind: str) -> None:
    assert kinds(judge(FACTS, Seen(PAGE, error=error, status=status), None, {})) == {kind}


def test_away_to_a_foreign_page() -> None:
    seen = page()
    seen.final_url = "https://elsewhere.example/"
    assert "page.redirected_away" in kinds(judged(seen))


def test_a_file_is_no_page() -> None:
    seen = Seen(PAGE, PAGE, 200, headers={"content-type": "application/pdf"})
    assert kinds(judge(FACTS, seen, None, {})) == {"page.no_page"}


def test_every_kind_is_found_somewhere() -> None:
    """No sentence that nothing says, and no finding without its sentence."""
    folder = Path(gateway.site_check.__path__[0])
    judges = "\n".join(file.read_text() for file in folder.glob("judge*.py"))
    areas = "|".join(sorted({kind.partition(".")[0] for kind in SENTENCES}))
    written = set(re.findall(rf'"((?:{areas})\.[a-z_]+)"', judges))
    assert written <= set(SENTENCES)
    # Put together from what stands in the way: a program, or what became of a connection.
    joined = {kind for kind in SENTENCES if kind.startswith("optimiser.")} | {
        f"script.{what}" for what in ("unknown_name", "connection_refused", "silent")
    }
    assert set(SENTENCES) - written - joined == set()

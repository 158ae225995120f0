"""What stands around every page: navigation, company, period, notices; templates find it as ``shell``."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from gateway.http.accounts import Company, Viewer
from gateway.http.navigation import ALL_COMPANIES, Place, Position, position_of
from gateway.http.notices import Notice, taken_notice
from gateway.http.periods import QUERY, Period, Span
from gateway.http.permissions import Permission
from gateway.http.routing import companies_with, permission_of
from gateway.http.words import Words


@dataclass(frozen=True, slots=True)
class Choice:
    """Something to choose in a menu."""

    label: str
    url: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Shell:
    """The surroundings of one page for one viewer."""

    position: Position
    company: Company | None
    companies: tuple[Company, ...]  # that the viewer can switch to
    has_overview: bool  # the viewer may see all of them at one glance
    is_overview: bool  # and does so now
    period: Period
    has_period: bool
    notice: Notice | None
    words: Words
    view: Mapping[str, str] = field(default_factory=dict)  # what the page is asked for, where another period keeps it

    def link(self, path: str, /, **query: Any) -> str:
        """An address on these pages that keeps company and period; what is none in ``query`` is left out."""
        kept: dict[str, str] = {}
        if self.company and len(self.companies) > 1 and path != ALL_COMPANIES:
            kept["company"] = str(self.company.id)
        kept |= self.period.query()
        for name, value in query.items():
            kept.pop(name, None)
            if value is not None:
                kept[name] = str(value)
        return f"{path}?{urlencode(kept)}" if kept else path

    def is_here(self, place: Place) -> bool:
        """Whether the page is in this place."""
        return place in (self.position.here, self.position.section)

    @property
    def company_choices(self) -> list[Choice]:
        """The companies, and what shows all of them."""
        root = self.position.root
        everything = [Choice(self.words.say("All companies"), self.link(ALL_COMPANIES), self.is_overview)]
        return [
            *(everything if self.has_overview else ()),
            *(
                Choice(
                    company.name,
                    self.link(root, company=company.id),
                    not self.is_overview and self.company is not None and company.id == self.company.id,
                )
                for company in self.companies
            ),
        ]

    @property
    def period_choices(self) -> list[Choice]:
        """The periods that have a name."""
        root = ALL_COMPANIES if self.is_overview else self.position.root
        return [
            Choice(self.words.span(span), self._with(root, Period(span)), self.period.span is span)
            for span in Span
            if span is not Span.CHOSEN
        ]

    @property
    def period_form(self) -> tuple[str, dict[str, str]]:
        """Where the form with two days leads, and what it carries along."""
        root = ALL_COMPANIES if self.is_overview else self.position.root
        kept = (
            {"company": str(self.company.id)}
            if self.company and len(self.companies) > 1 and not self.is_overview
            else {}
        )
        return root, {**kept, **self.view}

    @property
    def days(self) -> tuple[date | None, date]:
        """First and last day of the period, both included, as the form with two days shows them."""
        today = self.words.now.date()
        first, last = self.period.days(today)
        return first, last or today

    def _with(self, root: str, period: Period) -> str:
        nothing: dict[str, None] = dict.fromkeys(self.period.query())
        return self.link(root, **{**nothing, **self.view, **period.query()})


def shell_of(request: web.Request, viewer: Viewer, company: Company | None, words: Words) -> Shell:
    """The surroundings of this request's page."""
    company = company or named_company(request, viewer)
    position = position_of(request, company.id if company else None)
    is_overview = request.path == ALL_COMPANIES
    return Shell(
        position,
        company,
        tuple(_switchable(request, viewer)),
        len(companies_with(Permission.REPORTS_READ, viewer)) > 1,
        is_overview,
        Period.read(request.query),
        is_overview or (position.here is not None and position.here.has_period),
        taken_notice(request),
        words,
        _view(request) if position.here is not None and position.here.keeps_view else {},
    )


def _view(request: web.Request) -> Mapping[str, str]:
    return {name: value for name, value in request.query.items() if name not in ("company", *QUERY)}


def named_company(request: web.Request, viewer: Viewer) -> Company | None:
    """The viewer's company that the address names, else his first."""
    named = request.query.get("company", "")
    chosen = viewer.company(int(named[:18])) if named.isascii() and named.isdigit() else None
    return chosen or (viewer.memberships[0].company if viewer.memberships else None)


def _switchable(request: web.Request, viewer: Viewer) -> Iterable[Company]:
    """Those in which this page can be opened too."""
    permission = permission_of(request)
    allowed = companies_with(permission, viewer) if permission else ()
    return (membership.company for membership in viewer.memberships if membership.company.id in allowed)

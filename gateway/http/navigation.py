"""The places of the pages: what stands in the navigation, and where a request is.

A place shows once its route is in the route table, to whoever may open it: the route's permission decides, so that
navigation and guard never differ.
"""

from dataclasses import dataclass

from aiohttp import hdrs, web

from gateway.http.accounts import Viewer
from gateway.http.keys import VIEWER
from gateway.http.routing import ROUTES, Route, companies_with


def N_(text: str) -> str:
    """Marks a text for the catalogues; it is translated where it is shown."""
    return text


@dataclass(frozen=True, slots=True)
class Place:
    """A place to go to; ``name`` and ``says`` (a sentence) in English, to be translated by the template."""

    path: str
    name: str
    says: str = ""
    has_period: bool = False
    keeps_view: bool = False  # another period shows the same page below it, asked for the same things

    def holds(self, path: str) -> bool:
        """Whether an address lies here or below."""
        return path == self.path or path.startswith(self.path + "/")


SETTINGS = "/settings"
ALL_COMPANIES = "/companies"

MAIN = (
    Place("/overview", N_("Overview"), has_period=True),
    Place("/calls", N_("Calls"), has_period=True),
    Place("/conversations", N_("Texts")),
    Place("/visitors", N_("Visitors"), has_period=True),
    Place("/people", N_("People")),
    Place("/reports", N_("Reports"), has_period=True, keeps_view=True),
    Place("/money", N_("Money"), has_period=True),
    Place(SETTINGS, N_("Settings")),
)

# Inside the reports: tabs, each with the period of the address.
REPORT_PLACES = (
    Place("/reports", N_("Breakdown"), has_period=True),
    Place("/reports/months", N_("Months"), has_period=True),
    Place("/reports/missed", N_("Missed calls"), has_period=True),
    Place("/reports/answering", N_("Who answers"), has_period=True),
)

# In the order in which a company is set up.
SETTINGS_PLACES = (
    Place(
        "/settings/company", N_("Company"), N_("Name, time zone, country and currency, and the line that always rings.")
    ),
    Place("/settings/sites", N_("Websites"), N_("The sites that show your numbers, and the line of script for each.")),
    Place("/settings/pools", N_("Pools and numbers"), N_("Which numbers you have, and who is shown which.")),
    Place("/settings/sources", N_("Sources"), N_("How visits are named after what brought them.")),
    Place("/settings/learned", N_("How sure"), N_("How soon visitors call, and how often the answers were right.")),
    Place("/settings/destinations", N_("Destinations"), N_("Where calls ring, and what happens when nobody answers.")),
    Place(
        "/settings/flows",
        N_("Call routing"),
        N_("What calls do: who rings in which order, opening hours, menus, voicemail."),
    ),
    Place("/settings/sounds", N_("Sounds"), N_("Greetings, menus and announcements: recorded, or spoken for you.")),
    Place("/settings/whisper", N_("Whisper"), N_("What whoever answers hears first: where the call comes from.")),
    Place("/settings/calls", N_("Calls you take"), N_("What callers are told, the rules against spam, and limits.")),
    Place("/settings/telephone", N_("On the telephone"), N_("What whoever picks up is asked before a call is theirs.")),
    Place("/settings/recording", N_("Recording"), N_("What is recorded, what callers hear first, how long it stays.")),
    Place("/settings/leads", N_("Leads"), N_("What counts as a lead.")),
    Place("/settings/tags", N_("Tags"), N_("The words you mark calls with: how often each is used, and other names.")),
    Place("/settings/texts", N_("Texts"), N_("Carriers that bring texts, and who is told of them.")),
    Place("/settings/programs", N_("Programs"), N_("Your own programs that hand in chats and the like.")),
    Place(
        "/settings/mail",
        N_("Reports by mail"),
        N_("Who gets reports and alerts of missed calls by mail, and when."),
    ),
    Place("/settings/users", N_("Users"), N_("Who may sign in, and what each of them may see and do.")),
    Place("/settings/audit", N_("Audit log"), N_("Who listened, exported, changed or removed what, and when.")),
)


@dataclass(frozen=True, slots=True)
class Position:
    """Where a request is, and where its viewer can go from there."""

    main: tuple[Place, ...]
    settings: tuple[Place, ...]
    here: Place | None
    section: Place | None  # of the settings
    path: str = ""  # of the page itself
    reports: tuple[Place, ...] = ()
    report: Place | None = None

    @property
    def root(self) -> str:
        """Where another company's, or another period's, same page is."""
        if self.here and self.here.keeps_view:
            return self.path
        if self.section:
            return self.section.path
        if self.here:
            return self.here.path
        return self.main[0].path if self.main else "/calls"


def position_of(request: web.Request, company_id: int | None) -> Position:
    """The places that the viewer may open in a company, and which of them this is."""
    viewer = request.get(VIEWER)
    table = {route.path: route for route in request.app[ROUTES].values() if route.method == hdrs.METH_GET}
    settings = tuple(
        place for place in SETTINGS_PLACES if viewer and _may_open(table.get(place.path), viewer, company_id)
    )
    main = tuple(
        place
        for place in MAIN
        if viewer
        and (bool(settings) if place.path == SETTINGS else _may_open(table.get(place.path), viewer, company_id))
    )
    reports = tuple(place for place in REPORT_PLACES if viewer and _may_open(table.get(place.path), viewer, company_id))
    return Position(
        main,
        settings,
        next((place for place in main if place.holds(request.path)), None),
        next((place for place in settings if place.holds(request.path)), None),
        request.path,
        reports,
        # The innermost: the first of them holds all the others.
        next((place for place in reversed(reports) if place.holds(request.path)), None),
    )


def _may_open(route: Route | None, viewer: Viewer, company_id: int | None) -> bool:
    return route is not None and company_id in companies_with(route.permission, viewer)

"""Every number and where it leads, in memory, and the decision over it: plain values, no I/O.

The gateway keeps one Directory and replaces it whole when settings change. The fallback routes in AstDB are written
from the same Directory, so that a number is matched alike whether the gateway lives or not.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from gateway.calls.admission import Admission, Verdict, admission
from gateway.calls.caller import caller_number
from gateway.calls.emergency import is_emergency_caller
from gateway.calls.flow import Flow
from gateway.calls.route import Destination, Route, Step
from gateway.calls.steps import House, Moment, menus, place_of, read_choice, steps_as_if_open, steps_of

# A chain of destinations longer than this is a mistake, and an endless one would be a loop.
LONGEST_CHAIN = 8


@dataclass(frozen=True, slots=True)
class Number:
    """A tracking number with everything that its calls need.

    ``forms`` are all the ways a carrier may send it (gateway.pools.numbers.forms), ``route`` what its calls do; of a
    number with a flow, what they do where nobody can be asked.
    """

    id: int
    company_id: int
    e164: str
    source_id: int | None
    route: Route
    forms: frozenset[str]
    flow: Flow | None = None
    whispers: bool = True  # whether whoever answers may be told what brought the call; not where something else is said


@dataclass(frozen=True, slots=True)
class Directory:
    """All numbers by every form, and the company that gets what nobody owns."""

    numbers: Mapping[int, Number]
    by_form: Mapping[str, Number]
    regions: Mapping[int, str]  # company id -> ISO country by which its national numbers are read
    default_company: int | None
    default_route: Route
    passed_over: frozenset[str] = frozenset()  # destinations that lead into contexts which the settings do not allow
    dial_emergency: frozenset[str] = frozenset()  # destinations passed over because they call an emergency number
    caller_rules: Mapping[int, Mapping[str, Verdict]] = field(default_factory=dict)  # of each company, by caller
    emergency_callers: frozenset[str] = frozenset()  # digits; they are never blocked
    default_flow: Flow | None = None
    flows: Mapping[int, Flow] = field(default_factory=dict)
    houses: Mapping[int, House] = field(default_factory=dict)  # company id -> what its flows stand on

    def match(self, dialled: Iterable[str]) -> Number | None:
        """The first of ``dialled`` that is a form of one of our numbers."""
        return next((self.by_form[form] for form in dialled if form in self.by_form), None)

    def decide(self, dialled: Iterable[str], caller: str = "", moment: Moment | None = None) -> Route:
        """The route for a call that asked for one of ``dialled``; the default line where no number is known.

        ``caller`` is the number as it was sent, empty where withheld. Where the company blocks it, nothing rings.
        Without a ``moment``, a flow goes as where nobody can be asked: as if open. Raises whatever a flow may raise.
        """
        number = self.match(dialled)
        route = self.default_route if number is None else number.route
        company = self.default_company if number is None else number.company_id
        if company is not None and not self.admission(company, caller).rings:
            return blocked(route)
        flow = self.default_flow if number is None else number.flow
        if flow is None or moment is None or flow.company_id not in self.houses:
            return route
        by = replace(moment, caller=caller_number(caller, self.regions.get(flow.company_id)))
        return replace(route, steps=steps_of(flow, self.houses[flow.company_id], by))

    def choose(self, choice: str, dialled: Iterable[str], caller: str, moment: Moment) -> tuple[Step, ...]:
        """What follows the key that was pressed in a menu (``choice``: Menu/<place>-<key>).

        Where the flow has changed meanwhile or the key leads nowhere, what the number rings without a flow.
        """
        number = self.match(dialled)
        found = read_choice(choice)
        flow = self.flows.get(found[0]) if found else None
        if found and flow and flow.revision == found[1] and flow.company_id in self.houses:
            by = replace(moment, caller=caller_number(caller, self.regions.get(flow.company_id)))
            if steps := steps_of(flow, self.houses[flow.company_id], by, found[2]):
                return steps
        return (self.default_route if number is None else number.route).destinations

    def branches(self) -> Iterable[tuple[str, tuple[Step, ...]]]:
        """For every key of every menu: what the dialplan asks by, and what follows where nobody can be asked."""
        for flow in self.flows.values():
            house = self.houses.get(flow.company_id)
            if house is None:
                continue
            for path, keys in menus(flow).items():
                for place in keys:
                    yield f"Menu/{place_of(flow, path)}-{place[-1]}", steps_as_if_open(flow, house, place)

    def admission(self, company: int, caller: str) -> Admission:
        """Whether a call from ``caller`` rings at ``company``, and why."""
        rules = self.caller_rules.get(company)
        if not rules or not caller:
            return Admission.NO_RULE
        region = self.regions.get(company)
        return admission(
            caller_number(caller, region),
            rules,
            emergency=is_emergency_caller(caller, region, self.emergency_callers),
        )


def build_directory(
    numbers: Iterable[Number],
    regions: Mapping[int, str],
    default_company: int | None,
    default_route: Route,
    passed_over: frozenset[str] = frozenset(),
    dial_emergency: frozenset[str] = frozenset(),
) -> Directory:
    """A directory of ``numbers``.

    Two numbers may share a national form (of two countries). The full number always wins; a form that several numbers
    claim otherwise belongs to the one that was there first, so that adding a number never moves another's calls.
    """
    ordered = sorted(numbers, key=lambda number: number.id)
    by_form: dict[str, Number] = {}
    for number in ordered:
        for form in (number.e164, number.e164.removeprefix("+")):
            by_form[form] = number
    for number in ordered:
        for form in number.forms:
            by_form.setdefault(form, number)
    by_id = {number.id: number for number in ordered}
    return Directory(
        by_id,
        by_form,
        dict(regions),
        default_company,
        default_route,
        passed_over,
        dial_emergency,
    )


def chain(start: int | None, destinations: Mapping[int, tuple[Destination, int | None]]) -> tuple[Destination, ...]:
    """The destinations from ``start`` on, each once, in the order in which a call tries them."""
    found: list[Destination] = []
    seen: set[int] = set()
    here = start
    while here is not None and here in destinations and here not in seen and len(found) < LONGEST_CHAIN:
        seen.add(here)
        destination, here = destinations[here]
        found.append(destination)
    return tuple(found)


def straight(route: Route) -> Route:
    """``route`` for a fax machine, which answers tones: nothing is played to either side, and nothing is recorded."""
    return replace(route, record=False, announcement=None, whisper=None)


def with_default(route: Route, default: tuple[Destination, ...]) -> Route:
    """``route``, ringing ``default`` where it has no destination of its own."""
    return route if route.destinations else replace(route, destinations=default)


def blocked(route: Route) -> Route:
    """``route`` for a caller whom the company has blocked: nothing rings, nothing is played, nothing is recorded."""
    return replace(straight(route), destinations=(), steps=(), blocked=True)

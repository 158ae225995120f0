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
from gateway.calls.gate import Door, announced, screened, turned_away
from gateway.calls.policy import NOTHING, Phrase
from gateway.calls.route import Destination, Route, Step
from gateway.calls.screening import Screened, Screening, screen
from gateway.calls.steps import House, Moment, menus, place_of, read_choice, steps_as_if_open, steps_of

# A chain of destinations longer than this is a mistake, and an endless one would be a loop.
LONGEST_CHAIN = 8


@dataclass(frozen=True, slots=True)
class Number:
    """A tracking number with everything that its calls need.

    ``forms`` are all the ways a carrier may send it (gateway.pools.numbers.forms), ``route`` what its calls do; of a
    number with a flow, what they do where nobody can be asked. ``records``: its calls are to be recorded, where their
    callers can be told so if they must be. ``is_trap``: nobody has ever been shown it.
    """

    id: int
    company_id: int
    e164: str
    source_id: int | None
    route: Route
    forms: frozenset[str]
    flow: Flow | None = None
    records: bool | None = None  # none: as the route says
    is_trap: bool = False
    is_fax: bool = False
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
    not_forwarded: frozenset[int] = frozenset()  # ids of those that lead where the company forwards no calls
    caller_rules: Mapping[int, Mapping[str, Verdict]] = field(default_factory=dict)  # of each company, by caller
    emergency_callers: frozenset[str] = frozenset()  # digits; they are never blocked
    default_flow: Flow | None = None
    flows: Mapping[int, Flow] = field(default_factory=dict)
    houses: Mapping[int, House] = field(default_factory=dict)  # company id -> what its flows stand on
    doors: Mapping[int, Door] = field(default_factory=dict)  # company id -> its rules; none: it has none
    own_sounds: Mapping[int, str] = field(default_factory=dict)  # company id -> its own announcement
    default_records: bool | None = None

    def match(self, dialled: Iterable[str]) -> Number | None:
        """The first of ``dialled`` that is a form of one of our numbers."""
        return next((self.by_form[form] for form in dialled if form in self.by_form), None)

    def decide(self, dialled: Iterable[str], caller: str = "", moment: Moment | None = None) -> Route:
        """The route for a call that asked for one of ``dialled``; the default line where no number is known.

        ``caller`` is the number as it was sent, empty where withheld. Where the company blocks it, nothing rings.
        Without a ``moment``, a flow goes as where nobody can be asked, as if open, and of the rules only the list
        holds. Raises whatever a flow may raise.
        """
        number = self.match(dialled)
        route = self.default_route if number is None else number.route
        company = self.default_company if number is None else number.company_id
        admitted = Admission.NO_RULE if company is None else self.admission(company, caller)
        if not admitted.rings:
            return turned_away(route, (Screened.LISTED.value,))
        if moment is None:
            return route
        by = self._by(moment, company, caller)
        door = self.doors.get(company or 0)
        route = self._announced(route, number, door, by)
        if (steps := self._steps(number, by)) is not None:
            route = replace(route, steps=steps)
        return route if door is None else screened(route, self._screening(number, door, admitted, by), door)

    def _by(self, moment: Moment, company: int | None, caller: str) -> Moment:
        """The moment with its caller as the log has it."""
        return replace(moment, caller=caller_number(caller, self.regions.get(company or 0)))

    def _announced(self, route: Route, number: Number | None, door: Door | None, by: Moment) -> Route:
        """With the announcement for this very caller, where the law of his place makes a difference."""
        records = self.default_records if number is None else number.records
        if door is None or not records:
            return route
        plain = replace(route, record=True, untold=False, marks=(), announcement=None)
        return announced(plain, door, self.own_sounds.get(door.company_id), by.caller, is_known=True)

    def _steps(self, number: Number | None, by: Moment) -> tuple[Step, ...] | None:
        """What its flow does now; none where it has none."""
        flow = self.default_flow if number is None else number.flow
        if flow is None or flow.company_id not in self.houses:
            return None
        return steps_of(flow, self.houses[flow.company_id], by)

    def _screening(self, number: Number | None, door: Door, admitted: Admission, by: Moment) -> Screening:
        if number is not None and number.is_fax:
            policy = replace(NOTHING, most_calls=door.policy.most_calls, most_by_trunk=door.policy.most_by_trunk)
        else:
            policy = door.policy
        seen = by.traffic.seen(door.company_id, by.caller, by.trunk, policy, by.call)
        return screen(by.caller, admitted, policy, by.trunk, seen, number is not None and number.is_trap)

    def choose(self, choice: str, dialled: Iterable[str], caller: str, moment: Moment) -> tuple[Step, ...]:
        """What follows the key that was pressed in a menu (``choice``: Menu/<place>-<key>).

        Where the flow has changed meanwhile or the key leads nowhere, what the number rings without a flow.
        """
        number = self.match(dialled)
        found = read_choice(choice)
        if found and found[0] == 0:  # the gate: on as if there were none
            company = self.default_company if number is None else number.company_id
            if steps := self._steps(number, self._by(moment, company, caller)):
                return steps
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
        for door in self.doors.values():
            if Phrase.PRESS_ONE in door.policy.phrases:
                yield f"Menu/{door.gate}-1", door.rings

    def admission(self, company: int, caller: str) -> Admission:
        """Whether a call from ``caller`` rings at ``company``, and why."""
        rules = self.caller_rules.get(company, {})
        if not caller or not (rules or company in self.doors):
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


def chain(
    start: int | None, destinations: Mapping[int, tuple[Destination | None, int | None]]
) -> tuple[Destination, ...]:
    """The destinations from ``start`` on, each once, in the order in which a call tries them; none: passed over."""
    found: list[Destination] = []
    seen: set[int] = set()
    here = start
    while here is not None and here in destinations and here not in seen and len(found) < LONGEST_CHAIN:
        seen.add(here)
        destination, here = destinations[here]
        if destination is not None:
            found.append(destination)
    return tuple(found)


def with_default(route: Route, default: tuple[Destination, ...]) -> Route:
    """``route``, ringing ``default`` where it has no destination of its own."""
    return route if route.destinations else replace(route, destinations=default)

"""Checks of where calls go: every destination of the database, and the default one of the settings."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from gateway.calls.emergency import emergency_dialled
from gateway.doctor.dialplan import Dialplan, taker
from gateway.doctor.findings import Area, Finding, Severity, error, warning
from gateway.doctor.pjsip import Called, Endpoint, parts_of
from gateway.pools.loops import dials_any_of

RELOAD = "asterisk -rx 'module reload res_pjsip.so'"
_AREA = Area.DESTINATIONS
DEFAULT = "calls.default_destination"
TRUNKS = "nodes.trunks"
# Channel drivers by the technology of a dial string; chan_sip is gone since Asterisk 21.
DRIVERS = {
    "iax2": "chan_iax2",
    "dahdi": "chan_dahdi",
    "sip": "chan_sip",
    "motif": "chan_motif",
    "ooh323": "chan_ooh323",
}


@dataclass(frozen=True, slots=True)
class Named:
    """A dial string and who has it: a destination of a company, or the default destination of the settings."""

    name: str
    dial: str
    company: str = ""
    region: str | None = None

    @property
    def is_default(self) -> bool:
        """Whether it is the settings' last resort."""
        return self.name == DEFAULT

    @property
    def title(self) -> str:
        """How a sentence names it."""
        if self.name == TRUNKS:
            return "the way to numbers outside (nodes.trunks)"
        return f"the default destination ({DEFAULT})" if self.is_default else f"the destination {self.name!r}"

    def other(self, dial: str) -> str:
        """What to type so that it dials something else."""
        if self.is_default:
            return f'in numberpool.toml, [calls]:  default_destination = "{dial}"'
        company = f' --company "{self.company}"' if self.company else ""
        return f'numberpool destination add "{self.name} (mended)" {dial}{company}   # and give its numbers to it'


def check_destinations(
    destinations: Iterable[Named],
    endpoints: Mapping[str, Endpoint] | None,
    dialplan: Dialplan | None,
    allowed_contexts: Collection[str],
    modules: Mapping[str, bool],
    trunks: Sequence[str] = (),
) -> list[Finding]:
    """Each destination by itself, then the endpoints that they ring, each told once.

    ``trunks``: the endpoints of the settings by which numbers outside are rung.
    """
    found: list[Finding] = []
    rung: dict[str, Named] = {}
    for name in trunks if endpoints is not None else ():
        if name in (endpoints or {}):
            rung[name] = Named(TRUNKS, f"PJSIP/{name}")
        else:
            found.append(_no_trunk(name))
    for named in destinations:
        for part in parts_of(named.dial):
            technology = part.technology.lower()
            if technology == "pjsip":
                if endpoints is None:
                    continue
                if part.target in endpoints:
                    rung.setdefault(part.target, named)
                else:
                    found.append(_no_endpoint(named, part, endpoints))
            elif technology in ("local", "dialplan"):
                found += _place(named, part, dialplan, allowed_contexts)
            elif technology == "trunk":
                if not trunks:
                    found.append(_no_trunks(named, part))
            elif modules.get(DRIVERS.get(technology, "")) is False:
                found.append(_no_driver(named, part))
    for name, named in rung.items():
        found += check_endpoint((endpoints or {})[name], named)
    return found


def _no_endpoint(named: Named, part: Called, endpoints: Mapping[str, Endpoint]) -> Finding:
    like = next((name for name in endpoints if name.lower() == part.target.lower()), None)
    return error(
        "default.no-endpoint" if named.is_default else "destination.no-endpoint",
        _AREA,
        f"{_capital(named.title)} rings {part.text}, but pjsip.conf has no endpoint {part.target}"
        + (f" (it has {like}: capital letters count)." if like else "."),
        f"in pjsip.conf:  [{part.target}]  type=endpoint  aors={part.target} ...",
        RELOAD,
        "or: " + named.other(f"PJSIP/{like or 'AN ENDPOINT'}"),
        where=named.name,
    )


def _no_trunk(name: str) -> Finding:
    return error(
        "trunk.no-endpoint",
        _AREA,
        f"Calls to numbers outside go by the trunk {name} of the settings, but pjsip.conf has no endpoint {name}.",
        f"in pjsip.conf:  [{name}]  type=endpoint  aors={name} ...   # see asterisk_conf/trunks",
        RELOAD,
        'or in numberpool.toml, [[nodes.trunks]]:  name = "AN ENDPOINT"',
        where=name,
    )


def _no_trunks(named: Named, part: Called) -> Finding:
    return error(
        "destination.no-trunks",
        _AREA,
        f"{_capital(named.title)} rings {part.text}, but the settings of this Asterisk name no trunk.",
        'in numberpool.toml, below [[nodes]]:  [[nodes.trunks]]  name = "AN ENDPOINT OF pjsip.conf"',
        "numberpool asterisk render; systemctl restart numberpool",
        where=named.name,
    )


def check_emergency(destinations: Iterable[Named]) -> list[Finding]:
    """Destinations that dial an emergency number: they are passed over in every route."""
    return [
        error(
            "destination.emergency",
            _AREA,
            f"{_capital(named.title)} dials {number}, an emergency number, so no call is ever sent there.",
            named.other("PJSIP/A LINE OF YOURS"),
            where=named.name,
        )
        for named in destinations
        if (number := emergency_dialled(named.dial, named.region)) is not None
    ]


def _no_driver(named: Named, part: Called) -> Finding:
    driver = DRIVERS[part.technology.lower()]
    return error(
        "destination.no-driver",
        _AREA,
        f"{_capital(named.title)} rings {part.text}, but {driver} is not loaded"
        + (" (Asterisk 21 and newer have none)." if driver == "chan_sip" else "."),
        named.other(f"PJSIP/{part.target}"),
        *([] if driver == "chan_sip" else [f"or: asterisk -rx 'module load {driver}.so'"]),
        where=named.name,
    )


def _place(named: Named, part: Called, dialplan: Dialplan | None, allowed: Collection[str]) -> list[Finding]:
    found = []
    if part.technology.lower() == "local" and "n" not in part.options:
        found.append(
            warning(
                "destination.local",
                _AREA,
                f"{_capital(named.title)} rings {part.text} without /n: that channel takes itself out of the call, and "
                "the record of who answered goes with it.",
                named.other(f"{part.text.partition('/')[0]}/{part.target}@{part.context}/n"),
                where=named.name,
            )
        )
    if part.technology.lower() == "dialplan" and part.context not in allowed:
        found.append(
            error(
                "destination.context-not-allowed",
                _AREA,
                f"{_capital(named.title)} leads into the context {part.context}, which is not among "
                "calls.dialplan_contexts.",
                f'in numberpool.toml, [calls]:  dialplan_contexts = ["{part.context}"]',
                "numberpool asterisk render; asterisk -rx 'dialplan reload'",
                where=named.name,
            )
        )
    if dialplan is None:
        return found
    context = dialplan.get(part.context)
    if context is None or (not context.has_switch and taker(dialplan, part.context, part.target) is None):
        what = "context" if context is None else f"extension {part.target} in the context"
        found.append(
            error(
                "destination.no-extension",
                _AREA,
                f"{_capital(named.title)} leads to {part.text}, but the dialplan has no {what} {part.context}.",
                f"in extensions.conf:  [{part.context}]  exten => {part.target},1,...",
                "asterisk -rx 'dialplan reload'",
                where=named.name,
            )
        )
    return found


def check_endpoint(endpoint: Endpoint, named: Named) -> list[Finding]:
    """An endpoint that a destination rings."""
    found: list[Finding] = []

    def tell(kind: str, severity: Severity, what: str, *mend: str) -> None:
        found.append(Finding(f"destination.{kind}", severity, _AREA, what, (*mend, RELOAD), endpoint.name))

    title = f"{named.title} rings the endpoint {endpoint.name}"
    if not endpoint.get("transport"):
        tell(
            "no-transport",
            Severity.WARNING,
            f"{_capital(title)}, which names no transport: Asterisk looks up its own host name for each call, and a "
            "dead name server holds it up for seconds.",
            f"in pjsip.conf, [{endpoint.name}] type=endpoint:  transport=THE NAME OF YOUR TRANSPORT",
        )
    if endpoint.is_on("trustidinbound"):
        tell(
            "trusts-identity",
            Severity.WARNING,
            f"{_capital(title)}, which is trusted to say who it is (trust_id_inbound=yes): a phone can put its own "
            "text into the record of a call.",
            f"in pjsip.conf, [{endpoint.name}] type=endpoint:  trust_id_inbound=no",
        )
    if not endpoint.aors:
        tell(
            "no-aor",
            Severity.ERROR,
            f"{_capital(title)}, which has no aor: Asterisk does not know where it is.",
            f"in pjsip.conf, [{endpoint.name}] type=endpoint:  aors={endpoint.name}",
        )
    for aor in endpoint.aors:
        if aor.qualify_seconds <= 0:
            tell(
                "no-qualify",
                Severity.WARNING,
                f"{_capital(title)}, whose aor {aor.name} has no qualify_frequency: a phone that is gone is noticed "
                "only when its calls have rung in vain.",
                f"in pjsip.conf, [{aor.name}] type=aor:  qualify_frequency=60",
            )
    if endpoint.aors and not any(aor.has_contacts for aor in endpoint.aors):
        tell(
            "not-registered",
            Severity.WARNING,
            f"{_capital(title)}, where no phone is registered now.",
            f"asterisk -rx 'pjsip show endpoint {endpoint.name}'   # and look at the phone",
        )
    elif endpoint.contacts and all(contact.status == "Unreachable" for contact in endpoint.contacts):
        tell(
            "unreachable",
            Severity.WARNING,
            f"{_capital(title)}, which does not answer at {endpoint.contacts[0].uri} now.",
            f"asterisk -rx 'pjsip qualify {endpoint.name}'   # and look at the phone",
        )
    return found


def check_loops(destinations: Iterable[Named], numbers: Iterable[tuple[str, str]]) -> list[Finding]:
    """Destinations that dial a tracking number of ours: such a call comes back for ever. ``numbers``: E.164, region."""
    numbers = list(numbers)
    return [
        error(
            "destination.loop",
            _AREA,
            f"{_capital(named.title)} dials {part.text}, which is a tracking number: its calls come back for ever.",
            named.other("PJSIP/THE LINE BEHIND THAT NUMBER"),
            where=named.name,
        )
        for named in destinations
        for part in parts_of(named.dial)
        if dials_any_of(part.text, numbers)
    ]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]

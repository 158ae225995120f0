"""PJSIP's endpoints as the running Asterisk tells them (``PJSIPShowEndpoint``), and what a dial string asks of them."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

Fields = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Contact:
    """Where an endpoint is: ``sip:name@host:port``; status ``Reachable``, ``Unreachable``, ``NonQualified`` ..."""

    uri: str
    status: str = ""

    @property
    def host(self) -> str:
        """The host of the URI, without brackets and port."""
        found = re.match(r"sips?:(?:[^@]*@)?(\[[^\]]+\]|[^:;?>]+)", self.uri)
        return found[1].strip("[]") if found else ""


@dataclass(frozen=True, slots=True)
class Aor:
    """An address of record: how often its contacts are asked whether they live (seconds, 0 never)."""

    name: str
    qualify_seconds: float = 0
    has_contacts: bool = True


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One endpoint. ``options`` are AMI's names in small letters (``allowtransfer``) with AMI's values (``false``)."""

    name: str
    options: Fields
    aors: tuple[Aor, ...] = ()
    matches: tuple[str, ...] = ()  # addresses of its identify sections, as 192.0.2.10/255.255.255.255
    match_headers: bool = False  # an identify section asks for a header or a request line
    contacts: tuple[Contact, ...] = ()

    def get(self, option: str) -> str:
        """An option's value; empty where this Asterisk has none such."""
        return self.options.get(option, "")

    def is_on(self, option: str) -> bool:
        """Whether a yes-or-no option says yes."""
        return self.get(option).lower() in ("true", "yes", "on")

    @property
    def context(self) -> str:
        """Where its calls enter the dialplan."""
        return self.get("context")

    @property
    def codecs(self) -> list[str]:
        """What it may speak, the preferred first."""
        return [name for name in self.get("allow").strip("()").split("|") if name and name != "nothing"]


@dataclass(frozen=True, slots=True)
class Registration:
    """A trunk that this Asterisk registers with. ``endpoint`` gets its calls where ``line`` says so."""

    name: str
    status: str
    server_uri: str = ""
    endpoint: str = ""
    line: bool = False


def endpoint_of_events(events: Iterable[Fields]) -> Endpoint | None:
    """The endpoint that a ``PJSIPShowEndpoint`` list describes; none where it has no ``EndpointDetail``."""
    blocks = [{str(key).lower(): str(value) for key, value in event.items()} for event in events]
    kinds: dict[str, list[dict[str, str]]] = {}
    for block in blocks:
        kinds.setdefault(block.get("event", ""), []).append(block)
    details = kinds.get("EndpointDetail")
    if not details:
        return None
    identifies = kinds.get("IdentifyDetail", [])
    return Endpoint(
        details[0].get("objectname", ""),
        details[0],
        tuple(
            Aor(aor.get("objectname", ""), _seconds(aor.get("qualifyfrequency")), bool(aor.get("contacts")))
            for aor in kinds.get("AorDetail", [])
        ),
        tuple(match for block in identifies for match in block.get("match", "").split(",") if match),
        any(block.get("matchheader") or block.get("matchrequesturi") for block in identifies),
        tuple(Contact(block.get("uri", ""), block.get("status", "")) for block in kinds.get("ContactStatusDetail", [])),
    )


def registration_of_event(event: Fields) -> Registration | None:
    """One entry of ``PJSIPShowRegistrationsOutbound``; none for the auth sections listed among them."""
    fields = {str(key).lower(): str(value) for key, value in event.items()}
    if fields.get("event") != "OutboundRegistrationDetail":
        return None
    return Registration(
        fields.get("objectname", ""),
        fields.get("status", ""),
        fields.get("serveruri", ""),
        fields.get("endpoint", ""),
        fields.get("line", "") == "true",
    )


def _seconds(text: str | None) -> float:
    try:
        return float(text or 0)
    except ValueError:
        return 0.0


@dataclass(frozen=True, slots=True)
class Called:
    """One part of a dial string: ``PJSIP/13065551234@carrier`` is technology, the endpoint ``carrier``, a number."""

    text: str
    technology: str
    target: str  # endpoint, or extension of a Local channel or of the dialplan
    context: str = ""  # of Local and Dialplan
    options: str = ""  # of Local, such as n


def parts_of(dial: str) -> list[Called]:
    """The parts of a dial string, which are rung together."""
    return [_part(text) for text in dial.split("&") if text]


def _part(text: str) -> Called:
    technology, _, rest = text.partition("/")
    if technology.lower() in ("local", "dialplan"):
        place, _, options = rest.partition("/")
        extension, _, context = place.partition("@")
        return Called(text, technology, extension, context or "default", options)
    # PJSIP/endpoint, PJSIP/endpoint/sip:uri, PJSIP/number@endpoint
    first = rest.partition("/")[0]
    return Called(text, technology, first.rpartition("@")[2])

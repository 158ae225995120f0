"""Checks of the trunks: which calls are theirs, what a caller may do by them, whether they are there."""

import ipaddress
from collections.abc import Iterable, Sequence

from gateway.doctor.conf import Config
from gateway.doctor.findings import Area, Finding, error, warning
from gateway.doctor.pjsip import Endpoint, Registration

RELOAD = "asterisk -rx 'module reload res_pjsip.so'"
_AREA = Area.TRUNKS

# Option, what it must not be, and what happens otherwise.
_SETTINGS = (
    ("allowtransfer", "allow_transfer", "a caller's REFER reaches any extension of yours"),
    ("allowsubscribe", "allow_subscribe", "a caller can watch your extensions"),
    ("directmedia", "direct_media", "audio may go past this Asterisk, where nothing records it"),
)


def network(match: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    """The addresses of a ``match`` as AMI prints it (``192.0.2.10/255.255.255.255``); none of a name."""
    try:
        return ipaddress.ip_network(match, strict=False)
    except ValueError:
        return None


def check_settings(trunks: Iterable[Endpoint]) -> list[Finding]:
    """What a caller may do by a trunk."""
    return [
        error(
            f"trunk.{option.replace('_', '-')}",
            _AREA,
            f"The trunk {trunk.name} has {option}=yes (which is also what it is when nobody says): {consequence}.",
            f"in pjsip.conf, [{trunk.name}] type=endpoint:  {option}=no",
            RELOAD,
            where=trunk.name,
        )
        for trunk in trunks
        for key, option, consequence in _SETTINGS
        if trunk.is_on(key)
    ]


def check_matching(
    trunks: Sequence[Endpoint],
    endpoints: Sequence[Endpoint],
    registrations: Sequence[Registration],
    pjsip: Config | None,
) -> list[Finding]:
    """How Asterisk knows a trunk's calls. ``pjsip``: its global and identify sections, where they can be read."""
    by_line = {each.endpoint for each in registrations if each.line}
    found: list[Finding] = []
    for trunk in trunks:
        if not (trunk.matches or trunk.match_headers or trunk.get("auth") or trunk.name in by_line):
            found.append(
                error(
                    "trunk.unmatched",
                    _AREA,
                    f"Nothing says which calls are the trunk {trunk.name}'s, so Asterisk refuses them or takes them "
                    "for somebody else's.",
                    f"in pjsip.conf:  [{trunk.name}]  type=identify  endpoint={trunk.name}  match=THE CARRIER'S "
                    "ADDRESS",
                    RELOAD,
                    where=trunk.name,
                )
            )
        elif "username" in trunk.get("identifyby") and not trunk.get("auth"):
            found.append(
                warning(
                    "trunk.by-name",
                    _AREA,
                    f"Whoever writes {trunk.name} as the user in From is taken for that trunk, from any address and "
                    "without a password.",
                    f"in pjsip.conf, [{trunk.name}] type=endpoint:  identify_by=ip",
                    RELOAD,
                    where=trunk.name,
                )
            )
        for match in trunk.matches:
            addresses = network(match)
            if addresses is not None and addresses.prefixlen == 0:
                found.append(
                    error(
                        "trunk.everybody",
                        _AREA,
                        f"The trunk {trunk.name} matches every address: anybody on the internet is taken for the "
                        "carrier.",
                        f"in pjsip.conf, [{trunk.name}] type=identify:  match=THE CARRIER'S ADDRESS",
                        RELOAD,
                        where=trunk.name,
                    )
                )
    found += _overlaps(trunks, endpoints)
    return found + (_global(pjsip, {endpoint.name for endpoint in endpoints}) if pjsip is not None else [])


def _overlaps(trunks: Sequence[Endpoint], endpoints: Sequence[Endpoint]) -> list[Finding]:
    found = []
    told: set[frozenset[str]] = set()
    for trunk in trunks:
        for other in endpoints:
            pair = frozenset((trunk.name, other.name))
            if len(pair) == 1 or pair in told or other.context == trunk.context:
                continue
            if trunk.match_headers or other.match_headers:
                continue  # what tells them apart is in the request
            shared = next(
                (
                    a
                    for a in trunk.matches
                    for b in other.matches
                    if (mine := network(a))
                    and (theirs := network(b))
                    and mine.version == theirs.version
                    # A network of the carrier with one address taken out of it is meant so: the smaller one wins.
                    and mine == theirs
                ),
                None,
            )
            if shared is not None:
                told.add(pair)
                found.append(
                    error(
                        "trunk.same-address",
                        _AREA,
                        f"Calls from {shared.partition('/')[0]} may be the trunk {trunk.name}'s or {other.name}'s, "
                        f"which has another context ({other.context}); Asterisk takes the one whose name it finds "
                        "first.",
                        f"in pjsip.conf: remove the match from the identify section of {trunk.name} or of {other.name}",
                        RELOAD,
                        where=trunk.name,
                    )
                )
    return found


def _global(pjsip: Config, endpoints: set[str]) -> list[Finding]:
    found = []
    settings = pjsip.of_type("global")
    if not any(section.get("ignore_uri_user_options").lower() in ("yes", "true", "on", "1") for section in settings):
        found.append(
            warning(
                "trunk.uri-options",
                _AREA,
                "A number with options behind it (13065552001;npdi=yes, as number portability sends it) does not "
                "match its endpoint or extension.",
                "in pjsip.conf, [global] type=global:  ignore_uri_user_options=yes",
                RELOAD,
            )
        )
    order = next((section.get("endpoint_identifier_order") for section in settings), "")
    if order and "ip" not in [name.strip() for name in order.split(",")] and pjsip.of_type("identify"):
        found.append(
            error(
                "trunk.identifier-order",
                _AREA,
                f"endpoint_identifier_order is {order}: Asterisk never looks at the address a call comes from.",
                "in pjsip.conf, [global] type=global:  endpoint_identifier_order=ip,username,anonymous",
                RELOAD,
            )
        )
    for section in pjsip.of_type("identify"):
        if endpoints and section.get("endpoint") not in endpoints:
            found.append(
                error(
                    "trunk.identify-nobody",
                    _AREA,
                    f"The identify section {section.name} of pjsip.conf names the endpoint "
                    f"{section.get('endpoint') or '(none)'}, which does not exist; calls from {section.get('match')} "
                    "are refused.",
                    f"in pjsip.conf, [{section.name}] type=identify:  endpoint=AN ENDPOINT OF pjsip.conf",
                    RELOAD,
                    where=section.name,
                )
            )
    return found


def check_reach(trunks: Iterable[Endpoint], registrations: Iterable[Registration]) -> list[Finding]:
    """Carriers that do not answer, and registrations that are not there."""
    trunks = list(trunks)
    names = {trunk.name for trunk in trunks}
    found = [
        error(
            "trunk.unreachable",
            _AREA,
            f"The trunk {trunk.name} does not answer at {contact.uri}.",
            "asterisk -rx 'pjsip set logger on'   # then look whether OPTIONS goes out and what comes back",
            f"asterisk -rx 'pjsip qualify {trunk.name}'",
            where=trunk.name,
        )
        for trunk in trunks
        for contact in trunk.contacts
        if contact.status == "Unreachable"
    ]
    for each in registrations:
        if each.status.startswith("Registered") or (each.endpoint and each.endpoint not in names):
            continue
        refused = each.status == "Rejected"
        found.append(
            error(
                "trunk.unregistered",
                _AREA,
                f"The registration {each.name} with {each.server_uri} is {each.status or 'not there'}: its calls do "
                "not come here.",
                "in pjsip.conf, the auth section:  username=... password=...   # as the carrier gave them"
                if refused
                else "asterisk -rx 'pjsip set logger on'   # then look what the carrier answers to REGISTER",
                f"asterisk -rx 'pjsip send register {each.name}'",
                where=each.name,
            )
        )
    return found

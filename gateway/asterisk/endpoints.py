"""Asks a running Asterisk how its telephones are: PJSIP's endpoints with the state of each as a device."""

from collections.abc import Iterable, Mapping
from enum import StrEnum

from gateway.asterisk.ami import ActionFailed, AmiLink


class EndpointState(StrEnum):
    """What would become of a call to a telephone now."""

    FREE = "free"
    RINGING = "ringing"
    BUSY = "busy"
    UNREACHABLE = "unreachable"  # it has an address, and nothing answers there
    UNREGISTERED = "unregistered"  # nobody has said where it is


async def look_at_endpoints(link: AmiLink) -> dict[str, EndpointState]:
    """How the endpoints are, as destinations dial them (``PJSIP/reception``); none where it may not be asked.

    Raises LinkLost.
    """
    try:
        return states_of(await link.listing("PJSIPShowEndpoints"))
    except ActionFailed:
        return {}


def states_of(events: Iterable[Mapping[str, str]]) -> dict[str, EndpointState]:
    """The ``EndpointList`` events of ``PJSIPShowEndpoints``, but those that Asterisk does not know (Invalid)."""
    found = {}
    for event in events:
        fields = {str(key).lower(): str(value) for key, value in event.items()}
        name, state = fields.get("objectname", ""), fields.get("devicestate", "").lower()
        if fields.get("event") != "EndpointList" or not name.isprintable() or not name:
            continue
        if state == "unavailable":
            has_contacts = bool(fields.get("contacts", "").strip(" ,"))
            found[f"PJSIP/{name}"] = EndpointState.UNREACHABLE if has_contacts else EndpointState.UNREGISTERED
        elif state == "ringing":
            found[f"PJSIP/{name}"] = EndpointState.RINGING
        elif state in ("in use", "busy", "on hold", "ring+inuse", "ring+in use"):
            found[f"PJSIP/{name}"] = EndpointState.BUSY
        elif state == "not in use":
            found[f"PJSIP/{name}"] = EndpointState.FREE
    return found

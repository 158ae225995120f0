"""Asks a running Asterisk how its trunks are."""

from collections.abc import Collection

from gateway.asterisk.ami import ActionFailed, AmiLink
from gateway.attention.node_states import trunk_states
from gateway.doctor.pjsip import Endpoint, Registration, endpoint_of_events, registration_of_event


async def look_at_trunks(link: AmiLink, names: Collection[str]) -> dict[str, str]:
    """How the trunks of these names are, by name; what is no PJSIP endpoint, or may not be asked for, is left out.

    Raises LinkLost.
    """
    endpoints: list[Endpoint] = []
    for name in sorted(name for name in names if name.isprintable()):
        try:
            endpoint = endpoint_of_events(await link.listing("PJSIPShowEndpoint", Endpoint=name))
        except (ActionFailed, ValueError):
            continue
        if endpoint is not None:
            endpoints.append(endpoint)
    registrations: list[Registration] = []
    try:
        listed = await link.listing("PJSIPShowRegistrationsOutbound")
    except ActionFailed:
        listed = []
    for event in listed:
        registration = registration_of_event(event)
        if registration is not None:
            registrations.append(registration)
    return trunk_states(names, endpoints, registrations)

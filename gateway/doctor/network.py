"""Checks of ports and addresses: RTP's range, and what the outside is told where this Asterisk is behind NAT."""

import ipaddress
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from gateway.doctor.conf import Config, Section
from gateway.doctor.findings import Area, Finding, error, warning
from gateway.doctor.pjsip import Endpoint
from gateway.doctor.trunks import network

_AREA = Area.SOUND
RTP_RELOAD = "asterisk -rx 'module reload res_rtp_asterisk'"
# What res_rtp_asterisk takes where rtp.conf says nothing.
_RTP_START, _RTP_END = 5000, 31000
# Each leg has a port for audio and one for RTCP, and a forwarded call has two legs.
PORTS_OF_A_CALL = 4
_FEWEST_CALLS = 25
_USUAL = ("in rtp.conf, [general]:  rtpstart=10000", "in rtp.conf, [general]:  rtpend=20000", RTP_RELOAD)
RESTART = "asterisk -rx 'core restart when convenient'   # a transport is read at the start"


@dataclass(frozen=True, slots=True)
class Transport:
    """A transport of pjsip.conf."""

    name: str
    protocol: str
    host: str
    port: int
    external_media: str = ""
    external_signaling: str = ""
    local_nets: tuple[str, ...] = ()


def transports_of(pjsip: Config) -> list[Transport]:
    """The transports of pjsip.conf."""
    return [_transport(section) for section in pjsip.of_type("transport")]


def _transport(section: Section) -> Transport:
    protocol = section.get("protocol", "udp").lower()
    bind = re.fullmatch(r"(\[[^\]]*\]|[^:]*)(?::(\d+))?", section.get("bind", "0.0.0.0"))
    usual = 5061 if protocol == "tls" else 5060
    return Transport(
        section.name,
        protocol,
        bind[1].strip("[]") if bind else section.get("bind"),
        int(bind[2] or usual) if bind else usual,
        section.get("external_media_address"),
        section.get("external_signaling_address"),
        tuple(net for value in section.all("local_net") for net in value.split(",")),
    )


def check_rtp(rtp: Config, transports: Sequence[Transport], ephemeral: tuple[int, int] | None) -> list[Finding]:
    """The range of RTP's ports. ``ephemeral``: the machine's own range for programs that name none, where known."""
    texts = [rtp.option("general", key, str(usual)) for key, usual in (("rtpstart", _RTP_START), ("rtpend", _RTP_END))]
    if not all(text.isdecimal() for text in texts) or not 1024 <= int(texts[0]) < int(texts[1]) <= 65535:
        return [
            error(
                "rtp.range",
                _AREA,
                f"rtp.conf has the ports {texts[0]} to {texts[1]}, which is no range above 1023: Asterisk takes "
                "others, which your firewall does not know.",
                *_USUAL,
            )
        ]
    start, end = map(int, texts)
    found = []
    room = (end - start + 1) // PORTS_OF_A_CALL
    if room < _FEWEST_CALLS:
        found.append(
            warning(
                "rtp.few",
                _AREA,
                f"The ports {start} to {end} of rtp.conf are enough for {room} calls at once; the next one has no "
                "audio.",
                *_USUAL,
            )
        )
    for transport in transports:
        if transport.protocol == "udp" and start <= transport.port <= end:
            found.append(
                error(
                    "rtp.sip-port",
                    _AREA,
                    f"The ports {start} to {end} of rtp.conf contain {transport.port}, on which the transport "
                    f"{transport.name} listens for SIP.",
                    *_USUAL,
                    where=transport.name,
                )
            )
    if ephemeral is not None and start <= ephemeral[1] and end >= ephemeral[0]:
        found.append(
            warning(
                "rtp.ephemeral",
                _AREA,
                f"The ports {start} to {end} of rtp.conf overlap with those that this machine gives to any program "
                f"({ephemeral[0]} to {ephemeral[1]}): a name look-up can take the port of a call.",
                *_USUAL,
            )
        )
    return found


def check_nat(
    trunks: Iterable[Endpoint], transports: Iterable[Transport], addresses: Mapping[str, str]
) -> list[Finding]:
    """Trunks in the internet reached from a private address, and transports that say half of what they must.

    ``addresses``: address of a trunk -> our own address on the way there, where the transport listens on all.
    """
    by_name = {transport.name: transport for transport in transports}
    found = []
    for transport in by_name.values():
        if bool(transport.external_media) != bool(transport.external_signaling):
            lacking = "external_signaling_address" if transport.external_media else "external_media_address"
            found.append(
                warning(
                    "nat.half",
                    _AREA,
                    f"The transport {transport.name} has no {lacking} beside its sibling: the outside is told our "
                    f"private address for {'audio' if 'media' in lacking else 'requests'}.",
                    f"in pjsip.conf, [{transport.name}] type=transport:  "
                    f"{lacking}={transport.external_media or transport.external_signaling}",
                    RESTART,
                    where=transport.name,
                )
            )
        if transport.external_media and not transport.local_nets:
            found.append(
                warning(
                    "nat.no-local-net",
                    _AREA,
                    f"The transport {transport.name} has external addresses and no local_net: the phones in the house "
                    "are sent outside and back, which many routers do not do.",
                    f"in pjsip.conf, [{transport.name}] type=transport:  local_net=192.168.0.0/16   # your own "
                    "networks",
                    RESTART,
                    where=transport.name,
                )
            )
    for trunk in trunks:
        named = by_name.get(trunk.get("transport"))
        candidates = [named] if named else list(by_name.values()) if len(by_name) == 1 else []
        for transport in candidates:
            outside = [address for address in public_addresses(trunk) if _own(transport, address, addresses)]
            if outside and not (transport.external_media or trunk.get("mediaaddress")):
                own = _own(transport, outside[0], addresses)
                found.append(
                    error(
                        "nat.private",
                        _AREA,
                        f"The trunk {trunk.name} is in the internet ({outside[0]}), and this Asterisk tells it the "
                        f"private address {own} for audio: one side hears nothing.",
                        f"in pjsip.conf, [{transport.name}] type=transport:  external_media_address=YOUR PUBLIC "
                        "ADDRESS",
                        f"in pjsip.conf, [{transport.name}] type=transport:  external_signaling_address=YOUR PUBLIC "
                        "ADDRESS",
                        f"in pjsip.conf, [{transport.name}] type=transport:  local_net=192.168.0.0/16   # your own "
                        "networks",
                        RESTART,
                        where=trunk.name,
                    )
                )
    return found


def public_addresses(trunk: Endpoint) -> list[str]:
    """The addresses of a trunk that are of the internet, as far as they stand there as addresses."""
    hosts = [contact.host for contact in trunk.contacts]
    hosts += [str(net.network_address) for match in trunk.matches if (net := network(match)) and net.prefixlen > 0]
    return list(dict.fromkeys(host for host in hosts if (found := _address(host)) and found.is_global))


def _own(transport: Transport, towards: str, addresses: Mapping[str, str]) -> str | None:
    """Our own address on the way to a trunk if it is a private one."""
    bound = _address(transport.host)
    if bound is None or bound.is_unspecified:
        bound = _address(addresses.get(towards, ""))
    return str(bound) if bound is not None and bound.is_private else None


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None

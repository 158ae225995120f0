"""A small database of places in MaxMind's format, version 2.0 (maxmind.github.io/MaxMind-DB), written for a test."""

import struct
from ipaddress import ip_network
from typing import Any

_TYPES = {"map": 7, "array": 11, "string": 2, "uint16": 5, "uint32": 6, "uint64": 9}
_MARKER = b"\xab\xcd\xefMaxMind.com"


def city_database(places: dict[str, dict[str, Any]]) -> bytes:
    """The file that says where IPv4 networks are."""
    nodes: list[list[int | None]] = [[None, None]]
    data, ends = b"", {}
    for network, place in places.items():
        offset, data = len(data), data + _encoded(place)
        parsed = ip_network(network)
        bits = f"{int(parsed.network_address):032b}"[: parsed.prefixlen]
        node = 0
        for bit in bits[:-1]:
            following = nodes[node][int(bit)]
            if following is None:
                nodes.append([None, None])
                following = nodes[node][int(bit)] = len(nodes) - 1
            node = following
        ends[node, int(bits[-1])] = offset
    count = len(nodes)
    tree = b""
    for number, node_of in enumerate(nodes):
        for side in (0, 1):
            following = node_of[side]
            if (number, side) in ends:
                record = count + 16 + ends[number, side]
            else:
                record = count if following is None else following
            tree += struct.pack(">I", record)[1:]
    about = {
        "binary_format_major_version": ("uint16", 2),
        "binary_format_minor_version": ("uint16", 0),
        "build_epoch": ("uint64", 1),
        "database_type": "Test-City",
        "description": {"en": "for a test"},
        "ip_version": ("uint16", 4),
        "languages": ["en"],
        "node_count": ("uint32", count),
        "record_size": ("uint16", 24),
    }
    return tree + b"\x00" * 16 + data + _MARKER + _encoded(about)


def _encoded(value: Any) -> bytes:
    match value:
        case dict():
            return _head("map", len(value)) + b"".join(_encoded(key) + _encoded(each) for key, each in value.items())
        case list():
            return _head("array", len(value)) + b"".join(map(_encoded, value))
        case str():
            return _head("string", len(value.encode())) + value.encode()
        case (kind, number):
            written = number.to_bytes((number.bit_length() + 7) // 8, "big")
            return _head(kind, len(written)) + bytes(written)
    raise TypeError(type(value))


def _head(kind: str, size: int) -> bytes:
    number = _TYPES[kind]
    assert size < 29
    return bytes([size, number - 7]) if number > 7 else bytes([number << 5 | size])

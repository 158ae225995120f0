"""Times from packets: when each INVITE was on the wire, by the kernel's time stamps (needs CAP_NET_RAW)."""

import re
import select
import socket
import struct
import threading
from dataclasses import dataclass, field
from types import TracebackType

# Linux: asm-generic/socket.h, linux/if_ether.h, linux/if_packet.h; Python names none of them.
_SO_TIMESTAMPNS = 35
_ETH_P_IP = 0x0800
_PACKET_OUTGOING = 4
_UDP = 17
_CALLER = re.compile(rb"^(?:From|f):[^\r\n]*?sips?:([^@>;]*)@", re.MULTILINE | re.IGNORECASE)


@dataclass
class InviteTimes:
    """First INVITE for each destination port and caller, in seconds; a context in which packets are read."""

    seen: dict[int, dict[str, float]] = field(default_factory=dict)

    def __enter__(self) -> "InviteTimes":
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(_ETH_P_IP))
        self._socket.bind(("lo", _ETH_P_IP))
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        self._stop = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self._stop.set()
        self._reader.join()
        self._socket.close()

    def between(self, first: int, second: int) -> dict[str, float]:
        """Caller -> seconds from its INVITE to port ``first`` to its INVITE to port ``second``."""
        begun, went_on = self.seen.get(first, {}), self.seen.get(second, {})
        return {caller: went_on[caller] - at for caller, at in begun.items() if caller in went_on}

    def _read(self) -> None:
        while not self._stop.is_set():
            if not select.select([self._socket], [], [], 0.1)[0]:
                continue
            packet, ancillary, _, address = self._socket.recvmsg(65535, 64)
            if address[2] == _PACKET_OUTGOING:  # on loopback each packet is seen twice
                continue
            header = (packet[0] & 15) * 4
            if packet[9] != _UDP or packet[header + 8 : header + 15] != b"INVITE ":
                continue
            port = struct.unpack_from("!H", packet, header + 2)[0]
            caller = _CALLER.search(packet)
            stamp = next((data for level, kind, data in ancillary if kind == _SO_TIMESTAMPNS), None)
            if caller and stamp:
                seconds, nanoseconds = struct.unpack("qq", stamp[:16])
                self.seen.setdefault(port, {}).setdefault(caller[1].decode(), seconds + nanoseconds / 1e9)

"""One good installation, in which a test makes a mistake, and what the doctor says of it."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from gateway.asterisk.render import render_texts
from gateway.doctor.examine import examine
from gateway.doctor.findings import Finding
from gateway.local.programs import AsteriskHome
from gateway.settings import Settings, load_settings
from tests.installation import Installation, Number
from tests.stack import eventually

# Several sections, as an admin would write them; {main}, {second} and {carrier} are ports where somebody answers.
PJSIP = """\
[global]
type=global
ignore_uri_user_options=yes

[trunk]
type=endpoint
context=numberpool-in
transport=udp
identify_by=ip
disallow=all
allow=ulaw,alaw,g722
allow_transfer=no
allow_subscribe=no
trust_id_inbound=no
direct_media=no
aors=trunk
[trunk]
type=aor
contact=sip:127.0.0.1:{carrier}
qualify_frequency=60
[trunk]
type=identify
endpoint=trunk
match=127.0.0.1

[main]
type=endpoint
context=phones
transport=udp
disallow=all
allow=ulaw
trust_id_inbound=no
aors=main-aor
[main-aor]
type=aor
contact=sip:main@127.0.0.1:{main}
qualify_frequency=60
"""
EXTENSIONS = """
[phones]
exten => _1XX,1,Dial(PJSIP/${EXTEN})
"""
MUSIC = "[default]\nmode=files\ndirectory={folder}\n"
RELOADS = {
    "pjsip.conf": "module reload res_pjsip.so",
    "extensions.conf": "dialplan reload",
    "manager.conf": "manager reload",
    "rtp.conf": "module reload res_rtp_asterisk.so",
    "indications.conf": "module reload indications",
    "musiconhold.conf": "moh reload",
    "queues.conf": "queue reload all",
}


class Phone(asyncio.DatagramProtocol):
    """Answers OPTIONS, so that whoever asks finds somebody there; nothing else is asked here."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        lines = data.decode(errors="replace").split("\r\n")
        kept = [line for line in lines if line.lower().startswith(("via:", "from:", "call-id:", "cseq:"))]
        to = next((line for line in lines if line.lower().startswith("to:")), "To: <sip:nobody>")
        answer = ["SIP/2.0 200 OK", *kept, f"{to};tag=phone", "Content-Length: 0", "", ""]
        self._transport.sendto("\r\n".join(answer).encode(), addr)


@dataclass
class Clinic:
    """The installation, and the doctor."""

    installation: Installation

    @property
    def settings(self) -> Settings:
        """The settings as the gateway reads them."""
        return load_settings(self.installation.gateway.config)

    @property
    def texts(self) -> dict[str, str]:
        """The rendered files as they should be."""
        return render_texts(self.installation.node, self.settings.calls, self.installation.conf)

    async def findings(
        self, settings: Settings | None = None, clock: Callable[[], float] = time.time, folder: Path | None = None
    ) -> list[Finding]:
        """What the doctor says."""
        settings = settings or self.settings
        return await examine(settings, settings.nodes, folder, clock)

    async def says(
        self, *kinds: str, settings: Settings | None = None, folder: Path | None = None
    ) -> dict[str, Finding]:
        """The findings by kind, once they are of exactly these kinds; a reload of Asterisk takes its moment."""
        found: list[Finding] = []

        async def are_there() -> bool:
            found[:] = await self.findings(settings, folder=folder)
            return {each.kind for each in found} == set(kinds)

        try:
            await eventually(are_there, 15, 0.2)
        except TimeoutError:
            raise AssertionError(f"expected {sorted(set(kinds))}, found:\n" + "\n".join(map(str, found))) from None
        return {each.kind: each for each in reversed(found)}

    @asynccontextmanager
    async def mistake(self, file: str, before: str, after: str) -> AsyncIterator[None]:
        """While this lasts, ``after`` stands instead of ``before`` in one of Asterisk's files, or at its end."""
        async with self.rewritten(self.installation.pbx.etc / file, before, after, RELOADS[file]):
            yield

    @asynccontextmanager
    async def rewritten(self, path: Path, before: str, after: str, reload: str) -> AsyncIterator[None]:
        """The same of any file. Asterisk reads it anew, before and afterwards."""
        good = await asyncio.to_thread(path.read_text)
        assert before in good, f"{path.name} has no {before!r}"
        await asyncio.to_thread(path.write_text, good.replace(before, after, 1) if before else good + after)
        await self.reload(reload)
        try:
            yield
        finally:
            await asyncio.to_thread(path.write_text, good)
            await self.reload(reload)

    async def reload(self, command: str) -> None:
        """Have Asterisk read its files again."""
        await self.installation.pbx.cli(command)


@asynccontextmanager
async def clinic(home: AsteriskHome, folder: Path, dsn: str) -> AsyncIterator[Clinic]:
    """The good installation, running, with its gateway, a carrier and a phone that answer."""
    numbers = [Number("+13065552001", record=True), Number("+13065552002")]
    installation = Installation(home, folder, dsn, numbers)
    loop = asyncio.get_running_loop()
    phones = [await loop.create_datagram_endpoint(Phone, local_addr=("127.0.0.1", 0)) for _ in range(2)]
    carrier, main = (transport.get_extra_info("sockname")[1] for transport, _ in phones)
    music = folder / "moh"
    music.mkdir()
    (music / "silence.sln").write_bytes(bytes(16000))
    pbx = installation.pbx
    pbx.config = {
        "pjsip.conf": PJSIP.format(main=main, carrier=carrier),
        "extensions.conf": EXTENSIONS + f"#include {installation.conf}/numberpool-extensions.conf\n",
        "manager.conf": f"#include {installation.conf}/numberpool-manager.conf\n",
        "modules.conf": "load = res_musiconhold.so\n",
        "musiconhold.conf": MUSIC.format(folder=music),
    }
    try:
        await installation.start()
        yield Clinic(installation)
    finally:
        await installation.stop()
        for transport, _ in phones:
            transport.close()

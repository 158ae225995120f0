"""The simulated carrier as a service of the Vagrant machine, and a command that lets it ring a number.

It is a second Asterisk on a loopback address (`gateway.local.carrier`), so that calls come in over SIP with sound
although no carrier knows this machine. Forwarded calls end on its business line, which answers and talks.
"""

import asyncio
import signal
from pathlib import Path

from gateway.health import Condition, Health
from gateway.local.carrier import ADDRESS, Business, CallerReport, Carrier, Scenario
from gateway.local.errors import LocalError
from gateway.local.programs import prepare
from gateway.local.voices import Side, make_sounds
from gateway.machine.asterisk import FOLDER, SIP_PORT
from gateway.machine.notify import Systemd

DATA = Path("/var/lib/numberpool-carrier")

# Named by the trunk in demo-pjsip.conf. 5060 belongs to the PBX, on every address.
CARRIER_PORT = 5070
# Above those of the PBX.
RTP_PORTS = (20_100, 20_999)

# How long the business line rings before it answers.
_RINGS_SECONDS = 2.0


def _carrier() -> Carrier:
    home = prepare(FOLDER)
    carrier = Carrier(home, DATA / "asterisk", make_sounds(home, DATA / "sounds"), customer=("127.0.0.1", SIP_PORT))
    carrier.asterisk.sip_port = CARRIER_PORT
    carrier.asterisk.rtp_ports = RTP_PORTS
    return carrier


async def run() -> None:
    """Run the carrier until SIGTERM or SIGINT. Raises LocalError, OSError."""
    systemd = Systemd.from_environment()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    carrier = await asyncio.to_thread(_carrier)
    await carrier.start()
    health = Health()
    health.tell("carrier", Condition.OK, f"The business line answers at {ADDRESS}:{CARRIER_PORT}.")
    telling = asyncio.create_task(systemd.keep_told(health, "carrier", "Starting."))
    try:
        await stop.wait()
    finally:
        telling.cancel()
        systemd.tell("STOPPING=1")
        await carrier.stop()


async def ring(number: str, caller: str, name: str, seconds: float) -> CallerReport:
    """Place a call to a number of the PBX; the caller hangs up after so many seconds of talk.

    Raises LocalError where the carrier does not run.
    """
    carrier = await asyncio.to_thread(_carrier)
    scenario = Scenario(Business.ANSWER, after=_RINGS_SECONDS, talk=seconds, ends=Side.CALLER, conversation="google")
    try:
        return await carrier.place(number, caller, scenario, name=name)
    except OSError as error:
        raise LocalError(
            f"the simulated carrier does not answer ({error.strerror or error}); "
            "start it:  systemctl start numberpool-carrier"
        ) from None

"""What `provision.sh` and the units call; run by hand, each command says what it does.

python -m gateway.machine asterisk     set up a private Asterisk; prints what it changed, a line each
python -m gateway.machine carrier      run the simulated carrier
python -m gateway.machine ring NUMBER  let it ring a number
"""

import asyncio
import re
import sys

import click

from gateway.errors import Mendable
from gateway.machine import asterisk, carrier

_SPOKEN = {"ANSWER": "answered", "BUSY": "busy", "NOANSWER": "nobody answered", "CANCEL": "the caller hung up"}


def _say(line: str) -> None:
    print(f"  {line}", file=sys.stderr, flush=True)


def _range(_context: click.Context, _option: click.Parameter, text: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d{4,5})-(\d{4,5})", text)
    if found is None or not 1024 <= int(found[1]) < int(found[2]) <= 65535:
        raise click.BadParameter("write it like 10000-20000")
    return int(found[1]), int(found[2])


@click.group()
def machine() -> None:
    """The machine that Numberpool is installed on."""


@machine.command("asterisk")
@click.option("--rtp-ports", callback=_range, default="10000-20000", show_default=True, help="Ports for sound.")
@click.option("--renew", is_flag=True, help="Fetch it again, in the newest version.")
def set_up_asterisk(rtp_ports: tuple[int, int], renew: bool) -> None:
    """Set up a private Asterisk in /opt, with its configuration in /etc/asterisk."""
    for change in asterisk.set_up(rtp_ports, _say, renew=renew):
        click.echo(change)


@machine.command("carrier")
def run_carrier() -> None:
    """Run the simulated carrier, until SIGTERM."""
    asyncio.run(carrier.run())


@machine.command("ring")
@click.argument("number")
@click.option("--caller", default="+13065550141", show_default=True, help="Who calls.")
@click.option("--name", default="Dana Whitfield", show_default=True, help="The caller's name.")
@click.option("--seconds", type=click.FloatRange(1, 120), default=8.0, show_default=True, help="How long they talk.")
def ring(number: str, caller: str, name: str, seconds: float) -> None:
    """Ring NUMBER, such as 13065552001, from the simulated carrier."""
    digits = "".join(filter(str.isdigit, number))
    if not digits:
        raise click.BadParameter("is no telephone number", param_hint="NUMBER")
    click.echo(f"Ringing +{digits} as {name} {caller} ...")
    report = asyncio.run(carrier.ring(f"+{digits}", caller, name, seconds))
    how = _SPOKEN.get(report.status, f"not reached (cause {report.cause})")
    waited = report.ended - report.began - report.talk_seconds
    talk = f", {report.talk_seconds:.1f} s of talk" if report.answered else ""
    click.echo(f"After {waited:.1f} s: {how}{talk}.")


def main() -> None:
    """Entry point."""
    try:
        machine(prog_name="python -m gateway.machine", standalone_mode=True)
    except (Mendable, OSError) as error:
        _say(str(error))
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()

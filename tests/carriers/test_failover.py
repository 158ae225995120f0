"""Several trunks in order (trunks/failover.conf): the first that lives is used, at once; each of them brings calls."""

from pathlib import Path

import pytest

from gateway.local.programs import AsteriskHome
from tests.carriers.examples import example
from tests.carriers.far_end import FarEnd, endpoint
from tests.carriers.site import Site, same_in_every_example, settings
from tests.installation import Installation, Number
from tests.stack import lasts

MOBILE = "PJSIP/+13065559876@carrier-pair"
SPARE = "PJSIP/+13065559876@carrier-spare"
TO_MOBILE = Number("+13065552001", ("Trunk/+13065559876",))
TO_ONE_THE_PAIR_CANNOT_REACH = Number("+13065552002", ("Trunk/+13065550503",))
TO_A_BUSY_ONE = Number("+13065552003", ("Trunk/+13065550486",))
GATEWAYS = {"carrier-pair-1": "first", "carrier-pair-2": "second"}


def build(home: AsteriskHome, folder: Path, dsn: str) -> Site:
    spare = FarEnd(home, folder)
    first, second = (FarEnd(home, folder, name, f"127.0.0.{n}") for n, name in ((10, "first"), (11, "second")))
    trunks = example(
        "failover",
        {"transport-udp": "udp"}
        | {f"{documented}:5060": far.at for documented, far in zip(DOCUMENTED, (first, second, spare), strict=True)}
        | {documented: far.address for documented, far in zip(DOCUMENTED, (first, second, spare), strict=True)},
    )
    pbx = Installation(
        home,
        folder,
        dsn,
        [TO_MOBILE, TO_ONE_THE_PAIR_CANNOT_REACH, TO_A_BUSY_ONE],
        (),
        {"pjsip.conf": trunks},
        trunks=({"name": "carrier-pair"}, {"name": "carrier-spare"}),
    )
    for far in (first, second, spare):
        far.add(endpoint("pbx", f"{pbx.pbx.address}:{pbx.pbx.sip_port}", identify=pbx.pbx.address))
        far.asterisk.config["extensions.conf"] += "exten => +13065550486,1,Hangup(17)\n"
    for far in (first, second):
        far.asterisk.config["extensions.conf"] += "exten => +13065550503,1,Hangup(34)\n"
    return Site(pbx, spare, first, second)


DOCUMENTED = ("192.0.2.10", "192.0.2.20", "198.51.100.30")


async def living(site: Site, *names: str) -> None:
    """Let these gateways of the pair live and the others hang, and the PBX know it."""
    for far in site.fars[1:]:
        if far.asterisk.name in names:
            far.asterisk.resume()
        else:
            far.asterisk.suspend()
    await site.pbx.cli("pjsip qualify carrier-pair")
    for aor, name in GATEWAYS.items():
        await site.contact_is("Avail" if name in names else "Unavail", f"{aor}/")


def rang(site: Site, caller: str) -> list[str]:
    """Where the call came out."""
    return [far.asterisk.name for far in site.fars if (far.heard_folder / f"line-codec-{caller}").exists()]


@pytest.mark.parametrize("trunk", ["carrier-pair", "carrier-spare"])
async def test_what_matters_in_it(site: Site, trunk: str) -> None:
    shown = await site.pbx.cli(f"pjsip show endpoint {trunk}")
    assert set(same_in_every_example()) <= set(settings(shown))


@pytest.mark.parametrize(
    ("alive", "used"),
    [
        (("first", "second"), ["first"]),
        (("second",), ["second"]),
        (("first",), ["first"]),
        ((), ["far"]),
    ],
)
async def test_the_first_that_lives_is_used_at_once(
    site: Site, caller: str, alive: tuple[str, ...], used: list[str]
) -> None:
    await living(site, *alive)
    call = await site.call(TO_MOBILE.e164, caller, "pbx", talk=0.5)
    assert rang(site, caller) == used
    legs = [(leg["dial"], leg["result"]) for leg in await site.installation.legs(call)]
    assert legs == ([(MOBILE, "answered")] if alive else [(MOBILE, "failed"), (SPARE, "answered")])
    # No time is spent on the one that hangs: Asterisk knew before the call came.
    assert lasts(call["ring_seconds"], 0)


async def test_a_carrier_that_cannot_place_the_call(site: Site, caller: str) -> None:
    """It lives, and answers 503: the spare one is tried at once."""
    await living(site, "first", "second")
    call = await site.call(TO_ONE_THE_PAIR_CANNOT_REACH.e164, caller, "pbx", talk=0.5)
    assert rang(site, caller) == ["far"]
    legs = [(leg["dial"], leg["result"]) for leg in await site.installation.legs(call)]
    assert legs == [("PJSIP/+13065550503@carrier-pair", "failed"), ("PJSIP/+13065550503@carrier-spare", "answered")]


async def test_whom_a_trunk_has_reached_is_not_called_by_another(site: Site, caller: str) -> None:
    await living(site, "first", "second")
    call = await site.call(TO_A_BUSY_ONE.e164, caller, "pbx")
    assert call["outcome"] == "busy"
    legs = [(leg["dial"], leg["result"]) for leg in await site.installation.legs(call)]
    assert legs == [("PJSIP/+13065550486@carrier-pair", "busy")]


@pytest.mark.parametrize(
    ("gateway", "trunk"), [("first", "carrier-pair"), ("second", "carrier-pair"), ("far", "carrier-spare")]
)
async def test_calls_come_in_by_each(site: Site, caller: str, gateway: str, trunk: str) -> None:
    await living(site, "first", "second")
    far = next(far for far in site.fars if far.asterisk.name == gateway)
    call = await site.call(TO_MOBILE.e164, caller, "pbx", far, talk=0.5)
    assert (call["outcome"], call["trunk"]) == ("answered", trunk)

"""What the gateway proves at login: a spoilt account is told with its mend, and calls ring all the same."""

from pathlib import Path

import pytest

from gateway.local.programs import AsteriskHome
from tests.calls.exchange import Exchange
from tests.calls.scenarios import Invite, caller_talks
from tests.installation import Installation, Number

FILTER = "eventfilter(action(include),name(UserEvent),header(UserEvent),method(starts_with)) = NP\n"
MANAGER = "numberpool-manager.conf"
CALLS, STORE = "asterisk:pbx", "asterisk:pbx:store"


@pytest.mark.parametrize(
    ("spoilt", "part", "mend"),
    [
        (("eventfilter(", ";eventfilter("), CALLS, "needs the line eventfilter(action(include)"),
        ((FILTER, "eventfilter = Event: .*\n"), CALLS, "needs the line eventfilter(action(include)"),
        ((FILTER, ""), CALLS, "it needs read = user,call and its eventfilter lines"),
        (("read = user,call\n", "read = call\n"), CALLS, "it needs read = user,call"),
        (("read = user,call\n", "read = user,call,dialplan\n"), None, ""),
        (("write = call,user,reporting\n", "write = user,reporting\n"), CALLS, "may not do what it must"),
        (("write = call,user,reporting\n", "write = call,reporting\n"), CALLS, "may not do what it must"),
        (("write = call,user,reporting\n", "write = call,user\n"), CALLS, "may not do what it must"),
        (("write = system,reporting,originate\n", "write = reporting\n"), STORE, "may not do what it must"),
        (("write = system,reporting,originate\n", "write = system\n"), STORE, "may not do what it must"),
    ],
    ids=[
        *(
            "no filter",
            "a filter of another kind",
            "no filter for ours",
            "no user events",
            "a right too many does no harm",
            "no call class",
        ),
        *("no user class", "no reporting class", "store without system", "store without reporting"),
    ],
)
async def test_a_spoilt_account_is_told_with_its_mend(
    asterisk_home: AsteriskHome,
    short_path: Path,
    database_dsn: str,
    spoilt: tuple[str, str],
    part: str | None,
    mend: str,
) -> None:
    installation = Installation(
        asterisk_home, short_path, database_dsn, [Number("+13065552001")], spoil={MANAGER: spoilt}
    )
    exchange = Exchange(installation)
    try:
        await installation.start(gateway=False)
        await installation.gateway.start(ready=part is None)
        if part is not None:
            said = await installation.gateway.wait_health(part, "needs_person")
            assert mend in said
            assert "manager reload" in said
        row = await exchange.call(caller_talks(Invite("+13065552001", "+13065550199"), 0.05), "main")
        assert (row["outcome"], row["number_id"]) == ("answered", 1)
        assert (row["decided_by"] == "gateway") is (part != CALLS)
    finally:
        await exchange.stop()
        await installation.stop()

"""Asks a running Asterisk, over the two AMI accounts that the gateway has, and reads its folder where that is silent.

Nothing is changed there: variables, routes and calls stay as they are. Two user events are sent, as the gateway sends
them at its own login, to prove the event filter. While we are logged in as the gateway would be and no gateway is, the
next call may wait for one, once and no longer than its bound.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateway.asterisk.ami import ActionFailed, AmiError, AmiLink, LinkLost, LoginRefused, NeedsPerson, tls_context
from gateway.asterisk.events import PROOF_EVENT
from gateway.asterisk.fallback import FAMILY
from gateway.doctor.accounts import Account, Login
from gateway.doctor.conf import Config, config_of_answer, read_config
from gateway.doctor.dialplan import Dialplan, dialplan_of_listing
from gateway.doctor.pjsip import Endpoint, Registration, endpoint_of_events, registration_of_event
from gateway.settings import NodeSettings

DEFAULT_FOLDER = Path("/etc/asterisk")
# Held back by our filter, and let through by it.
_HELD_BACK = "Numberpool-unfiltered"
_PROOF_SECONDS = 2.0
# Endpoints asked for at once.
_AT_ONCE = 50
# Files that tell how Asterisk is set up; of two of them only sections without passwords are asked for.
_WHOLE = ("rtp.conf", "indications.conf", "musiconhold.conf", "queues.conf")
_PJSIP_SECTIONS = "type=^(global|transport|identify|registration)$"
_LOCAL = ("127.0.0.1", "::1", "localhost")


@dataclass
class Asterisk:
    """What is known of one Asterisk; None (or an absent key) for what nobody could tell."""

    accounts: list[Account] = field(default_factory=list)
    version: str | None = None
    clock_ahead: float | None = None
    sessions: dict[str, int] = field(default_factory=dict)  # account -> logins besides ours
    dialplan: Dialplan | None = None
    endpoints: dict[str, Endpoint] | None = None
    registrations: list[Registration] = field(default_factory=list)
    modules: dict[str, bool] = field(default_factory=dict)
    astdb: dict[str, str] | None = None
    configs: dict[str, Config] = field(default_factory=dict)
    folder: Path = DEFAULT_FOLDER
    data_folder: Path | None = None
    included: dict[str, Path] = field(default_factory=dict)  # name -> file, of what those files include
    unreadable: dict[str, str] = field(default_factory=dict)  # file -> why


def is_local(node: NodeSettings) -> bool:
    """Whether that Asterisk runs on this machine, so that its folders are ours to look at."""
    return node.host in _LOCAL


async def look_at_asterisk(
    node: NodeSettings, modules: Iterable[str], folder: Path | None, clock: Callable[[], float] = time.time
) -> Asterisk:
    """Everything that this Asterisk tells. ``modules``: those to ask for; ``folder``: its configuration, if named."""
    found = Asterisk()
    secret, store_secret = node.secret.get_secret_value(), node.store_secret.get_secret_value()
    async with (
        _login(node, node.username, secret, found) as calls,
        _login(node, node.store_username, store_secret, found) as store,
    ):
        if calls is not None:
            await _prove_events(calls, found)
        links = _Links(found.accounts, calls, store)
        for look in (
            _look_at_core(links, found, clock),
            _look_at_dialplan(links, found),
            _look_at_pjsip(links, found),
            _look_at_astdb(links, found),
            _look_at_configs(node, links, found),
            _look_at_modules(modules, links, found),
        ):
            with suppress(LinkLost):  # what is not known then is not checked
                await look
    if folder is not None:
        found.folder = folder
    if is_local(node):
        await asyncio.to_thread(_read_folder, found)
    return found


class _Link:
    """A login, and the events that came over it."""

    def __init__(self) -> None:
        self.link: AmiLink | None = None
        self.events: list[bytes] = []
        self.proven = asyncio.Event()

    def on_event(self, block: bytes) -> None:
        if block.startswith(b"Event: UserEvent"):
            self.events.append(block)
            if b"UserEvent: " + PROOF_EVENT.encode() in block:
                self.proven.set()


@dataclass(frozen=True)
class _Links:
    """Both logins; each question goes to one that may ask it."""

    accounts: Sequence[Account]
    calls: "_Link | None"
    store: "_Link | None"

    def that_may(self, action: str) -> AmiLink | None:
        """A link whose account may do ``action``; none where neither may."""
        for account, login in zip(self.accounts, (self.calls, self.store), strict=True):
            if login is None or login.link is None or login.link.closed:
                continue
            if account.commands is None or action in account.commands:
                return login.link
        return None

    async def ask(self, action: str, **fields: str) -> Any | None:
        """The answer; none where nobody may ask, or Asterisk has none. Raises LinkLost."""
        link = self.that_may(action)
        if link is None:
            return None
        with suppress(ActionFailed):
            return await link.action(action, **fields)
        return None

    async def list(self, action: str, **fields: str) -> list[Any] | None:
        """The entries; none where nobody may ask. Raises LinkLost."""
        link = self.that_may(action)
        if link is None:
            return None
        try:
            return await link.listing(action, **fields)
        except ActionFailed as refusal:  # "No Contacts found" is an empty list
            return [] if " found" in str(refusal) else None

    async def value(self, variable: str) -> str:
        """A variable or a function's value; empty where there is none. Raises LinkLost."""
        answer = await self.ask("Getvar", Variable=variable)
        return "" if answer is None else str(answer.value or "")


@asynccontextmanager
async def _login(node: NodeSettings, name: str, secret: str, found: Asterisk) -> AsyncIterator[_Link | None]:
    login = _Link()
    try:
        tls = tls_context(node.tls_ca) if node.tls else None
        login.link = await AmiLink.connect(node.host, node.port, name, secret, login.on_event, tls)
        commands = frozenset(str(key) for key in await login.link.action("ListCommands"))
        found.accounts.append(Account(name, Login.DONE, commands=commands))
    except LoginRefused as refusal:
        found.accounts.append(Account(name, Login.REFUSED, str(refusal).removeprefix("Login: ")))
    except NeedsPerson as fault:
        found.accounts.append(Account(name, Login.UNTRUSTED, str(fault)))
    except AmiError as fault:
        found.accounts.append(Account(name, Login.NO_ANSWER, str(fault)))
    try:
        yield login if found.accounts[-1].login is Login.DONE else None
    finally:
        if login.link is not None and not login.link.closed:
            with suppress(AmiError):
                login.link.send(("Logoff", {}))
                await asyncio.wait([asyncio.ensure_future(login.link.wait_closed())], timeout=0.5)
            login.link.close()


async def _prove_events(login: _Link, found: Asterisk) -> None:
    """Send one event that the filter holds back and one that it lets through, and see which comes."""
    account = found.accounts[0]
    assert login.link is not None
    hears, filtered = False, None
    try:
        await login.link.action("UserEvent", UserEvent=_HELD_BACK)
        await login.link.action("UserEvent", UserEvent=PROOF_EVENT)
        async with asyncio.timeout(_PROOF_SECONDS):
            await login.proven.wait()
        hears = True
        filtered = not any(f"UserEvent: {_HELD_BACK}".encode() in block for block in login.events)
    except TimeoutError:
        pass
    except AmiError:  # it may not send them, which is told as a lacking right
        return
    found.accounts[0] = Account(account.name, account.login, account.said, account.commands, hears, filtered)


async def _look_at_core(links: _Links, found: Asterisk, clock: Callable[[], float]) -> None:
    settings = await links.ask("CoreSettings")
    if settings is not None:
        found.version = str(settings.asteriskversion)
    before = clock()
    pong = await links.ask("Ping")
    if pong is not None and pong.timestamp:
        found.clock_ahead = float(str(pong.timestamp)) - (before + clock()) / 2
    folder = await links.value("ASTETCDIR")
    if folder:
        found.folder = Path(folder)
    data = await links.value("ASTDATADIR")
    found.data_folder = Path(data) if data else None
    for account in found.accounts:
        sessions = await links.value(f"AMI_CLIENT({account.name},sessions)")
        if sessions.isdecimal():
            found.sessions[account.name] = int(sessions) - (account.login is Login.DONE)


async def _look_at_dialplan(links: _Links, found: Asterisk) -> None:
    entries = await links.list("ShowDialPlan")
    found.dialplan = None if entries is None else dialplan_of_listing(entries)


async def _look_at_pjsip(links: _Links, found: Asterisk) -> None:
    names = await links.list("PJSIPShowEndpoints")
    if names is None:
        return
    found.endpoints = {}
    wanted = [str(entry["objectname"]) for entry in names]
    for start in range(0, len(wanted), _AT_ONCE):
        shown = await asyncio.gather(
            *(links.list("PJSIPShowEndpoint", Endpoint=name) for name in wanted[start : start + _AT_ONCE])
        )
        for events in shown:
            endpoint = endpoint_of_events(events or [])
            if endpoint is not None:
                found.endpoints[endpoint.name] = endpoint
    registered = await links.list("PJSIPShowRegistrationsOutbound")
    found.registrations = [each for event in registered or [] if (each := registration_of_event(event)) is not None]


async def _look_at_astdb(links: _Links, found: Asterisk) -> None:
    rows = await links.list("DBGetTree", Family=FAMILY)
    if rows is not None:
        found.astdb = {str(row["key"]).removeprefix(f"/{FAMILY}/"): str(row["val"]) for row in rows}


async def _look_at_configs(node: NodeSettings, links: _Links, found: Asterisk) -> None:
    for name in _WHOLE:
        await _ask_config(links, found, name)
    await _ask_config(links, found, "pjsip.conf", Filter=_PJSIP_SECTIONS)
    if node.tls or is_local(node):  # it holds the secrets of the accounts
        parts = [
            await _config(links, Filename="manager.conf", Category=name)
            for name in ("general", node.username, node.store_username)
        ]
        known = [part for part in parts if part is not None]
        if known:
            found.configs["manager.conf"] = Config(tuple(section for part in known for section in part.sections))


async def _ask_config(links: _Links, found: Asterisk, name: str, **fields: str) -> None:
    config = await _config(links, Filename=name, **fields)
    if config is not None:
        found.configs[name] = config


async def _config(links: _Links, **fields: str) -> Config | None:
    link = links.that_may("GetConfig")
    if link is None:
        return None
    try:
        answer = await link.action("GetConfig", **fields)
    except ActionFailed as refusal:
        return Config(exists=False) if "not found" in str(refusal) else None
    return config_of_answer(answer)


async def _look_at_modules(modules: Iterable[str], links: _Links, found: Asterisk) -> None:
    link = links.that_may("ModuleCheck")
    if link is None:
        return
    for name in sorted(set(modules)):
        try:
            await link.action("ModuleCheck", Module=name)
            found.modules[name] = True
        except ActionFailed as refusal:
            if "not loaded" in str(refusal):
                found.modules[name] = False


def _read_folder(found: Asterisk) -> None:
    """Read what Asterisk itself did not tell, and where it includes our files from."""
    for name in (*_WHOLE, "manager.conf", "pjsip.conf", "extensions.conf"):
        try:
            config = read_config(found.folder, name)
        except OSError as fault:
            if name not in found.configs:
                found.unreadable[str(fault.filename or found.folder / name)] = fault.strerror or "no access"
            continue
        found.included |= {path.name: path for path in config.includes}
        # Where there is no such folder, the absence of a file says nothing.
        if config.exists or found.folder.is_dir():
            found.configs.setdefault(name, config)


def rendered_folder(found: Asterisk) -> Path:
    """The folder of our rendered files: where Asterisk includes them from, else where they usually are."""
    for name in ("numberpool-extensions.conf", "numberpool-manager.conf"):
        if name in found.included:
            return found.included[name].parent
    return found.folder / "numberpool"

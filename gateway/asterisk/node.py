"""One Asterisk node: its links, its gate, its calls.

Two connections, each replaced when it ends. The **calls** link listens and answers (account with write class
``call``); the **store** link keeps the fallback routes and lists channels (write class ``system``). Each runs its own
loop, so that trouble with one leaves the other working.
"""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import cast

import structlog

from gateway.asterisk import version
from gateway.asterisk.ami import ActionFailed, AmiError, AmiLink, LinkLost, LoginRefused, NeedsPerson, tls_context
from gateway.asterisk.conversations import Conversations
from gateway.asterisk.dialstring import checked_sound
from gateway.asterisk.endpoints import EndpointState, look_at_endpoints
from gateway.asterisk.events import PROOF_EVENT, ForgedEvent, Hint, Unfiltered, parse_event
from gateway.asterisk.fallback import FallbackRoutes
from gateway.asterisk.intake import Intake
from gateway.asterisk.place import NotConnected, Placing, end, place
from gateway.asterisk.recorder import mute, record_anew
from gateway.asterisk.reply import remember, reply, watch
from gateway.asterisk.trunks import look_at_trunks
from gateway.asterisk.versions import Versions
from gateway.calls.directory import Directory
from gateway.calls.ledger import Ledger
from gateway.calls.record import CallRecord, MalformedRecord, Stage
from gateway.calls.talked import Talked
from gateway.calls.traffic import Traffic
from gateway.health import Condition, Health
from gateway.settings import NodeSettings

# The gate is opened this often; a gateway that stops doing so has been overtaken by the first call that waited in vain.
TICK_SECONDS = 0.25
FIRST_RETRY_SECONDS = 0.2
LONGEST_RETRY_SECONDS = 5.0
# A refused login stays refused until somebody edits a file; each attempt is a line in Asterisk's security log.
REFUSED_RETRY_SECONDS = 15.0
CHANNELS_SECONDS = 5.0
# Asterisk itself asks its trunks whether they live about once a minute.
TRUNKS_SECONDS = 20.0
# An event that should have been held back may be a caller's text; so often at most is the filter tried again.
PROVE_AGAIN_SECONDS = 10.0
# What a call asks whose recording is to be paused (np-pause): 1, or 0 where it is to go on.
PAUSE = "Pause/"
_log = structlog.get_logger(__name__)


class Overtaken(AmiError):
    """Another gateway answers for this Asterisk now."""


class Node:
    """The gateway's part of one Asterisk. ``run()`` until cancelled."""

    def __init__(
        self,
        settings: NodeSettings,
        directory: Callable[[], Directory],
        ledger: Ledger,
        health: Health,
        talked: Talked | None = None,
        traffic: Traffic | None = None,
    ) -> None:
        self.settings = settings
        self.name = settings.name
        self._directory = directory
        self._health = health
        self._talked = talked or Talked()
        self._traffic = traffic or Traffic()
        self._conversations = Conversations(
            self.name, lambda: self._calls, lambda record: self._intake.heard(record), self._record_on, health
        )
        self._intake = Intake(settings, ledger, health, self._heard)
        self._token = secrets.token_urlsafe(18)
        self._epoch = 0
        self._calls: AmiLink | None = None
        self._store: AmiLink | None = None
        self._proofs: asyncio.Queue[bool] = asyncio.Queue()
        self._pauses: list[asyncio.Task[None]] = []
        # Stands in what we send ourselves to try the filter; what a caller forges has it not.
        self._nonce = secrets.token_hex(8)
        self._proved_at = 0.0
        self._routes_changed = asyncio.Event()
        # By which calls came in lately; those by which calls go out are looked at besides.
        self.trunks_watched: frozenset[str] = frozenset()
        self._trunks: Mapping[str, str] = {}
        self._endpoints: Mapping[str, EndpointState] | None = None
        self._trunks_at = float("-inf")

    @property
    def is_linked(self) -> bool:
        """Whether it listens to Asterisk now."""
        return self._calls is not None and not self._calls.closed

    @property
    def trunks(self) -> Mapping[str, str]:
        """How its trunks are (gateway.attention.node_states); none while nobody can be asked."""
        return self._trunks if self._store is not None else {}

    @property
    def endpoints(self) -> Mapping[str, EndpointState] | None:
        """How its telephones are (gateway.attention.endpoint_states); none while nobody can be asked."""
        return self._endpoints if self._store is not None else None

    def directory_changed(self) -> None:
        """The numbers changed: bring the fallback routes up to date."""
        self._routes_changed.set()

    async def run(self) -> None:
        """Serve this node until cancelled; then shut the gate and log off. Calls in progress go on in Asterisk."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._keep("calls", self._serve_calls))
            tasks.create_task(self._keep("store", self._serve_store))
            tasks.create_task(self._intake.read_outbox())

    # -- links ---------------------------------------------------------------------------------------------------

    async def _keep(self, what: str, serve: Callable[[], Awaitable[None]]) -> None:
        """Run ``serve`` again whenever its link ends, with backoff, telling Health how it is."""
        part = f"asterisk:{self.name}" if what == "calls" else f"asterisk:{self.name}:{what}"
        wait = FIRST_RETRY_SECONDS
        told = ""
        while True:
            began = time.monotonic()
            try:
                await serve()
            except (LoginRefused, NeedsPerson, ActionFailed) as error:
                _log.error("this Asterisk needs a person", node=self.name, link=what, fault=str(error))
                self._health.tell(part, Condition.NEEDS_PERSON, self._advice(what, error))
                wait = REFUSED_RETRY_SECONDS
            except Overtaken as error:
                _log.error("another gateway took over", node=self.name)
                self._health.tell(part, Condition.NEEDS_PERSON, str(error))
                return
            except LinkLost as error:
                if told != str(error):  # once, not at every attempt
                    told = str(error)
                    _log.warning("no link to Asterisk", node=self.name, link=what, fault=told)
                self._health.tell(
                    part,
                    Condition.TROUBLED,
                    f"Asterisk {self.name} cannot be reached ({error}). Calls ring by their fallback routes meanwhile.",
                )
                if time.monotonic() - began > LONGEST_RETRY_SECONDS:
                    wait, told = FIRST_RETRY_SECONDS, ""
            await asyncio.sleep(wait * (0.75 + secrets.randbelow(500) / 1000))
            wait = min(wait * 2, LONGEST_RETRY_SECONDS)

    def _advice(self, what: str, error: AmiError) -> str:
        account = self.settings.username if what == "calls" else self.settings.store_username
        if isinstance(error, LoginRefused):
            return (
                f"Asterisk {self.name} refused the AMI account {account} ({error}). Make secret in the settings and in "
                "Asterisk's numberpool-manager.conf the same, then run: asterisk -rx 'manager reload'"
            )
        if isinstance(error, ActionFailed):
            return (
                f"The AMI account {account} of Asterisk {self.name} may not do what it must ({error}). Render the "
                "configuration again (numberpool asterisk render), then run: asterisk -rx 'manager reload'"
            )
        return str(error)

    async def _connect(self, username: str, secret: str, on_event: Callable[[bytes], None]) -> AmiLink:
        tls = tls_context(self.settings.tls_ca) if self.settings.tls else None
        return await AmiLink.connect(self.settings.host, self.settings.port, username, secret, on_event, tls)

    # -- the calls link ------------------------------------------------------------------------------------------

    async def _serve_calls(self) -> None:
        secret = self.settings.secret.get_secret_value()
        link = await self._connect(self.settings.username, secret, self._on_event)
        try:
            await self._prove(link)
            previous = await self._gateway_seen(link)
            self._epoch = previous + 1
            self._calls = link
            _log.info("linked to Asterisk", node=self.name, epoch=self._epoch)
            await self._open_gate(link)
            self._conversations.linked()
            self._health.tell(f"asterisk:{self.name}", Condition.OK, f"Asterisk {self.name} is linked.")
            while True:
                await asyncio.sleep(TICK_SECONDS)
                if await self._gateway_seen(link) > self._epoch:
                    raise Overtaken(
                        f"Another Numberpool gateway answers for Asterisk {self.name} now. Stop one of the two, "
                        "then start this one again."
                    )
                await self._open_gate(link)
        except asyncio.CancelledError:
            if not link.closed:
                link.send(("Setvar", {"Variable": "NP_GATE", "Value": "shut"}), ("Logoff", {}))
                await asyncio.wait([asyncio.ensure_future(link.wait_closed())], timeout=0.5)
            raise
        finally:
            self._calls = None
            link.close()

    async def _prove(self, link: AmiLink) -> None:
        """Check at login what would fail in silence later: version, clock, rights, event filter."""
        settings = await link.action("CoreSettings")
        found = version.parse(str(settings.asteriskversion))
        if not version.is_supported(found):
            raise NeedsPerson(version.advice(self.name, str(settings.asteriskversion)))
        # Setvar decides calls, and nobody waits for its answer then; an account without its class is told here.
        await link.action("Setvar", Variable="NP_PROOF", Value="1")
        before = time.time()
        pong = await link.action("Ping")
        self._intake.clock_ahead = float(str(pong.timestamp)) - (before + time.time()) / 2
        while not self._proofs.empty():
            self._proofs.get_nowait()
        # The first must be held back by the filter, the second must come through.
        await link.action("UserEvent", **self._held_back())
        await link.action("UserEvent", UserEvent=PROOF_EVENT, Proof=self._nonce)
        try:
            async with asyncio.timeout(2):
                filtered = await self._proofs.get()
        except TimeoutError:
            raise NeedsPerson(
                f"Asterisk {self.name} sends no user events to the account {self.settings.username}: it needs "
                "read = user,call and its eventfilter lines. Render the configuration again (numberpool asterisk "
                "render), then run: asterisk -rx 'manager reload'"
            ) from None
        if not filtered:
            raise NeedsPerson(self._filter_advice())

    def _held_back(self) -> dict[str, str]:
        """An event that the filter lets nobody hear."""
        self._proved_at = time.monotonic()
        return {"UserEvent": "Numberpool-unfiltered", "Proof": self._nonce}

    def _filter_advice(self) -> str:
        return (
            f"Asterisk {self.name} sends events that our filter should hold back. In numberpool-manager.conf account "
            f"{self.settings.username} needs the line eventfilter(action(include),name(UserEvent),header(UserEvent),"
            "method(starts_with)) = NP ; then run: asterisk -rx 'manager reload'"
        )

    async def _gateway_seen(self, link: AmiLink) -> int:
        """The epoch of the gateway that last opened the gate. The answer also shows that Asterisk is alive."""
        try:
            answer = await link.action("Getvar", Variable="NP_GATEWAY")
        except ActionFailed:
            return 0
        epoch = str(answer.value).partition("^")[0]
        return int(epoch) if epoch.isdecimal() else 0

    async def _open_gate(self, link: AmiLink) -> None:
        link.send(
            ("Setvar", {"Variable": "NP_GATEWAY", "Value": f"{self._epoch}^{self._token}"}),
            ("Setvar", {"Variable": "NP_GATE", "Value": "open"}),
        )

    def _on_event(self, block: bytes) -> None:
        """A call's event: decide if it waits, and note it. On the path of a ringing call, so nothing here waits."""
        try:
            event = parse_event(block, self._token)
        except (ForgedEvent, MalformedRecord) as fault:
            _log.warning("an event was refused; the outbox will tell of its call", node=self.name, fault=str(fault))
            return
        if event is Unfiltered.EVENT:
            self._unfiltered(block)
        elif isinstance(event, CallRecord):
            asked = bool(event.asks) and event.asks.partition("_")[0] == str(self._epoch)
            if event.choice.startswith(PAUSE):
                if asked:
                    self._pauses.append(asyncio.ensure_future(self._pause(event)))
                return
            if asked:
                self._answer(event)
            if event.placed is None:
                remember(event, self._directory(), self._talked)
            self._intake.heard(event)
        elif isinstance(event, Hint):
            self._conversations.hint(event, time.monotonic())
        elif PROOF_EVENT.encode() in block and self._nonce.encode() in block:
            self._proofs.put_nowait(True)

    def _heard(self, record: CallRecord, live: bool, clock_ahead: float) -> CallRecord:
        """A record has come in, live or out of the outbox; with what is known of its call besides."""
        record = self._conversations.heard(record, live, clock_ahead)
        is_now = live and record.stage is Stage.STARTED
        age = 0.0 if is_now else max(0.0, time.time() + clock_ahead - record.started_at.timestamp())
        watch(record, self._directory(), self._traffic, age)
        return self._traffic.passed(record)

    def _unfiltered(self, block: bytes) -> None:
        """An event that should have been held back: our own says that nothing is; another may be a caller's text."""
        if self._nonce.encode() in block:
            self._proofs.put_nowait(False)
            if self._calls is not None:
                self._health.tell(f"asterisk:{self.name}", Condition.NEEDS_PERSON, self._filter_advice())
        elif (link := self._calls) and not link.closed and time.monotonic() - self._proved_at > PROVE_AGAIN_SECONDS:
            link.send(("UserEvent", self._held_back()))

    def _answer(self, record: CallRecord) -> None:
        link = self._calls
        if link is None or link.closed:
            return
        try:
            text = reply(record, self._directory(), self.settings.trunks, self._talked, self._traffic)
        except Exception as error:  # whatever it is, no link may end by it while calls ring
            # The call goes on by its fallback; this is a mistake in a destination, told where it was made.
            _log.error("a route cannot be written", dialled=record.dialled, fault=str(error))
            return
        link.send(
            ("Setvar", {"Channel": record.unique_id, "Variable": f"NP_GO_{record.asks}", "Value": text}),
        )

    async def _pause(self, record: CallRecord) -> None:
        """Who answered had the recording paused, or has it go on: said to the call only once it is so."""
        link, paused = self._calls, record.choice == f"{PAUSE}1"
        try:
            if link is not None and not link.closed:
                await mute(link, record.channel, muted=paused)
                said = "paused" if paused else "recording"
                link.send(("Setvar", {"Channel": record.unique_id, "Variable": f"NP_GO_{record.asks}", "Value": said}))
        except AmiError as error:  # the dialplan ends the recording then
            _log.warning("a recording could not be paused", node=self.name, call=record.key, fault=str(error))
        finally:
            self._pauses.remove(cast("asyncio.Task[None]", asyncio.current_task()))

    def whisper(self, unique_id: str, sound: str) -> None:
        """Whoever answers that call hears ``sound`` first. Too late, or with no link, it does nothing."""
        link = self._calls
        if link is not None and not link.closed:
            value = checked_sound(sound)
            link.send(("Setvar", {"Channel": unique_id, "Variable": "SHARED(NP_SAY)", "Value": value}))

    async def place(self, placing: Placing) -> None:
        """Ring the telephone of whoever calls back. Raises NotConnected, OldDialplan, AmiError, ValueError."""
        link = self._store
        # Its calls link hears how it goes on.
        if link is None or link.closed or not self.is_linked:
            raise NotConnected(NotConnected.__doc__)
        await place(link, placing, self.settings.trunks)

    async def end_placed(self, unique_id: str) -> None:
        """End a call back. Raises AmiError."""
        if self._store is None:
            raise NotConnected(NotConnected.__doc__)
        await end(self._store, unique_id)

    async def _record_on(self, record: CallRecord) -> None:
        """Another person is at the other end: go on recording so that they are heard."""
        link, spool = self._store, self.settings.spool
        if link is None or spool is None:
            return
        try:
            await record_anew(link, record.channel, record.key, spool / "recordings")
        except AmiError as error:
            _log.warning("a recording could not be continued", node=self.name, call=record.key, fault=str(error))

    # -- the store link ------------------------------------------------------------------------------------------

    async def _serve_store(self) -> None:
        secret = self.settings.store_secret.get_secret_value()
        link = await self._connect(self.settings.store_username, secret, lambda _: None)
        part = f"asterisk:{self.name}:store"
        self._store = link
        try:
            routes = await FallbackRoutes.read(link)
            versions = Versions()
            self._routes_changed.set()
            while True:
                if self._routes_changed.is_set():
                    self._routes_changed.clear()
                    changed = await routes.write(self._directory(), self.settings.trunks)
                    if changed:
                        _log.info("fallback routes written", node=self.name, entries=changed)
                await self._intake.close_cut_off(link)
                for version in await versions.drop_idle(link):
                    _log.info("an old dialplan was taken out", node=self.name, version=version)
                if time.monotonic() - self._trunks_at > TRUNKS_SECONDS:
                    names = self.trunks_watched | {trunk.name for trunk in self.settings.trunks}
                    self._trunks = await look_at_trunks(link, names)
                    self._endpoints = await look_at_endpoints(link)
                    self._trunks_at = time.monotonic()
                self._health.tell(part, Condition.OK, "Fallback routes are up to date.")
                changed_soon = asyncio.ensure_future(self._routes_changed.wait())
                lost = asyncio.ensure_future(link.wait_closed())
                await asyncio.wait([changed_soon, lost], timeout=CHANNELS_SECONDS, return_when=asyncio.FIRST_COMPLETED)
                changed_soon.cancel()
                if lost.done():
                    raise LinkLost("the connection was closed")
                lost.cancel()
        finally:
            self._store = None
            link.close()

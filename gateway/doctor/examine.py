"""Puts the looking and the checks together: one Asterisk, the database, the files, and what they say of each other."""

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import structlog

from gateway.assets import asset_folder
from gateway.asterisk.fallback import difference, fallback_entries
from gateway.asterisk.render import render_texts
from gateway.doctor import (
    accounts,
    contexts,
    database,
    destinations,
    files,
    folders,
    modules,
    network,
    recorders,
    second_steps,
    sound,
    trunks,
)
from gateway.doctor.asterisk_look import Asterisk, is_local, look_at_asterisk, rendered_folder
from gateway.doctor.conf import Config, parse_config
from gateway.doctor.database_look import Store, look_at_store
from gateway.doctor.dialplan import Dialplan, dialplan_of_config, taker
from gateway.doctor.findings import Area, Finding, error, note
from gateway.doctor.machine_look import ephemeral_ports, names_in, own_addresses
from gateway.doctor.pjsip import Endpoint, parts_of
from gateway.settings import NodeSettings, Settings, SettingsError
from gateway.store.migrate import known_revisions

_log = structlog.get_logger(__name__)
_BY_TYPE = {"identify": "res_pjsip_endpoint_identifier_ip", "registration": "res_pjsip_outbound_registration"}

Clock = Callable[[], float]


async def examine(
    settings: Settings, nodes: Sequence[NodeSettings], folder: Path | None = None, clock: Clock = time.time
) -> list[Finding]:
    """Every finding about ``nodes`` and the database. ``folder``: Asterisk's configuration, if it is named.

    Nothing here raises for what it looks at: what is away or broken is a finding, and the rest is still looked at.
    """
    store = await look_at_store(settings, clock)
    found = [*store.faults, *checked(_database_checks(settings, store, clock))]
    for node in nodes:
        found += [replace(each, node=node.name) for each in await _examine_node(settings, node, store, folder, clock)]
    return found


Check = Callable[[], Iterable[Finding]]


def checked(checks: Iterable[Check]) -> list[Finding]:
    """The findings of all checks; one that fails is told, and the others go on."""
    found: list[Finding] = []
    for check in checks:
        try:
            found += check()
        except Exception as fault:
            _log.exception("a check of the doctor failed")
            found.append(
                note("doctor.failed", Area.FILES, f"One check could not be done ({type(fault).__name__}: {fault}).")
            )
    return found


def _database_checks(settings: Settings, store: Store, clock: Clock) -> Iterable[Check]:
    needed = database.extensions_needed(asset_folder("migrations"))
    if (server := store.server) is not None:
        yield lambda: database.check_server(server, needed, known_revisions())
    if (ahead := store.clock_ahead) is not None:
        yield lambda: database.check_clock("Postgres", ahead, "clock.postgres")
    if (directory := store.directory) is not None:
        yield lambda: database.check_unknown_dids(store.unknown_dids, directory)
        regions = [(number.e164, directory.regions[number.company_id]) for number in directory.numbers.values()]
        yield lambda: destinations.check_loops(store.destinations, regions)
        yield lambda: destinations.check_emergency(store.destinations)
    if (sealed := store.sealed) is not None:
        yield lambda: second_steps.check_key(sealed, settings.data_folder)
    yield lambda: database.check_silent_numbers(store.rung, datetime.fromtimestamp(clock(), UTC))


async def _examine_node(
    settings: Settings, node: NodeSettings, store: Store, folder: Path | None, clock: Clock
) -> list[Finding]:
    found: list[Finding] = []
    try:
        texts = render_texts(node, settings.calls, folder or Path("/etc/asterisk/numberpool"))
    except SettingsError as fault:
        found.append(error("settings.render", Area.FILES, str(fault)))
        texts = {}
    ours = dialplan_of_config(parse_config("\n".join(t for n, t in texts.items() if files.is_read_by_asterisk(n))))
    asked = {*modules.modules_needed(ours, _BY_TYPE.values()), "res_musiconhold"}
    asked |= {module for names in sound.TRANSLATORS.values() for module in names}
    asked |= set(destinations.DRIVERS.values())
    asterisk = await look_at_asterisk(node, asked, folder, clock)
    examined = _Examined(settings, node, store, asterisk)
    return found + await asyncio.to_thread(checked, examined.checks())


class _Examined:
    """One Asterisk as it was found, and the checks that can be done with what is known of it."""

    def __init__(self, settings: Settings, node: NodeSettings, store: Store, asterisk: Asterisk) -> None:
        self.settings = settings
        self.node = node
        self.store = store
        self.asterisk = asterisk
        self.folder = rendered_folder(asterisk)
        try:
            self.texts = render_texts(node, settings.calls, self.folder)
        except SettingsError:  # told already
            self.texts = {}
        own = [text for name, text in self.texts.items() if files.is_read_by_asterisk(name) and "manager" not in name]
        self.ours: Dialplan = dialplan_of_config(parse_config("\n".join(own)))
        accounts_file = next((text for name, text in self.texts.items() if name.endswith("manager.conf")), "")
        self.accounts: Config = parse_config(accounts_file)
        endpoints = (asterisk.endpoints or {}).values()
        registered = [each.endpoint or each.name for each in asterisk.registrations]
        self.trunks = contexts.trunks_of(endpoints, registered, asterisk.dialplan or {})

    @property
    def destinations(self) -> list[destinations.Named]:
        default = destinations.Named(destinations.DEFAULT, self.settings.calls.default_destination)
        return [default, *self.store.destinations]

    @property
    def rung(self) -> list[Endpoint]:
        """The endpoints that destinations ring."""
        known = self.asterisk.endpoints or {}
        names = {part.target for named in self.destinations for part in parts_of(named.dial)}
        names |= {trunk.name for trunk in self.node.trunks}
        return [known[name] for name in sorted(names) if name in known]

    def checks(self) -> Iterable[Check]:
        asterisk = self.asterisk
        yield self._ami
        yield self._modules
        if asterisk.dialplan is not None:
            yield self._dialplan
        if asterisk.endpoints is not None:
            yield self._trunks
        yield lambda: destinations.check_destinations(
            self.destinations,
            asterisk.endpoints,
            asterisk.dialplan,
            self.settings.calls.dialplan_contexts,
            asterisk.modules,
            [trunk.name for trunk in self.node.trunks],
        )
        yield self._sound
        yield self._network
        yield self._recorders
        yield self._machine
        if asterisk.clock_ahead is not None:
            yield lambda: database.check_clock("Asterisk", asterisk.clock_ahead or 0, "clock.asterisk")
        yield self._fallback
        yield lambda: [_unreadable(file, why) for file, why in asterisk.unreadable.items()]

    def _ami(self) -> list[Finding]:
        manager = self.asterisk.configs.get("manager.conf")
        found = accounts.check_logins(self.node, self.asterisk.accounts, manager)
        for account in self.asterisk.accounts:
            found += accounts.check_rights(self.node, account, self.accounts)
            found += accounts.check_events(account, self.accounts)
        if self.asterisk.version is not None:
            found += accounts.check_version(self.asterisk.version)
        told = {finding.where for finding in found if finding.kind != "ami.too-many-rights"}
        if manager is not None and manager.exists:
            lines = accounts.check_manager_file(self.node, manager, self.accounts)
            # What an account lacks is told once, by what comes of it.
            found += [each for each in lines if each.kind != "ami.lines" or each.where not in told]
        return found + accounts.check_gateway(self.node, self.asterisk.sessions)

    def _modules(self) -> list[Finding]:
        pjsip = self.asterisk.configs.get("pjsip.conf", Config())
        also = [module for kind, module in _BY_TYPE.items() if pjsip.of_type(kind)]
        return modules.check_modules(modules.modules_needed(self.ours, also), self.asterisk.modules)

    def _dialplan(self) -> list[Finding]:
        running = self.asterisk.dialplan or {}
        found = contexts.check_running(running, self.ours, str(self.folder / "numberpool-extensions.conf"))
        numbers = self.store.directory.numbers.values() if self.store.directory else ()
        forms = {number.e164: number.forms for number in numbers}
        return found + contexts.check_ways(running, self.trunks, forms, bool(self.asterisk.endpoints))

    def _trunks(self) -> list[Finding]:
        every = list((self.asterisk.endpoints or {}).values())
        pjsip = self.asterisk.configs.get("pjsip.conf")
        return [
            *trunks.check_settings(self.trunks),
            *trunks.check_matching(self.trunks, every, self.asterisk.registrations, pjsip),
            *trunks.check_reach(self.trunks, self.asterisk.registrations),
        ]

    def _sound(self) -> list[Finding]:
        asterisk = self.asterisk
        everybody = list({endpoint.name: endpoint for endpoint in (*self.trunks, *self.rung)}.values())
        found = sound.check_codecs(everybody, asterisk.modules)
        if (indications := asterisk.configs.get("indications.conf")) is not None:
            found += sound.check_tones(indications, everybody)
        if (music := asterisk.configs.get("musiconhold.conf")) is not None:
            named = [section.get("directory") for section in music.sections if section.get("directory")]
            base = asterisk.data_folder if is_local(self.node) else None
            inside = names_in({name: base / name for name in named}) if base is not None else {}
            found += sound.check_music(music, asterisk.modules.get("res_musiconhold"), everybody, inside)
        return found

    def _network(self) -> list[Finding]:
        pjsip = self.asterisk.configs.get("pjsip.conf", Config())
        transports = network.transports_of(pjsip)
        local = is_local(self.node)
        found: list[Finding] = []
        if (rtp := self.asterisk.configs.get("rtp.conf")) is not None:
            found += network.check_rtp(rtp, transports, ephemeral_ports() if local else None)
        towards = [address for trunk in self.trunks for address in network.public_addresses(trunk)]
        return found + network.check_nat(self.trunks, transports, own_addresses(towards) if local else {})

    def _recorders(self) -> list[Finding]:
        directory, running = self.store.directory, self.asterisk.dialplan
        routes = [directory.default_route, *(n.route for n in directory.numbers.values())] if directory else []
        if running is None or not any(route.record for route in routes):
            return []
        wanted = [
            (part.context, part.target)
            for named in self.destinations
            for part in parts_of(named.dial)
            if part.technology.lower() in ("local", "dialplan")
        ]
        numbers = directory.numbers.values() if directory else ()
        contexts_in = {trunk.context for trunk in self.trunks}
        wanted += [(context, form) for context in contexts_in for number in numbers for form in number.forms]
        starts = {place for context, dialled in wanted if (place := taker(running, context, dialled)) is not None}
        return recorders.check_recorders(running, self.ours, starts, self.asterisk.configs.get("queues.conf"))

    def _machine(self) -> list[Finding]:
        if not is_local(self.node):
            return []
        found = files.check_files(self.texts, self.folder, self.node.name)
        if self.node.spool is not None:
            asterisk = folders.user_of_port(self.node.port)
            found += folders.check_spool(self.node.spool, asterisk, folders.user_of_gateway(self.settings.data_folder))
        return found

    def _fallback(self) -> list[Finding]:
        if self.asterisk.astdb is None or self.store.directory is None:
            return []
        wanted = fallback_entries(self.store.directory, self.node.trunks)
        return database.check_fallback(difference(wanted, self.asterisk.astdb))


def _unreadable(file: str, why: str) -> Finding:
    return note(
        "files.unreadable",
        Area.FILES,
        f"{file} cannot be read ({why}), so what it says was not looked at.",
        "sudo numberpool doctor",
        where=file,
    )

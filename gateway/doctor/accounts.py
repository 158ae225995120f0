"""Checks of the two AMI accounts: whether they log in, what they may do, and what they hear."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from gateway.asterisk import version
from gateway.doctor.conf import Config
from gateway.doctor.findings import Area, Finding, error, note, warning
from gateway.settings import NodeSettings

RELOAD = "asterisk -rx 'manager reload'"

# Actions that stand for the write classes each account needs, and that an account of ours may not have: one that can
# run commands, place calls or rewrite configuration is a way into the machine for whoever learns its secret.
_CALLS_NEED = {"CoreSettings": "reporting", "Getvar": "reporting", "Setvar": "call", "UserEvent": "user"}
_STORE_NEEDS = {
    "DBGetTree": "system or reporting",
    "DBPut": "system",
    "DBDel": "system",
    "Originate": "originate",
}
_TOO_MUCH = {"Command": "command", "UpdateConfig": "config"}
_TOO_MUCH_FOR_CALLS = {**_TOO_MUCH, "Originate": "originate", "DBPut": "system"}


class Login(Enum):
    """What came of a login."""

    DONE = auto()
    REFUSED = auto()
    NO_ANSWER = auto()
    UNTRUSTED = auto()  # the certificate


@dataclass(frozen=True, slots=True)
class Account:
    """What an AMI account turned out to be. ``commands``: the actions it may do; None where that is not known."""

    name: str
    login: Login
    said: str = ""
    commands: frozenset[str] | None = None
    hears_events: bool | None = None
    filtered: bool | None = None


def render(node: NodeSettings) -> str:
    """The command that writes the configuration anew."""
    return f"numberpool asterisk render --node {node.name}"


def check_logins(node: NodeSettings, accounts: Sequence[Account], manager: Config | None) -> list[Finding]:
    """Accounts that cannot log in; ``manager`` is manager.conf where it can be read, and then says why."""
    found: list[Finding] = []
    silent = [account for account in accounts if account.login is Login.NO_ANSWER]
    if silent:
        found.append(_no_answer(node, silent[0].said, manager))
    for account in accounts:
        if account.login is Login.UNTRUSTED:
            found.append(
                error(
                    "ami.certificate",
                    Area.AMI,
                    f"{account.said[:1].upper()}{account.said[1:]}.",
                    'in numberpool.toml, [[nodes]]:  tls_ca = "/etc/asterisk/keys/ca.crt"',
                    where=account.name,
                )
            )
        elif account.login is Login.REFUSED:
            found.append(_refused(node, account, manager))
    return found


def _no_answer(node: NodeSettings, said: str, manager: Config | None) -> Finding:
    place = f"{node.host}:{node.port}"
    mend = ["systemctl start asterisk", "in manager.conf, [general]:  enabled = yes", RELOAD]
    why = ""
    if manager is not None and manager.exists:
        if manager.option("general", "enabled", "no").lower() not in ("yes", "true", "on", "1"):
            why, mend = "; manager.conf has it switched off", ["in manager.conf, [general]:  enabled = yes", RELOAD]
        elif not node.tls and manager.option("general", "port", "5038") != str(node.port):
            port = manager.option("general", "port", "5038")
            why, mend = f"; manager.conf says port {port}", [f"in numberpool.toml, [[nodes]]:  port = {port}"]
    return error(
        "ami.no-answer", Area.AMI, f"Asterisk's manager interface does not answer at {place} ({said}){why}.", *mend
    )


def _refused(node: NodeSettings, account: Account, manager: Config | None) -> Finding:
    what = f"Asterisk refuses the AMI account {account.name} ({account.said})"
    mend = [render(node), RELOAD]
    if manager is not None and manager.exists:
        sections = manager.named(account.name)
        secret = node.secret if account.name == node.username else node.store_secret
        if not sections:
            what += "; manager.conf does not have it"
            mend = ["at the end of manager.conf:  #include numberpool/numberpool-manager.conf", *mend]
        elif len(sections) > 1:
            what += f"; manager.conf has it {len(sections)} times, and the last one counts"
            mend = [f"in manager.conf: remove the other [{account.name}]", RELOAD]
        elif sections[0].get("secret") != secret.get_secret_value():
            what += "; its secret in manager.conf is another than in the settings"
        elif sections[0].all("deny") or sections[0].all("permit"):
            what += "; its deny and permit lines may keep us out"
            mend = [f"in manager.conf, [{account.name}]:  permit = 127.0.0.1/255.255.255.255", RELOAD]
    return error("ami.refused", Area.AMI, f"{what}.", *mend, where=account.name)


def _lines(rendered: Config, account: str, key: str) -> list[str]:
    """What to type so that an account's ``key`` lines are those that we render."""
    return [
        f"in numberpool-manager.conf, [{account}]:  {name} = {value}".rstrip()
        for section in rendered.named(account)
        for name, value in section.options
        if name.lower().startswith(key)
    ]


def check_rights(node: NodeSettings, account: Account, rendered: Config) -> list[Finding]:
    """Write classes that an account lacks, and those it has for nobody's good. ``rendered``: our manager.conf."""
    if account.commands is None:
        return []
    is_calls = account.name == node.username
    needs = _CALLS_NEED if is_calls else _STORE_NEEDS
    found = []
    lacking = {action: right for action, right in needs.items() if action not in account.commands}
    if lacking:
        rights = ", ".join(sorted(set(lacking.values())))
        found.append(
            error(
                "ami.rights",
                Area.AMI,
                f"The AMI account {account.name} may not {', '.join(lacking)}: it lacks the write class {rights}.",
                *_lines(rendered, account.name, "write"),
                RELOAD,
                where=account.name,
            )
        )
    too_much = _TOO_MUCH_FOR_CALLS if is_calls else _TOO_MUCH
    extra = sorted({right for action, right in too_much.items() if action in account.commands})
    if extra:
        found.append(
            warning(
                "ami.too-many-rights",
                Area.AMI,
                f"The AMI account {account.name} has the write class {', '.join(extra)}, which Numberpool never uses "
                "and which lets whoever learns its secret into the machine.",
                *_lines(rendered, account.name, "write"),
                RELOAD,
                where=account.name,
            )
        )
    return found


def check_events(account: Account, rendered: Config) -> list[Finding]:
    """Whether our own events arrive, and nothing else."""
    if account.hears_events is False:
        return [
            error(
                "ami.no-events",
                Area.AMI,
                f"Asterisk sends no user events to the AMI account {account.name}, so the gateway never hears of a "
                "call.",
                *_lines(rendered, account.name, "read"),
                RELOAD,
                where=account.name,
            )
        ]
    if account.filtered is False:
        return [
            error(
                "ami.filter",
                Area.AMI,
                f"Asterisk sends the AMI account {account.name} events that are not Numberpool's (some 145 a call): "
                "its event filter is missing or of another kind.",
                *_lines(rendered, account.name, "eventfilter"),
                RELOAD,
                where=account.name,
            )
        ]
    return []


def check_version(text: str) -> list[Finding]:
    """An Asterisk that filters events as we need it."""
    if version.is_supported(version.parse(text)):
        return []
    return [
        error(
            "asterisk.version",
            Area.AMI,
            f"This Asterisk is version {text or 'unknown'}; Numberpool needs 20.11, 22.1 or newer, because earlier "
            "ones ignore the event filter.",
            "apt-get install asterisk   # or the way you installed it; then: systemctl restart asterisk",
        )
    ]


def check_manager_file(node: NodeSettings, manager: Config, rendered: Config) -> list[Finding]:
    """manager.conf: accounts written twice, lines that one of ours lacks."""
    found = []
    for name in (node.username, node.store_username):
        sections = manager.named(name)
        if len(sections) > 1:
            found.append(
                error(
                    "ami.twice",
                    Area.AMI,
                    f"manager.conf has the AMI account {name} {len(sections)} times; the last one counts, whatever the "
                    "others say.",
                    f"in manager.conf: remove every [{name}] but that of numberpool-manager.conf",
                    RELOAD,
                    where=name,
                )
            )
            continue
        wanted = [pair for section in rendered.named(name) for pair in section.options]
        present = {(key.lower(), value.replace(" ", "")) for section in sections for key, value in section.options}
        lacking = [
            f"{key} = {value}".rstrip()
            for key, value in wanted
            if key != "secret" and (key.lower(), value.replace(" ", "")) not in present
        ]
        if sections and lacking:
            found.append(
                error(
                    "ami.lines",
                    Area.AMI,
                    f"The AMI account {name} of manager.conf lacks the line {' and '.join(lacking)}.",
                    *(f"in numberpool-manager.conf, [{name}]:  {line}" for line in lacking),
                    RELOAD,
                    where=name,
                )
            )
    return found


def check_gateway(node: NodeSettings, sessions: Mapping[str, int]) -> list[Finding]:
    """Whether a gateway is linked now. ``sessions``: account name -> how many besides ours."""
    here = sessions.get(node.username)
    if here is None or here == 1:
        return []
    if here == 0:
        return [
            note(
                "gateway.none",
                Area.AMI,
                "No gateway is linked to this Asterisk now; calls ring by their fallback routes.",
                "systemctl start numberpool   # or: numberpool run",
            )
        ]
    return [
        warning(
            "gateway.several",
            Area.AMI,
            f"{here} programs are logged in as {node.username}; two gateways of one Asterisk take its calls from each "
            "other.",
            "asterisk -rx 'manager show connected'   # then stop all but one",
            where=node.username,
        )
    ]

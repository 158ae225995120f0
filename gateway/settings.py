"""All settings, in one typed place: one TOML file, and the environment above it.

The file is named by ``--config`` or ``NUMBERPOOL_CONFIG``; else ``numberpool.toml`` in the working folder,
then ``/etc/numberpool/numberpool.toml``. Any value can be set in the environment as well:
``NUMBERPOOL_POSTGRES__DSN``, ``NUMBERPOOL_PAGES__PORT``. A secret may stand in a file of its own
(``secret_file = "/run/secrets/ami"``), so that neither the TOML file nor the process list shows it.
"""

import os
import re
import tomllib
from contextvars import ContextVar
from pathlib import Path
from typing import Annotated, Literal, Self

import phonenumbers
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)
from pydantic_settings import SettingsError as UnreadableEnvironment

from gateway.asterisk.dialstring import checked_dial_string, dialplan_context
from gateway.calls.emergency import emergency_dialled
from gateway.calls.outbound import NumberForm
from gateway.errors import Mendable

DEFAULT_FILES = (Path("numberpool.toml"), Path("/etc/numberpool/numberpool.toml"))


class SettingsError(Mendable):
    """A setting is missing or wrong; the message says which one and how to mend it."""


def _from_file(secret: SecretStr | None, file: Path | None, name: str) -> SecretStr | None:
    """A secret given in place or in a file of its own (never both)."""
    if file is None:
        return secret
    if secret is not None:
        raise ValueError(f"both {name} and {name}_file are set; remove one of them")
    try:
        return SecretStr(file.read_text().strip())
    except OSError as error:
        raise ValueError(
            f"{name}_file: cannot read {file} ({error.strerror}); "
            f"create it, readable by the user numberpool runs as, or set {name} itself"
        ) from None
    except UnicodeDecodeError:
        raise ValueError(f"{name}_file: {file} is not text; write the secret into it, and nothing else") from None


def _matching(pattern: str, mend: str) -> AfterValidator:
    """Text that matches, and words instead of the pattern where it does not."""

    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(f"{text!r} will not do; {mend}")
        return text

    return AfterValidator(check)


def _months(given: object) -> int:
    """A number of months. What was typed in error would delete for ever what nobody can bring back."""
    text = str(given).strip()
    if isinstance(given, bool | float) or not re.fullmatch(r"[0-9]{1,6}", text) or not 1 <= int(text) <= 240:
        raise ValueError(
            f"{text} is no number of months; write one from 1 to 240, such as 25 for two years and a month"
        )
    return int(text)


_ContextName = Annotated[str, _matching(r"[A-Za-z0-9_-]{1,80}", "use letters, digits, - and _, such as from-internal")]
_TrunkName = Annotated[
    str,
    _matching(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}", "write the name of its endpoint in pjsip.conf, such as carrier-a"),
]
_AccountName = Annotated[str, _matching(r"[A-Za-z0-9_-]{1,40}", "use letters, digits, - and _, at most 40")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PostgresSettings(_Part):
    """Where the database is. With nothing set, the embedded Postgres in the data folder is used."""

    dsn: SecretStr | None = None
    dsn_file: Path | None = None
    connections: int = Field(10, ge=2, le=200)

    @model_validator(mode="before")
    @classmethod
    def _read_secret(cls, values: object) -> object:
        return _with_secrets(values, "dsn")


class PagesSettings(_Part):
    """The listener for the pages. It need not face the internet."""

    host: str = "127.0.0.1"
    port: int = Field(8080, ge=0, le=65535)
    public_url: (
        Annotated[
            str,
            _matching(
                r"https?://[^/\s]+", "write the address people type, without a path, as https://calls.example.com"
            ),
        ]
        | None
    ) = None
    trusted_proxies: tuple[str, ...] = Field(
        (), description="addresses or networks of proxies whose X-Forwarded-* is believed"
    )


class CollectorSettings(_Part):
    """The listener that the pages of your sites speak to. It faces the internet, through your web server."""

    host: str = "127.0.0.1"
    port: int = Field(8081, ge=0, le=65535)
    in_gateway: bool = Field(
        True,
        description="whether numberpool run serves it; false where numberpool collect does, in any number of workers",
    )
    public_url: (
        Annotated[
            str,
            _matching(
                r"https?://[^/\s]+(/[^\s]*)?", "write the address browsers reach it at, as https://www.example.com/np"
            ),
        ]
        | None
    ) = None
    trusted_proxies: tuple[str, ...] = Field(
        (), description="addresses or networks of proxies whose X-Forwarded-* is believed"
    )
    visits_per_minute: int = Field(
        120, ge=1, description="from one address to one site; a burst of as many is let through"
    )
    site_visits_per_second: int = Field(500, ge=1, description="to one site, from everywhere")
    answer_ms: int = Field(
        900, ge=50, le=10_000, description="how long a page waits for a number at most; then it keeps its own"
    )
    places_file: Path | None = Field(None, description="a City database in MaxMind's format, for places of visitors")


class VisitSettings(_Part):
    """What is kept of visits: what pages were opened, which numbers they showed, what was tapped."""

    keep_months: Annotated[int, BeforeValidator(_months)] = Field(
        25, description="whole months that visits are kept beside the present one; older ones are deleted for ever"
    )


class AttributionSettings(_Part):
    """When it is decided for good what brought a call."""

    settle_seconds: int = Field(
        60, ge=0, le=3600, description="so long after its end, when pages have told all about the time of the call"
    )


class SiteCheckSettings(_Part):
    """How pages of your sites are looked at with a browser: numberpool site check, and the button on a site's page."""

    chromium: Path | None = Field(None, description="the browser's program; else the first Chromium or Chrome found")
    sandbox: bool = Field(
        True, description="whether the browser must lock pages in; false only in a container that is thrown away"
    )
    in_gateway: bool = Field(
        True,
        description="whether numberpool run makes checks that pages ask for; false where numberpool site checks does",
    )
    private_addresses: bool = Field(
        False, description="whether sites on private addresses may be checked from the pages; the command always may"
    )


class TrunkSettings(_Part):
    """An endpoint of that Asterisk's pjsip.conf by which calls go out, and what it is shown of a caller.

    ``caller``: the caller's number, and ours beside it (P-Asserted-Identity, Diversion); ``tracking``: the number that
    was called; ``main``: the company's main number. Where it refuses, another number of ours is tried at once.
    """

    name: _TrunkName
    shows: Literal["caller", "tracking", "main"] = "caller"
    diversion: bool = Field(True, description="whether a caller's number comes with Diversion; some carriers want none")
    form: NumberForm = Field(NumberForm.PLUS_E164, description="how it wants numbers that are dialled")
    country: Annotated[str, _matching(r"[A-Z]{2}", "write two capital letters, such as CA")] | None = Field(
        None, description="whose national numbers it takes, with form = national"
    )

    @model_validator(mode="after")
    def _national_of_a_country(self) -> Self:
        if self.form is NumberForm.NATIONAL and self.country not in phonenumbers.SUPPORTED_REGIONS:
            raise ValueError(f"trunk {self.name}: form is national; set country to its two letters, such as CA")
        return self


class NodeSettings(_Part):
    """One Asterisk, reached over AMI with two accounts.

    ``username`` listens and answers calls (write class ``call``); ``store_username`` keeps the fallback routes in
    AstDB, which needs write class ``system``, a class that can also run shell commands, and places calls back.
    """

    name: Annotated[
        str, _matching(r"[a-z0-9][a-z0-9-]{0,30}", "use small letters, digits and -, at most 31, such as pbx-1")
    ] = "pbx"
    host: str = "127.0.0.1"
    port: int = Field(5038, ge=1, le=65535)
    tls: bool = False
    tls_ca: Path | None = Field(None, description="certificate authority that signed the AMI certificate")
    username: _AccountName = "numberpool"
    secret: SecretStr
    secret_file: Path | None = None
    store_username: _AccountName = "numberpool-store"
    store_secret: SecretStr
    store_secret_file: Path | None = None
    spool: Path | None = Field(
        Path("/var/spool/asterisk/numberpool"),
        description="folder shared with that Asterisk for outbox and recordings; none if it is another machine",
    )
    trunks: tuple[TrunkSettings, ...] = Field((), description="by which calls go out, in the order they are tried")

    @model_validator(mode="after")
    def _trunk_names_differ(self) -> Self:
        names = [trunk.name for trunk in self.trunks]
        if len(set(names)) != len(names):
            raise ValueError(f"two trunks of node {self.name} share a name ({', '.join(names)}); remove one")
        return self

    @model_validator(mode="before")
    @classmethod
    def _read_secrets(cls, values: object) -> object:
        return _with_secrets(values, "secret", "store_secret")


def _with_secrets(values: object, *names: str) -> object:
    if not isinstance(values, dict):
        return values  # not a table: pydantic says so
    values = dict(values)
    for name in names:
        if not isinstance(values.get(f"{name}_file"), str | Path | None):
            continue  # not a path: pydantic says so
        file = values.pop(f"{name}_file", None)
        plain = values.get(name)
        secret = SecretStr(plain) if isinstance(plain, str) else plain
        found = _from_file(secret, Path(file) if file else None, name)
        if found is not None:
            values[name] = found
    return values


class CallSettings(_Part):
    """How a call is decided and where it rings when nothing else is known."""

    decision_bound_ms: int = Field(300, ge=20, le=5000, description="how long a call may wait for a gateway that hangs")
    default_destination: Annotated[str, AfterValidator(checked_dial_string)] = "PJSIP/main"
    ring_seconds: int = Field(30, ge=5, le=600, description="how long the default destination rings")
    dialplan_contexts: tuple[_ContextName, ...] = Field(
        (), description="contexts of your own dialplan that destinations may lead into, as Dialplan/600@context"
    )

    pause_key: Annotated[
        str, _matching(r"([0-9*#]{1,10})?", "write keys of a telephone, such as *7, or nothing for")
    ] = Field(
        "*7", description="the keys with which whoever answers pauses the recording, and has it go on; empty: none"
    )
    emergency_callers: tuple[Annotated[str, _matching(r"\+?[0-9]{2,15}", "write digits, with + or without")], ...] = (
        Field(
            (),
            description="numbers from which emergency services call back here, besides the short ones of every country",
        )
    )

    @model_validator(mode="after")
    def _default_is_no_emergency_number(self) -> Self:
        number = emergency_dialled(self.default_destination, None)
        if number is not None:
            raise ValueError(f"default_destination dials {number}, an emergency number; name your own line")
        return self

    @model_validator(mode="after")
    def _default_is_allowed(self) -> Self:
        context = dialplan_context(self.default_destination)
        if context is not None and context not in self.dialplan_contexts:
            raise ValueError(f"default_destination leads into {context}; add {context!r} to dialplan_contexts")
        return self


class SpeechSettings(_Part):
    """The engine on this machine that speaks whispers ahead of calls; any that reads text and writes a WAV."""

    command: tuple[str, ...] = Field(
        ("espeak-ng", "-v", "{voice}", "-s", "155", "-b", "1", "--stdin", "--stdout"),
        min_length=1,
        description="reads words from standard input, writes a WAV to standard output; {voice} is the language",
    )
    folder: Path | None = Field(
        None,
        description="where the sounds lie, readable for Asterisk; the folder sounds in the first node's spool if none",
    )


# An address, or a name and an address.
_SENDER = r"[^\r\n<>@\s]+@[^\r\n<>@\s]+|[^\r\n<>]{1,100} <[^\r\n<>@\s]+@[^\r\n<>@\s]+>"


class MailSettings(_Part):
    """The mail server that takes our letters: invitations, new passwords, notices. Without ``host`` none are sent."""

    host: Annotated[str, _matching(r"[A-Za-z0-9._:-]{1,253}", "write its name, such as mail.example.com")] | None = None
    port: int = Field(587, ge=1, le=65535)
    security: Literal["starttls", "tls", "none"] = Field(
        "starttls", description="starttls on port 587, tls on 465; none only where the server needs no password"
    )
    tls_ca: Path | None = Field(None, description="certificate authority that signed the server's certificate")
    user: str | None = None
    password: SecretStr | None = None
    password_file: Path | None = None
    sender: (
        Annotated[
            str,
            _matching(
                _SENDER,
                "write an address, such as calls@example.com or Numberpool <calls@example.com>",
            ),
        ]
        | None
    ) = Field(None, description="written as from")
    envelope_from: (
        Annotated[str, _matching(r"[^\r\n<>@\s]+@[^\r\n<>@\s]+", "write an address alone, such as bounces@example.com")]
        | None
    ) = Field(None, description="where mail servers return what cannot be delivered; else the address of from")
    reply_to: (
        Annotated[
            str, _matching(_SENDER, "write an address, such as office@example.com or Office <office@example.com>")
        ]
        | None
    ) = Field(None, description="where answers of people go; else to from")

    @model_validator(mode="before")
    @classmethod
    def _read_secret(cls, values: object) -> object:
        if isinstance(values, dict) and "from" in values:  # a word that Python keeps for itself
            values = {name: value for name, value in values.items() if name != "from"} | {"sender": values["from"]}
        return _with_secrets(values, "password")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.host is not None and self.sender is None:
            raise ValueError('from is missing: the address that letters come from, such as "calls@example.com"')
        if (self.user is None) != (self.password is None):
            raise ValueError("user and password belong together; set both, or neither")
        if self.user is not None and self.security == "none":
            raise ValueError("security is none, so the password would be sent in the clear; use starttls or tls")
        return self

    @property
    def is_set_up(self) -> bool:
        """Whether letters can be sent."""
        return self.host is not None


class LogSettings(_Part):
    level: Literal["debug", "info", "warning", "error"] = "info"
    json_lines: bool = False


class Settings(BaseSettings):
    """Everything Numberpool can be told from outside."""

    model_config = SettingsConfigDict(
        env_prefix="NUMBERPOOL_",
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        nested_model_default_partial_update=True,
    )

    data_folder: Path = Field(default_factory=lambda: Path.home() / ".local/share/numberpool")
    postgres: PostgresSettings = PostgresSettings()
    pages: PagesSettings = PagesSettings()
    collector: CollectorSettings = CollectorSettings()
    site_check: SiteCheckSettings = SiteCheckSettings()
    visits: VisitSettings = VisitSettings()
    attribution: AttributionSettings = AttributionSettings()
    calls: CallSettings = CallSettings()
    speech: SpeechSettings = SpeechSettings()
    mail: MailSettings = MailSettings()
    log: LogSettings = LogSettings()
    nodes: tuple[NodeSettings, ...] = ()

    @model_validator(mode="after")
    def _letters_lead_here(self) -> Self:
        # Never taken from a request: whoever asks for a new password could have the link lead to his own server.
        if self.mail.is_set_up and self.pages.public_url is None:
            raise ValueError("mail.host is set, so letters need pages.public_url: the address their links lead to")
        return self

    @model_validator(mode="after")
    def _node_names_differ(self) -> Self:
        names = [node.name for node in self.nodes]
        if len(set(names)) != len(names):
            raise ValueError(f"two Asterisk nodes share a name ({', '.join(names)}); rename one")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, _file.get())

    def node(self, name: str | None) -> NodeSettings:
        """The node of that name, or the only one.

        Raises SettingsError where there is none or the choice is open.
        """
        for node in self.nodes:
            if node.name == name or (name is None and len(self.nodes) == 1):
                return node
        known = ", ".join(node.name for node in self.nodes) or "none"
        raise SettingsError(
            f"which Asterisk node? Known: {known}. Name one with --node, or add a [[nodes]] table to the settings file."
        )


# Pydantic asks for its sources by class, so the file chosen for one load is handed over here.
_file: ContextVar[Path | None] = ContextVar("settings_file", default=None)


def load_settings(file: Path | None = None) -> Settings:
    """Settings from ``file`` (else the usual places) and the environment.

    Raises SettingsError with one line a fault: which setting, what is wrong, how to mend it.
    """
    named = file or (Path(os.environ["NUMBERPOOL_CONFIG"]) if os.environ.get("NUMBERPOOL_CONFIG") else None)
    if named is not None and not named.is_file():
        raise SettingsError(f"there is no settings file {named}; create it, or name another with --config")
    file = named or next((usual for usual in DEFAULT_FILES if usual.is_file()), None)
    _refuse_unknown_environment()
    where = f"in {file} or the environment" if file else "in the environment (no settings file was found)"
    chosen = _file.set(file)
    try:
        return Settings()
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{file} is not valid TOML: {error}; mend that line") from None
    except UnicodeDecodeError:
        raise SettingsError(f"{file} is not UTF-8 text; save it as such") from None
    except OSError as error:
        raise SettingsError(f"cannot read {file}: {error.strerror}; mend its permissions") from None
    except UnreadableEnvironment as error:
        raise SettingsError(
            f"{error}: a variable that stands for a whole table or list is JSON; "
            "mend it, or set its parts one by one, such as NUMBERPOOL_PAGES__PORT"
        ) from None
    except ValidationError as error:
        faults = [_fault(item["loc"], item["type"], item["msg"]) for item in error.errors()]
        raise SettingsError(f"Settings {where} need mending:\n" + "\n".join(faults)) from None
    finally:
        _file.reset(chosen)


def _refuse_unknown_environment() -> None:
    """A misspelt variable would otherwise be passed over in silence. Raises SettingsError."""
    known = set(Settings.model_fields)
    for name in os.environ:
        first = name.lower().removeprefix("numberpool_").partition("__")[0]
        if name.upper().startswith("NUMBERPOOL_") and "__" in name and first not in known:
            raise SettingsError(f"{name}: there is no such setting; unset it, or correct its spelling")


def _fault(place: tuple[int | str, ...], kind: str, message: str) -> str:
    name = ".".join(str(part) for part in place) or "settings"
    in_list = any(isinstance(part, int) for part in place)
    env = "NUMBERPOOL_" + "__".join(str(part).upper() for part in place)
    if kind == "missing":
        where = "that table of the file" if in_list else f"the file or as {env}"
        return f"  {name}: is missing; set it in {where} (a secret also as {place[-1]}_file)"
    if kind == "extra_forbidden":
        return f"  {name}: there is no such setting; remove it, or correct its spelling"
    if kind in ("model_type", "model_attributes_type", "dict_type"):
        table = f"[[{place[0]}]]" if in_list else f"[{name}]"
        return f"  {name}: is a table of settings; write {table} in the file, and its settings below"
    if kind in ("tuple_type", "list_type"):
        return f"  {name}: is a list; write [[{name}]] tables in the file, or JSON in {env}"
    text = message.removeprefix("Value error, ")
    return f"  {name}: {text[0].lower()}{text[1:]}"

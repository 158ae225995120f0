"""Writes the Asterisk configuration from the templates in ``asterisk_conf/``, and never over somebody's changes.

A manifest beside the files remembers what was written last. A file that differs from it was changed by hand: it is
kept as ``<name>.changed-<time>`` before the new one takes its place, and the caller is told.
"""

import hashlib
import json
import os
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

import jinja2

from gateway.assets import asset_folder
from gateway.asterisk.routecode import encode_destinations, encode_route
from gateway.calls.emergency import emergency_callers
from gateway.calls.route import Destination, Route
from gateway.calls.tones import tones_folder
from gateway.settings import CallSettings, NodeSettings, SettingsError

# The contexts of one version are a file of their own, so that those of calls in progress can stay beside it.
DIALPLAN = "numberpool-dialplan"
VERSION_DIGITS = 8
MANIFEST = ".numberpool-manifest.json"
# A gateway on the same machine logs in from there alone, whatever address the manager interface listens on.
_FROM_HERE = "deny = 0.0.0.0/0.0.0.0,::/0\npermit = 127.0.0.0/255.0.0.0,::1/128\n"
# Holds the AMI secrets.
_PRIVATE = {"numberpool-manager.conf"}


class Change(StrEnum):
    """What became of a file."""

    WRITTEN = "written"
    UNCHANGED = "unchanged"
    REPLACED = "replaced a file that was changed by hand"


@dataclass(frozen=True, slots=True)
class Rendered:
    """One file, what happened to it, and where the version with the changes by hand was kept."""

    file: Path
    change: Change
    kept: Path | None = None


def render_texts(node: NodeSettings, calls: CallSettings, folder: Path) -> dict[str, str]:
    """File name -> text of every template, for an Asterisk that will read them in ``folder``.

    The examples of trunks lie in ``trunks/``: no file of ours includes them, an admin copies what fits.
    Raises SettingsError where a setting cannot stand in a configuration file.
    """
    if node.spool is None:
        raise SettingsError(
            f"node {node.name}: set spool to a folder of that Asterisk's machine; its dialplan writes each call there"
        )
    last_resort = (Destination(calls.default_destination, calls.ring_seconds),)
    values: dict[str, object] = {
        "node": node.name,
        "folder": folder,
        "bound_ms": calls.decision_bound_ms,
        "bound": f"{calls.decision_bound_ms / 1000:g}",
        "username": node.username,
        "store_username": node.store_username,
        "secret": node.secret.get_secret_value(),
        "store_secret": node.store_secret.get_secret_value(),
        "outbox": node.spool / "outbox",
        "recordings": node.spool / "recordings",
        "tones": tones_folder(node.spool),
        "default_route": _written(lambda: encode_route(Route(last_resort), node.trunks), node),
        "default_destinations": _written(lambda: encode_destinations(last_resort, node.trunks), node),
        "default_destination": calls.default_destination,
    }
    contexts = " | ".join(f'"${{NP_CONTEXT}}" = "{context}"' for context in calls.dialplan_contexts)
    for name, value in values.items():
        if any(character in str(value) for character in "\r\n;,${}"):
            raise SettingsError(
                f"node {node.name}: {name} holds one of ; , $ {{ }} or a line break, which Asterisk's configuration "
                "files read as something else; choose another"
            )
    values["access"] = _FROM_HERE if node.host in ("127.0.0.1", "::1", "localhost") else ""
    values["pause_key"] = calls.pause_key
    values["allowed"] = f"({contexts})" if contexts else "0"
    values["trunks"] = node.trunks
    values["emergency_callers"] = sorted(emergency_callers(calls.emergency_callers))
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(asset_folder("asterisk_conf")),
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,
    )
    names = sorted(environment.list_templates(extensions=["j2"]))
    # The version is what the dialplan says: the same settings always give the same one.
    unnumbered = environment.get_template(f"{DIALPLAN}.conf.j2").render(values, version="", contexts="")
    version = _digest(unnumbered)[:VERSION_DIGITS]
    values |= {"version": version, "contexts": " ".join(re.findall(r"^\[np-([a-z]+)-\]$", unnumbered, re.MULTILINE))}
    return {
        name.removesuffix(".j2").replace(DIALPLAN, f"{DIALPLAN}-{version}"): environment.get_template(name).render(
            values
        )
        for name in names
    }


def old_versions(texts: Mapping[str, str], folder: Path) -> dict[str, Path]:
    """The files of other versions than that of ``texts`` in ``folder``, by version."""
    found = {file.stem[-VERSION_DIGITS:]: file for file in folder.glob(f"{DIALPLAN}-*.conf") if file.name not in texts}
    return dict(sorted(found.items()))


def _written(encode: Callable[[], str], node: NodeSettings) -> str:
    try:
        return encode()
    except ValueError as error:
        raise SettingsError(f"node {node.name}: default_destination cannot be dialled: {error}") from None


def write_files(texts: Mapping[str, str], folder: Path) -> list[Rendered]:
    """Write ``texts`` into ``folder``, keeping what was changed by hand. Raises OSError."""
    for place in (folder, *sorted({(folder / name).parent for name in texts} - {folder})):
        if not place.exists():
            place.mkdir(parents=True)
            _give_like(place, place.parent)
    manifest = folder / MANIFEST
    try:
        written: dict[str, str] = dict(json.loads(manifest.read_text()))
    except (FileNotFoundError, ValueError, TypeError):  # lost or damaged: then every file may have been changed
        written = {}
    done: list[Rendered] = []
    for name, text in texts.items():
        file = folder / name
        present = file.read_bytes() if file.exists() else None
        kept = None
        if present == text.encode():
            done.append(Rendered(file, Change.UNCHANGED))
        else:
            if present is not None and written.get(name) != _digest(present):
                kept = file.with_name(f"{file.name}.changed-{datetime.now(UTC):%Y%m%dT%H%M%S%f}")
            _replace(file, text, 0o640 if name in _PRIVATE else 0o644, kept)
            done.append(Rendered(file, Change.REPLACED if kept else Change.WRITTEN, kept))
        if written.get(name) != _digest(text):
            written[name] = _digest(text)
            _replace(manifest, json.dumps(written, indent=1) + "\n", 0o644)
    return done


def _digest(text: str | bytes) -> str:
    return hashlib.sha256(text.encode() if isinstance(text, str) else text).hexdigest()


def _replace(file: Path, text: str, mode: int, kept: Path | None = None) -> None:
    """Put ``text`` in the place of ``file`` at once, which becomes ``kept``.

    A new one gets the owner of its folder: Asterisk reads it. Where there is no room for it, the old one stays.
    """
    beside = file.with_name(f".{file.name}.new")
    beside.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        _give_like(beside, file if file.exists() else file.parent)
        if file.exists():
            beside.chmod(file.stat().st_mode & 0o777)
        if kept is not None:
            file.rename(kept)
        beside.replace(file)
    except OSError as error:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        error.filename = error.filename or str(file)  # a full disk names none
        raise


def _give_like(path: Path, model: Path) -> None:
    """Give ``path`` to owner and group of ``model``, as far as we may."""
    before = model.stat()
    if (before.st_uid, before.st_gid) != (os.getuid(), os.getgid()):
        with suppress(PermissionError):
            os.chown(path, before.st_uid, before.st_gid)

"""Checks of the rendered files: whether they are there, and are what the present settings would write."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from gateway.asterisk.render import MANIFEST
from gateway.doctor.conf import parse_config
from gateway.doctor.findings import Area, Finding, error, note, warning

_AREA = Area.FILES
RELOAD = "asterisk -rx 'manager reload'; asterisk -rx 'dialplan reload'"


def is_read_by_asterisk(name: str) -> bool:
    """Whether a rendered file is one that Asterisk includes: examples are there to be copied and changed."""
    return "/" not in name and "example" not in name and name.endswith(".conf")


def check_files(texts: Mapping[str, str], folder: Path, node: str) -> list[Finding]:
    """``texts`` (file name -> what the present settings give) against what lies in ``folder``."""
    render = f"numberpool asterisk render --node {node} --into {folder}"
    found: list[Finding] = []
    written = _manifest(folder)
    for name, text in texts.items():
        if not is_read_by_asterisk(name):
            continue
        file = folder / name
        try:
            present = file.read_text(errors="replace")
        except FileNotFoundError:
            found.append(
                error(
                    "files.missing",
                    _AREA,
                    f"{file} is not there: what the present settings say was never written, or not since they changed.",
                    render,
                    RELOAD,
                    where=str(file),
                )
            )
            continue
        except OSError as fault:
            found.append(
                note(
                    "files.unreadable",
                    _AREA,
                    f"{file} cannot be read ({fault.strerror}), so nobody knows whether it is up to date.",
                    "sudo numberpool doctor",
                    where=str(file),
                )
            )
            continue
        if parse_config(present) == parse_config(text):
            continue  # a comment more or less
        if written.get(name) == hashlib.sha256(present.encode()).hexdigest():
            found.append(
                error(
                    "files.old",
                    _AREA,
                    f"{file} is of earlier settings, or of an earlier Numberpool.",
                    render,
                    RELOAD,
                    where=str(file),
                )
            )
        else:
            found.append(
                warning(
                    "files.by-hand",
                    _AREA,
                    f"{file} was changed by hand; the next rendering puts it aside and writes its own.",
                    render + "   # keeps yours as " + f"{name}.changed-<time>; put your lines into files of your own",
                    RELOAD,
                    where=str(file),
                )
            )
    return found


def _manifest(folder: Path) -> dict[str, str]:
    try:
        written = json.loads((folder / MANIFEST).read_text())
    except (OSError, ValueError):
        return {}
    return written if isinstance(written, dict) else {}

"""Checks of the key that second steps are sealed with: no backup of the database holds it."""

import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gateway.doctor.findings import Area, Finding, error, warning
from gateway.http.sealing import NoUsableKey, Seal, key_name

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Sealed:
    """Somebody with a second step, and the name of the key that opens his secret; empty where it is in the clear."""

    email: str
    key: str


def check_key(sealed: Sequence[Sealed], data_folder: Path) -> list[Finding]:
    """Whether the key is there, is the right one, and nobody else may read it."""
    seal = Seal(data_folder)
    try:
        key = seal.key()
    except NoUsableKey as fault:
        return [_finding_of(str(fault), [each.email for each in sealed], seal.file)] if sealed else []
    found: list[Finding] = []
    name = key_name(key) if key is not None else None
    shut_out = [each.email for each in sealed if each.key and each.key != name]
    if shut_out:
        what = f"The key of the second steps, {seal.file}, is " + ("not there" if key is None else "another one now")
        found.append(_finding_of(what, shut_out, seal.file))
    if any(not each.key for each in sealed):
        found.append(
            warning(
                "second-step.clear",
                Area.DATABASE,
                "Secrets of second steps stand in the clear in the database: this Numberpool has not been started yet.",
                "systemctl restart numberpool   # it seals them at once",
                where=str(seal.file),
            )
        )
    if key is not None and stat.S_IMODE(seal.file.stat().st_mode) & (stat.S_IRWXG | stat.S_IRWXO):
        found.append(
            error(
                "second-step.open-key",
                Area.FOLDERS,
                f"Others than its owner may read {seal.file}, the key of the second steps.",
                f"chmod 600 {seal.file}",
                where=str(seal.file),
            )
        )
    return found


def _finding_of(what: str, emails: Sequence[str], file: Path) -> Finding:
    some = ", ".join(emails[:_SHOWN]) + (f" and {len(emails) - _SHOWN} more" if len(emails) > _SHOWN else "")
    return error(
        "second-step.key",
        Area.DATABASE,
        f"{what}: the app's codes of {some} cannot be checked. Recovery codes still are good.",
        f"put {file} back from a backup of the data folder",
        "or let each turn the second step on anew, after:  numberpool user second-step-off EMAIL",
        where=str(file),
    )

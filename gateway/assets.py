"""Where the files that are not Python lie: in a checkout at its top, in the wheel inside the package."""

from pathlib import Path
from typing import Literal

Folder = Literal["web", "migrations", "asterisk_conf"]

_PACKAGE = Path(__file__).resolve().parent


def asset_folder(name: Folder) -> Path:
    """The folder ``name``, whether Numberpool runs from its wheel or from a checkout."""
    packed = _PACKAGE / "assets" / name
    return packed if packed.is_dir() else _PACKAGE.parent / name

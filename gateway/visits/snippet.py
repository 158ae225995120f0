"""The snippet as a site puts it into its pages: the tag, and the inline variant with the hash that a policy needs."""

import base64
import hashlib
import re
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from pathlib import Path
from urllib.parse import urlsplit

from gateway.assets import asset_folder
from gateway.errors import Mendable

# What a page's head may cost at most.
INLINE_LIMIT = 2048
_KEY = re.compile(r"[A-Za-z0-9_-]{1,60}")


class SnippetNotBuilt(Mendable):
    """The snippet is not built here; run make demo or make test once, or install Numberpool from its wheel."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


class BadSnippetAddress(Mendable):
    """cannot stand in the snippet: it wants a site's key, and a folder such as https://www.example.com/np/ or /np/."""

    def __init__(self, given: str) -> None:
        super().__init__(f"{given!r} {self.__doc__}")


@dataclass(frozen=True, slots=True)
class InlineSnippet:
    """``html`` for the head of a page; ``csp_hash`` for its ``script-src`` where it has a policy: ``'sha256-…'``."""

    html: str
    csp_hash: str


def tag(key: str, address: str) -> str:
    """The tag that loads the snippet from the folder ``address``. Raises BadSnippetAddress."""
    return f'<script async src="{escape(_checked(key, address))}np.js" data-site="{key}"></script>'


def inline_snippet(key: str, address: str) -> InlineSnippet:
    """The variant that swaps remembered numbers before the first paint, and then loads the rest from ``address``.

    Raises BadSnippetAddress, SnippetNotBuilt.
    """
    folder = _checked(key, address)
    script = script_of("np-inline.js").decode().replace("__SITE__", key).replace("__BASE__", folder)
    html = f"<script>{script}</script>"
    if len(html.encode()) > INLINE_LIMIT:
        raise BadSnippetAddress(address)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return InlineSnippet(html, f"'sha256-{digest}'")


@lru_cache
def script_of(name: str) -> bytes:
    """One of the built scripts. Raises SnippetNotBuilt."""
    path: Path = asset_folder("web") / "static" / "snippet" / name
    try:
        return path.read_bytes()
    except OSError:
        raise SnippetNotBuilt() from None


def _checked(key: str, address: str) -> str:
    # Both stand in a script: nothing but letters that mean nothing there.
    if not _KEY.fullmatch(key):
        raise BadSnippetAddress(key)
    try:
        parts = urlsplit(address)
    except ValueError:
        raise BadSnippetAddress(address) from None
    relative = not parts.scheme and not parts.netloc and address.startswith("/") and not address.startswith("//")
    full = parts.scheme in ("http", "https") and parts.netloc
    if not (full or relative) or parts.query or parts.fragment:
        raise BadSnippetAddress(address)
    if not re.fullmatch(r"[A-Za-z0-9:/._~%\[\]-]+", address):
        raise BadSnippetAddress(address)
    return address if address.endswith("/") else f"{address}/"

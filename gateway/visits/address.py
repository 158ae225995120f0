"""Addresses as browsers, apps, scripts and log files give them: split without ever failing.

``urllib.parse`` raises on some of them and reads others differently from a browser (``https://a.example\\@b.example/``
leads a browser to ``a.example``). Here the browsers' reading counts, because they are what opened the address: the URL
Standard (url.spec.whatwg.org) for ``http`` and ``https``.
"""

import re
from typing import NamedTuple
from urllib.parse import unquote

# Longer texts are cut: no vendor's campaign or keyword comes near it, and a row must fit on a page.
LONGEST = 1000
# The longest name that DNS knows.
_LONGEST_HOST = 253
_SCHEMES = {"http": "http", "https": "https", "android-app": "android-app", "ios-app": "ios-app"}
_APPS = frozenset({"android-app", "ios-app"})
_DROPPED = re.compile("[\t\r\n]")
_EDGES = "".join(map(chr, range(33)))
_UNREADABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
_SLACK = re.compile(r"(https?):[/\\]*(?=[^/\\])", re.IGNORECASE)
_PORT = re.compile(r":[0-9]*$")
_NAME = re.compile(r"[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_-])?")


class Address(NamedTuple):
    """An address in its parts; what is missing or unreadable is empty. (A tuple: it is made twice for every visit.)

    ``host`` is in small letters, without user, port, brackets or trailing dots, other scripts in their ASCII form; it
    is empty where no host can be told. ``path`` begins with ``/`` or is empty.
    """

    host: str = ""
    path: str = ""
    query: str = ""
    fragment: str = ""
    is_app: bool = False


NOWHERE = Address()


def split(text: str) -> Address:
    """The parts of ``text``: a full address, one without its scheme, or a path alone."""
    if not text.isprintable() or " " in text:
        text = _DROPPED.sub("", text).strip(_EDGES)
    rest, _, fragment = text.partition("#")
    rest, _, query = rest.partition("?")
    written, _, after = rest.partition("://")
    scheme = _SCHEMES.get(written)
    if scheme is None:
        return _slack(rest, query, fragment)
    if "\\" in after:
        after = after.replace("\\", "/")
    authority, slash, path = after.partition("/")
    if not authority and slash:
        return _slack(rest, query, fragment)
    return Address(host_of(authority), slash + path, query, fragment, scheme in _APPS)


def _slack(rest: str, query: str, fragment: str) -> Address:
    """An address that is not written in full: ``HTTPS:\\\\a.example``, ``//a.example/x``, ``a.example/x``, ``/x``."""
    rest = rest.replace("\\", "/")
    written, border, after = rest.partition("://")
    scheme = _SCHEMES.get(written.lower()) if border else None
    if scheme in _APPS:
        authority, slash, path = after.partition("/")
        return Address(host_of(authority), slash + path, query, fragment, True)
    loose = _SLACK.match(rest)
    if loose is not None or rest.startswith("//"):
        authority, slash, path = rest[loose.end() if loose else 2 :].partition("/")
        return Address(host_of(authority), slash + path, query, fragment)
    if rest.startswith("/") or not rest:
        return Address("", rest, query, fragment)
    # Without a scheme only what looks like a host is one: "mailto:a@b.example" and "about:blank" are none.
    authority, slash, path = rest.partition("/")
    bare = _PORT.sub("", authority)
    host = "" if "@" in bare or (":" in bare and not bare.startswith("[")) else host_of(bare)
    if "." in host or ":" in host or host == "localhost":
        return Address(host, slash + path, query, fragment)
    return Address("", "", query, fragment)


def host_of(authority: str) -> str:
    """The host of ``user:password@host:port``, or nothing if there cannot be such a host."""
    if "@" in authority:
        authority = authority.rpartition("@")[2]
    if authority.startswith("["):
        host = authority[1:].partition("]")[0].lower()
        return host if host and not set(host) - set("0123456789abcdef:.") else ""
    host = authority.partition(":")[0].lower()
    if not host.isascii() or "%" in host:
        host = _ascii(host)
    if host.endswith("."):
        host = host.rstrip(".")
    if len(host) > _LONGEST_HOST or ".." in host or _NAME.fullmatch(host) is None:
        return ""
    return host


def _ascii(host: str) -> str:
    """A host of any script in the form that DNS knows; as it is where it has none."""
    if len(host) > 3 * _LONGEST_HOST:
        return ""
    host = unquote(host)
    try:
        return host.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return ""


def without_www(host: str) -> str:
    """The host as people say it."""
    return host[4:] if host.startswith("www.") and "." in host[4:] else host


def readable(raw: str, *, plus: bool = True) -> str:
    """The value of a parameter: decoded, trimmed, cut, with nothing in it that a database or a page would choke on.

    Broken percent-encoding stays as it is; bytes that are no UTF-8 become U+FFFD. ``plus``: whether ``+`` is a space.
    """
    raw = raw[: 9 * LONGEST]
    if plus and "+" in raw:
        raw = raw.replace("+", " ")
    if "%" in raw:
        raw = unquote(raw)
    if not raw.isprintable():
        raw = cleaned(raw)
    return raw.strip()[:LONGEST]


def cleaned(text: str) -> str:
    """The text without control characters, pairs of surrogates joined, halves of them replaced."""
    if text.isprintable():
        return text
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return _UNREADABLE.sub(lambda found: " " if found[0] in "\t\r\n" else "", text)

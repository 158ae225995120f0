"""Programs that hold scripts back or rewrite their tags to make pages faster, told by the marks they document.

WP Rocket: docs.wp-rocket.me (Delay JavaScript Execution). Rocket Loader: developers.cloudflare.com/speed (type
``<hash>-text/javascript``, ``rocket-loader.min.js``). LiteSpeed Cache: docs.litespeedtech.com (type
``litespeed/javascript``, ``data-src``). Autoptimize: its files lie below ``/cache/autoptimize/``. Flying Scripts: its
source (``data-type="lazy"``). NitroPack: support.nitropack.io (``nitro-src``, ``nitropack/inlinescript``).
"""

import re
from collections.abc import Mapping

_CONSENT_MARKS = (
    "data-cookieconsent",  # Cookiebot
    "data-cookiecategory",
    "data-cookieyes",
    "data-usercentrics",
    "data-cmp-src",
    "data-iub-purposes",
    "data-borlabs-cookie-script-blocker-id",
    "data-category",  # Complianz, CookieConsent
    "data-service",
    "data-name",  # Klaro
)
_CONSENT_CLASSES = re.compile(r"optanon-category|cmplz-|_iub_cs_activate|cky-")
_RUNS = re.compile(r"^(?:|module|(?:text|application)/(?:x-)?(?:java|ecma)script.*)$", re.I)


def consent_mark(attributes: Mapping[str, str]) -> str:
    """The mark by which a consent banner holds a tag back; empty where none does."""
    if runs(attributes.get("type", "")):
        return ""
    for name in _CONSENT_MARKS:
        if name in attributes:
            return f'type="{attributes["type"]}" {name}="{attributes[name]}"'
    classes = attributes.get("class", "")
    return f'class="{classes}"' if _CONSENT_CLASSES.search(classes) else ""


def runs(kind: str) -> bool:
    """Whether a browser runs a script of this ``type``."""
    return bool(_RUNS.match(kind.strip()))


def optimiser_of(attributes: Mapping[str, str], html: str) -> str:
    """The program that holds the snippet's tag back, as the last part of a finding's kind; empty where none shows.

    ``attributes`` are the tag's, as it stands in the page now or stood in ``html``, the page as it was served.
    """
    kind = attributes.get("type", "").lower()
    names = {name.lower() for name in attributes}
    if kind == "rocketlazyloadscript" or names & {"data-rocket-src", "data-rocket-type", "data-rocketlazyloadscript"}:
        return "wp_rocket"
    if kind.endswith("-text/javascript") or "data-cf-settings" in names or "data-cf-modified" in " ".join(names):
        return "rocket_loader"
    if kind == "litespeed/javascript" or "data-litespeed-src" in names:
        return "litespeed"
    if "nitro-src" in names or "nitro-delay-ms" in names or kind.startswith("nitropack/"):
        return "nitropack"
    if kind == "pmdelayedscript" or "data-pmdelayedscript" in names:
        return "perfmatters"
    if attributes.get("data-type") == "lazy" and "data-src" in names:
        return "flying_scripts"
    if not attributes and re.search(r"/cache/autoptimize/(?:[^\"']*/)?autoptimize_[^\"']*\.js", html):
        return "autoptimize"
    return ""

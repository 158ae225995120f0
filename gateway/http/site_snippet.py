"""What a site puts into its pages and its web server, written out with its own names."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from urllib.parse import quote

from gateway.assets import asset_folder
from gateway.pools.number_parts import parts_of
from gateway.pools.site_changes import SiteSettings, Target
from gateway.settings import CollectorSettings
from gateway.visits.snippet import InlineSnippet, SnippetNotBuilt, inline_snippet, tag

# Where the site's own web server passes the collector on.
OWN_ADDRESS = "/np/"
_HOST_IN_EXAMPLES = "www.example.com"
_COLLECTOR_IN_EXAMPLES = "127.0.0.1:8081"


@dataclass(frozen=True, slots=True)
class WrittenOut:
    """The snippet of a site in every form, for pages that reach the collector at ``address``.

    ``inline`` is none where the snippet is not built here. ``server`` asks for a page's numbers as a site's own server
    does; ``nginx`` and ``caddy`` are examples for the web server.
    """

    address: str
    tag: str
    tag_manager: str
    inline: InlineSnippet | None
    amp: str
    server: str
    nginx: str
    caddy: str


def snippet_of(collector: CollectorSettings, site: SiteSettings, targets: Sequence[Target]) -> WrittenOut:
    """The snippet for a site's pages, served by the site itself; on AMP pages by the host that the settings name."""
    key = site.public_key
    host = site.hosts[0] if site.hosts else _HOST_IN_EXAMPLES
    try:
        inline = inline_snippet(key, OWN_ADDRESS)
    except SnippetNotBuilt:
        inline = None
    abroad = f"{collector.public_url.rstrip('/')}/" if collector.public_url else f"https://{host}{OWN_ADDRESS}"
    return WrittenOut(
        OWN_ADDRESS,
        tag(key, OWN_ADDRESS),
        f'<script async src="{OWN_ADDRESS}np.js?site={key}"></script>',
        inline,
        _amp(abroad, key, targets[0].e164 if targets else ""),
        _server(abroad, host),
        _example("nginx.conf", collector, host, key),
        _example("Caddyfile", collector, host, key),
    )


def _amp(address: str, key: str, e164: str) -> str:
    """As amp.dev documents amp-call-tracking; AMP fills the words in capitals in."""
    if e164:
        number, printed = quote(e164), parts_of(e164).written
    else:
        number, printed = "NUMBER", "NUMBER"
    config = f"{address}v1/amp?site={key}&target={number}&url=SOURCE_URL&referrer=DOCUMENT_REFERRER"
    return (
        '<script async custom-element="amp-call-tracking" '
        'src="https://cdn.ampproject.org/v0/amp-call-tracking-0.1.js"></script>\n\n'
        f'<amp-call-tracking config="{escape(config)}">\n'
        f'  <a href="tel:{escape(e164 or "NUMBER")}">{escape(printed)}</a>\n'
        "</amp-call-tracking>"
    )


def _server(address: str, host: str) -> str:
    return (
        f"curl {address}v1/server/visit -H 'Authorization: Bearer TOKEN' \\\n"
        f'  -d \'{{"url": "https://{host}/…", "referrer": "…", "address": "203.0.113.7", "user_agent": "…"}}\''
    )


def _example(name: str, collector: CollectorSettings, host: str, key: str) -> str:
    try:
        text = (asset_folder("web") / "proxies" / name).read_text()
    except OSError:
        return ""
    here = f"{collector.host}:{collector.port}"
    base = host.removeprefix("www.")
    text = (
        text.replace("site snippet KEY", f"site snippet {key}")
        .replace(_COLLECTOR_IN_EXAMPLES, here)
        .replace("np.example.com", f"np.{base}")
    )
    return text.replace(_HOST_IN_EXAMPLES, host)

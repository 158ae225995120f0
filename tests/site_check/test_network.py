"""A page under check reaches the world and nothing of ours; certificates, mixed pages, and hungry ones."""

import asyncio
import base64
import hashlib
import ssl
from pathlib import Path

import aiohttp
import pytest
import trustme
from aiohttp import web

from gateway.site_check.errors import TooMuch
from gateway.site_check.proxy import ANY_HOST, Fault, Outward, is_public
from tests.http.conftest import CHROMIUM
from tests.site_check.conftest import SANDBOX, Town
from tests.site_check.test_findings import NUMBER, kinds, one
from tests.site_check.website import Website, settings_for


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1::1", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("::1", False),
        ("::ffff:127.0.0.1", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
    ],
)
def test_what_is_public(address: str, public: bool) -> None:
    assert is_public(address) is public


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "[::1]", "0.0.0.0", "2130706433", "127.1"])
async def test_this_machine_is_out_of_reach(name: str) -> None:
    asked = []

    async def secret(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(text="secret")

    app = web.Application()
    app.router.add_get("/{path:.*}", secret)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    try:
        async with Outward({"allowed.example"}).open() as outward, aiohttp.ClientSession() as session:
            with pytest.raises(aiohttp.ClientError):
                await session.get(f"http://{name}:{port}/", proxy=outward.url)
            with pytest.raises(aiohttp.ClientError):
                await session.get(f"https://{name}:{port}/", proxy=outward.url)
        assert asked == []
        async with Outward(ANY_HOST).open() as outward, aiohttp.ClientSession() as session:
            answer = await session.get(f"http://127.0.0.1:{port}/a?b=c", proxy=outward.url)
            assert await answer.text() == "secret"
        assert asked == ["/a"]
    finally:
        await runner.cleanup()


async def test_a_public_page_sends_nothing_to_this_machine(town: Town) -> None:
    """As if the page's own host were public: everything else of this machine is refused it."""
    reached: list[str] = []
    inner = Website(town.worker.url, town.key)
    inner.np = None
    runner = await inner.open()
    town.stack.push_async_callback(runner.cleanup)
    async with Outward({"localhost"}).open() as outward, aiohttp.ClientSession() as session:
        answer = await session.get(inner.url, proxy=outward.url)
        assert answer.status == 200
        with pytest.raises(aiohttp.ClientError):
            await session.get(inner.url.replace("localhost", "127.0.0.1"), proxy=outward.url)
        assert Fault.PRIVATE in outward.faults.values()
    assert reached == []


@pytest.mark.parametrize(
    "host", ["region1.google-analytics.com", "googleads.g.doubleclick.net", "mc.yandex.ru", "accounts.google.com"]
)
async def test_nobodys_statistics_count_a_check(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def looked_up(*_: object, **__: object) -> None:
        raise AssertionError("its name was looked up")

    async with Outward(ANY_HOST).open() as outward, aiohttp.ClientSession() as session:
        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", looked_up)
        with pytest.raises(aiohttp.ClientError):
            await session.get(f"http://{host}/collect", proxy=outward.url)
        assert outward.faults == {}


def certificate(*names: str) -> tuple[ssl.SSLContext, str]:
    """A server's certificate, and the hash by which a browser can be told to trust it."""
    made = trustme.CA().issue_cert(*names)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.configure_cert(context)
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    loaded = x509.load_pem_x509_certificate(made.cert_chain_pems[0].bytes())
    key = loaded.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return context, base64.b64encode(hashlib.sha256(key).digest()).decode()


def trusting(folder: Path, spki: str) -> Path:
    """A browser that trusts that certificate."""
    program = folder / "chromium"
    program.write_text(f'#!/bin/sh\nexec {CHROMIUM} --ignore-certificate-errors-spki-list={spki} "$@"\n')
    program.chmod(0o755)
    folder.chmod(0o755)
    return program


async def test_a_certificate_that_nobody_trusts(town: Town) -> None:
    context, _ = certificate("localhost")
    shop = await town.website(scheme="https", context=context)
    shop.site.page(NUMBER)
    report = await shop.check()
    assert kinds(report) == {"page.bad_certificate"}
    assert "CERT" in str(one(report, "page.bad_certificate").facts["fault"])


async def test_a_snippet_over_http_in_a_page_over_https(town: Town, short_path: Path) -> None:
    context, spki = certificate("localhost")
    shop = await town.website(scheme="https", context=context)
    shop.settings = settings_for(town.settings.collector.port, chromium=trusting(short_path, spki), sandbox=SANDBOX)
    shop.site.page(NUMBER)
    assert "target.swapped" in kinds(await shop.check())
    # Browsers take names of this machine for safe, so it has another.
    shop.site.page(NUMBER, f'<script async src="http://np.invalid/np.js" data-site="{town.key}"></script>')
    report = await shop.check()
    assert one(report, "script.mixed").facts["address"] == "https://np.invalid/np.js"


async def test_a_snippets_host_without_a_good_certificate(town: Town) -> None:
    context, _ = certificate("elsewhere.example")
    other = await town.website(scheme="https", context=context)
    shop = await town.website()
    shop.site.page(NUMBER, f'<script async src="{other.site.url}np/np.js" data-site="{town.key}"></script>')
    assert one(await shop.check(), "script.bad_certificate").facts["host"] == "localhost"


async def test_a_page_that_takes_too_much(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.site_check.chromium._LARGEST_MEMORY", 150_000_000)
    shop = await town.website()
    shop.site.page(
        "<script>const all = [];"
        "setInterval(() => { const more = new Uint8Array(3e7); more.fill(1); all.push(more) }, 20)</script>"
    )
    with pytest.raises(TooMuch):
        await shop.check()

"""nginx and Caddy with the examples that an admin copies, before a real collector, and a browser on their sites."""

import asyncio
import base64
import hashlib
import os
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest
import pytest_asyncio
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from playwright.async_api import BrowserContext, async_playwright

from gateway.assets import asset_folder
from gateway.local.processes import ends_with_us
from gateway.local.programs import Program, found_or_fetched
from gateway.store.database import Database
from gateway.visits.snippet import tag
from tests.collector.conftest import Worker, running_worker
from tests.http.conftest import CHROMIUM, CHROMIUM_FLAGS
from tests.pools.shop import Shop, open_shop
from tests.snippet_live.conftest import AGENT, BODY, NO_FAVICON, PERSON, free_port
from tests.stack import PROJECT, eventually

EXAMPLES = asset_folder("web") / "proxies"
SITE, BESIDE, ELSEWHERE = "www.shop.example", "np.shop.example", "collect.other.example"
# Where the snippet of each page comes from.
PAGES = {"/": "/np/", "/beside.html": f"https://{BESIDE}/", "/elsewhere.html": f"https://{ELSEWHERE}/"}
_SECONDS = 30


@dataclass
class Proxy:
    """A web server with the example's set-up, on one TLS port for all hosts. ``keys``: those a browser may trust."""

    name: str
    port: int
    keys: tuple[str, ...]
    shop: Shop
    worker: Worker
    stop_collector: AsyncExitStack
    session: aiohttp.ClientSession

    async def ask(self, host: str, path: str, body: Any = None, **headers: str) -> aiohttp.ClientResponse:
        """A request to one of its hosts, from another address of this machine than the browser's."""
        answer = await self.session.request(
            "GET" if body is None else "POST",
            f"https://127.0.0.1:{self.port}{path}",
            json=body,
            headers={"Host": host, **{name.replace("_", "-"): value for name, value in headers.items()}},
            server_hostname=host,
            ssl=False,
        )
        await answer.read()
        return answer

    async def served(self, path: str, status: int = 200) -> float:
        """How many requests for a path came through to the collector, since the tests began."""
        async with self.session.get(f"{self.worker.url}/metrics") as answer:
            text = await answer.text()
        wanted = f'numberpool_collector_request_seconds_count{{method="GET",path="{path}",status="{status}"}}'
        found = [line.split()[-1] for line in text.splitlines() if line.startswith(wanted)]
        return float(found[0]) if found else 0.0

    @asynccontextmanager
    async def browser(self) -> AsyncIterator["Person"]:
        """A browser that finds all hosts here."""
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(
                executable_path=CHROMIUM,
                args=[
                    *CHROMIUM_FLAGS,
                    *PERSON,
                    f"--host-resolver-rules=MAP *.example 127.0.0.1:{self.port}",
                    f"--ignore-certificate-errors-spki-list={','.join(self.keys)}",
                ],
                ignore_default_args=["--enable-automation"],
            )
            yield Person(browser)
            await browser.close()


@dataclass
class Person:
    """Opens browsers without a past."""

    browser: Any

    async def anew(self) -> BrowserContext:
        context: BrowserContext = await self.browser.new_context(locale="en-CA", user_agent=AGENT)
        return context


def key_of(certificate: x509.Certificate) -> str:
    """A certificate's key as Chromium names it."""
    public = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(public).digest()).decode()


@pytest.fixture(scope="session")
def proxy_programs() -> dict[str, Program]:
    """nginx and Caddy."""
    return found_or_fetched(PROJECT / ".numberpool" / "proxies", {"nginx": "nginx", "caddy": "caddy"}, print)


@asynccontextmanager
async def _running(program: Program, folder: Path, *arguments: str | Path) -> AsyncIterator[None]:
    with (folder / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *ends_with_us(), *program.command(*arguments),
            cwd=folder, env={**program.full_environment(), "HOME": str(folder)}, stdout=log, stderr=log,
        )  # fmt: skip
    try:
        yield
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


def _put(text: str, *changes: tuple[str, str]) -> str:
    """An example with other hosts, ports and folders, each of which must be in it."""
    for before, after in changes:
        assert before in text, before
        text = text.replace(before, after)
    return text


@asynccontextmanager
async def nginx(program: Program, folder: Path, collector: str, port: int) -> AsyncIterator[tuple[str, ...]]:
    """nginx with its example; yields the keys of its certificates."""
    authority = trustme.CA()
    for name, hosts in (("www.example.com", [SITE]), ("np.example.com", [BESIDE, ELSEWHERE])):
        certificate = authority.issue_cert(*hosts)
        (folder / f"{name}.pem").write_bytes(b"".join(blob.bytes() for blob in certificate.cert_chain_pems))
        (folder / f"{name}.key").write_bytes(certificate.private_key_pem.bytes())
    example = _put(
        (EXAMPLES / "nginx.conf").read_text(),
        ("listen 443 ssl", f"listen 127.0.0.1:{port} ssl"),
        ("server_name www.example.com", f"server_name {SITE}"),
        ("server_name np.example.com", f"server_name {BESIDE} {ELSEWHERE}"),
        ("server 127.0.0.1:8081", f"server {collector}"),
        ("/etc/ssl/", f"{folder}/"),
        ("/var/www/html", f"{folder}/site"),
        ("/var/cache/nginx/", f"{folder}/"),
    )
    (folder / "numberpool.conf").write_text(example)
    paths = "".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root;" if os.getuid() == 0 else ""
    (folder / "nginx.conf").write_text(
        f"daemon off; pid {folder}/pid; worker_processes 1; error_log stderr; {user}"
        f"events {{}} http {{ types {{ text/html html; }} access_log off; {paths} include {folder}/numberpool.conf; }}"
    )
    pems = [folder / "www.example.com.pem", folder / "np.example.com.pem"]
    async with _running(program, folder, "-e", "stderr", "-p", folder, "-c", folder / "nginx.conf"):
        yield tuple(key_of(x509.load_pem_x509_certificate(pem.read_bytes())) for pem in pems)


@asynccontextmanager
async def caddy(program: Program, folder: Path, collector: str, port: int) -> AsyncIterator[tuple[str, ...]]:
    """Caddy with its example, and certificates of its own authority, since nobody outside vouches for these hosts."""
    options = (
        f"{{\n admin off\n auto_https disable_redirects\n local_certs\n skip_install_trust\n"
        f" https_port {port}\n storage file_system {folder}/storage\n}}\n"
    )
    example = _put(
        (EXAMPLES / "Caddyfile").read_text(),
        ("www.example.com {", f"{SITE} {{\n\tbind 127.0.0.1"),
        ("np.example.com {", f"{BESIDE}, {ELSEWHERE} {{\n\tbind 127.0.0.1"),
        ("127.0.0.1:8081", collector),
        ("/var/www/html", f"{folder}/site"),
    )
    (folder / "Caddyfile").write_text(options + example)
    authority = folder / "storage" / "pki" / "authorities" / "local"
    async with _running(program, folder, "run", "--config", folder / "Caddyfile", "--adapter", "caddyfile"):

        async def vouches() -> bool:
            return (authority / "intermediate.crt").is_file() and (authority / "intermediate.key").is_file()

        await eventually(vouches, _SECONDS)
        yield (key_of(x509.load_pem_x509_certificate((authority / "intermediate.crt").read_bytes())),)


@pytest_asyncio.fixture(params=["nginx", "caddy"])
async def proxy(
    request: pytest.FixtureRequest, proxy_programs: dict[str, Program], database_dsn: str, short_path: Path
) -> AsyncIterator[Proxy]:
    """A web server in front of a collector that believes it."""
    name, port = request.param, free_port()
    async with AsyncExitStack() as stack:
        database = await Database.open(database_dsn)
        stack.push_async_callback(database.close)
        shop = await open_shop(database, 4)
        (short_path / "site").mkdir()
        for path, base in PAGES.items():
            head = f"<meta charset=utf-8>{NO_FAVICON}{tag(shop.site.public_key, base)}"
            file = short_path / "site" / (path[1:] or "index.html")
            file.write_text(f"<!doctype html><html><head>{head}</head><body>{BODY}</body></html>")
        for folder in (short_path, short_path / "site"):
            folder.chmod(0o755)
        collector = await stack.enter_async_context(AsyncExitStack())
        worker = await collector.enter_async_context(
            running_worker(database_dsn, visits_per_minute=6000, trusted_proxies=("127.0.0.1",))
        )
        start = nginx if name == "nginx" else caddy
        keys = await stack.enter_async_context(
            start(proxy_programs[name], short_path, urlsplit(worker.url).netloc, port)
        )
        connector = aiohttp.TCPConnector(local_addr=("127.0.1.77", 0))
        session = await stack.enter_async_context(aiohttp.ClientSession(connector=connector, auto_decompress=False))
        running = Proxy(name, port, keys, shop, worker, collector, session)

        async def answers() -> bool:
            try:
                hosts = [await running.ask(host, "/") for host in (SITE, BESIDE, ELSEWHERE)]
            except (aiohttp.ClientError, ssl.SSLError):
                return False
            return hosts[0].status == 200

        try:
            await eventually(answers, _SECONDS, 0.05)
        except TimeoutError:
            pytest.fail(f"{name} does not start:\n{(short_path / 'log').read_text()}")
        yield running

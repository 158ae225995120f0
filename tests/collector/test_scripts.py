"""The scripts that pages load: the same address for ever, taken anew after an update and no more often than needed."""

import gzip
import hashlib
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from gateway.visits import snippet
from tests.collector.conftest import Collected

SCRIPTS = ("np.js", "np-forms.js", "np.d.ts")


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that stands for what is built, to be changed; ``snippet.script_of.cache_clear()`` is a new start."""
    folder = tmp_path / "static" / "snippet"
    folder.mkdir(parents=True)
    for name in SCRIPTS:
        (folder / name).write_bytes(snippet.script_of(name))
    monkeypatch.setattr(snippet, "asset_folder", lambda _name: tmp_path)
    snippet.script_of.cache_clear()
    yield folder
    snippet.script_of.cache_clear()


@pytest.mark.parametrize(("name", "kind"), [("np.js", "text/javascript"), ("np.d.ts", "text/plain")])
async def test_what_is_built_is_served(collected: Collected, name: str, kind: str) -> None:
    async with aiohttp.ClientSession(collected.worker.url, auto_decompress=False) as session:
        answer = await session.get(f"/{name}", headers={"Accept-Encoding": "gzip", "Origin": "https://any.example"})
        packed = await answer.read()
        plain = await session.get(f"/{name}", headers={"Accept-Encoding": "identity"})
        assert gzip.decompress(packed) == await plain.read() == snippet.script_of(name)
        assert answer.content_type == kind
        assert answer.headers["Vary"] == "Accept-Encoding"
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
        assert "Set-Cookie" not in answer.headers
        head = await session.head(f"/{name}")
        assert (head.status, head.headers["ETag"]) == (200, answer.headers["ETag"])


async def test_a_script_survives_an_update(collected: Collected, built: Path) -> None:
    async with aiohttp.ClientSession(collected.worker.url) as session:
        first = await session.get("/np.js")
        version = first.headers["ETag"]
        ages = dict(part.strip().partition("=")[::2] for part in first.headers["Cache-Control"].split(","))
        # Minutes, not days, before a browser looks again, and neither a slow nor a dead collector is waited for.
        assert 60 <= int(ages["max-age"]) <= 3600
        assert int(ages["stale-while-revalidate"]) >= 86400
        assert int(ages["stale-if-error"]) >= 86400
        assert "public" in ages
        again = await session.get("/np.js", headers={"If-None-Match": version})
        assert (again.status, await again.read()) == (304, b"")
        assert again.headers["ETag"] == version
        assert again.headers["Cache-Control"] == first.headers["Cache-Control"]
        (built / "np.js").write_bytes(b"/* newer */")
        snippet.script_of.cache_clear()
        newer = await session.get("/np.js", headers={"If-None-Match": f'{version}, "another"'})
        assert (newer.status, await newer.read()) == (200, b"/* newer */")
        assert newer.headers["ETag"] != version
        assert hashlib.sha256(b"/* newer */").hexdigest().startswith(newer.headers["ETag"].strip('W/"'))


async def test_what_is_not_built_is_said(collected: Collected, built: Path) -> None:
    (built / "np.js").unlink()
    async with aiohttp.ClientSession(collected.worker.url) as session:
        answer = await session.get("/np.js")
        told = await answer.json()
        assert (answer.status, told["id"], answer.headers["Cache-Control"]) == (404, "no_snippet", "no-store")
        assert "make demo" in told["message"]
        assert (await session.get("/np-forms.js")).status == 200
        assert (await session.get("/np-inline.js")).status == 404  # it is printed into pages, never loaded

"""One browser for the session, a window and a site for each test."""

from collections.abc import AsyncIterator

import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright

from gateway.local import snippet
from tests.http.conftest import CHROMIUM, CHROMIUM_FLAGS
from tests.snippet.site import Site, Window, open_window


@pytest_asyncio.fixture(scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """A real browser."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=CHROMIUM_FLAGS, ignore_default_args=["--disable-back-forward-cache"]
        )
        yield browser
        await browser.close()


@pytest_asyncio.fixture
async def site() -> AsyncIterator[Site]:
    """A site, and its collector."""
    running = Site()
    runner = await running.open()
    yield running
    await runner.cleanup()


@pytest_asyncio.fixture
async def window(site: Site, chromium: Browser) -> AsyncIterator[Window]:
    """A browser without a past; fails if a page's script did."""
    opened = await open_window(site, chromium)
    yield opened
    await opened.context.close()
    assert opened.errors == []


@pytest_asyncio.fixture(scope="session")
async def numbers(chromium: Browser) -> AsyncIterator[Page]:
    """A page with the module that finds numbers in it, as ``numbers``."""
    page = await chromium.new_page()
    await page.add_script_tag(content=(snippet.WORKSHOP / "numbers.js").read_text() + ";window.numbers=numbers")
    yield page
    await page.close()

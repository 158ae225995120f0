"""A recording that was paused: the player and the words beside it say so."""

import os
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.http.company import add_call, make_recording
from tests.http.conftest import Pages
from tests.http.test_browser import Scheme, looking, nothing_for_axe


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_pauses_are_shown_and_said(pages: Pages, chromium: Browser, scheme: Scheme) -> None:
    sound = make_recording(pages.recordings, f"paused-{scheme}", 60)
    call = await add_call(pages.database, pages.company, recording=sound, talk=60)
    async with pages.database.everything() as wire:
        for position, (began, ended) in enumerate([(10.0, 22.0), (50.0, None)]):
            await wire.execute(
                "INSERT INTO recording_pauses (company_id, call_id, position, began, ended)"
                " VALUES ($1, $2, $3, $4, $5)",
                pages.company.id,
                call,
                position,
                began,
                ended,
            )
    async with looking(pages, chromium, scheme) as page:
        await page.goto(f"{pages.url}/calls/{call}")
        await expect(page.get_by_text("Paused 0:12: not recorded")).to_be_visible()
        await expect(page.get_by_text("Paused to the end: not recorded")).to_be_visible()
        await expect(page.get_by_text("Who answered had the recording paused")).to_be_visible()
        first, last = await page.locator(".unrecorded rect").all()
        stage, marked = await page.locator("#stage").bounding_box(), await first.bounding_box()
        assert stage is not None
        assert marked is not None
        assert (marked["x"] - stage["x"]) / stage["width"] == pytest.approx(1 / 6, abs=0.02)
        assert marked["width"] / stage["width"] == pytest.approx(1 / 5, abs=0.02)
        ends = await last.bounding_box()
        assert ends is not None
        assert ends["x"] + ends["width"] == pytest.approx(stage["x"] + stage["width"], abs=2)
        await nothing_for_axe(page, f"/calls/{call}")
        await page.set_viewport_size({"width": 390, "height": 844})
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        if folder := os.environ.get("SHOTS"):
            await page.screenshot(path=Path(folder) / f"paused-390-{scheme}.png")
            await page.set_viewport_size({"width": 1280, "height": 900})
            await page.screenshot(path=Path(folder) / f"paused-1280-{scheme}.png")

"""Call routing by the pages: made, changed, assigned, closed by the switch, tried out, and each taken back."""

import html
import io
import json
import re
import wave
from html.parser import HTMLParser
from typing import Any

import aiohttp
import numpy as np
import pytest

from gateway.calls import flow_setup
from gateway.calls.flow import read_flow
from gateway.http.permissions import Role
from gateway.pools.setup import Company
from tests.http.conftest import Pages

LIST = "/settings/flows"
RATE = 16_000


class Fields(HTMLParser):
    """The fields of the editor as a browser would post them."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, str] = {}
        self._select: str | None = None
        self._first = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        name = given.get("name", "")
        if tag == "input" and name and (given.get("type") not in ("checkbox", "radio") or "checked" in given):
            self.found[name] = given.get("value", "")
        elif tag == "select":
            self._select, self._first = name, True
        elif tag == "option" and self._select and (self._first or "selected" in given):
            self.found[self._select] = given.get("value", given.get("value", ""))
            self._first = False
        if tag == "option" and self._select and "selected" in given and "value" not in given:
            self.found[self._select] = "?"  # its text follows

    def handle_data(self, data: str) -> None:
        if self._select and self.found.get(self._select) == "?":
            self.found[self._select] = data

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self._select = None


def fields_of(page: str) -> dict[str, str]:
    parser = Fields()
    parser.feed(page[page.index('<form class="flow-editor"') : page.index("</form>", page.index("flow-editor"))])
    return parser.found


async def flows_of(pages: Pages) -> dict[str, Any]:
    async with pages.database.companies(pages.company.id) as wire:
        rows = await wire.fetch("SELECT id, name, revision, body FROM flows")
    return {row["name"]: {**row, "body": json.loads(row["body"])} for row in rows}


async def make(pages: Pages, name: str, start: dict[str, Any]) -> int:
    owner = Company(pages.company.id, "Acme", "CA")
    async with pages.database.everything() as wire:
        return (await flow_setup.set_flow(wire, owner, name, {"version": 1, "start": start})).id


async def undo(client: aiohttp.ClientSession, page: str) -> str:
    found = re.search(r'action="(/undo/\d+)"', page)
    assert found, page
    return await (await client.post(found.group(1), data={"next": LIST})).text()


RING = {"kind": "ring", "lines": ["Reception"], "seconds": 20, "then": {"kind": "voicemail", "seconds": 60}}
HOURS = {
    "kind": "hours",
    "week": [
        {"days": ["mon", "tue"], "opens": "09:00", "closes": "12:00"},
        {"days": ["mon"], "opens": "13:00", "closes": "17:00"},
    ],
    "holidays": [{"on": "2026-12-25", "name": "Christmas", "yearly": True}],
    "open": {
        "kind": "menu",
        "prompt": "custom/welcome",
        "keys": {"1": RING, "#": {"kind": "voicemail"}},
        "otherwise": {"kind": "sound", "sound": "custom/bye", "then": {"kind": "hang_up"}},
    },
    "closed": {"kind": "sound", "sound": "custom/closed", "then": RING},
}


async def test_made_from_nothing_changed_and_each_taken_back(pages: Pages) -> None:
    client = await pages.signed_in()
    page = await (await client.get(LIST)).text()
    assert "Numbers ring their destinations in order" in page
    page = await (await client.get(f"{LIST}/new?begin=hours")).text()
    form = fields_of(page)
    assert form["0:kind"] == "hours"
    page = await (await client.post(f"{LIST}/new", data={**form, "do": "save"})).text()
    assert 'id="name-problem" data-problem>Write something here.' in page  # a name, and nothing is kept before
    assert await flows_of(pages) == {}
    page = await (await client.post(f"{LIST}/new", data={**form, "name": "Office", "do": "save"})).text()
    made = (await flows_of(pages))["Office"]
    assert made["body"]["start"]["open"]["lines"][0]["destination"] > 0
    assert "Office is added" in page
    assert "Undone" in await undo(client, page)
    assert await flows_of(pages) == {}


async def test_saved_without_a_change_nothing_changes_and_a_change_is_told_and_taken_back(pages: Pages) -> None:
    client = await pages.signed_in()
    id = await make(pages, "Office", HOURS)
    before = await flows_of(pages)
    own = f"{LIST}/{id}/edit"
    form = fields_of(await (await client.get(own)).text())
    await client.post(own, data={**form, "do": "save"})
    assert read_flow((await flows_of(pages))["Office"]["body"]) == read_flow(before["Office"]["body"])
    assert (await flows_of(pages))["Office"]["revision"] == 1

    new = {**form, "0:tue-to0": "11:00", "name": "Front"}
    page = await (await client.post(own, data={**new, "do": "look"})).text()
    assert "Saving changes" in page
    assert "9:00" in page
    assert await flows_of(pages) == before
    page = await (await client.post(own, data={**new, "do": "save"})).text()
    after = (await flows_of(pages))["Front"]
    assert after["revision"] == 2
    assert {"opens": "09:00:00", "closes": "11:00:00", "days": ["tue"]} in after["body"]["start"]["week"]
    # Somebody who still has the old form open is told, and nothing of his is lost.
    answer = await client.post(own, data={**form, "do": "save"})
    assert answer.status == 422
    assert "Somebody else has changed it meanwhile" in await answer.text()
    await undo(client, page)
    assert {name: each["body"] for name, each in (await flows_of(pages)).items()} == {
        "Office": before["Office"]["body"]
    }


async def test_every_button_of_the_editor_works_without_a_script(pages: Pages) -> None:
    client = await pages.signed_in()
    id = await make(pages, "Office", HOURS)
    own = f"{LIST}/{id}/edit"
    page = await (await client.get(own)).text()
    wishes = list(dict.fromkeys(map(html.unescape, re.findall(r'name="do" value="([^"]+)"', page))))
    assert len(wishes) > 40
    for wish in wishes:
        if wish != "save":
            answer = await client.post(own, data={**fields_of(page), "do": wish})
            assert answer.status == 200, wish
            assert fields_of(await answer.text())["0:kind"] in ("hours", "menu", "ring", "sound", "voicemail")
    assert (await flows_of(pages))["Office"]["revision"] == 1


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("0.closed.1:seconds", "4", "Between 5 and 600, please."),
        ("0:mon-to0", "", "Write a time such as 09:00"),
        ("0.open.0:key1", "1", "This key stands here twice"),  # the other one is 1 already
        ("0.open.0:sound", "", "Choose what the caller hears."),
    ],
)
async def test_what_is_wrong_is_said_beside_its_field(pages: Pages, field: str, value: str, said: str) -> None:
    client = await pages.signed_in()
    id = await make(pages, "Office", HOURS)
    own = f"{LIST}/{id}/edit"
    form = fields_of(await (await client.get(own)).text())
    answer = await client.post(own, data={**form, field: value, "do": "save"})
    assert answer.status == 422
    assert f'id="{field}-problem" data-problem>{said}' in await answer.text()
    assert (await flows_of(pages))["Office"]["revision"] == 1


async def test_the_switch_assignments_and_removal(pages: Pages) -> None:
    client = await pages.signed_in()
    id = await make(pages, "Office", HOURS)
    other = await make(pages, "Night", RING)
    page = await (await client.post(f"{LIST}/switch", data={"closed": "yes"})).text()
    assert "Closed now, by the switch" in page
    assert "Closed now, by the switch" not in await undo(client, page)

    number = pages.company.numbers["Facebook"]
    source = pages.company.sources["Google Ads"]
    await client.post(f"{LIST}/{other}/calls", data={f"source-{source}": "yes"})
    posted = {"company": "yes", f"source-{source}": "yes", "add": number[1]}
    page = await (await client.post(f"{LIST}/{id}/calls", data=posted)).text()
    assert await _by(pages) == (id, id, id)
    page = await undo(client, page)
    assert await _by(pages) == (None, other, None)
    answer = await client.post(f"{LIST}/{id}/calls", data={"add": "+13065553001"})  # another company's
    assert answer.status == 422
    assert "is no number of yours" in await answer.text()

    page = await (await client.post(f"{LIST}/{other}/remove")).text()
    assert "Calls still go by Night" in page
    to = f"{LIST}/calls"
    await client.post(to, data={"whose": "source", "of": str(source), "flow": "", "next": LIST})
    page = await (await client.post(f"{LIST}/{other}/remove")).text()
    assert "Night is removed." in page
    assert "Night" not in await flows_of(pages)
    await undo(client, page)
    assert (await flows_of(pages))["Night"]["id"] == other


async def _by(pages: Pages) -> tuple[int | None, int | None, int | None]:
    async with pages.database.companies(pages.company.id) as wire:
        return (
            await wire.fetchval("SELECT flow_id FROM companies WHERE id = $1", pages.company.id),
            await wire.fetchval("SELECT flow_id FROM sources WHERE id = $1", pages.company.sources["Google Ads"]),
            await wire.fetchval(
                "SELECT flow_id FROM tracking_numbers WHERE id = $1", pages.company.numbers["Facebook"][0]
            ),
        )


async def test_what_happens_at_a_time_is_the_route_itself(pages: Pages) -> None:
    client = await pages.signed_in(Role.ANALYST)
    async with pages.database.everything() as wire:
        await wire.execute("UPDATE companies SET time_zone = 'America/Regina'")
    id = await make(pages, "Office", HOURS)
    owner = Company(pages.company.id, "", "CA")
    async with pages.database.everything() as wire:
        await flow_setup.assign(wire, owner, "Office", "number", pages.company.numbers["Facebook"][1])
    monday, sunday = "2026-11-23T10:00", "2026-11-22T14:00"
    page = await (await client.get(f"{LIST}/{id}?at={monday}")).text()
    assert f"Menu/{id}-1-o:#1:2:custom/welcome^5" in page
    assert "Read(…,custom/welcome,1,,1,5)" in page
    number = pages.company.numbers["Facebook"][1].removeprefix("+")
    page = await (await client.get(f"{LIST}/{id}?at={sunday}&number=%2B{number}")).text()
    assert "Sound/custom/closed^0~PJSIP/reception^20~Voicemail/-^60" in page
    assert "plays “custom/closed”" in html.unescape(page)
    page = await (await client.get(f"{LIST}/{id}?number={pages.company.numbers['Google Ads'][1].strip('+')}")).text()
    assert "This number goes by no routing" in page
    page = await (await client.get(f"{LIST}/{id}?number=nonsense&at=nonsense")).text()
    assert "This is not a telephone number" in page


def wav(seconds: float = 1.0, hertz: float = 440, loud: float = 0.2) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(2)
        writer.setsampwidth(2)
        writer.setframerate(44_100)
        tone = loud * 32767 * np.sin(2 * np.pi * hertz * np.arange(int(44_100 * seconds)) / 44_100)
        writer.writeframes(np.repeat(tone.astype("<i2"), 2).tobytes())
    return file.getvalue()


def upload(name: str, content: bytes, file: str = "hello.wav") -> aiohttp.FormData:
    form = aiohttp.FormData()
    form.add_field("name", name)
    form.add_field("how", "upload")
    form.add_field("file", content, filename=file)
    return form


async def test_a_sound_is_uploaded_converted_heard_used_and_removed(pages: Pages) -> None:
    client = await pages.signed_in()
    page = await (await client.post("/settings/sounds", data=upload("Welcome", wav()))).text()
    assert "Welcome is there" in page
    address = re.search(r"/settings/sounds/(\d+)/listen", page)
    assert address
    answer = await client.get(address.group(0))
    with wave.open(io.BytesIO(await answer.read())) as heard:
        assert (heard.getframerate(), heard.getnchannels()) == (RATE, 1)
        samples = np.frombuffer(heard.readframes(heard.getnframes()), "<i2").astype(float)
    assert len(samples) / RATE == pytest.approx(1, abs=0.05)
    assert np.abs(samples).max() == pytest.approx(0.7 * 32767, rel=0.02)  # as loud as the others
    assert np.argmax(np.abs(np.fft.rfft(samples))) * RATE / len(samples) == pytest.approx(440, abs=2)
    (file,) = (pages.settings.data_folder / "sounds" / "own").glob("*.sln16")
    assert file.stat().st_size == 2 * len(samples)

    flow = {"kind": "sound", "sound": str(file).removesuffix(".sln16"), "then": RING}
    id = await make(pages, "Office", flow)
    assert "Welcome" in await (await client.get(f"{LIST}/{id}")).text()
    remove = f"/settings/sounds/{address.group(1)}/remove"
    assert "Welcome is still played" in await (await client.post(remove)).text()
    await client.post(f"{LIST}/{id}/remove")
    page = await (await client.post(remove)).text()
    assert "Welcome is removed." in page
    await undo(client, page)
    assert "Welcome" in await (await client.get("/settings/sounds")).text()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"#EXTM3U\nfile:///etc/passwd\n", "This is no sound file"),
        (b"RIFF\x00\x00\x00\x00WAVEgarbage", "This is no sound file"),
        (wav(0.5, loud=0.0), "There is nothing to hear"),
        (b"", "Choose a file."),
    ],
)
async def test_what_is_no_sound_is_refused(pages: Pages, content: bytes, said: str) -> None:
    client = await pages.signed_in()
    answer = await client.post("/settings/sounds", data=upload("Welcome", content))
    assert answer.status == 422
    assert said in await answer.text()


async def test_whispers_are_turned_on_a_source_has_its_own_and_both_are_taken_back(pages: Pages) -> None:
    client = await pages.signed_in()
    page = await (await client.post("/settings/whisper", data={"spoken": "yes", "language": "ru"})).text()
    assert await _whisper(pages) == (True, "ru", None)
    await undo(client, page)
    assert await _whisper(pages) == (False, None, None)
    source = pages.company.sources["Google Ads"]
    posted = {"sound": "other", "othersound": "custom/google"}
    page = await (await client.post(f"/settings/whisper/{source}", data=posted)).text()
    assert "Google Ads has a sound of its own." in page
    assert (await _whisper(pages))[2] == "custom/google"
    await undo(client, page)
    assert (await _whisper(pages))[2] is None
    assert (await client.post("/settings/whisper", data={"language": "no language"})).status == 422
    page = await (await client.get("/settings/whisper?say=emergency+roof+repair")).text()
    assert "“Google Ads, emergency roof repair”" in html.unescape(page)


async def _whisper(pages: Pages) -> tuple[bool, str | None, str | None]:
    async with pages.database.companies(pages.company.id) as wire:
        row = await wire.fetchrow(
            "SELECT whisper_spoken, whisper_language FROM companies WHERE id = $1", pages.company.id
        )
        own = await wire.fetchval("SELECT whisper FROM sources WHERE id = $1", pages.company.sources["Google Ads"])
    assert row is not None
    return row[0], row[1], own


async def test_press_one_is_asked_where_it_is_ticked_and_taken_back(pages: Pages) -> None:
    client = await pages.signed_in()
    async with pages.database.companies(pages.company.id) as wire:
        id = await wire.fetchval("SELECT id FROM destinations WHERE name = 'Reception'")

    async def asked() -> bool:
        async with pages.database.companies(pages.company.id) as wire:
            found: bool = await wire.fetchval("SELECT press_one FROM destinations WHERE id = $1", id)
        return found

    page = await (await client.post("/settings/telephone", data={f"press-{id}": "yes"})).text()
    assert await asked()
    assert re.search(rf'name="press-{id}" value="yes" checked', page)
    await undo(client, page)
    assert not await asked()
    assert (await (await pages.signed_in(Role.ANALYST)).post("/settings/telephone")).status == 403

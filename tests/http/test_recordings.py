"""Recordings: in parts, as WAV, and in the audit log."""

import io
import wave
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.http import recording
from gateway.http.permissions import Role
from tests.http.company import add_call, make_recording
from tests.http.conftest import Pages


async def recorded(pages: Pages, seconds: float = 4) -> tuple[int, Path]:
    """A call with a real recording, and its file."""
    sound = make_recording(pages.recordings, "2026-11-call", seconds)
    return await add_call(
        pages.database, pages.company, recording=sound, talk=seconds
    ), pages.settings.data_folder / sound[0]


async def audited(pages: Pages) -> list[tuple[str, str]]:
    async with pages.database.everything() as wire:
        rows = await wire.fetch("SELECT action, subject FROM audit_log WHERE action ~ '^recording' ORDER BY id")
    return [(row["action"], row["subject"]) for row in rows]


async def test_a_recording_comes_whole_and_in_parts(pages: Pages) -> None:
    call_id, file = await recorded(pages)
    client, path, size = await pages.signed_in(), f"/calls/{call_id}/recording", file.stat().st_size
    whole = await client.get(path)
    assert (whole.status, whole.content_type, whole.headers["Accept-Ranges"]) == (200, "audio/mpeg", "bytes")
    assert await whole.read() == file.read_bytes()
    part = await client.get(path, headers={"Range": "bytes=100-299"})
    assert (part.status, part.headers["Content-Range"]) == (206, f"bytes 100-299/{size}")
    assert await part.read() == file.read_bytes()[100:300]
    end = await client.get(path, headers={"Range": "bytes=-50"})
    assert await end.read() == file.read_bytes()[-50:]
    beyond = await client.get(path, headers={"Range": f"bytes={size}-"})
    assert (beyond.status, beyond.headers["Content-Range"]) == (416, f"bytes */{size}")
    head = await client.head(path)
    assert (head.status, head.headers["Content-Length"]) == (200, str(size))


async def test_a_hearing_is_one_line_in_the_audit_log_however_many_parts(
    pages: Pages, monkeypatch: pytest.MonkeyPatch
) -> None:
    call_id, _ = await recorded(pages)
    client, path = await pages.signed_in(), f"/calls/{call_id}/recording"
    await client.head(path)
    await client.get(f"/calls/{call_id}")
    assert await audited(pages) == []
    for start in (0, 100, 200):
        await client.get(path, headers={"Range": f"bytes={start}-"})
    assert await audited(pages) == [("recording.heard", f"call/{call_id}")]
    await (await pages.signed_in(Role.MANAGER)).get(path)
    assert len(await audited(pages)) == 2
    monkeypatch.setattr(recording, "LISTENING_SESSION", timedelta(0))  # as if it had been quiet for so long
    await client.get(path)
    assert len(await audited(pages)) == 3
    assert "listened" in await (await client.get(f"/calls/{call_id}")).text()


async def test_the_wav_has_both_sides_and_every_download_is_audited(pages: Pages) -> None:
    call_id, _ = await recorded(pages)
    client = await pages.signed_in()
    for _ in range(2):
        answer = await client.get(f"/calls/{call_id}/recording.wav")
        assert answer.headers["Content-Disposition"].startswith('attachment; filename="call-20')
        with wave.open(io.BytesIO(await answer.read())) as sound:
            assert (sound.getnchannels(), sound.getsampwidth()) == (2, 2)
            assert abs(sound.getnframes() / sound.getframerate() - 4) < 0.2
    assert await audited(pages) == [("recording.downloaded", f"call/{call_id}")] * 2


async def test_who_may_not_hear_hears_nothing_and_leaves_no_trace(pages: Pages) -> None:
    call_id, _ = await recorded(pages)
    client = await pages.signed_in(Role.ANALYST)
    assert (await client.get(f"/calls/{call_id}/recording")).status == 403
    assert (await client.get(f"/calls/{call_id}/recording.wav")).status == 403
    page = await (await client.get(f"/calls/{call_id}")).text()
    assert "/recording" not in page
    assert "Your role does not include listening" in page
    assert await audited(pages) == []


async def test_a_file_outside_the_folder_is_never_sent(pages: Pages, tmp_path: Path) -> None:
    call_id, file = await recorded(pages)
    secret = tmp_path / "secret.mp3"
    secret.write_bytes(b"secret")
    client = await pages.signed_in()
    for name in ("../secret.mp3", "recordings/../../secret.mp3", str(secret), "recordings/1/2026/11/0.mp3", "."):
        async with pages.database.companies(pages.company.id) as wire:
            await wire.execute("UPDATE recordings SET file = $1", name)
        for path in (f"/calls/{call_id}/recording", f"/calls/{call_id}/recording.wav"):
            assert (await client.get(path)).status == 404, name
    assert await audited(pages) == []
    assert file.exists()


async def test_a_recording_in_the_making_says_so(pages: Pages) -> None:
    call_id, _ = await recorded(pages)
    client = await pages.signed_in()
    for state, words in (("pending", "is being made"), ("empty", "Nothing was recorded"), ("failed", "no space left")):
        async with pages.database.companies(pages.company.id) as wire:
            await wire.execute("UPDATE recordings SET state = $1, fault = 'no space left'", state)
        assert words in await (await client.get(f"/calls/{call_id}")).text()
        assert (await client.get(f"/calls/{call_id}/recording")).status == 404
        assert (await client.get("/calls")).status == 200

"""Recordings for those who may hear them: played in the page with seeking, taken away as WAV; both are audited."""

import asyncio
import re
import tempfile
from datetime import timedelta
from pathlib import Path

from aiohttp import hdrs, web

from gateway import audit
from gateway.audit import Action
from gateway.calls.audio import AudioError, write_wav
from gateway.calls.sides import UnsafePath, recording_path
from gateway.http import call_store
from gateway.http.actor import actor_of
from gateway.http.call_pages import call_id_of
from gateway.http.call_store import CallRow
from gateway.http.keys import ALLOWED, PARTS, VIEWER
from gateway.http.refusals import CallNotFound, NoRecording

# A player asks for many parts of a file; together they are one hearing, until it has been quiet for so long.
LISTENING_SESSION = timedelta(minutes=30)


async def play(request: web.Request) -> web.StreamResponse:
    """The compressed stereo file, whole or the part that the player asks for (RFC 9110, section 14)."""
    _, file = await _recording(request, Action.RECORDING_HEARD if request.method == hdrs.METH_GET else None)
    return web.FileResponse(file, headers={hdrs.CONTENT_TYPE: "audio/mpeg"})


async def download(request: web.Request) -> web.StreamResponse:
    """A WAV of both sides, made for this answer and removed after it."""
    call, file = await _recording(request, Action.RECORDING_DOWNLOADED)
    with tempfile.TemporaryDirectory(prefix="numberpool-wav-") as folder:
        target = Path(folder) / "call.wav"
        try:
            await asyncio.to_thread(write_wav, file, target)
        except AudioError:
            raise NoRecording() from None
        answer = web.FileResponse(
            target,
            headers={
                hdrs.CONTENT_TYPE: "audio/wav",
                hdrs.CONTENT_DISPOSITION: f'attachment; filename="{_file_name(call)}"',
            },
        )
        # Sent while the file is still there: returning it would send it after it is gone.
        await answer.prepare(request)
        await answer.write_eof()
        return answer


async def _recording(request: web.Request, hearing: Action | None) -> tuple[CallRow, Path]:
    """The call and its file; what is about to be heard is in the audit log before the first byte leaves."""
    parts, viewer = request.app[PARTS], request[VIEWER]
    async with parts.database.companies(*request[ALLOWED]) as connection:
        call = await call_store.call_by_id(connection, call_id_of(request))
        if call is None:
            raise CallNotFound()
        if call.recording_file is None:
            raise NoRecording()
        try:
            file = recording_path(parts.settings.data_folder, call.recording_file)
        except UnsafePath:
            raise NoRecording() from None
        if not file.is_file():
            raise NoRecording()
        who, company_id, subject = actor_of(request), call.row.company_id, call_store.subject_of(call.row.id)
        session = viewer.session.hex()[:12]
        if hearing is Action.RECORDING_HEARD:
            within = LISTENING_SESSION
            await audit.note_once(connection, who, company_id, hearing, subject, within, session=session)
        elif hearing is not None:
            await audit.note(connection, who, company_id, hearing, subject, session=session)
    return call.row, file


def _file_name(call: CallRow) -> str:
    who = re.sub(r"[^0-9]", "", call.caller or "") or "withheld"
    return f"call-{call.started_at:%Y-%m-%d-%H%M%S}-{who}.wav"

"""A company's own sounds: uploaded or spoken, kept in the database, and put where Asterisk reads them.

A flow, a whisper or an announcement names one by its path without an ending, as it names any sound of Asterisk's.
"""

import asyncio
import hashlib
import io
import wave
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import structlog

from gateway.calls.flow import Menu, Sound, Voicemail, nodes
from gateway.calls.flow_setup import flows
from gateway.calls.speech import RATE, SUFFIX, CannotSpeak, telephone_sound, write_sound
from gateway.errors import Mendable
from gateway.health import Condition, Health
from gateway.pools.setup import Company
from gateway.store.database import AWAY, Database
from gateway.store.notify import Listener
from gateway.store.queries import load_queries

PART = "sounds"
# Nobody listens to a longer one; and it must fit into the database.
LONGEST_SECONDS = 180
LARGEST_BYTES = 12 * 1024 * 1024
# A sentence or five.
LONGEST_TEXT = 600
LOOK_SECONDS = 600.0
_FOLDER = "own"
# By how a file begins: what it is, by FFmpeg's name. Nothing else is tried: a playlist would name other files.
_KINDS = (
    (0, b"RIFF", "wav"),
    (0, b"ID3", "mp3"),
    (0, b"\xff\xfb", "mp3"),
    (0, b"\xff\xf3", "mp3"),
    (0, b"\xff\xf2", "mp3"),
    (0, b"OggS", "ogg"),
    (0, b"fLaC", "flac"),
    (0, b"FORM", "aiff"),
    (0, b"\x1aE\xdf\xa3", "matroska"),
    (4, b"ftyp", "mov"),
)

_queries = load_queries(Path(__file__).parent, "sounds.sql")
_log = structlog.get_logger(__name__)


class SoundRefused(Mendable):
    """What was given is no sound that callers can hear.

    SoundRefused
    ├── UnknownSound
    ├── NothingToHear
    └── TooLong
    """

    def __init__(self) -> None:
        super().__init__(self.__doc__ or "")


class UnknownSound(SoundRefused):
    """This is no sound file; choose a WAV, MP3, Ogg, FLAC, M4A or AIFF."""


class NothingToHear(SoundRefused):
    """There is nothing to hear in this file; record it again, nearer to the microphone."""


class TooLong(SoundRefused):
    """It is longer than three minutes; nobody listens so long. Cut it."""


@dataclass(frozen=True, slots=True)
class OwnSound:
    """A sound; ``path`` is how flows and whispers name it, ``text`` what was spoken (empty of an upload)."""

    id: int
    name: str
    text: str
    language: str
    seconds: float
    created_at: datetime
    path: str


@dataclass(frozen=True, slots=True)
class Use:
    """Where a sound is played: in a flow, before recordings (company), or as a whisper of a source or a number."""

    whose: str
    id: int
    name: str


def path_of(folder: Path, company_id: int, id: int, digest: str) -> str:
    """How a sound is named, without its ending."""
    return str(folder / _FOLDER / f"{company_id}-{id}-{digest}")


def from_file(content: bytes) -> bytes:
    """Whatever was uploaded as samples for telephones, alike in loudness. Raises SoundRefused. Takes its time."""
    kind = next((name for at, begins, name in _KINDS if content[at : at + len(begins)] == begins), None)
    if kind is None:
        raise UnknownSound
    try:
        samples = telephone_sound(content, "this file", kind, LONGEST_SECONDS + 1)
    except CannotSpeak as error:
        raise (NothingToHear if "silence" in str(error) else UnknownSound)() from None
    if len(samples) > LONGEST_SECONDS * RATE * 2:
        raise TooLong
    return samples


def as_wav(samples: bytes) -> bytes:
    """The samples for a browser."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(RATE)
        writer.writeframes(samples)
    return file.getvalue()


async def sounds(connection: Any, company_id: int, folder: Path) -> list[OwnSound]:
    """A company's own sounds, by name."""
    return [
        OwnSound(
            row["id"],
            row["name"],
            row["text"],
            row["language"],
            row["seconds"],
            row["created_at"],
            path_of(folder, company_id, row["id"], row["digest"]),
        )
        async for row in _queries.sounds(connection, company_id=company_id)
    ]


async def add_sound(
    connection: Any, company_id: int, name: str, samples: bytes, *, text: str = "", language: str = ""
) -> int | None:
    """Keep a sound; none where another has that name."""
    id: int | None = await _queries.add_sound(
        connection,
        company_id=company_id,
        name=name,
        text=text,
        language=language,
        seconds=len(samples) / 2 / RATE,
        samples=samples,
        digest=hashlib.sha256(samples).hexdigest()[:12],
    )
    return id


async def samples_of(connection: Any, company_id: int, id: int) -> bytes | None:
    """The samples of a sound; none where there is no such."""
    found: bytes | None = await _queries.samples(connection, company_id=company_id, id=id)
    return found


async def remove_sound(connection: Any, company_id: int, id: int) -> bool:
    """Take it out of the list; it can be put back."""
    return await _queries.remove_sound(connection, company_id=company_id, id=id) is not None


async def restore_sound(connection: Any, company_id: int, id: int) -> bool:
    """Put it back; false where another has its name now."""
    return await _queries.restore_sound(connection, company_id=company_id, id=id) is not None


async def uses(connection: Any, company: Company) -> Mapping[str, list[Use]]:
    """By a sound's name: where it is played."""
    found: dict[str, list[Use]] = {}
    for flow in await flows(connection, company):
        played = dict.fromkeys(sound for _, node in nodes(flow.start) if (sound := _played(node)) is not None)
        for sound in played:
            found.setdefault(sound, []).append(Use("flow", flow.id, flow.name))
    async for row in _queries.sounds_in_use(connection, company_id=company.id):
        found.setdefault(row["sound"], []).append(Use(row["whose"], row["id"], row["name"]))
    return found


async def is_used(connection: Any, company_id: int, id: int) -> bool:
    """Whether anything plays that sound."""
    end = f"/{_FOLDER}/{company_id}-{id}-"
    return any(end in sound for sound in await uses(connection, Company(company_id, "", "US")))


def _played(node: Any) -> str | None:
    match node:
        case Menu(prompt=str(sound)) | Voicemail(greeting=str(sound)) | Sound(sound=str(sound)):
            return sound
    return None


async def put_in_place(database: Database, folder: Path) -> int:
    """Write the files that are missing; how many. Raises OSError, and what the database raises."""
    written = 0
    async with database.everything() as connection:
        rows = [row async for row in _queries.every_sound(connection)]
        for row in rows:
            file = Path(path_of(folder, row["company_id"], row["id"], row["digest"]) + SUFFIX)
            if await asyncio.to_thread(file.exists):
                continue
            samples = await samples_of(connection, row["company_id"], row["id"])
            if samples is not None:
                await asyncio.to_thread(write_sound, file, samples)
                written += 1
    return written


async def keep_in_place(database: Database, folder: Path, listener: Listener, health: Health) -> None:
    """Do so at the start, whenever settings change and now and then, until cancelled."""
    async with listener.subscribe("numberpool_settings") as changes:
        following = aiter(changes)
        while True:
            try:
                await put_in_place(database, folder)
                health.tell(PART, Condition.OK, "Sounds lie where Asterisk reads them.")
            except AWAY as error:
                _log.warning("sounds are put in place later: Postgres does not answer", fault=str(error))
            except OSError as error:
                said = (
                    f"Sounds cannot be kept ({error.strerror or error}). Make a folder that Numberpool may write and "
                    f"Asterisk read: install -d -o asterisk -g asterisk -m 2770 {folder}"
                )
                _log.error("sounds cannot be put in place", fault=said)
                health.tell(PART, Condition.NEEDS_PERSON, said)
            try:
                async with asyncio.timeout(LOOK_SECONDS):
                    await anext(following)
            except TimeoutError:
                continue

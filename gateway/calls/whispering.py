"""Keeps the words of whispers ready, and knows which sound tells what brought a call.

whispering = Whispering(database, Speech(folder, settings.speech), health)
await whispering.load()                       # who wants whispers, and what their sources are called
await whispering.run(listener, ready)         # speaks ahead until cancelled; ``ready()`` after new sounds
whispering.sound(company_id, source_id, keyword="roof repair")
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import structlog

from gateway.calls.speech import CannotSpeak, Speech, Words
from gateway.calls.whisper import Brought, language_of, whispers
from gateway.health import Condition, Health
from gateway.store.database import AWAY, Database
from gateway.store.notify import Listener
from gateway.store.queries import load_queries

PART = "whispers"
# How far back one looks for what will be said again, and how much of it is spoken ahead: a word takes a tenth of a
# second to make, and what is missing is said by its source alone.
LATELY = timedelta(days=90)
VISITED = timedelta(days=14)
MOST_WORDS = 300
# Rows that are looked at for it, so that a long past costs nothing.
NEWEST = 10_000
LOOK_SECONDS = 600.0
# Words that were missing on a call are spoken soon after, for the next one.
MISSED_SECONDS = 2.0

_queries = load_queries(Path(__file__).parent, "whispers.sql")
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Named:
    """A source as it is said, and the company's own sound for it."""

    name: str
    own_sound: str | None


@dataclass(frozen=True, slots=True)
class Wishes:
    """Who wants whispers: the language of each company, and the names of its sources by id."""

    languages: Mapping[int, str] = field(default_factory=dict)
    sources: Mapping[tuple[int, int], Named] = field(default_factory=dict)

    def brought(self, company_id: int, source_id: int, keyword: str = "", campaign: str = "") -> tuple[Words, ...]:
        """What to say, the most telling first; nothing for a company that wants none."""
        language, named = self.languages.get(company_id), self.sources.get((company_id, source_id))
        if language is None or named is None:
            return ()
        return whispers(Brought(named.name, keyword, campaign), language)


class Whispering:
    """The whispers of all companies; ``speech`` keeps their sounds."""

    def __init__(self, database: Database, speech: Speech, health: Health) -> None:
        self._database, self._speech, self._health = database, speech, health
        self._wishes = Wishes()
        self._missed: set[Words] = set()
        self._look = asyncio.Event()

    def sound(self, company_id: int, source_id: int, *, keyword: str = "", campaign: str = "") -> str | None:
        """The sound for a call that this brought: the source's own, else the most telling words that were spoken yet.

        None where the company wants none, or nothing is ready. Never waits: what is missing is spoken for the next.
        """
        named = self._wishes.sources.get((company_id, source_id))
        if named is not None and named.own_sound:
            return named.own_sound
        for words in self._wishes.brought(company_id, source_id, keyword, campaign):
            if sound := self._speech.sound(words):
                return sound
            if len(self._missed) < MOST_WORDS:
                self._missed.add(words)
                self._look.set()
        return None

    def sounds(self) -> dict[tuple[int, int], str]:
        """By company and source: the sound for a call to a number that stands for that source."""
        found = {place: self.sound(*place) for place in self._wishes.sources}
        return {place: sound for place, sound in found.items() if sound is not None}

    async def load(self) -> None:
        """Read who wants whispers. Raises what the database raises."""
        async with self._database.everything() as connection:
            languages = {
                row["id"]: row["whisper_language"] or language_of(row["region"])
                async for row in _queries.whispering_companies(connection)
            }
            sources = {
                (row["company_id"], row["id"]): Named(row["name"], row["whisper"])
                async for row in _queries.whispering_sources(connection)
            }
        self._wishes = Wishes(languages, sources)

    async def run(self, listener: Listener, ready: Callable[[], Awaitable[None]]) -> None:
        """Speak what will be wanted, whenever settings change and now and then, until cancelled.

        ``ready`` is awaited after new sounds are there.
        """
        following = asyncio.create_task(self._follow(listener))
        try:
            while True:
                self._look.clear()
                if await self.prepare():
                    await ready()
                try:
                    async with asyncio.timeout(LOOK_SECONDS):
                        await self._look.wait()
                except TimeoutError:
                    continue
                await asyncio.sleep(MISSED_SECONDS)
        finally:
            following.cancel()

    async def _follow(self, listener: Listener) -> None:
        async with listener.subscribe("numberpool_settings") as changes:
            async for _ in changes:
                self._look.set()

    async def prepare(self) -> int:
        """Speak what is missing; how many. What fails is told in the health report, and no call waits for it."""
        try:
            await self.load()
            if not self._wishes.languages:
                self._health.tell(PART, Condition.OK, "No company wants whispers spoken.")
                return 0
            wanted = await self._wanted()
            made = await self._speech.prepare([*self._missed, *wanted])
            await asyncio.to_thread(self._speech.forget_unused, wanted)
        except AWAY as error:
            _log.warning("whispers are prepared later: Postgres does not answer", fault=str(error))
            return 0
        except (CannotSpeak, OSError) as error:
            said = str(error) if isinstance(error, CannotSpeak) else self._speech.advice(error)
            _log.error("whispers cannot be spoken", fault=said)
            self._health.tell(PART, Condition.NEEDS_PERSON, f"{said} Calls ring without their whisper meanwhile.")
            return 0
        self._missed.clear()
        self._health.tell(PART, Condition.OK, "Whispers are spoken ahead.")
        return made

    async def _wanted(self) -> list[Words]:
        """Every source, then what brought calls and visits lately."""
        found = {
            words: None
            for company, source in self._wishes.sources
            for words in self._wishes.brought(company, source)
            if not self._wishes.sources[company, source].own_sound
        }
        now = datetime.now(UTC)
        for company in self._wishes.languages:
            async with self._database.companies(company) as connection:
                for source, keyword, campaign in await _lately(connection, company, now):
                    found |= dict.fromkeys(self._wishes.brought(company, source, keyword, campaign))
        return list(found)


async def _lately(connection: Any, company_id: int, now: datetime) -> list[tuple[int, str, str]]:
    """What brought calls, then what brought visits: source, keyword, campaign."""
    most = {"company_id": company_id, "newest": NEWEST, "most": MOST_WORDS}
    called = [
        (row["source_id"], row["keyword"], row["campaign"])
        async for row in _queries.lately_brought(connection, **most, since=now - LATELY)
    ]
    labels = {
        row["label"]: row["source_id"] async for row in _queries.labels_of_sources(connection, company_id=company_id)
    }
    visited = [
        (labels[row["label"]], row["keyword"], row["campaign"])
        async for row in _queries.lately_visited(connection, **most, since=now - VISITED)
        if row["label"] in labels
    ]
    return called + visited


# -------------------------------------------------------------------------------------------------------- as it is set


async def whisper_of(connection: Any, company_id: int) -> dict[str, Any]:
    """Whether a company wants whispers spoken, and in which language (none: that of its country)."""
    row = await _queries.whisper_of(connection, company_id=company_id)
    return {"spoken": row["whisper_spoken"], "language": row["whisper_language"]}


async def set_whisper(connection: Any, company_id: int, spoken: bool, language: str | None) -> None:
    """Set that."""
    await _queries.set_whisper(connection, company_id=company_id, spoken=spoken, language=language)


async def sources_of(connection: Any, company_id: int) -> list[Any]:
    """The sources of a company, those with a sound of their own and those that bring most calls first: id, name,
    whisper, colour, calls."""
    since = datetime.now(UTC) - LATELY
    return [row async for row in _queries.sources_and_whispers(connection, company_id=company_id, since=since)]


async def set_source_sound(connection: Any, company_id: int, id: int, sound: str | None) -> None:
    """A sound of its own for a source; none: words."""
    await _queries.set_source_whisper(connection, company_id=company_id, id=id, sound=sound)

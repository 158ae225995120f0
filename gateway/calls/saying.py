"""Keeps what is said to callers spoken ahead: that they may be recorded, that all lines are busy, to press 1.

saying = Saying(database, Speech(folder, settings.speech), health)
await saying.load()                    # which company may have to say what, in which language
await saying.run(listener, ready)      # speaks ahead until cancelled; ``ready()`` when others are there
saying.sounds()                        # by company and phrase: what is there
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import structlog

from gateway.calls.phrases import words_of
from gateway.calls.policy import Phrase, PolicyRefused, read_policy
from gateway.calls.speech import CannotSpeak, Speech, Words
from gateway.calls.whisper import language_of
from gateway.health import Condition, Health
from gateway.store.database import AWAY, Database
from gateway.store.notify import Listener
from gateway.store.queries import load_queries

PART = "announcements"
LOOK_SECONDS = 600.0

_queries = load_queries(Path(__file__).parent, "policies.sql")
_log = structlog.get_logger(__name__)


class Saying:
    """The phrases of all companies; ``speech`` keeps their sounds."""

    def __init__(self, database: Database, speech: Speech, health: Health) -> None:
        self._database, self._speech, self._health = database, speech, health
        self._wanted: Mapping[tuple[int, Phrase], Words] = {}

    def sounds(self) -> dict[tuple[int, Phrase], str]:
        """By company and phrase: the sound, where it is there. Never waits."""
        found = {place: self._speech.sound(words) for place, words in self._wanted.items()}
        return {place: sound for place, sound in found.items() if sound is not None}

    async def load(self) -> None:
        """Read who may have to say what. Raises what the database raises."""
        wanted: dict[tuple[int, Phrase], Words] = {}
        async with self._database.everything() as connection:
            async for row in _queries.speaking_companies(connection):
                try:
                    policy = read_policy(json.loads(row["body"]))
                except (PolicyRefused, ValueError):  # told where the directory is read
                    continue
                language = row["whisper_language"] or language_of(row["region"])
                for phrase in policy.phrases:
                    # A sound of the company's own takes its place.
                    if phrase is not Phrase.RECORDED or row["announcement"] is None:
                        wanted[row["company_id"], phrase] = words_of(phrase, language)
        self._wanted = wanted

    async def run(self, listener: Listener, ready: Callable[[], Awaitable[None]]) -> None:
        """Speak what is missing, whenever settings change and now and then, until cancelled."""
        async with listener.subscribe("numberpool_settings") as changes:
            following = aiter(changes)
            while True:
                before = self.sounds()
                await self.prepare()
                if self.sounds() != before:
                    await ready()
                try:
                    async with asyncio.timeout(LOOK_SECONDS):
                        await anext(following)
                except TimeoutError:
                    continue

    async def prepare(self) -> None:
        """Speak what is missing. What fails is told in the health report, and no call waits for it."""
        try:
            await self.load()
            wanted = set(self._wanted.values())
            await self._speech.prepare(wanted)
            await asyncio.to_thread(self._speech.forget_unused, wanted)
        except AWAY as error:
            _log.warning("announcements are prepared later: Postgres does not answer", fault=str(error))
        except (CannotSpeak, OSError) as error:
            said = str(error) if isinstance(error, CannotSpeak) else self._speech.advice(error)
            _log.error("announcements cannot be spoken", fault=said)
            self._health.tell(
                PART,
                Condition.NEEDS_PERSON,
                f"{said} Meanwhile calls whose callers must be told are not recorded, and nobody is asked to press 1.",
            )
        else:
            self._health.tell(PART, Condition.OK, "What callers are told is spoken ahead.")

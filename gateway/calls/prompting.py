"""Keeps what is said to whoever answers spoken ahead: to press 1.

prompting = Prompting(database, Speech(folder, settings.speech), health, spools)
await prompting.load()                       # which company asks for what, in which language
await prompting.run(listener, ready)         # speaks ahead until cancelled; ``ready()`` when others are there
prompting.sounds()                           # by company

Where words cannot be spoken, three short tones take their place: a telephone that waits for a key in silence is dead
to whoever holds it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from pathlib import Path

import structlog

from gateway.calls.prompts import Prompt, words_of
from gateway.calls.route import Prompts
from gateway.calls.speech import CannotSpeak, Speech, Words
from gateway.calls.tones import as_sound, tone, write_tones
from gateway.calls.whisper import language_of
from gateway.health import Condition, Health
from gateway.store.database import AWAY, Database
from gateway.store.notify import Listener
from gateway.store.queries import load_queries

PART = "prompts"
LOOK_SECONDS = 600.0
_THREE_TONES = as_sound(*(tone(hertz, 0.3) for hertz in (660, 880, 1100)))
_CHIME = Words("\N{EIGHTH NOTE}", "tones")

_queries = load_queries(Path(__file__).parent, "answering.sql")
_log = structlog.get_logger(__name__)


class Prompting:
    """The prompts of all companies; ``speech`` keeps their sounds. The tones of each node lie in its spool."""

    def __init__(self, database: Database, speech: Speech, health: Health, spools: Collection[Path] = ()) -> None:
        self._database, self._speech, self._health, self._spools = database, speech, health, spools
        self._wanted: Mapping[int, Mapping[Prompt, Words]] = {}

    def sounds(self) -> dict[int, Prompts]:
        """By company: what is there. Never waits."""
        chime = self._speech.sound(_CHIME)
        return {
            company: Prompts(**{prompt.value: self._speech.sound(words) or chime for prompt, words in wanted.items()})
            for company, wanted in self._wanted.items()
        }

    async def load(self) -> None:
        """Read who asks for what. Raises what the database raises."""
        wanted: dict[int, dict[Prompt, Words]] = {}
        async with self._database.everything() as connection:
            async for row in _queries.prompting_companies(connection):
                language = row["language"] or language_of(row["region"])
                wanted[row["id"]] = {prompt: words_of(prompt, language) for prompt in Prompt}
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
            for spool in self._spools:
                await asyncio.to_thread(write_tones, spool)
            words = {each for prompts in self._wanted.values() for each in prompts.values()}
            if words:
                await self._speech.keep(_CHIME, _THREE_TONES)
            await self._speech.prepare(words)
            await asyncio.to_thread(self._speech.forget_unused, {*words, _CHIME})
        except AWAY as error:
            _log.warning("prompts are prepared later: Postgres does not answer", fault=str(error))
        except (CannotSpeak, OSError) as error:
            said = str(error) if isinstance(error, CannotSpeak) else self._speech.advice(error)
            _log.error("prompts cannot be spoken", fault=said)
            self._health.tell(
                PART, Condition.NEEDS_PERSON, f"{said} Whoever is asked for a key hears three tones meanwhile."
            )
        else:
            self._health.tell(PART, Condition.OK, "What is said to whoever answers is spoken ahead.")

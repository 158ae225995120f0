"""The commands about whispers: ``whisper on``, ``whisper off``, ``whisper sound``."""

import re
from pathlib import Path
from typing import Any

import click

from gateway.calls.whisper import language_of
from gateway.errors import Mendable
from gateway.pools.errors import NoSuchSource
from gateway.pools.setup import sound_of, sources, the_company
from gateway.settings import Settings
from gateway.store.queries import load_queries
from gateway.terminal import in_transaction, of_company

_LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{1,8}){0,3}")

_queries = load_queries(Path(__file__).parent, "whispers.sql")


class NoSuchLanguage(Mendable):
    """A language is given that no voice can have."""

    def __init__(self, given: str) -> None:
        super().__init__(f"{given!r} is no language; write en, de, pt-br or ru, say (espeak-ng --voices lists them).")


@click.group()
def whisper() -> None:
    """Whispers: whoever answers hears first where the call comes from, such as "Google Ads, emergency roof repair"."""


@whisper.command()
@click.option("--language", help="In which language, such as en or ru; else that of the company's country.")
@of_company
@click.pass_obj
def on(settings: Settings, language: str | None, company: str | None) -> None:
    """Speak whispers. They are made ahead; a call never waits for one."""
    if language is not None and not _LANGUAGE.fullmatch(language):
        raise NoSuchLanguage(language)

    async def work(connection: Any) -> str:
        owner = await the_company(connection, company)
        await _queries.set_whisper(connection, company_id=owner.id, spoken=True, language=language)
        spoken = language or language_of(owner.region)
        return f"Whoever answers a call to {owner.name} hears where it comes from, in {spoken}."

    in_transaction(settings, work)


@whisper.command()
@of_company
@click.pass_obj
def off(settings: Settings, company: str | None) -> None:
    """Speak no whispers. Sounds of single numbers go on being played."""

    async def work(connection: Any) -> str:
        owner = await the_company(connection, company)
        await _queries.set_whisper(connection, company_id=owner.id, spoken=False, language=None)
        return f"Nothing is whispered to whoever answers a call to {owner.name}."

    in_transaction(settings, work)


@whisper.command()
@click.argument("source")
@click.argument("file", required=False)
@of_company
@click.pass_obj
def sound(settings: Settings, source: str, file: str | None, company: str | None) -> None:
    """Whisper FILE, a sound of Asterisk's without its ending, for calls of SOURCE; without FILE, words again."""

    async def work(connection: Any) -> str:
        owner = await the_company(connection, company)
        id = next((row["id"] for row in await sources(connection, owner) if row["name"] == source), None)
        if id is None:
            raise NoSuchSource(source)
        await _queries.set_source_whisper(connection, company_id=owner.id, id=id, sound=sound_of(file))
        return (
            f"Calls that {source} brought are announced by {file}." if file else f"{source} is spoken in words again."
        )

    in_transaction(settings, work)


COMMANDS: tuple[click.Command, ...] = (whisper,)

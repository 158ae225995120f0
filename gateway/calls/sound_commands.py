"""The commands about a company's own sounds: ``sound add``, ``sound say``, ``sound list``, ``sound remove``."""

from pathlib import Path
from typing import Any

import click

from gateway.calls import own_sounds
from gateway.calls.speech import Speech, Words, sounds_folder
from gateway.calls.whisper import language_of
from gateway.errors import Mendable
from gateway.pools.setup import Company, the_company
from gateway.settings import Settings
from gateway.terminal import in_transaction, of_company, table


class NameOfAnotherSound(Mendable):
    """A sound has the name already."""

    def __init__(self, name: str) -> None:
        super().__init__(f"Another sound is called {name!r}; choose another name, or remove that one first.")


class NoSuchSound(Mendable):
    """A sound is named that is not there."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name!r} is no sound of this company; numberpool sound list shows those that are.")


class SoundInUse(Mendable):
    """A sound that something plays is not removed."""

    def __init__(self, name: str, by: str) -> None:
        super().__init__(f"{name!r} is played by {by}; let that play another sound, or none, first.")


@click.group()
def sound() -> None:
    """Sounds of a company's own: greetings, menus, announcements. A running gateway puts them where Asterisk reads."""


@sound.command()
@click.argument("name")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@of_company
@click.pass_obj
def add(settings: Settings, name: str, file: Path, company: str | None) -> None:
    """Add FILE (WAV, MP3, Ogg, FLAC, M4A, AIFF) as the sound NAME."""
    samples = own_sounds.from_file(file.read_bytes())

    async def work(connection: Any) -> str:
        return await _add(settings, connection, await the_company(connection, company), name, samples, "", "")

    in_transaction(settings, work)


@sound.command()
@click.argument("name")
@click.argument("text")
@click.option("--language", help="In which language, such as en or ru; else that of the company's country.")
@of_company
@click.pass_obj
def say(settings: Settings, name: str, text: str, language: str | None, company: str | None) -> None:
    """Add TEXT, spoken, as the sound NAME."""

    async def work(connection: Any) -> str:
        owner = await the_company(connection, company)
        spoken = language or language_of(owner.region)
        speech = Speech(sounds_folder(settings), settings.speech)
        samples = await speech.spoken(Words(text, spoken, own_sounds.LONGEST_TEXT))
        return await _add(settings, connection, owner, name, samples, text, spoken)

    in_transaction(settings, work)


@sound.command("list")
@of_company
@click.pass_obj
def list_sounds(settings: Settings, company: str | None) -> None:
    """Show the sounds of a company, and how flows and whispers name them."""

    async def work(connection: Any) -> str:
        owner = await the_company(connection, company)
        uses = await own_sounds.uses(connection, owner)
        return table(
            ("SOUND", "SECONDS", "AS FLOWS NAME IT", "PLAYED BY"),
            (
                (each.name, f"{each.seconds:.1f}", each.path, _by(uses.get(each.path, [])))
                for each in await own_sounds.sounds(connection, owner.id, sounds_folder(settings))
            ),
            "No sound yet. Add one:  numberpool sound add NAME FILE",
        )

    in_transaction(settings, work)


@sound.command()
@click.argument("name")
@of_company
@click.pass_obj
def remove(settings: Settings, name: str, company: str | None) -> None:
    """Remove a sound that nothing plays."""

    async def work(connection: Any) -> str:
        owner = await the_company(connection, company)
        known = await own_sounds.sounds(connection, owner.id, sounds_folder(settings))
        found = next((each for each in known if each.name == name.strip()), None)
        if found is None:
            raise NoSuchSound(name)
        if used := (await own_sounds.uses(connection, owner)).get(found.path):
            raise SoundInUse(found.name, _by(used))
        await own_sounds.remove_sound(connection, owner.id, found.id)
        return f"{found.name} is removed."

    in_transaction(settings, work)


async def _add(
    settings: Settings, connection: Any, owner: Company, name: str, samples: bytes, text: str, language: str
) -> str:
    name = " ".join(name.split())
    id = await own_sounds.add_sound(connection, owner.id, name, samples, text=text, language=language)
    if id is None:
        raise NameOfAnotherSound(name)
    known = await own_sounds.sounds(connection, owner.id, sounds_folder(settings))
    path = next(each.path for each in known if each.id == id)
    return f"{name} is there; flows and whispers name it  {path}"


def _by(uses: list[own_sounds.Use]) -> str:
    return ", ".join(f"{each.whose} {each.name}" for each in uses)


COMMANDS: tuple[click.Command, ...] = (sound,)

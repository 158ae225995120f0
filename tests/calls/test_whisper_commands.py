"""``numberpool whisper`` as a person types it, on a real Postgres."""

import asyncpg
import pytest

from tests.stack import Typed


async def _stored(dsn: str) -> tuple[bool, str | None, str | None]:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("SET numberpool.companies = 'all'")
        (row,) = await connection.fetch(
            "SELECT whisper_spoken, whisper_language, s.whisper FROM companies c JOIN sources s ON s.company_id = c.id"
        )
        return row["whisper_spoken"], row["whisper_language"], row["whisper"]
    finally:
        await connection.close()


async def test_whispers_by_command(numberpool: Typed, database_dsn: str) -> None:
    assert numberpool("company", "add", "Acme Roofing", "--region", "CA").returncode == 0
    assert numberpool("source", "add", "Google Ads").returncode == 0
    on = numberpool("whisper", "on")
    assert "hears where it comes from, in en." in on.stdout, on.stderr
    assert await _stored(database_dsn) == (True, None, None)
    assert ", in ru." in numberpool("whisper", "on", "--language", "ru").stdout
    assert "announced by custom/ad." in numberpool("whisper", "sound", "Google Ads", "custom/ad").stdout
    assert await _stored(database_dsn) == (True, "ru", "custom/ad")
    assert "spoken in words again" in numberpool("whisper", "sound", "Google Ads").stdout
    assert "Nothing is whispered" in numberpool("whisper", "off").stdout
    assert await _stored(database_dsn) == (False, None, None)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("on", "--language", "En; rm -rf /"), "espeak-ng --voices"),
        (("sound", "Nobody", "custom/ad"), "source list"),
        (("sound", "Google Ads", "../../etc/passwd"), "does not name a sound"),
    ],
)
def test_what_cannot_be_said_says_how_to_mend_it(numberpool: Typed, words: tuple[str, ...], says: str) -> None:
    assert numberpool("company", "add", "Acme Roofing").returncode == 0
    assert numberpool("source", "add", "Google Ads").returncode == 0
    refused = numberpool("whisper", *words)
    assert refused.returncode == 1
    assert says in refused.stderr
    assert "Traceback" not in refused.stderr

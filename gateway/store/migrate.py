"""Brings a database to the present schema: alembic, each revision a numbered file of plain SQL.

``migrations/versions/0001_calls.py`` names its revision and runs the ``.sql`` file beside it. An advisory lock
makes two gateways that start at once take turns.
"""

import hashlib
from pathlib import Path
from typing import Any

from alembic import command, op
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from gateway.assets import asset_folder

# Any fixed number will do, as long as nothing else locks it: the first bytes of the product's name.
_LOCK = int.from_bytes(hashlib.sha256(b"numberpool migrate").digest()[:6])


def run_sql(revision_file: str) -> None:
    """Run the ``.sql`` file that stands beside a revision (several statements at once, which SQLAlchemy cannot)."""
    statements = Path(revision_file).with_suffix(".sql").read_text()
    driver: Any = op.get_bind().connection.dbapi_connection
    driver.run_async(lambda raw: raw.execute(statements))


async def migrate(dsn: str, revision: str = "head") -> list[str]:
    """Bring the database at ``dsn`` forward to ``revision``; the names of the revisions applied, oldest first."""

    async def connect() -> Any:
        import asyncpg

        return await asyncpg.connect(dsn)

    engine = create_async_engine("postgresql+asyncpg://", async_creator=connect, poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(_upgrade, revision)
    finally:
        await engine.dispose()


def known_revisions() -> list[str]:
    """All revisions, oldest first."""
    script = ScriptDirectory.from_config(_config())
    return [entry.revision for entry in reversed(list(script.walk_revisions()))]


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(asset_folder("migrations")).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _upgrade(connection: Connection, revision: str) -> list[str]:
    connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": _LOCK})
    connection.commit()
    try:
        before = MigrationContext.configure(connection).get_current_revision()
        connection.commit()
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        connection.commit()
        after = MigrationContext.configure(connection).get_current_revision()
        order = known_revisions()
        first = order.index(before) + 1 if before else 0
        return order[first : order.index(after) + 1] if after else []
    finally:
        connection.rollback()
        connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": _LOCK})
        connection.commit()

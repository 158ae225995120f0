"""Whether a database has the schema that this version of Numberpool needs: asked without alembic.

Every command opens the database and hardly any finds something to migrate, and alembic takes as long to import as all
the rest of a command together.
"""

import asyncpg

from gateway.assets import asset_folder


def newest_revision() -> str:
    """The last of the numbered migrations: ``0005_collector``."""
    return max(file.stem for file in (asset_folder("migrations") / "versions").glob("[0-9]*.sql"))


async def is_present(dsn: str) -> bool:
    """Whether the database at ``dsn`` is brought forward already. Raises what connecting raises."""
    connection = await asyncpg.connect(dsn)
    try:
        there = await connection.fetchval("SELECT version_num FROM alembic_version")
    except asyncpg.UndefinedTableError:
        return False
    finally:
        await connection.close()
    return bool(there == newest_revision())

"""Loads the ``.sql`` file beside a subject's module (aiosql). Typed functions stand in front of it."""

from pathlib import Path
from typing import Any

import aiosql


def load_queries(folder: Path, file: str = "queries.sql") -> Any:
    """The named queries of ``folder/file``, as coroutines that take a connection and keyword arguments."""
    return aiosql.from_path(folder / file, "asyncpg", mandatory_parameters=False)

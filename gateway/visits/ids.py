"""Ids of visitors, visits and exposures: UUIDs of version 7 (RFC 9562), which begin with their time.

The time finds the month a row lies in; the other 74 bits are chance, so that nobody can name another's.
"""

import secrets
from datetime import UTC, datetime, timedelta
from uuid import UUID

_BEGIN = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def new_id(at: datetime) -> UUID:
    """An id of the moment ``at``."""
    milliseconds = (at - _BEGIN) // _MILLISECOND
    chance = secrets.randbits(74)
    return UUID(int=milliseconds << 80 | 7 << 76 | (chance >> 62) << 64 | 2 << 62 | chance & (1 << 62) - 1)


def made_at(id: UUID) -> datetime:
    """When an id was made, to the millisecond. Raises ValueError where it is none of ours."""
    if id.version != 7:
        raise ValueError(f"{id} is no UUID of version 7")
    return _BEGIN + (id.int >> 80) * _MILLISECOND

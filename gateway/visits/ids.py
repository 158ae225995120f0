"""Ids of visitors, visits and exposures: UUIDs of version 7 (RFC 9562), which begin with their time.

The time finds the month a row lies in; the other 74 bits are chance, so that nobody can name another's.
"""

import os
from datetime import UTC, datetime, timedelta
from uuid import UUID

_BEGIN = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_LAST = (datetime(9999, 12, 31, tzinfo=UTC) - _BEGIN) // _MILLISECOND


def new_id(at: datetime) -> UUID:
    """An id of the moment ``at``."""
    milliseconds = (at - _BEGIN) // _MILLISECOND
    chance = int.from_bytes(os.urandom(10), "big") >> 6
    return UUID(int=milliseconds << 80 | 7 << 76 | (chance >> 62) << 64 | 2 << 62 | chance & (1 << 62) - 1)


def is_ours(id: UUID) -> bool:
    """Whether it can be an id of ours: of version 7, and of a time that a clock may show."""
    # As UUID.version says, which takes several times as long; each page is asked this of several ids.
    number = id.int
    return number >> 76 & 15 == 7 and number >> 62 & 3 == 2 and number >> 80 <= _LAST


def made_at(id: UUID) -> datetime:
    """When an id was made, to the millisecond. Raises ValueError where it is none of ours."""
    if not is_ours(id):
        raise ValueError(f"{id} is no UUID of version 7")
    return _BEGIN + (id.int >> 80) * _MILLISECOND

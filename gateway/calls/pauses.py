"""When who answered had the recording paused: as the call's record says it, and as seconds of the recording.

The recorder hears while the caller is connected to somebody, and not while a transfer rings; so a moment of the call is
as many seconds into its recording as the caller had talked by then.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gateway.calls.record import CallRecord
from gateway.store.queries import load_queries

_queries = load_queries(Path(__file__).parent, "answering.sql")

# A record has room for more; nobody presses a key so often in one call.
MOST_PAUSES = 50


@dataclass(frozen=True, slots=True)
class Pause:
    """From .. to in seconds of the recording; ``ended`` is none where it was never resumed."""

    began: float
    ended: float | None


def pauses_in_recording(record: CallRecord) -> tuple[Pause, ...]:
    """The pauses of a call that has ended, in order; what was paused twice in a row is one."""
    found: list[Pause] = []
    began: float | None = None
    for paused, at in record.pauses:
        place = _talked_by(record, at)
        if paused and began is None:
            began = place
        elif not paused and began is not None:
            found.append(Pause(began, max(began, place)))
            began = None
    if began is not None:
        found.append(Pause(began, None))
    return tuple(found[:MOST_PAUSES])


async def save_pauses(connection: Any, company_id: int, call_id: int, record: CallRecord) -> None:
    """Keep them beside the call, once."""
    for position, pause in enumerate(pauses_in_recording(record)):
        where = {"company_id": company_id, "call_id": call_id, "position": position}
        await _queries.save_pause(connection, **where, **asdict(pause))


async def pauses_of(connection: Any, company_id: int, call_id: int) -> list[Pause]:
    """The pauses of a call, in order."""
    rows = _queries.pauses(connection, company_id=company_id, call_id=call_id)
    return [Pause(row["began"], row["ended"]) async for row in rows]


def _talked_by(record: CallRecord, at: float) -> float:
    """Seconds for which the caller had talked ``at`` seconds after the call began."""
    talks = [(turn.answered, turn.ended) for turn in record.turns if turn.answered is not None]
    if not talks:  # nobody watched: what Dial() says of the first answer is all that is known
        picked_up = record.picked_up_at
        first = 0.0 if picked_up is None else (picked_up - record.started_at).total_seconds()
        talks = [(max(0.0, first), None)]
    return sum(max(0.0, min(at, at if ended is None else ended) - began) for began, ended in talks)

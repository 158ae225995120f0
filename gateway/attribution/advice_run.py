"""The advice for a pool, made in a process of its own: trying pools out is seconds of work, and pages go on meanwhile.

The process reads one JSON object and writes lines: how many sizes are done of how many, and the advice at the end.
"""

import asyncio
import json
import os
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from gateway.attribution.advice import Advice, Size, advise
from gateway.attribution.hourly import Sessions
from gateway.pools.pool import Kind, Pool, WhenFull

_NICE = 10
# The longest line that comes back is the advice, some kilobytes.
_LONGEST_LINE = 1 << 20


class AdviceFailed(Exception):
    """The process that tried the pools out ended without an answer; its last words are in the message."""


@dataclass(frozen=True, slots=True)
class Question:
    """What ``advise`` is asked. ``stay``: how long a visit lasts on average."""

    pool: Pool
    sessions: Sessions
    stay: timedelta
    calling: float
    sources: int
    price: float | None
    numbers: int | None


async def advised(question: Question, progress: Callable[[int, int], None]) -> Advice:
    """The advice; ``progress`` is told how many sizes are done of how many. Cancelling ends the process.

    Raises AdviceFailed.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "gateway.attribution.advice_run",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=_LONGEST_LINE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        process.stdin.write(json.dumps(_as_data(question)).encode())
        await process.stdin.drain()
        process.stdin.close()
        found: Advice | None = None
        async for line in process.stdout:
            said = json.loads(line)
            if "advice" in said:
                given = said["advice"]
                found = Advice(**{**given, "sizes": tuple(Size(**each) for each in given["sizes"])})
            else:
                progress(said["done"], said["of"])
        last_words = (await process.stderr.read()).decode(errors="replace").strip().splitlines()
        await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if found is None:
        raise AdviceFailed(last_words[-1] if last_words else f"ended with {process.returncode}")
    return found


def _as_data(question: Question) -> dict[str, Any]:
    pool = question.pool
    return {
        "reserve": pool.reserve.total_seconds(),
        "quarantine": pool.quarantine.total_seconds(),
        "dialled_quarantine": pool.dialled_quarantine.total_seconds(),
        "window": pool.window.total_seconds(),
        "when_full": pool.when_full.value,
        "hours": [[at.isoformat(), count] for at, count in question.sessions.hours.items()],
        "stay": question.stay.total_seconds(),
        "calling": question.calling,
        "sources": question.sources,
        "price": question.price,
        "numbers": question.numbers,
    }


def _main() -> None:
    os.nice(_NICE)
    given = json.load(sys.stdin)
    pool = Pool(
        0,
        0,
        "under trial",
        Kind.DYNAMIC,
        reserve=timedelta(seconds=given["reserve"]),
        quarantine=timedelta(seconds=given["quarantine"]),
        dialled_quarantine=timedelta(seconds=given["dialled_quarantine"]),
        window=timedelta(seconds=given["window"]),
        when_full=WhenFull(given["when_full"]),
    )
    advice = advise(
        pool,
        Sessions({datetime.fromisoformat(at): count for at, count in given["hours"]}),
        stay=timedelta(seconds=given["stay"]),
        calling=given["calling"],
        sources=given["sources"],
        price=given["price"],
        numbers=given["numbers"],
        progress=lambda done, of: print(json.dumps({"done": done, "of": of}), flush=True),
    )
    print(json.dumps({"advice": asdict(advice)}), flush=True)


if __name__ == "__main__":
    _main()

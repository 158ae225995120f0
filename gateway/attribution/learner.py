"""Learning from a company's past, in a process of its own: a night's learning never makes a ringing call wait.

``numberpool run`` starts this module once for each company and night, at a low priority. The order comes as one line of
JSON on standard input, the answer is one line.
"""

import asyncio
import json
import os
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gateway.attribution.learned import PRIOR, Learned
from gateway.attribution.learned_store import StoredLearned, keep_learned, newest_learned
from gateway.attribution.learning import learn
from gateway.attribution.past import Past, lessons, past_of
from gateway.attribution.reliability import score_lately
from gateway.store.database import Database

NICENESS = 10
# A year of a busy company takes a minute or two. What takes longer than this hangs.
LONGEST_SECONDS = 3600.0


class LearningFailed(Exception):
    """A company's past could not be learned from; the message holds the learner's last words."""


async def learn_company(database: Database, company_id: int, now: datetime) -> StoredLearned:
    """Learn anew from a company's past, and keep it. Without any call it is the stated prior, which is kept as such."""
    async with database.companies(company_id) as connection:
        await connection.execute("SET LOCAL statement_timeout = '30min'")
        past = await past_of(connection, company_id, now)
        before = await newest_learned(connection, company_id)
    found = await asyncio.to_thread(learned_from, past, before.learned)
    async with database.companies(company_id) as connection:
        return replace(found, learned_at=now, id=await keep_learned(connection, company_id, found, now))


def learned_from(past: Past, start: Learned = PRIOR) -> StoredLearned:
    """What a past says; ``start`` is what was learned the night before."""
    found = PRIOR
    if past.calls:
        found = learn(*lessons(past, start), start)
    return StoredLearned(
        found,
        since=past.since,
        until=past.until,
        calls=len(past.calls),
        visits=past.visits,
        taps=sum(map(len, past.taps.values())),
    )


async def learn_apart(dsn: str, company_id: int) -> dict[str, Any]:
    """As ``learn_company``, and how reliable it was of late, in a process of its own; how much it was learned from.

    Raises LearningFailed.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-P", "-m", "gateway.attribution.learner"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,  # Ctrl-C is for the gateway, which stops it in order
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    order = json.dumps({"dsn": dsn, "company_id": company_id}).encode()
    try:
        async with asyncio.timeout(LONGEST_SECONDS):
            answer, words = await process.communicate(order)
    except BaseException:
        if process.returncode is None:
            process.kill()
            await process.wait()
        raise
    if process.returncode != 0:
        last = words.decode(errors="replace").strip().splitlines()[-1:]
        raise LearningFailed(f"learning ended with {process.returncode}: {' '.join(last)}")
    found: dict[str, Any] = json.loads(answer)
    return found


async def _work(dsn: str, company_id: int) -> dict[str, Any]:
    database = await Database.open(dsn, connections=1)
    try:
        now = datetime.now(UTC)
        found = await learn_company(database, company_id, now)
        async with database.companies(company_id) as connection:
            await score_lately(connection, company_id, now)
    finally:
        await database.close()
    return {"id": found.id, "calls": found.calls, "visits": found.visits, "taps": found.taps}


def main() -> None:
    """Carry out the one order on standard input."""
    os.nice(NICENESS)
    order = json.loads(sys.stdin.readline())
    print(json.dumps(asyncio.run(_work(order["dsn"], order["company_id"]))))


if __name__ == "__main__":
    main()

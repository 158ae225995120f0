"""Questions to Postgres that come together are answered together, in one transaction.

Whoever asks waits for one transaction either way. While one is under way the next questions gather, and the busier a
worker is the more of them share the next: Postgres begins, plans and commits once for all of them.

desk = Together(answer_them_all, patience=0.5)
answer = await desk.ask(question)
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

# So many share a transaction at most: more would make the first wait for the last.
MOST_AT_ONCE = 64

Question = TypeVar("Question")
Answer = TypeVar("Answer")


@dataclass(slots=True)
class Asked(Generic[Question, Answer]):
    """A question, and where its answer is waited for."""

    question: Question
    answer: "asyncio.Future[Answer]"

    def tell(self, answer: Answer) -> None:
        """Answer it; nobody may be waiting any more."""
        if not self.answer.done():
            self.answer.set_result(answer)

    def refuse(self, error: BaseException) -> None:
        """Answer it with an error."""
        if not self.answer.done():
            self.answer.set_exception(error)


class Together(Generic[Question, Answer]):
    """The questions of one kind in one worker.

    ``answer_all`` tells each of those it is given its answer, then or later; what it raises is told to all of them. One
    transaction is under way at a time: with two fewer questions share each (measured: a fifth more work for each, and
    answers no quicker).
    """

    def __init__(
        self, answer_all: Callable[[Sequence[Asked[Question, Answer]]], Awaitable[None]], *, patience: float
    ) -> None:
        """``patience``: after so many seconds a Postgres that does not answer is given up for all who wait by then."""
        self._answer_all, self._patience = answer_all, patience
        self._queue: list[Asked[Question, Answer]] = []
        self._is_busy = False
        self._tasks: set[asyncio.Task[None]] = set()

    def ask(self, question: Question) -> "asyncio.Future[Answer]":
        """The answer, to be awaited. It raises what the database raises, TimeoutError where it took too long."""
        asked = Asked[Question, Answer](question, asyncio.get_running_loop().create_future())
        self._queue.append(asked)
        if not self._is_busy:
            self._is_busy = True
            self.start(self._answer())
        return asked.answer

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Go on with something beside the queue."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self) -> None:
        try:
            await self._answer_queue()
        finally:
            # At the very moment the queue was found empty: whoever comes next starts it again.
            self._is_busy = False

    async def _answer_queue(self) -> None:
        while self._queue:
            batch = self._queue[:MOST_AT_ONCE]
            del self._queue[:MOST_AT_ONCE]
            # Nobody waits any more for those whose time is up.
            batch = [each for each in batch if not each.answer.done()]
            if not batch:
                continue
            try:
                async with asyncio.timeout(self._patience):
                    await self._answer_all(batch)
            except Exception as error:
                # Postgres does not answer, so nobody is left to wait for it in turn.
                waiting, self._queue = [*batch, *self._queue], []
                for each in waiting:
                    each.refuse(error)

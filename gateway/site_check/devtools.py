"""Chromium's DevTools protocol over a pipe: commands with answers, and events.

A pipe and no port: nobody else on the machine can steer the browser, and it ends when we do. The protocol is described
at chromedevtools.github.io/devtools-protocol; only its stable parts are used.
"""

import asyncio
import itertools
import json
from collections.abc import Callable
from typing import Any

# A page's whole text may come in one message.
LARGEST_MESSAGE = 64 * 1024 * 1024
ANSWER_SECONDS = 30.0

Event = dict[str, Any]


class ProtocolError(Exception):
    """The browser refuses a command, or is gone."""


class Devtools:
    """The connection. Events go to whoever listens on their session."""

    def __init__(self, events: asyncio.StreamReader, commands: asyncio.StreamWriter) -> None:
        """``events`` is what the browser writes, with room for messages of ``LARGEST_MESSAGE``."""
        self._events, self._commands = events, commands
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Event]] = {}
        self._listeners: dict[str, Callable[[str, Event], None]] = {}
        self._reading: asyncio.Task[None] | None = None
        self.gone = asyncio.Event()

    def open(self) -> None:
        """Begin to read."""
        self._reading = asyncio.create_task(self._read())

    async def close(self) -> None:
        """Stop; whoever waits for an answer is told that none comes."""
        self._commands.close()
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.wait([self._reading])

    def listen(self, session: str, heard: Callable[[str, Event], None]) -> None:
        """Have the events of a session told, by name; the empty session is the browser itself."""
        self._listeners[session] = heard

    async def send(self, method: str, session: str = "", **parameters: Any) -> Event:
        """A command, and its answer. Raises ProtocolError, TimeoutError."""
        if self.gone.is_set():
            raise ProtocolError(f"{method}: the browser is gone")
        number = next(self._ids)
        message: Event = {"id": number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                self._commands.write(json.dumps(message).encode() + b"\0")
                await self._commands.drain()
                said = await answer
        except OSError as error:
            raise ProtocolError(f"{method}: {error.strerror or 'no answer'}") from None
        finally:
            self._waiting.pop(number, None)
        if "error" in said:
            raise ProtocolError(f"{method}: {said['error'].get('message', '')}")
        result: Event = said.get("result", {})
        return result

    async def _read(self) -> None:
        try:
            while True:
                message = json.loads((await self._events.readuntil(b"\0"))[:-1])
                if (number := message.get("id")) is not None:
                    waiting = self._waiting.get(number)
                    if waiting is not None and not waiting.done():
                        waiting.set_result(message)
                elif (heard := self._listeners.get(message.get("sessionId", ""))) is not None:
                    heard(message["method"], message.get("params", {}))
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError, OSError):
            pass
        finally:
            self.gone.set()
            for waiting in self._waiting.values():
                if not waiting.done():
                    waiting.set_result({"error": {"message": "the browser is gone"}})

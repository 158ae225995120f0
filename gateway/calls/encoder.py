"""A process of its own that makes sound files, so that a long call never makes a ringing one wait.

Not a thread: it runs at a low priority, a fault in the codec does not end the gateway, and the event loop does not
share Python's lock with it (measured while ten minutes are encoded: one wake-up in a hundred is 0.5 ms late, 1 ms with
a thread). The worker reads one order a line and answers with one line; when the gateway dies its input ends, and so
does it.
"""

import asyncio
import base64
import json
import os
import sys
from pathlib import Path
from typing import Any

from gateway.calls.audio import AudioError, Encoded, NoRoom, NothingRecorded, NotPlayable, make_stereo, write_wav

# An hour of talk takes some 20 s. What takes longer than this hangs.
LONGEST_SECONDS = 900.0
NICENESS = 10

_SAID = {error.__name__: error for error in (NothingRecorded, NoRoom, NotPlayable)}


class EncodingFailed(AudioError):
    """A sound file could not be made; the message says what the encoder said."""


class Encoder:
    """One worker process, started when it is first needed and again whenever it has died."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None
        self._turn = asyncio.Lock()

    async def stereo(self, caller: Path, business: Path, rate: int, target: Path) -> Encoded:
        """As ``audio.make_stereo``. Raises NothingRecorded, NoRoom, EncodingFailed."""
        answer = await self._order(
            do="stereo", caller=str(caller), business=str(business), rate=rate, target=str(target)
        )
        return Encoded(answer["seconds"], answer["size"], base64.b64decode(answer["peaks"]))

    async def wav(self, recording: Path, target: Path) -> None:
        """As ``audio.write_wav``. Raises NotPlayable, NoRoom, EncodingFailed."""
        await self._order(do="wav", recording=str(recording), target=str(target))

    async def close(self) -> None:
        """End the worker; what it was at is thrown away."""
        process, self._process = self._process, None
        if process and process.returncode is None:
            process.kill()
            await process.wait()

    async def _order(self, **order: Any) -> dict[str, Any]:
        async with self._turn:
            try:
                async with asyncio.timeout(LONGEST_SECONDS):
                    answer = await self._ask(order)
            except (OSError, ValueError, TimeoutError) as error:
                await self.close()
                raise EncodingFailed(f"the encoder died or hung ({type(error).__name__})") from error
            except BaseException:
                # Its answer would be taken for that of the next order.
                await self.close()
                raise
        if "fault" in answer:
            raise _SAID.get(answer["fault"], EncodingFailed)(answer["message"])
        return answer

    async def _ask(self, order: dict[str, Any]) -> dict[str, Any]:
        if self._process is None or self._process.returncode is not None:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-P", "-m", "gateway.calls.encoder"),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                start_new_session=True,  # Ctrl-C is for the gateway, which stops it in order
                env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
            )
        process = self._process
        assert process.stdin
        assert process.stdout
        process.stdin.write(json.dumps(order).encode() + b"\n")
        await process.stdin.drain()
        answer: dict[str, Any] = json.loads(await process.stdout.readline())
        return answer


def _obey(order: dict[str, Any]) -> dict[str, Any]:
    try:
        if order["do"] == "wav":
            write_wav(Path(order["recording"]), Path(order["target"]))
            return {}
        made = make_stereo(Path(order["caller"]), Path(order["business"]), order["rate"], Path(order["target"]))
        return {"seconds": made.seconds, "size": made.size, "peaks": base64.b64encode(made.peaks).decode()}
    except Exception as error:
        return {"fault": type(error).__name__, "message": str(error)}


def main() -> None:
    """Obey orders from standard input until it ends."""
    os.nice(NICENESS)
    for line in sys.stdin.buffer:
        print(json.dumps(_obey(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()

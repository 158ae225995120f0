"""A long history replayed as it is typed: how long that takes, how many answers are right, how honest they are."""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from tests.attribution.traffic import PUT_OFF, SHAPES, Tenth, Traffic, baseline, tenths, traffic

# Some 20,000 calls: what the bounds of confidence are about.
VISITS = 60_000
# The history that is timed.
LONGEST = 80_000
NUMBERS = 10


@dataclass(frozen=True)
class Replayed:
    """What came of it: seconds, calls, the shares that were right here and by the simple rule, and the tenths."""

    seconds: float
    calls: int
    right: float
    simple: float
    parts: dict[int, Tenth]

    @property
    def dishonest(self) -> int:
        """Tenths of confidence that are off by more than three points and three standard errors."""
        return sum(not each.is_honest for each in self.parts.values())


def replayed(shape: str, visits: int = VISITS, seed: int = 1) -> Replayed:
    """Replay generated traffic of one shape of delays."""
    history = traffic(shape, visits=visits, seed=seed)
    with tempfile.TemporaryDirectory(prefix="np-bench-") as folder:
        words = _written(Path(folder), history)
        begun = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", "gateway", "pools", "replay", *words, "--numbers", str(NUMBERS)],
            capture_output=True,
            check=True,
        )
        seconds = time.perf_counter() - begun
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    truth = {each.call: each.visitor_truth for each in history.calls}
    simple = baseline(history, NUMBERS)
    answers = [(line["confidence"], line["visitor"] == truth[line["call"]]) for line in lines]
    return Replayed(
        seconds,
        len(lines),
        sum(right for _, right in answers) / len(answers),
        sum(simple[name] == visitor for name, visitor in truth.items()) / len(truth),
        tenths(answers),
    )


def _written(folder: Path, history: Traffic) -> list[str]:
    with (folder / "visits").open("w") as file:
        for visit in history.visits:
            line = {"visitor": visit.visitor, "start": visit.start.isoformat(), "end": visit.end.isoformat()}
            file.write(json.dumps(line | {"url": visit.url, "referrer": visit.referrer}) + "\n")
    with (folder / "calls").open("w") as file:
        for call in history.calls:
            line = {"call": call.call, "start": call.start.isoformat(), "caller": call.caller}
            file.write(json.dumps(line | {"visitor_truth": call.visitor_truth}) + "\n")
    return ["--visits", str(folder / "visits"), "--calls", str(folder / "calls")]


def said(parts: dict[int, Tenth]) -> str:
    """The tenths as a table: what was said, what was right, of how many."""
    rows = (
        f"  {part / 10:.1f} to {part / 10 + 0.1:.1f}: said {each.said:6.1%}, right {each.right:6.1%} of {each.answers}"
        + ("" if each.is_honest else "  <-- off")
        for part, each in parts.items()
    )
    return "\n".join(rows)


def main() -> None:
    """All shapes of delays, or those named, printed; exit with 1 where a bound is missed.

    ``python -m tests.bench.replay [--seed N] [SHAPE ...]``
    """
    parser = argparse.ArgumentParser(prog="python -m tests.bench.replay", description=__doc__)
    parser.add_argument("shapes", nargs="*", metavar="SHAPE", help=", ".join(SHAPES))
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    short = 0
    for shape in chosen.shapes or SHAPES:
        found = replayed(shape, seed=chosen.seed)
        short += (found.right < found.simple - 0.005 or found.dishonest > 0) and shape not in PUT_OFF
        print(
            f"{shape}: {found.calls} calls in {found.seconds:.0f} s; right {found.right:.1%}, by the simple rule "
            f"{found.simple:.1%}\n{said(found.parts)}",
            flush=True,
        )
    sys.exit(1 if short else 0)


if __name__ == "__main__":
    main()

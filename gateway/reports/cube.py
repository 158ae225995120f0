"""The sums that reports are answered from: of blocks of days where these hold, of the facts themselves elsewhere."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from operator import add
from pathlib import Path
from typing import Any, NamedTuple

import aiosql

from gateway.attribution.credit import Model
from gateway.attribution.credited_touches import OWN_MODELS
from gateway.reports.blocks import HIGHEST, Block, day_of, number_of, of_period
from gateway.reports.dimension import Basis, Dimension
from gateway.reports.question import Question

HOUR = "hour"
# What facts are told apart by, in the order of their bits in report_sums.told_by.
COLUMNS = (*(each.value for each in Dimension), HOUR)
BITS: Mapping[str, int] = {name: 1 << place for place, name in enumerate(COLUMNS)}
MODELS = tuple(Model)
# Each is a place of report_sums.basis; sums of both stand under 0.
_BASES = {Basis.CALL: 1, Basis.CLICK: 2}

_FOLDER = Path(__file__).parent
_TEXT = (_FOLDER / "cube.sql").read_text()

Keys = tuple[str, ...]
Stretch = tuple[date, date]  # from, until (not included)


class Sums(NamedTuple):
    """Figures that add up, as report_sums has them."""

    calls: float = 0.0
    answered: float = 0.0
    first_time: float = 0.0
    qualified: float = 0.0
    jobs: float = 0.0
    value: float = 0.0
    talk_seconds: float = 0.0
    ring_seconds: float = 0.0
    leads: float = 0.0
    spam: float = 0.0
    blocked: float = 0.0
    expected: float = 0.0
    variance: float = 0.0

    def plus(self, other: "Sums") -> "Sums":
        """Both together."""
        return Sums._make(map(add, self, other))


NOTHING = Sums()


@dataclass(frozen=True, slots=True)
class Cut:
    """A way to cut a company's calls: told apart by columns, of those that have these values."""

    company_id: int
    by: tuple[str, ...]
    where: Mapping[str, str]
    basis: Basis
    model: Model

    @classmethod
    def of(cls, question: Question, *by: str) -> "Cut":
        """As a question asks it, told by its own dimensions and ``by``."""
        return cls(
            question.company_id,
            (*(each.value for each in question.by), *by),
            {name.value: value for name, value in question.where.items()},
            question.basis,
            question.model,
        )

    @property
    def columns(self) -> list[str]:
        """What it is told by or narrowed down by, in the order of their bits."""
        return sorted({*self.by, *self.where}, key=COLUMNS.index)

    @property
    def is_stored(self) -> bool:
        """Whether blocks have sums of it.

        By one thing, however asked; by the source and another by the day of the call, and by a model that credits one
        touch.
        """
        columns = self.columns
        if len(columns) < 2:
            return True
        is_pair = len(columns) == 2 and columns[0] == Dimension.SOURCE
        return is_pair and self.basis is Basis.CALL and self.model in OWN_MODELS

    @property
    def chances_by(self) -> int | None:
        """By what expected calls are known of it; none where they are not."""
        columns = self.columns
        if self.basis is not Basis.CALL or columns not in ([Dimension.SOURCE.value], [Dimension.CHANNEL.value]):
            return None
        return BITS[columns[0]]


@dataclass(frozen=True, slots=True)
class Pieces:
    """What some stretches of days are read from: blocks, and days that none holds; each with its stretch's place."""

    blocks: Sequence[tuple[Block, int]]
    days: Sequence[tuple[Stretch, int]]

    @property
    def of_days(self) -> dict[str, Any]:
        """The days as queries want them."""
        return {
            "sinces": [since for (since, _), _ in self.days],
            "untils": [until for (_, until), _ in self.days],
            "stretches": [place for _, place in self.days],
        }


@lru_cache(maxsize=512)
def queries(basis: Basis = Basis.CALL, by: tuple[str, ...] = (), where: tuple[str, ...] = ()) -> Any:
    """The queries of cube.sql, those of facts told by and narrowed down by these columns."""
    if not {*by, *where} <= set(COLUMNS):
        raise ValueError("facts have no such column")
    fits = " AND ".join(f"fact.{name} = (:wanted::text[])[{place}]" for place, name in enumerate(where, 1))
    text = _TEXT
    for mark, name in zip(("/* first */ ''", "/* second */ ''"), by, strict=False):
        text = text.replace(mark, f"fact.{name}")
    if where:
        text = text.replace("/* fits */ cardinality(:wanted::text[]) >= 0", fits)
    if basis is Basis.CLICK:
        text = text.replace("/* day */ fact.call_day", "fact.click_day")
    return aiosql.from_str(text, "asyncpg", mandatory_parameters=False)


async def pieces(connection: Any, cut: Cut, stretches: Sequence[Stretch]) -> Pieces:
    """What ``stretches``, which follow one another, are read from."""
    if not cut.is_stored:
        return Pieces([], [(stretch, place) for place, stretch in enumerate(stretches)])
    numbered = [(number_of(since), number_of(until)) for since, until in stretches]
    held = {
        (row["level"], row["block"])
        async for row in queries().blocks_between(
            connection, company_id=cut.company_id, highest=HIGHEST, since=numbered[0][0], until=numbered[-1][1]
        )
    }
    blocks: list[tuple[Block, int]] = []
    days: list[tuple[Stretch, int]] = []
    for place, (since, until) in enumerate(numbered):
        whole, rest = of_period(since, until, held)
        blocks += [(block, place) for block in whole]
        days += [((day_of(start), day_of(end)), place) for start, end in rest]
    return Pieces(blocks, days)


async def sums(connection: Any, cut: Cut, stretches: Sequence[Stretch]) -> list[dict[Keys, Sums]]:
    """The sums of each stretch by the values of ``cut.by``."""
    found: list[dict[Keys, Sums]] = [{} for _ in stretches]
    read = await pieces(connection, cut, stretches)
    if read.blocks:
        columns = cut.columns
        keys = {f"key{place}": cut.where.get(name) for place, name in enumerate(columns, 1)}
        rows = queries().sums(
            connection,
            company_id=cut.company_id,
            told_by=sum(BITS[name] for name in columns),
            bases=[0, _BASES[cut.basis]],
            models=1 << MODELS.index(cut.model),
            levels=[level for (level, _), _ in read.blocks],
            blocks=[block for (_, block), _ in read.blocks],
            stretches=[place for _, place in read.blocks],
            **{"key1": None, "key2": None, **keys},
        )
        places = [1 + columns.index(name) for name in cut.by]
        async for row in rows:
            _add(found[row[0]], tuple([row[place] for place in places]), row)
    if read.days:
        asked = {"company_id": cut.company_id, **read.of_days}
        of_facts = queries(cut.basis, cut.by, tuple(cut.where))
        rows = of_facts.facts(connection, **asked, model=MODELS.index(cut.model) + 1, wanted=list(cut.where.values()))
        async for row in rows:
            _add(found[row[0]], row[1 : 1 + len(cut.by)], row)
        if cut.chances_by is not None:
            rows = queries().chances(
                connection, **asked, told_by=cut.chances_by, key1=next(iter(cut.where.values()), None)
            )
            async for row in rows:
                sums_so_far = found[row["stretch"]]
                keys_of_row = (row["key1"],)[: len(cut.by)]
                before = sums_so_far.get(keys_of_row, NOTHING)
                sums_so_far[keys_of_row] = before._replace(
                    expected=before.expected + row["expected"], variance=before.variance + row["variance"]
                )
    return found


async def callers(connection: Any, cut: Cut, since: date, until: date, calls: float) -> int:
    """How many people called in a period that has so many calls; those who withhold their number are one each."""
    if cut.where or cut.basis is Basis.CLICK:
        narrowed = queries(cut.basis, (), tuple(cut.where))
        return int(
            await narrowed.callers(
                connection,
                company_id=cut.company_id,
                since=since,
                until=until,
                model=MODELS.index(cut.model) + 1,
                wanted=list(cut.where.values()),
            )
        )
    read = await pieces(connection, cut, [(since, until)])
    days = read.of_days
    del days["stretches"]
    back = await queries().returns(connection, company_id=cut.company_id, since=since, until=until, **days)
    return round(calls) - int(back)


def _add(found: dict[Keys, Sums], keys: Keys, row: Any) -> None:
    """Add a row of the queries: stretch, both keys, then the figures in the order of Sums."""
    one = Sums._make(row[3:])
    before = found.get(keys)
    found[keys] = one if before is None else before.plus(one)


def days_of(blocks: Collection[int]) -> list[date]:
    """The days of blocks of level 0."""
    return [day_of(block) for block in blocks]

"""The sums that reports are answered from: of blocks of days where these hold, of the facts themselves elsewhere."""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import aiosql
import numpy as np

from gateway.attribution.credit import Model
from gateway.attribution.credited_touches import OWN_MODELS
from gateway.reports.blocks import HIGHEST, Block, day_of, number_of, of_period
from gateway.reports.dimension import Basis, Dimension
from gateway.reports.packed import Entries, Floats, Ints, together, unpack
from gateway.reports.question import Question

HOUR = "hour"
# What is known of a call itself; the others are of the visit that it is thought to come of.
OF_THE_CALL = frozenset({Dimension.POOL, Dimension.NUMBER, Dimension.REGION, Dimension.PERSON, HOUR})
# What facts are told apart by, in the order of their bits in report_sums.told_by.
COLUMNS = (*(each.value for each in Dimension), HOUR)
BITS: Mapping[str, int] = {name: 1 << place for place, name in enumerate(COLUMNS)}
MODELS = tuple(Model)
# Of what is told by two at once, sums are made of these, for models that credit one touch (as bits).
PAIRS = frozenset((Dimension.SOURCE.value, name) for name in COLUMNS if name != Dimension.SOURCE)
PAIR_MODELS = sum(1 << place for place, model in enumerate(MODELS) if model in OWN_MODELS)
# Each is a place of report_sums.basis; sums of both stand under 0.
_BASES = {Basis.CALL: 1, Basis.CLICK: 2}
# Numbers from here on are of one book alone.
_OWN = 1 << 30

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


NOTHING = Sums()


class KeyBook:
    """The numbers that sums know values by (``report_keys``), looked up as they are asked for."""

    def __init__(self, connection: Any, company_id: int) -> None:
        self._connection = connection
        self._company_id = company_id
        self._values: dict[int, str] = {}
        self._ids: dict[str, int] = {}

    async def ids_of(self, values: Iterable[str], *, give: bool = False) -> Mapping[str, int]:
        """The numbers of values; who has none yet is missing, or is given one that holds in this book (``give``)."""
        unknown = [value for value in set(values) if value not in self._ids]
        if unknown:
            async for row in queries().keys_of(self._connection, company_id=self._company_id, values=unknown):
                self._note(row["id"], row["value"])
        if give:
            for value in unknown:
                if value not in self._ids:
                    self._note(_OWN + len(self._ids), value)
        return {value: self._ids[value] for value in values if value in self._ids}

    async def add(self, values: Iterable[str]) -> Mapping[str, int]:
        """The numbers of values, for good. For whoever holds the lock."""
        values = set(values)
        missing = values - (await self.ids_of(values)).keys()
        if missing:
            rows = queries().add_keys(self._connection, company_id=self._company_id, values=sorted(missing))
            async for row in rows:
                self._note(row["id"], row["value"])
        return self._ids

    async def values_of(self, ids: Iterable[int]) -> Mapping[int, str]:
        """The values of numbers."""
        unknown = [each for each in set(ids) if each not in self._values]
        if unknown:
            async for row in queries().values_of(self._connection, company_id=self._company_id, ids=unknown):
                self._note(row["id"], row["value"])
        return self._values

    def _note(self, number: int, value: str) -> None:
        self._values[number] = value
        self._ids[value] = number


@dataclass(frozen=True, slots=True)
class Told:
    """Sums under keys: a column of numbers for each thing they are told by, and a row of figures for each of Sums."""

    keys: tuple[Ints, ...]
    figures: Floats
    book: KeyBook

    def __len__(self) -> int:
        return int(self.figures.shape[1])

    def column(self, name: str) -> Floats:
        """One figure of all keys."""
        found: Floats = self.figures[Sums._fields.index(name)]
        return found

    def at(self, place: int) -> Sums:
        """The figures of one."""
        return Sums._make(self.figures[:, place].tolist())

    def whole(self, places: Ints | None = None) -> Sums:
        """All of them together, or those at some places."""
        return Sums._make((self.figures if places is None else self.figures[:, places]).sum(axis=1).tolist())

    def with_sure_calls(self) -> "Told":
        """The same with as many expected calls as there are."""
        figures = self.figures.copy()
        figures[Sums._fields.index("expected")] = self.column("calls")
        figures[Sums._fields.index("variance")] = 0.0
        return Told(self.keys, figures, self.book)

    async def values(self, places: Ints) -> list[Keys]:
        """The values that those at some places are told by."""
        columns = [column[places].tolist() for column in self.keys]
        known = await self.book.values_of(number for column in columns for number in column)
        return [tuple([known[number] for number in numbers]) for numbers in zip(*columns, strict=True)] or [
            () for _ in places
        ]


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

        By one thing, however asked; by some two by the day of the call, and by a model that credits one touch.
        """
        columns = self.columns
        if len(columns) < 2:
            return True
        return (
            tuple(columns) in PAIRS and self.basis is Basis.CALL and bool(PAIR_MODELS >> MODELS.index(self.model) & 1)
        )

    @property
    def is_sure(self) -> bool:
        """Whether it is told only by what calls have themselves, whoever made them: as many are expected as came."""
        columns = self.columns
        return self.basis is Basis.CALL and bool(columns) and {*columns} <= OF_THE_CALL

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


class Shelf:
    """What several questions of one transaction read about a company, looked up once: blocks that hold, numbers."""

    def __init__(self, connection: Any, company_id: int) -> None:
        self.book = KeyBook(connection, company_id)
        self._connection = connection
        self._company_id = company_id
        self._held: dict[tuple[int, int], Set[Block]] = {}

    async def held(self, since: int, until: int) -> Set[Block]:
        """The blocks that hold of some days (numbers of days; until is not included)."""
        asked = (since, until)
        if asked not in self._held:
            rows = queries().blocks_between(
                self._connection, company_id=self._company_id, highest=HIGHEST, since=since, until=until
            )
            self._held[asked] = {(row["level"], row["block"]) async for row in rows}
        return self._held[asked]


async def pieces(shelf: Shelf, cut: Cut, stretches: Sequence[Stretch]) -> Pieces:
    """What ``stretches``, which follow one another, are read from."""
    if not cut.is_stored:
        return Pieces([], [(stretch, place) for place, stretch in enumerate(stretches)])
    numbered = [(number_of(since), number_of(until)) for since, until in stretches]
    held = await shelf.held(numbered[0][0], numbered[-1][1])
    blocks: list[tuple[Block, int]] = []
    days: list[tuple[Stretch, int]] = []
    for place, (since, until) in enumerate(numbered):
        whole, rest = of_period(since, until, held)
        blocks += [(block, place) for block in whole]
        days += [((day_of(start), day_of(end)), place) for start, end in rest]
    return Pieces(blocks, days)


async def sums(connection: Any, cut: Cut, stretches: Sequence[Stretch], shelf: Shelf | None = None) -> list[Told]:
    """The sums of each stretch by the values of ``cut.by``."""
    shelf = shelf or Shelf(connection, cut.company_id)
    read, book = await pieces(shelf, cut, stretches), shelf.book
    parts: list[list[Entries]] = [[] for _ in stretches]
    if read.blocks:
        for place, entries in await _of_blocks(connection, cut, read, book):
            parts[place].append(entries)
    if read.days:
        for place, entries in (await _of_facts(connection, cut, read, book)).items():
            parts[place].append(entries)
    found = []
    for each in parts:
        added = together(each).added(by_kind=False)
        found.append(Told((added.first, added.second)[: len(cut.by)], added.figures, book))
        await asyncio.sleep(0)
    return found


async def _of_blocks(connection: Any, cut: Cut, read: Pieces, book: KeyBook) -> list[tuple[int, Entries]]:
    """What blocks hold of a cut, each with its stretch's place; its keys are the values of ``cut.by``."""
    columns = cut.columns
    wanted = await book.ids_of(cut.where.values())
    if len(wanted) < len(set(cut.where.values())):
        return []  # of a value that nothing has
    found = []
    async for row in queries().sums(
        connection,
        company_id=cut.company_id,
        told_by=sum(BITS[name] for name in columns),
        levels=[level for (level, _), _ in read.blocks],
        blocks=[block for (_, block), _ in read.blocks],
        stretches=[place for _, place in read.blocks],
    ):
        entries = unpack(row["sums"])
        basis, models = entries.kind >> len(MODELS), entries.kind & (1 << MODELS.index(cut.model))
        is_wanted = ((basis == 0) | (basis == _BASES[cut.basis])) & (models != 0)
        keys = dict(zip(columns, (entries.first, entries.second), strict=False))
        for name, value in cut.where.items():
            is_wanted &= keys[name] == wanted[value]
        entries = entries.of(is_wanted)
        keys = dict(zip(columns, (entries.first, entries.second), strict=False))
        nothing = np.zeros_like(entries.kind)
        first, second = (*(keys[name] for name in cut.by), nothing, nothing)[:2]
        found.append((row["stretch"], Entries(first, second, nothing, entries.figures)))
    return found


async def _of_facts(connection: Any, cut: Cut, read: Pieces, book: KeyBook) -> dict[int, Entries]:
    """The same of days that no block holds."""
    found: dict[int, dict[Keys, Sums]] = {}
    asked = {"company_id": cut.company_id, **read.of_days}
    of_facts = queries(cut.basis, cut.by, tuple(cut.where))
    rows = of_facts.facts(connection, **asked, model=MODELS.index(cut.model) + 1, wanted=list(cut.where.values()))
    async for row in rows:
        found.setdefault(row[0], {})[row[1 : 1 + len(cut.by)]] = Sums._make(row[3:])
    if cut.chances_by is not None:
        rows = queries().chances(connection, **asked, told_by=cut.chances_by, key1=next(iter(cut.where.values()), None))
        async for row in rows:
            sums_so_far = found.setdefault(row["stretch"], {})
            keys_of_row = (row["key1"],)[: len(cut.by)]
            before = sums_so_far.get(keys_of_row, NOTHING)
            sums_so_far[keys_of_row] = before._replace(
                expected=before.expected + row["expected"], variance=before.variance + row["variance"]
            )
    ids = await book.ids_of({key for each in found.values() for keys in each for key in keys}, give=True)
    return {
        place: Entries(
            np.fromiter((ids[keys[0]] if keys else 0 for keys in each), np.int64, len(each)),
            np.fromiter((ids[keys[1]] if len(keys) > 1 else 0 for keys in each), np.int64, len(each)),
            np.zeros(len(each), np.int64),
            np.array(list(each.values()), np.float64).T,
        )
        for place, each in found.items()
    }


async def callers(connection: Any, cut: Cut, within: Stretch, calls: float, shelf: Shelf) -> int:
    """How many people called in a period that has so many calls; those who withhold their number are one each."""
    since, until = within
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
    read = await pieces(shelf, cut, [within])
    days = read.of_days
    del days["stretches"]
    back = await queries().returns(connection, company_id=cut.company_id, since=since, until=until, **days)
    return round(calls) - int(back)


def days_of(blocks: Collection[int]) -> list[date]:
    """The days of blocks of level 0."""
    return [day_of(block) for block in blocks]

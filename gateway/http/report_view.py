"""What a report shows: read from the address bar and written back into links, so that it can be sent and kept."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from enum import StrEnum
from typing import Any
from urllib.parse import urlencode

from gateway.attribution.credit import Model
from gateway.http.periods import Period, Span
from gateway.http.refusals import BadRequest
from gateway.reports.dimension import Basis, Dimension
from gateway.reports.measures import Measure
from gateway.reports.question import Question, year_before

PATH, MONTHS_PATH = "/reports", "/reports/months"
NOTHING = "none"  # told by no dimension
UNKNOWN = "(unknown)"  # in an address: what a dimension calls ""
WHERE = "where."
NAME = "name"  # what rows are sorted by, besides measures
TOPS = (10, 25, 50, 100, 500)
USUAL_TOP = 25
MOST_TOP = 1000
_LONGEST_VALUE = 300
_LONGEST_ID = 18  # that a bigint holds
# Clicks lie before the first call, but hardly by so much.
_BEFORE_ALL = timedelta(days=400)


class Compare(StrEnum):
    """What stands beside each figure."""

    BEFORE = "before"  # as many days just before
    YEAR = "year"  # the same days a year ago
    NONE = "none"


class Shape(StrEnum):
    """How two dimensions are laid out."""

    ROWS = "rows"  # the second one under the first
    COLUMNS = "columns"  # across, for one measure


@dataclass(frozen=True, slots=True)
class ReportView:
    """A whole report as the address bar holds it. No measures: the usual ones. No model: the company's own."""

    period: Period = field(default_factory=Period)
    by: tuple[Dimension, ...] = (Dimension.SOURCE,)
    measures: tuple[Measure, ...] = ()
    basis: Basis = Basis.CALL
    model: Model | None = None
    compare: Compare = Compare.BEFORE
    where: tuple[tuple[Dimension, str], ...] = ()
    sort: str = ""  # a measure or the name; with - before it from the most down
    top: int = USUAL_TOP
    shape: Shape | None = None
    company: int | None = None  # only where the viewer has several
    path: str = PATH

    @classmethod
    def parse(cls, query: Mapping[str, str], company: int | None = None, path: str = PATH) -> "ReportView":
        """From the query string; raises BadRequest where a value cannot be one."""
        return cls(
            Period.parse(query),
            _by(_several(query, "by")),
            tuple(dict.fromkeys(_one(Measure, "measures", text) for text in _several(query, "measures"))),
            _one(Basis, "basis", query.get("basis") or Basis.CALL),
            _one(Model, "model", query["model"]) if query.get("model") else None,
            _one(Compare, "compare", query.get("compare") or Compare.BEFORE),
            tuple(_where(query)),
            _sort(query.get("sort") or ""),
            _top(query.get("top") or str(USUAL_TOP)),
            _one(Shape, "shape", query["shape"]) if query.get("shape") else None,
            company,
            path,
        )

    @property
    def filters(self) -> dict[Dimension, str]:
        """What the figures are narrowed down to, as questions have it."""
        return dict(self.where)

    def query(self) -> dict[str, str]:
        """As the query string says it, without the company; what is usual is left out."""
        said: dict[str, str] = dict(self.period.query())
        if self.by != (Dimension.SOURCE,):
            said["by"] = ",".join(self.by) or NOTHING
        if self.measures:
            said["measures"] = ",".join(self.measures)
        if self.basis is not Basis.CALL:
            said["basis"] = self.basis.value
        if self.model is not None:
            said["model"] = self.model.value
        if self.compare is not Compare.BEFORE:
            said["compare"] = self.compare.value
        said |= {f"{WHERE}{dimension.value}": value or UNKNOWN for dimension, value in self.where}
        if self.sort:
            said["sort"] = self.sort
        if self.top != USUAL_TOP:
            said["top"] = str(self.top)
        if self.shape is not None:
            said["shape"] = self.shape.value
        return said

    @property
    def kept(self) -> str:
        """The view as it is saved, without the company; of another page than the usual one with its path's name."""
        return urlencode({**({"view": "months"} if self.path == MONTHS_PATH else {}), **self.query()}, safe=",")

    def url(self, **changes: Any) -> str:
        """The address of this view, with some of it changed."""
        changed = replace(self, **changes) if changes else self
        query = {**({"company": str(changed.company)} if changed.company else {}), **changed.query()}
        return f"{changed.path}?{urlencode(query, safe=',')}" if query else changed.path

    def at(self, path: str) -> str:
        """The same view at another address, such as what it is exported by."""
        return self.url(path=path)

    def only(self, dimension: Dimension, value: str) -> str:
        """This view of that value alone; told by something else where it was told by that dimension alone."""
        where = (*((each, of) for each, of in self.where if each is not dimension), (dimension, value))
        by = tuple(each for each in self.by if each is not dimension) or (_NEXT.get(dimension, Dimension.SOURCE),)
        filtered = {each for each, _ in where}
        return self.url(by=tuple(each for each in by if each not in filtered), where=where, sort=self._kept_sort)

    def without(self, dimension: Dimension) -> str:
        """This view without that filter, told by its dimension again where narrowing down had led to another."""
        where = tuple((each, of) for each, of in self.where if each is not dimension)
        had_led = self.by in ((), (_NEXT.get(dimension, Dimension.SOURCE),))
        return self.url(where=where, by=(dimension,) if had_led else self.by)

    @property
    def everything(self) -> str:
        """This view without any filter."""
        return self.url(where=())

    @property
    def whole(self) -> str:
        """The same over all time."""
        return self.url(period=Period(Span.ALL))

    def sorted_by(self, name: str, present: str) -> str:
        """This view sorted by a column, the other way round where it is sorted by it already (``present``)."""
        first = name if name == NAME else f"-{name}"
        return self.url(sort=name if present == first and name != NAME else f"-{name}" if present == name else first)

    def hidden(self, *asked: str) -> dict[str, str]:
        """What a form that asks for some parts has to carry along."""
        query = {**({"company": str(self.company)} if self.company else {}), **self.query()}
        return {name: value for name, value in query.items() if name not in asked}

    @property
    def _kept_sort(self) -> str:
        return "" if self.sort.lstrip("-") == NAME else self.sort


# What is asked next once one value of a dimension is looked at.
_NEXT = {
    Dimension.SOURCE: Dimension.CAMPAIGN,
    Dimension.CHANNEL: Dimension.SOURCE,
    Dimension.CAMPAIGN: Dimension.KEYWORD,
    Dimension.POOL: Dimension.NUMBER,
    Dimension.REGION: Dimension.CITY,
}


def question_of(view: ReportView, company_id: int, own: Model, first_day: date | None, today: date) -> Question:
    """What the view asks; ``own`` is the company's model, ``first_day`` when all time begins.

    Days to come, and those long before anything was there, hold nothing and are left out: there may be thousands.
    """
    since, last = view.period.days(today)
    until = min(last or today, today) + timedelta(days=1)
    first = first_day or today
    since = first if since is None else max(since, first - _BEFORE_ALL)
    return Question(
        company_id,
        since,
        max(until, since + timedelta(days=1)),
        view.basis,
        view.model or own,
        view.by,
        view.filters,
    )


def compared_question(view: ReportView, question: Question, today: date) -> Question | None:
    """What its figures are compared with; none where there is nothing to compare with."""
    if view.compare is Compare.NONE:
        return None
    if view.compare is Compare.YEAR:
        return year_before(question)
    before = view.period.before(today)
    if before is None:
        return None
    since, last = before.days(today)
    assert since is not None  # a period before has both ends
    assert last is not None
    return replace(question, since=since, until=last + timedelta(days=1))


def is_canonical(query: Any, view: ReportView) -> bool:
    """Whether an address says the view as its own links do: a form sends also what was not chosen, and things twice."""
    company = {"company": str(view.company)} if view.company else {}
    return list(query.keys()) == list(dict.fromkeys(query)) and dict(query) == {**company, **view.query()}


def _several(query: Any, name: str) -> list[str]:
    texts = query.getall(name, []) if hasattr(query, "getall") else [query.get(name, "")]
    return [part for text in texts for part in text.split(",") if part]


def _one(among: Any, name: str, text: str) -> Any:
    try:
        return among(text)
    except ValueError:
        raise BadRequest(part=name) from None


def _by(texts: list[str]) -> tuple[Dimension, ...]:
    if not texts:
        return (Dimension.SOURCE,)
    found = tuple(dict.fromkeys(_one(Dimension, "by", text) for text in texts if text != NOTHING))
    if len(found) > 2:
        raise BadRequest(part="by")
    return found


def _where(query: Mapping[str, str]) -> Iterable[tuple[Dimension, str]]:
    for dimension in Dimension:
        value = query.get(f"{WHERE}{dimension.value}")
        if not value:
            continue
        is_id = value.isascii() and value.isdigit() and len(value) <= _LONGEST_ID
        wants_id = dimension in (Dimension.SOURCE, Dimension.POOL) and value != UNKNOWN
        if len(value) > _LONGEST_VALUE or "\0" in value or (wants_id and not is_id):
            raise BadRequest(part=f"{WHERE}{dimension.value}")
        yield dimension, "" if value == UNKNOWN else value


def _sort(text: str) -> str:
    name = text.removeprefix("-")
    if name and name != NAME:
        _one(Measure, "sort", name)
    return text


def _top(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:6]) <= MOST_TOP:
        raise BadRequest(part="top")
    return int(text[:6])

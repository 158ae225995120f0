"""A history as JSON lines: visits and calls. Lines that cannot be used are named, with what is wrong and the mend."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, StringConstraints, ValidationError

from gateway.attribution.errors import FaultyHistory

# So many faults are told; the others are as the first ones.
MOST_TOLD = 20
# A clock that was never set is in 1970; nobody had such numbers before 1990.
_YEARS = (1990, 2199)


def _moment(given: Any) -> Any:
    # Only text: pydantic would also take a number for seconds. Without a zone it is UTC.
    if not isinstance(given, str):
        raise ValueError("is no time; write it as 2026-05-01T14:03:00Z")
    try:
        found = datetime.fromisoformat(given.strip())
        moment = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"{given[:40]!r} is no time; write it as 2026-05-01T14:03:00Z") from None
    if not _YEARS[0] <= moment.year <= _YEARS[1]:
        raise ValueError(f"{given[:40]!r} lies outside the years {_YEARS[0]} to {_YEARS[1]}; correct it")
    return moment


def _text(given: Any) -> Any:
    # Ids are often numbers.
    return str(given) if isinstance(given, int) and not isinstance(given, bool) else given


_Moment = Annotated[AwareDatetime, BeforeValidator(_moment)]
_Id = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000), BeforeValidator(_text)]
_Said = Annotated[str, BeforeValidator(_text)]


class _VisitForm(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    visitor: _Id
    start: _Moment
    end: _Moment | None = None
    url: str | None = None
    referrer: str | None = None


class _CallForm(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    call: _Id
    visitor_truth: _Id | None = None
    start: _Moment
    caller: _Said | None = None
    did: _Said | None = None


@dataclass(frozen=True, slots=True)
class PastVisit:
    """A visit of the history. A page that nobody knows the end of was seen at its start alone."""

    visitor: str
    start: datetime
    end: datetime
    url: str = ""
    referrer: str = ""


@dataclass(frozen=True, slots=True)
class PastCall:
    """A call of the history: to ``did`` where that is said, else to the number that its true visitor was last shown."""

    call: str
    start: datetime
    caller: str = ""
    visitor_truth: str | None = None
    did: str | None = None


def read_visits(lines: Iterable[bytes], name: str) -> list[PastVisit]:
    """Visits in the order of their times. An end before the start counts as none. Raises FaultyHistory."""
    return sorted(
        (
            PastVisit(
                form.visitor, form.start, max(form.start, form.end or form.start), form.url or "", form.referrer or ""
            )
            for form in _read(lines, name, _VisitForm, "visitor, start and end")
        ),
        key=lambda each: each.start,
    )


def read_calls(lines: Iterable[bytes], name: str) -> list[PastCall]:
    """Calls in the order of the lines. Raises FaultyHistory."""
    return [
        PastCall(
            form.call, form.start, (form.caller or "").strip(), form.visitor_truth, (form.did or "").strip() or None
        )
        for form in _read(lines, name, _CallForm, "call, visitor_truth, start and caller")
    ]


def _read(lines: Iterable[bytes], name: str, form: type[Any], wanted: str) -> Iterator[Any]:
    faults: list[str] = []
    count = 0
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            given = json.loads(line.decode("utf-8-sig"))
            if not isinstance(given, dict):
                raise ValueError
        except (ValueError, RecursionError):
            fault = f"is no JSON object; write one a line, with {wanted}"
        else:
            try:
                yield form.model_validate(given)
                continue
            except ValidationError as error:
                fault = "; ".join(_fault(item) for item in error.errors())
        count += 1
        if count <= MOST_TOLD:
            faults.append(f"{name}, line {number}: {fault}")
    if count:
        raise FaultyHistory(faults, count)


def _fault(item: Any) -> str:
    field = ".".join(str(part) for part in item["loc"])
    if item["type"] == "missing":
        return f"{field} is missing; add it"
    if item["type"] == "string_type":
        return f"{field} is no text; write it in quotes"
    if item["type"] == "string_too_short":
        return f"{field} is empty; fill it in"
    return f"{field} {item['msg'].removeprefix('Value error, ')}"

"""From a figure of a report to the calls and other leads it counts: an address of the list."""

from datetime import timedelta
from urllib.parse import urlencode

from gateway.reports.dimension import Basis, Dimension
from gateway.reports.figures import Row
from gateway.reports.measures import Measure
from gateway.reports.question import Question

# How the call list names what calls are told apart by.
_FILTERS = {each: "by" if each is Dimension.PERSON else each.value for each in Dimension}
# What the list says for a value that is not known.
_UNKNOWN = {Dimension.SOURCE: "none", Dimension.POOL: "none"}
_NOT_SET = "(not set)"
_CALLS = {"kind": "call"}
_OF_MEASURE = {
    Measure.ANSWERED: _CALLS | {"reached": "yes"},
    Measure.MISSED: _CALLS | {"reached": "no"},
    Measure.FIRST_TIME: _CALLS | {"first": "yes"},
    # Of calls, forms, chats and texts alike.
    Measure.QUALIFIED: {"qualified": "yes"},
    Measure.JOBS: {"job": "yes"},
    Measure.VALUE: {"job": "yes"},
    Measure.LEADS: {"kind": "written"},
}


def drill(question: Question, row: Row | None = None, measure: Measure = Measure.CALLS) -> str:
    """The calls that a figure of ``row`` counts (none: of the total), as reports count them; those with a share in it.

    The list says of which touch source, campaign and the like are (``credit``), and on which day it counts a call
    (``clicked`` where it is the day of the touch).
    """
    values = dict(question.where)
    if row is not None:
        values |= {name: key.value for name, key in zip(question.by, row.keys, strict=True)}
    last = question.until - timedelta(days=1)
    days = {"from": question.since.isoformat(), "to": last.isoformat()}
    if question.basis is Basis.CLICK:
        days = {"period": "all", "clicked": f"{question.since.isoformat()}..{last.isoformat()}"}
    return "/calls?" + urlencode(
        {
            "company": question.company_id,
            **days,
            "counted": "yes",
            "credit": question.model.value,
            **{_FILTERS[name]: value or _UNKNOWN.get(name, _NOT_SET) for name, value in values.items()},
            **_OF_MEASURE.get(measure, _CALLS),
        }
    )

"""The JSON API: calls, as programs read them."""

from datetime import datetime
from typing import Any

from aiohttp import web
from pydantic import BaseModel, Field, ValidationError

from gateway.http import call_list, call_store
from gateway.http.call_filter import CallFilter
from gateway.http.call_pages import call_id_of, place_of
from gateway.http.call_store import CallDetails, CallRow
from gateway.http.keys import ALLOWED, PARTS
from gateway.http.periods import Span
from gateway.http.refusals import BadRequest, CallNotFound
from gateway.http.scope import company_of


class Problem(BaseModel):
    """Why a request was refused."""

    status: int
    id: str = Field(description="stable; for programs to decide by")
    message: str
    details: dict[str, Any]


class SourceModel(BaseModel):
    """What brought a call."""

    id: int
    name: str


class RecordingModel(BaseModel):
    """The recording of a call; it is played at /calls/{id}/recording."""

    state: str
    seconds: float | None


class CallModel(BaseModel):
    """One call; times in UTC."""

    id: int
    company_id: int
    state: str = Field(description="ringing, answered or ended")
    outcome: str | None = Field(description="how it ended: answered, busy, no_answer, abandoned, failed, ...")
    number: str = Field(description="the number that was called")
    source: SourceModel | None
    caller: str | None = Field(description="none: withheld")
    caller_name: str
    started_at: datetime
    answered_at: datetime | None
    ended_at: datetime | None
    ring_seconds: float | None
    talk_seconds: float | None
    answered_by: str | None = Field(description="the endpoint of the first person who took the call")
    last_answered_by: str | None = Field(description="of the last, after transfers")
    recording: RecordingModel | None


class LegModel(BaseModel):
    """One attempt to reach a destination, or a transfer by who answered."""

    kind: str = Field(description="destination or transfer")
    destination: str | None
    dial: str
    ring_seconds: float
    talk_seconds: float | None
    result: str
    hangup_cause: int | None
    answered_by: str | None


class CallDetailsModel(CallModel):
    """One call with its legs and the technical truth."""

    legs: list[LegModel]
    trunk: str
    hung_up_by: str | None
    hangup_cause: int | None = Field(description="ITU-T Q.850")
    decided_by: str
    decision_ms: float | None
    asterisk_id: str
    evidence: dict[str, Any]


class CallList(BaseModel):
    """Calls, newest first, and where the older ones begin."""

    calls: list[CallModel]
    next: str | None = Field(description="give it as `before` for the calls that follow; none at the end")


class CallQuery(BaseModel):
    """What narrows a list of calls down."""

    company: int | None = Field(None, description="one of your companies; else the first")
    source: str | None = Field(None, description="a source's id, or none")
    outcome: str | None = Field(None, description="an outcome, or missed")
    number: str | None = Field(None, description="the number that was called")
    caller: str | None = Field(None, description="the caller's number, or withheld")
    period: str | None = Field(None, description="today, 7d, 30d, 90d, this-month, last-month or all (the default)")
    first: str | None = Field(None, alias="from", description="first day, YYYY-MM-DD in the company's time zone")
    last: str | None = Field(None, alias="to", description="last day, included")
    before: str | None = Field(None, description="`next` of the page before")
    limit: int = Field(50, ge=1, le=500)


async def list_calls(request: web.Request) -> web.StreamResponse:
    """Ended calls, newest first."""
    try:
        query = CallQuery.model_validate(dict(request.query))
    except ValidationError as error:
        raise BadRequest(
            faults=[{"part": ".".join(map(str, e["loc"])), "message": e["msg"]} for e in error.errors()]
        ) from None
    company, filter, before = company_of(request), CallFilter.parse(request.query, Span.ALL), place_of(request)
    async with request.app[PARTS].database.companies(company.id) as connection:
        calls, has_older = await call_list.page_of_calls(connection, company, filter, before, query.limit)
    page = CallList(
        calls=[CallModel(**_values(call)) for call in calls], next=str(calls[-1].place) if has_older else None
    )
    return web.json_response(text=page.model_dump_json())


async def get_call(request: web.Request) -> web.StreamResponse:
    """One call."""
    async with request.app[PARTS].database.companies(*request[ALLOWED]) as connection:
        call = await call_store.call_by_id(connection, call_id_of(request))
    if call is None:
        raise CallNotFound()
    return web.json_response(text=_details(call).model_dump_json())


def _values(call: CallRow) -> dict[str, Any]:
    return {
        "id": call.id,
        "company_id": call.company_id,
        "state": call.state,
        "outcome": call.outcome,
        "number": call.did,
        "source": SourceModel(id=call.source.id, name=call.source.name) if call.source else None,
        "caller": call.caller,
        "caller_name": call.caller_name,
        "started_at": call.started_at,
        "answered_at": call.answered_at,
        "ended_at": call.ended_at,
        "ring_seconds": call.ring_seconds,
        "talk_seconds": call.talk_seconds,
        "answered_by": call.answered_by,
        "last_answered_by": call.last_answered_by,
        "recording": RecordingModel(state=call.recording_state, seconds=call.recording_seconds)
        if call.recording_state
        else None,
    }


def _details(call: CallDetails) -> CallDetailsModel:
    return CallDetailsModel(
        **_values(call.row),
        legs=[LegModel.model_validate(leg, from_attributes=True) for leg in call.legs],
        trunk=call.trunk,
        hung_up_by=call.hung_up_by,
        hangup_cause=call.hangup_cause,
        decided_by=call.decided_by,
        decision_ms=call.decision_ms,
        asterisk_id=call.asterisk_id,
        evidence=call.evidence,
    )

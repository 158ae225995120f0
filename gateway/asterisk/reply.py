"""What the gateway replies to a call that waits: its route or, to a key pressed in a menu, what follows.

On the path of a ringing call: everything comes from memory.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from gateway.asterisk.routecode import encode_destinations, encode_fitting, encode_route
from gateway.calls.caller import caller_number
from gateway.calls.directory import Directory
from gateway.calls.outbound import Trunk
from gateway.calls.record import CallRecord, Stage
from gateway.calls.steps import Moment
from gateway.calls.talked import Talked
from gateway.calls.traffic import Traffic


def reply(record: CallRecord, directory: Directory, trunks: Sequence[Trunk], talked: Talked, traffic: Traffic) -> str:
    """The line for a call on a node with these ``trunks``. Raises ValueError where it cannot be written."""
    moment = Moment(
        datetime.now(UTC), trunks=trunks, talked=talked, trunk=record.trunk, call=record.key, traffic=traffic
    )
    if not record.choice:
        return encode_route(directory.decide(record.dialled, record.caller, moment), trunks)
    steps = directory.choose(record.choice, record.dialled, record.caller, moment)
    return encode_fitting(steps, trunks) or encode_destinations(directory.default_route.destinations, trunks)


def watch(record: CallRecord, directory: Directory, traffic: Traffic, age: float) -> None:
    """Note that a call goes on or has ended, which began ``age`` seconds ago, for limits and rules against spam."""
    if record.placed is not None:  # somebody here called, and what he did says nothing of the callee
        return
    number = directory.numbers.get(record.number_id or 0) or directory.match(record.dialled)
    company = number.company_id if number else directory.default_company
    if company is None:
        return
    door = directory.doors.get(company)
    caller = caller_number(record.caller, directory.regions.get(company))
    traffic.told(record, company, caller, age, door.lead_seconds if door else 0.0)


def remember(record: CallRecord, directory: Directory, talked: Talked) -> None:
    """Note who talks with whom, for flows that ask."""
    if record.stage is Stage.STARTED:
        return
    number = directory.numbers.get(record.number_id or 0) or directory.match(record.dialled)
    company = number.company_id if number else directory.default_company
    if company is not None:
        talked.note(record, company, directory.regions.get(company))

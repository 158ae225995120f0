"""What the gateway replies to a call that waits: its route or, to a key pressed in a menu, what follows.

On the path of a ringing call: everything comes from memory.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from gateway.asterisk.routecode import encode_destinations, encode_fitting, encode_route
from gateway.calls.directory import Directory
from gateway.calls.outbound import Trunk
from gateway.calls.record import CallRecord, Stage
from gateway.calls.steps import Moment
from gateway.calls.talked import Talked


def reply(record: CallRecord, directory: Directory, trunks: Sequence[Trunk], talked: Talked) -> str:
    """The line for a call on a node with these ``trunks``. Raises ValueError where it cannot be written."""
    moment = Moment(datetime.now(UTC), trunks=trunks, talked=talked)
    if not record.choice:
        return encode_route(directory.decide(record.dialled, record.caller, moment), trunks)
    steps = directory.choose(record.choice, record.dialled, record.caller, moment)
    return encode_fitting(steps, trunks) or encode_destinations(directory.default_route.destinations, trunks)


def remember(record: CallRecord, directory: Directory, talked: Talked) -> None:
    """Note who talks with whom, for flows that ask."""
    if record.stage is Stage.STARTED:
        return
    number = directory.numbers.get(record.number_id or 0) or directory.match(record.dialled)
    company = number.company_id if number else directory.default_company
    if company is not None:
        talked.note(record, company, directory.regions.get(company))

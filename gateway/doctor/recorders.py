"""Two recorders on one call: ours, and one in a context of the admin's own that the call comes through."""

from collections.abc import Iterable

from gateway.doctor.conf import Config
from gateway.doctor.dialplan import Dialplan, reached
from gateway.doctor.findings import Area, Finding, warning

_RECORDERS = frozenset(("MixMonitor", "Monitor", "Record"))
_PAIRS = ("MixMonitor(", "Monitor(")


def check_recorders(
    running: Dialplan, ours: Iterable[str], starts: Iterable[str], queues: Config | None
) -> list[Finding]:
    """Contexts that our calls pass and that record as well.

    ``ours``: our own contexts; ``starts``: contexts of trunks, and those that destinations lead into.
    """
    found = []
    contexts = reached(running, starts, ours)
    for name in sorted(contexts):
        recorder = next(
            (
                _recorder(step.application, step.data)
                for step in running[name].steps
                if _recorder(step.application, step.data)
            ),
            None,
        )
        if recorder is not None:
            found.append(
                warning(
                    "recording.twice",
                    Area.RECORDING,
                    f"The context {name}, which calls of Numberpool come through, records as well ({recorder}): such a "
                    "call is recorded twice.",
                    f"in extensions.conf, [{name}]: take {recorder}() out",
                    "or, so that Numberpool does not record:  numberpool number add ... --no-record",
                    where=name,
                )
            )
    rung = {step.data.split(",")[0] for name in contexts for step in running[name].steps if step.application == "Queue"}
    for section in queues.sections if queues is not None else ():
        if section.name in rung and section.get("monitor-format"):
            found.append(
                warning(
                    "recording.twice",
                    Area.RECORDING,
                    f"The queue {section.name}, which calls of Numberpool come through, records as well "
                    "(monitor-format): such a call is recorded twice.",
                    f"in queues.conf, [{section.name}]: remove monitor-format",
                    "asterisk -rx 'queue reload all'",
                    where=section.name,
                )
            )
    return found


def _recorder(application: str, data: str) -> str | None:
    if application in _RECORDERS:
        return application
    return next((name.rstrip("(") for name in _PAIRS if name in data and application == "ExecIf"), None)

"""Two recorders on one call: ours, and one in a context of the admin's own that the call comes through."""

import re
from collections.abc import Iterable

from gateway.doctor.conf import Config
from gateway.doctor.dialplan import Dialplan, Step, named_contexts, reached
from gateway.doctor.findings import Area, Finding, warning

_RECORDERS = frozenset(("MixMonitor", "Monitor", "Record"))
_WITHIN = re.compile(r"\b(MixMonitor|Monitor)\(")
# FreePBX goes through these on every call; they record where they are called with one of these words.
_ASKED = ("sub-record", "macro-record", "macro-one-touch-record")
_FORCED = re.compile(r"sub-record-check,.*\b(force|yes|always)\b")


def passed(running: Dialplan, ours: Iterable[str], starts: Iterable[tuple[str, str]]) -> dict[str, list[Step]]:
    """The steps that a call may go through from ``starts`` (context, extension) on, by context, without ``ours``.

    Of the contexts where it starts only that extension counts: the others are for other numbers.
    """
    ended = set(ours)
    found: dict[str, list[Step]] = {}
    following: set[str] = set()
    for context, extension in starts:
        if context in ended:
            continue
        steps = running[context].extensions[extension].values()
        following |= set().union(*(named_contexts(step) for step in steps))
        found.setdefault(context, []).extend(steps)
    for name in reached(running, following, ended):
        found[name] = list(running[name].steps)
    return found


def check_recorders(
    running: Dialplan, ours: Iterable[str], starts: Iterable[tuple[str, str]], queues: Config | None
) -> list[Finding]:
    """Contexts that our calls pass and that record as well.

    ``ours``: our own contexts; ``starts``: the extensions that take our calls in the contexts of trunks, and those that
    destinations lead to.
    """
    found = []
    contexts = passed(running, ours, starts)
    for name, steps in sorted(contexts.items()):
        recorder = next(filter(None, map(_recorder, steps)), None)
        if recorder is not None and not name.startswith(_ASKED):
            found.append(
                warning(
                    "recording.twice",
                    Area.RECORDING,
                    f"The context {name}, which calls of Numberpool come through, records as well ({recorder}): such a "
                    "call is recorded twice.",
                    f"in extensions.conf, [{name}]: take {recorder} out   # in FreePBX: Call Recording, No",
                    "or, so that Numberpool does not record:  numberpool number add ... --no-record",
                    where=name,
                )
            )
    rung = {step.data.split(",")[0] for steps in contexts.values() for step in steps if step.application == "Queue"}
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


def _recorder(step: Step) -> str | None:
    if step.application in _RECORDERS:
        return f"{step.application}()"
    if _FORCED.search(step.data):
        return "sub-record-check"
    within = _WITHIN.search(step.data) if step.application == "ExecIf" else None
    return f"{within[1]}()" if within else None

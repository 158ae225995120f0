"""The dialplan as a value: as it runs (AMI ``ShowDialPlan``) or as a file says it, and who takes which call.

Within a context Asterisk looks at the context's own extensions first, then at each included context in order; the
first that matches at all takes the call, and only among the patterns of one context does the more specific one win
(https://docs.asterisk.org/Configuration/Dialplan/).
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from gateway.doctor.conf import Config

_EXTEN = re.compile(r"^(?P<exten>.*?)\s*,\s*(?P<priority>\w+)(?:\([^)]*\))?\s*,\s*(?P<call>.*)$", re.DOTALL)
_SAME = re.compile(r"^(?P<priority>\w+)(?:\([^)]*\))?\s*,\s*(?P<call>.*)$", re.DOTALL)
_APPLICATION = re.compile(r"^(?P<name>\w+)\s*(?:\((?P<data>.*)\))?\s*$", re.DOTALL)
_CLASSES = {"x": "[0-9]", "z": "[1-9]", "n": "[2-9]", "!": ".*", ".": ".+"}
# Where a step may send a call: contexts named by these applications, also inside ExecIf.
_JUMP = re.compile(r"\b(?:Goto|GotoIf|GotoIfTime|Gosub|GosubIf|Macro)\b")
_LOCAL = re.compile(r"\bLocal/[^@&,/]+@([A-Za-z0-9_-]+)")


@dataclass(frozen=True, slots=True)
class Step:
    """One priority of an extension."""

    application: str
    data: str = ""


@dataclass(frozen=True)
class Context:
    """Extensions by name (patterns begin with ``_``), each with its steps by priority; included contexts in order."""

    name: str
    extensions: Mapping[str, Mapping[int, Step]] = field(default_factory=dict)
    includes: tuple[str, ...] = ()
    has_switch: bool = False  # another engine may know more than we see

    @property
    def steps(self) -> Iterator[Step]:
        """All steps of all extensions."""
        for extension in self.extensions.values():
            yield from extension.values()


Dialplan = Mapping[str, Context]


def dialplan_of_listing(entries: Iterable[Mapping[str, str]]) -> Dialplan:
    """The running dialplan, of the ``ListDialplan`` entries that AMI gives."""
    extensions: dict[str, dict[str, dict[int, Step]]] = {}
    includes: dict[str, list[str]] = {}
    switches: set[str] = set()
    for entry in entries:
        fields = {str(key).lower(): str(value) for key, value in entry.items()}
        context = fields.get("context", "")
        here = extensions.setdefault(context, {})
        if "includecontext" in fields:
            # Behind a comma stand the hours in which it counts.
            includes.setdefault(context, []).append(fields["includecontext"].split(",")[0])
        elif "switch" in fields:
            switches.add(context)
        elif fields.get("priority", "").isdecimal():
            step = Step(fields.get("application", ""), fields.get("appdata", ""))
            here.setdefault(fields.get("extension", ""), {})[int(fields["priority"])] = step
    return {
        name: Context(name, found, tuple(includes.get(name, ())), name in switches)
        for name, found in extensions.items()
    }


def dialplan_of_config(config: Config) -> Dialplan:
    """The dialplan that a file says, as Asterisk numbers it."""
    found: dict[str, Context] = {}
    for section in config.sections:
        if section.name in ("general", "globals"):
            continue
        before = found.get(section.name)
        extensions: dict[str, dict[int, Step]] = {k: dict(v) for k, v in before.extensions.items()} if before else {}
        includes = list(before.includes) if before else []
        exten, priority = "", 0
        for key, value in section.options:
            if key == "include":
                includes.append(value.split(",")[0].strip())
            match = {"exten": _EXTEN, "same": _SAME}.get(key)
            line = match and match.match(value)
            if not line:
                continue
            exten = line["exten"].strip() if key == "exten" else exten
            number = line["priority"]
            if not (number.isdecimal() or number == "n"):
                continue  # a hint
            priority = int(number) if number.isdecimal() else priority + 1
            application = _APPLICATION.match(line["call"].strip())
            if application:
                step = Step(application["name"], application["data"] or "")
                extensions.setdefault(exten, {}).setdefault(priority, step)
        found[section.name] = Context(section.name, extensions, tuple(includes))
    return found


def matches(pattern: str, number: str) -> bool:
    """Whether an extension of the dialplan takes ``number``."""
    if not pattern.startswith("_"):
        return pattern.replace("-", "") == number
    return re.fullmatch(_regex(pattern[1:]), number, re.DOTALL) is not None


def _regex(pattern: str) -> str:
    out = []
    position = 0
    while position < len(pattern):
        letter = pattern[position]
        end = pattern.find("]", position)
        if letter == "[" and end > 0:
            out.append("[" + re.escape(pattern[position + 1 : end]).replace(r"\-", "-") + "]")
            position = end
        elif letter.lower() in _CLASSES:
            out.append(_CLASSES[letter.lower()])
            if letter in "!.":  # nothing behind counts
                break
        elif letter != "-":  # dashes are for the reader
            out.append(re.escape(letter))
        position += 1
    return "".join(out)


def taker(dialplan: Dialplan, context: str, number: str) -> tuple[str, str] | None:
    """Context and extension that take a call to ``number`` which comes into ``context``; none if nobody does."""
    return _taker(dialplan, context, number, frozenset())


def _taker(dialplan: Dialplan, context: str, number: str, seen: frozenset[str]) -> tuple[str, str] | None:
    here = dialplan.get(context)
    if here is None or context in seen:
        return None
    own = [name for name, steps in here.extensions.items() if 1 in steps and matches(name, number)]
    if own:
        return context, min(own, key=_specificity)
    for included in here.includes:
        found = _taker(dialplan, included, number, seen | {context})
        if found is not None:
            return found
    return None


def _specificity(extension: str) -> tuple[object, ...]:
    """Exact ones first, then by the number of digits that each place allows, as Asterisk sorts them."""
    if not extension.startswith("_"):
        return (0,)
    places: list[int] = []
    position = 1
    while position < len(extension):
        letter = extension[position].lower()
        end = extension.find("]", position)
        if letter == "[" and end > 0:
            places.append(2 + end - position)
            position = end
        elif letter != "-":
            places.append({"n": 108, "z": 109, "x": 110, ".": 1000, "!": 1001}.get(letter, 1))
        position += 1
    return (1, *places)


def included(dialplan: Dialplan, context: str) -> set[str]:
    """The context and all that it includes, also by others."""
    found: set[str] = set()
    left = [context]
    while left:
        name = left.pop()
        if name in dialplan and name not in found:
            found.add(name)
            left += dialplan[name].includes
    return found


def named_contexts(step: Step) -> set[str]:
    """The contexts that a step may send a call to: every name in the arguments of a jump, and of Local channels."""
    found = set(_LOCAL.findall(step.data))
    if _JUMP.search(step.application) or _JUMP.search(step.data):
        found |= set(re.findall(r"[A-Za-z0-9_-]+", step.data))
    return found


def reached(dialplan: Dialplan, start: Iterable[str], stop: Iterable[str] = ()) -> set[str]:
    """The contexts that a call can come to from ``start``, following jumps and includes, not beyond ``stop``."""
    ended = set(stop)
    found: set[str] = set()
    left = [name for name in start if name in dialplan and name not in ended]
    while left:
        name = left.pop()
        if name in found:
            continue
        found.add(name)
        here = dialplan[name]
        following = set(here.includes).union(*(named_contexts(step) for step in here.steps))
        left += [context for context in following if context in dialplan and context not in ended]
    return found


def leads_to(dialplan: Dialplan, start: str, goal: str) -> bool:
    """Whether a call in ``start`` can come to ``goal`` at all."""
    return goal in reached(dialplan, [start])

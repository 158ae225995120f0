"""Checks of the running dialplan: whether ours is the one that runs, and whether a trunk's calls come to it."""

from collections.abc import Iterable, Mapping, Sequence

from gateway.doctor.dialplan import Context, Dialplan, included, leads_to, taker
from gateway.doctor.findings import Area, Finding, error
from gateway.doctor.pjsip import Endpoint

# Where trunks send their calls (asterisk_conf/numberpool-extensions.conf.j2).
ENTRY = "numberpool-in"
# Has an extension for each version that is loaded; older ones stay while calls are in them.
VERSIONS = "numberpool-versions"
RELOAD = "asterisk -rx 'dialplan reload'"
_SHOWN = 3


def check_running(running: Dialplan, rendered: Dialplan, include: str) -> list[Finding]:
    """What runs against what the present settings would write; ``include`` is the line for extensions.conf."""
    if ENTRY not in running:
        return [
            error(
                "dialplan.not-loaded",
                Area.DIALPLAN,
                f"Asterisk has no context {ENTRY}: Numberpool's dialplan is not loaded, and every call to it is "
                "refused.",
                f"in extensions.conf:  #include {include}",
                RELOAD,
                where=ENTRY,
            )
        ]
    found = []
    missing = [name for name in rendered if name not in running]
    if missing:
        found.append(
            error(
                "dialplan.old",
                Area.DIALPLAN,
                "Asterisk runs an older version of Numberpool's dialplan than the present settings give (it lacks "
                f"{_some(missing)}).",
                "numberpool asterisk render",
                RELOAD,
                where=missing[0],
            )
        )
    for name, ours in rendered.items():
        if name in running:
            found += _compared(running[name], ours, outdated=bool(missing))
    return found


def _compared(running: Context, ours: Context, outdated: bool) -> list[Finding]:
    theirs = {(exten, priority) for exten, steps in running.extensions.items() for priority in steps}
    wanted = {(exten, priority) for exten, steps in ours.extensions.items() for priority in steps}
    same = [(e, p) for e, p in theirs & wanted if running.extensions[e][p] == ours.extensions[e][p]]
    strangers = sorted(exten for exten in running.extensions if exten not in ours.extensions)
    if running.name == VERSIONS:
        strangers = []
    found = []
    if strangers or set(running.includes) - set(ours.includes):
        lines = strangers or sorted(set(running.includes) - set(ours.includes))
        found.append(
            error(
                "dialplan.stranger",
                Area.DIALPLAN,
                f"Numberpool's context {running.name} also has lines that are not Numberpool's ({_some(lines)}): "
                "another file has a context of that name.",
                f"in extensions.conf: give the lines of {_some(lines)} a context of another name",
                RELOAD,
                where=running.name,
            )
        )
    # An older version's entry differs in one step, and is told above.
    if wanted - set(same) and not outdated:
        found.append(
            error(
                "dialplan.changed",
                Area.DIALPLAN,
                f"Numberpool's context {running.name} runs otherwise than the present settings say.",
                "numberpool asterisk render",
                f"in extensions.conf: remove any other [{running.name}]",
                RELOAD,
                where=running.name,
            )
        )
    return found


def _some(names: Iterable[str]) -> str:
    names = list(names)
    return ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")


def trunks_of(endpoints: Iterable[Endpoint], registered: Iterable[str], running: Dialplan) -> list[Endpoint]:
    """The endpoints whose calls are Numberpool's: their context is ours, or leads to it and they are no phones.

    A phone may reach our context as well (an admin rings a tracking number from a desk); what makes a trunk is an
    identify section or a registration.
    """
    registered = set(registered)
    return [
        endpoint
        for endpoint in endpoints
        if endpoint.context == ENTRY
        or (
            (endpoint.matches or endpoint.match_headers or endpoint.name in registered)
            and leads_to(running, endpoint.context, ENTRY)
        )
    ]


def check_ways(
    running: Dialplan, trunks: Sequence[Endpoint], numbers: Mapping[str, Iterable[str]], any_endpoint: bool
) -> list[Finding]:
    """Whether a call that a trunk sends reaches us, number by number.

    ``numbers``: E.164 -> the forms in which a carrier may send it. Where a trunk's context includes ours, an extension
    of its own, or of a context that it includes before ours, takes calls away.
    """
    if not trunks:
        if not any_endpoint or ENTRY not in running:
            return []
        return [
            error(
                "trunk.none",
                Area.TRUNKS,
                f"No endpoint sends its calls to {ENTRY}: Numberpool gets none.",
                f"in pjsip.conf, in the endpoint of each trunk:  context={ENTRY}",
                "asterisk -rx 'module reload res_pjsip.so'",
            )
        ]
    found: list[Finding] = []
    contexts = sorted({trunk.context for trunk in trunks} & set(running))
    arriving: set[str] = set()
    for context in contexts:
        everything = ENTRY in included(running, context)
        taken: dict[tuple[str, str], list[str]] = {}
        for e164, forms in numbers.items():
            places = [place for place in {taker(running, context, form) for form in forms} if place is not None]
            strangers = [place for place in places if not _is_ours(running, *place)]
            # Who includes our context wants all that he does not name himself; who names numbers may name one form.
            for place in strangers if everything else ():
                taken.setdefault(place, []).append(e164)
            if len(strangers) < len(places) or running[context].has_switch:
                arriving.add(e164)
        found += [_taken(context, _names(trunks, context), *place, sorted(set(lost))) for place, lost in taken.items()]
        arriving.update(*taken.values())  # told already
    lost = [e164 for e164 in numbers if e164 not in arriving]
    return found + ([_unreached(contexts[0], lost)] if lost and contexts else [])


def _taken(context: str, trunks: str, other: str, extension: str, lost: list[str]) -> Finding:
    return error(
        "dialplan.taken",
        Area.DIALPLAN,
        f"Calls of the trunk {trunks} to {_some(lost)} never reach Numberpool: the extension {extension} of the "
        f"context {other} takes them before {ENTRY}, which {context} includes.",
        f"in pjsip.conf, [{trunks}]:  context={ENTRY}",
        f"or in extensions.conf, [{other}], instead of {extension}:  exten => {extension},1,Goto({ENTRY},${{EXTEN}},1)",
        RELOAD,
        where=other,
    )


def _names(trunks: Iterable[Endpoint], context: str) -> str:
    return ", ".join(trunk.name for trunk in trunks if trunk.context == context)


def _unreached(context: str, numbers: list[str]) -> Finding:
    return error(
        "dialplan.unreached",
        Area.DIALPLAN,
        f"Calls to {_some(numbers)} do not reach Numberpool: no extension in a trunk's context sends them to {ENTRY}.",
        f"in extensions.conf, [{context}]:  exten => {numbers[0]},1,Goto({ENTRY},${{EXTEN}},1)   # as it is sent",
        RELOAD,
        where=numbers[0],
    )


def _is_ours(running: Dialplan, context: str, extension: str) -> bool:
    """Whether that extension is our entry, or sends its calls on to it."""
    if context == ENTRY:
        return True
    alone = Context(context, {extension: running[context].extensions[extension]})
    return leads_to({**running, context: alone}, context, ENTRY)

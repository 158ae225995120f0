"""Which visit made a call.

Whoever was shown the number might have called at this second, each at his own rate (the hazard of the delay curve,
weighed by what is known of the caller), and so might somebody whom no visit brought (the background). Given that the
phone rang, the chance of each is his rate divided by the sum of all: competing risks.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import timedelta

from gateway.attribution.evidence import Call, Candidate, Evidence, Exposure, KnownCaller, Tap, Verdict
from gateway.attribution.learned import PRIOR, Learned
from gateway.attribution.weighing import Weighed, weigh

# Candidates below are counted among the others.
LEAST_CHANCE = 0.005
# A caller counts as known to be a visitor's where earlier calls were his at least this surely.
SURELY_KNOWN = 0.5

WINDOW = timedelta(hours=1)


def match_call(
    call: Call,
    exposures: Sequence[Exposure],
    *,
    taps: Sequence[Tap] = (),
    known: Sequence[KnownCaller] = (),
    called: Mapping[str, float] | None = None,
    learned: Learned = PRIOR,
    window: timedelta = WINDOW,
) -> Verdict:
    """Who made ``call``: the likeliest visitor, unless it is likelier that nobody did.

    ``exposures`` and ``taps`` are those of the number that was called; ``known`` says whose the caller's number is,
    ``called`` how surely visitors have called before from other numbers. Who had the number on a screen longer than
    ``window`` ago is no answer without better evidence (a tap, a known caller), but counts as a rival.
    """
    return judge(weigh(call, exposures, taps=taps, known=known, called=called), known, learned, window)


def judge(weighed: Weighed, known: Sequence[KnownCaller], learned: Learned, window: timedelta) -> Verdict:
    """The verdict on a call that has been weighed; see ``match_call``."""
    call = weighed.call
    rates = weighed.spread.rates(learned.curve.rates) * (weighed.weights @ (1.0, learned.other_phone, learned.again))
    for index, step in weighed.taps:
        rates[index] += learned.curve.taps[step] * weighed.weights[index].sum()
    nobody = learned.background.rate(call.number, call.at) * weighed.nobody
    visitors: dict[str, float] = defaultdict(float)
    best: dict[str, int] = {}
    last: dict[str, int] = {}
    in_window: set[str] = set()
    for index, (exposure, rate) in enumerate(zip(weighed.exposures, rates.tolist(), strict=True)):
        visitor = exposure.visitor
        visitors[visitor] += rate
        if visitor not in best or rate > rates[best[visitor]]:
            best[visitor] = index
        if visitor not in last or exposure.last_seen > weighed.exposures[last[visitor]].last_seen:
            last[visitor] = index
        if call.at - exposure.last_seen <= window:
            in_window.add(visitor)
    for who, weight in weighed.saved:
        if who is None:
            nobody += learned.saved * weight
        else:
            visitors[who] += learned.saved * weight
    total = sum(visitors.values()) + nobody
    sure = {each.visitor for each in known if each.chance >= SURELY_KNOWN and call.caller}
    tapped = {weighed.exposures[index].visitor for index, _ in weighed.taps}
    candidates = sorted(
        (
            _candidate(
                call,
                visitor,
                rate / total,
                weighed,
                best.get(visitor),
                last.get(visitor),
                visitor in tapped,
                visitor in sure,
            )
            for visitor, rate in visitors.items()
            if rate >= LEAST_CHANCE * total
        ),
        key=lambda each: -each.chance,
    )
    answers = [each for each in candidates if each.visitor in in_window | tapped | sure]
    none = nobody / total
    others = max(0.0, 1 - none - sum(each.chance for each in candidates))
    if answers and answers[0].chance >= none:
        answer = answers[0]
        return Verdict(answer, answer.chance, answer.evidence, tuple(candidates), none, others, window)
    why = (
        Evidence.NOBODY
        if answers or in_window
        else Evidence.TOO_LONG_AGO
        if weighed.exposures
        else Evidence.NEVER_SHOWN
    )
    return Verdict(None, none, (why,), tuple(candidates), none, others, window)


def _candidate(
    call: Call,
    visitor: str,
    chance: float,
    weighed: Weighed,
    index: int | None,
    last: int | None,
    tapped: bool,
    sure: bool,
) -> Candidate:
    evidence = [Evidence.TAP] * tapped + [Evidence.KNOWN_CALLER] * sure
    if index is None or last is None:
        return Candidate(visitor, chance, tuple(evidence))
    exposure = weighed.exposures[index]
    # A visit that had another number: when this one was on a screen, a later visit says.
    shown = exposure if exposure.last_seen >= exposure.shown_at else weighed.exposures[last]
    evidence.append(Evidence.LIVE if shown.is_live(call.at) else Evidence.SEEN)
    return Candidate(
        visitor, chance, tuple(evidence), exposure.visit, exposure.shown_at, max(shown.last_seen, exposure.shown_at)
    )

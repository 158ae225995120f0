"""A verdict in one sentence of plain words."""

from datetime import datetime, timedelta

from gateway.attribution.evidence import Evidence, Verdict


def sentence(at: datetime, verdict: Verdict) -> str:
    """Why a call that came at ``at`` has the answer it has."""
    chance = f"{verdict.confidence:.0%}"
    answer = verdict.candidate
    if answer is None:
        return _unknown(verdict)
    if Evidence.KNOWN_CALLER in answer.evidence:
        if answer.shown_at is None:
            return f"Earlier calls from the same number were this visitor's, who was shown no number of late: {chance}."
        why = "Earlier calls from the same number were this visitor's, who "
    elif Evidence.TAP in answer.evidence:
        why = "This visitor tapped on the number just before, and "
    else:
        why = "This visitor "
    assert answer.shown_at is not None
    assert answer.last_seen is not None
    if Evidence.LIVE in answer.evidence:
        why += f"had the number on the screen since {spoken(at - answer.shown_at)} before the call"
    else:
        why += f"last had the number on the screen {spoken(at - answer.last_seen)} before the call"
    return f"{why}: {chance}; {_rivals(verdict)}."


def _rivals(verdict: Verdict) -> str:
    rest = 1 - verdict.confidence - verdict.nobody
    return f"{max(rest, 0):.0%} for others who were shown it, {verdict.nobody:.0%} for a call that no visit made"


def _unknown(verdict: Verdict) -> str:
    match verdict.evidence[0]:
        case Evidence.NEVER_SHOWN:
            return "Nobody was shown this number in the days before the call."
        case Evidence.TOO_LONG_AGO:
            return f"Nobody had this number on a screen within {spoken(verdict.window)} before the call."
        case _:
            best = max((each.chance for each in verdict.candidates), default=0.0)
            return (
                f"That no visit made this call is likelier ({verdict.nobody:.0%}) than that any one of them did "
                f"({best:.0%} at most)."
            )


def spoken(length: timedelta) -> str:
    """A length of time, roughly, in words."""
    seconds = max(round(length.total_seconds()), 0)
    for size, unit in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= 2 * size or seconds == size:
            return f"{seconds // size} {unit}{'s' * (seconds // size != 1)}"
    return f"{seconds} second{'s' * (seconds != 1)}"

"""Running rules again over history: what would change is listed before anything is changed."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from gateway.visits.classify import Classifier
from gateway.visits.ruleset import RuleSet
from gateway.visits.source import Decision, Touch


@dataclass(frozen=True, slots=True)
class Change:
    """A touch that another rule set sees differently, and how either sees it."""

    touch: Touch
    before: Decision
    after: Decision


def changes(old: RuleSet, new: RuleSet, touches: Iterable[Touch]) -> Iterator[Change]:
    """The touches whose source, or whose being a touch, ``new`` sees differently from ``old``; in their order.

    That another rule of the same result decides is no change. Touches are read one by one, so that a whole history
    can be passed through.
    """
    before_by, after_by = Classifier(old), Classifier(new)
    for touch in touches:
        before = before_by.decide(touch.url, touch.referrer)
        after = after_by.decide(touch.url, touch.referrer)
        if (before.source, before.is_touch) != (after.source, after.is_touch):
            yield Change(touch, before, after)


def counted(found: Iterable[Change]) -> Counter[tuple[str, str]]:
    """How many touches go from which label to which."""
    return Counter((change.before.source.label, change.after.source.label) for change in found)

"""Why a rule decided: every rule before it, with the condition that kept it from deciding."""

from dataclasses import dataclass

from gateway.visits.address import NOWHERE, split
from gateway.visits.checks import words_written
from gateway.visits.classify import Classifier
from gateway.visits.rules import TAGS, Rule
from gateway.visits.source import Decision
from gateway.visits.words import Words


@dataclass(frozen=True, slots=True)
class Tried:
    """A rule that was asked: the name of the first of its conditions that did not hold; none: it decided."""

    rule: Rule
    failed: str | None
    wanted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Explained:
    """What is said of an address and a referrer, and the rules in their order up to the one that decided."""

    decision: Decision
    tried: tuple[Tried, ...]

    @property
    def before(self) -> tuple[Tried, ...]:
        """Those that did not decide."""
        return self.tried[:-1]

    @property
    def decided(self) -> Rule:
        """The one that did."""
        return self.tried[-1].rule


def explained(classifier: Classifier, url: str, referrer: str = "") -> Explained:
    """What ``classifier`` says, with its reasons. The rule that decided is the classifier's own word."""
    decision = classifier.decide(url, referrer)
    facts = _Facts(classifier, url, referrer)
    tried = []
    for rule in classifier.rule_set.rules:
        if rule.name == decision.rule:
            tried.append(Tried(rule, None))
            break
        failed = facts.first_failing(rule)
        tried.append(Tried(rule, failed, tuple(map(str, getattr(rule.when, failed))) if failed else ()))
    return Explained(decision, tuple(tried))


class _Facts:
    """What the conditions of rules are asked of, for one visit."""

    def __init__(self, classifier: Classifier, url: str, referrer: str) -> None:
        page = split(url) if url else NOWHERE
        came = split(referrer) if referrer else NOWHERE
        self._words = classifier.rule_set.words
        said = classifier.said(url)
        situation = classifier.situation(page, came, said)
        self._place, self._by = situation.place, situation.by
        self._came_from = {
            situation.referrer,
            *((situation.came_place.name,) if situation.came_place is not None else ()),
            *classifier.named_hosts(came),
            *(("any",) if situation.referrer == "app" else ()),
        }
        medium = said.medium.lower()
        if not medium and situation.place is not None and situation.by != "click":
            medium = situation.place.medium
        values = (said.source.lower(), medium, said.campaign.lower(), said.term.lower(), said.content.lower())
        self._values = dict(zip(TAGS, values, strict=True))
        given = (said.source, said.medium, said.campaign, said.term, said.content)
        self._present = {tag for tag, text in zip(TAGS, given, strict=True) if text}
        self._clicks = {click_id.name.lower() for click_id, _ in said.clicks}

    def first_failing(self, rule: Rule) -> str | None:
        """The name of the first condition that does not hold."""
        when = rule.when
        if when.place and (self._place is None or self._place.name not in when.place):
            return "place"
        if when.kind and (self._place is None or self._place.kind not in when.kind):
            return "kind"
        if when.by and self._by not in when.by:
            return "by"
        if when.referrer and self._came_from.isdisjoint(when.referrer):
            return "referrer"
        if when.click and self._clicks.isdisjoint(name.lower() for name in when.click):
            return "click"
        for tag in TAGS:
            patterns = getattr(when, tag)
            if patterns and not Words(words_written(patterns, self._words)).hold(self._values[tag]):
                return tag
        if when.unless_medium and Words(words_written(when.unless_medium, self._words)).hold(self._values["medium"]):
            return "unless_medium"
        if not self._present.isdisjoint(when.without):
            return "without"
        return None

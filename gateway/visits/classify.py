"""From an address and a referrer to a source, and the rule that decided. No I/O, so that history can be run again."""

from functools import cache, lru_cache
from typing import NamedTuple

from gateway.visits.address import NOWHERE, Address, split, without_www
from gateway.visits.channels import ChannelTable
from gateway.visits.checks import hosts_written, words_written
from gateway.visits.known import Hosts, KnownPlaces, keyword_of
from gateway.visits.parameters import Parameters, Said
from gateway.visits.rules import TAGS, ClickId, Evidence, Place, Rule, When
from gateway.visits.ruleset import RuleSet, default_rule_set
from gateway.visits.source import Decision, Source
from gateway.visits.words import Words

# How many situations keep their shortlist of rules; each is some hundred bytes.
_SITUATIONS = 4096
_NOT_SET = "(not set)"


class _Ready:
    """A rule made ready: what of it depends on the words of one visit."""

    __slots__ = ("checks", "clicks", "name", "then", "unless_medium", "when")

    def __init__(self, rule: Rule, words: dict[str, tuple[str, ...]]) -> None:
        self.name, self.when, self.then = rule.name, rule.when, rule.then
        self.checks = tuple(
            (number, Words(words_written(getattr(rule.when, tag), words)))
            for number, tag in enumerate(TAGS)
            if getattr(rule.when, tag)
        )
        unless = rule.when.unless_medium
        self.unless_medium = Words(words_written(unless, words)) if unless else None
        self.clicks = frozenset(name.lower() for name in rule.when.click)

    def holds(self, values: tuple[str, ...], clicks: tuple[tuple[ClickId, str], ...]) -> bool:
        """Whether its conditions on words hold; ``values`` are the tags in small letters."""
        for number, words in self.checks:
            if not words.hold(values[number]):
                return False
        if self.unless_medium is not None and self.unless_medium.hold(values[1]):
            return False
        return not self.clicks or any(click_id.name.lower() in self.clicks for click_id, _ in clicks)


class _Situation(NamedTuple):
    """What the rules ask of a visit besides its words: where it came from, and what it is put down to by what."""

    referrer: str  # own, none, app, any
    came_place: Place | None
    place: Place | None
    by: Evidence | None
    click: tuple[ClickId, str] | None


class Classifier:
    """A rule set made ready to decide. Make it once; what it does after depends on the two addresses alone."""

    def __init__(self, rule_set: RuleSet) -> None:
        self.rule_set = rule_set
        places = [*rule_set.places, *(place for sites in rule_set.sites for place in sites.places())]
        self._places = KnownPlaces(places, rule_set.endings)
        self._parameters = Parameters(rule_set.parameters, rule_set.click_ids, rule_set.blank)
        named = {place.name: place for place in rule_set.places}
        self._click_places = {click_id.name: named[click_id.place] for click_id in rule_set.click_ids}
        self._rules = tuple(_Ready(rule, rule_set.words) for rule in rule_set.rules)
        self._channels = ChannelTable(rule_set.channels, rule_set.words)
        self._own: Hosts[str] = Hosts()
        for domain in rule_set.own_domains:
            self._own.add(without_www(domain.lower()), domain)
        # Hosts that rules name themselves: each that fits counts, not only the closest.
        self._named: Hosts[str] = Hosts()
        hosts = {name for rule in rule_set.rules for name in rule.when.referrer if "." in name and name not in named}
        self._names_hosts = bool(hosts)
        for name in hosts:
            for host in hosts_written([name], rule_set.endings):
                self._named.add(host, name)
        self._shortlist = lru_cache(_SITUATIONS)(self._find_shortlist)

    def decide(self, url: str, referrer: str = "") -> Decision:
        """The source of a visit to ``url`` from ``referrer``; either may be empty, or anything at all."""
        page = split(url) if url else NOWHERE
        came = split(referrer) if referrer else NOWHERE
        said = self._parameters.read(page)
        situation = self.situation(page, came, said)
        place = situation.place
        medium = said.medium.lower()
        if not medium and place is not None and situation.by is not Evidence.CLICK:
            medium = place.medium
        values = (said.source.lower(), medium, said.campaign.lower(), said.term.lower(), said.content.lower())
        for ready in self._shortlist(
            (place.name, place.kind) if place is not None else None,
            situation.by,
            situation.referrer,
            situation.came_place.name if situation.came_place is not None else "",
            self.named_hosts(came),
            said.source != "",
            said.medium != "",
            said.campaign != "",
            said.term != "",
            said.content != "",
        ):
            if ready.holds(values, said.clicks):
                return self._decision(ready, situation, came, said, values)
        raise AssertionError("a checked rule set ends with a rule that has no conditions")

    @property
    def names_hosts(self) -> bool:
        """Whether a rule names a host of its own, so that the very page a visitor came from may decide."""
        return self._names_hosts

    def said(self, url: str) -> Said:
        """What the address of a page says: its tags, and all of its click ids, also those that decide nothing."""
        return self._parameters.read(split(url))

    def named_hosts(self, came: Address) -> tuple[str, ...]:
        """The hosts that rules name themselves and that fit where a visitor came from."""
        return tuple(self._named.all(came.host, came.path)) if self._names_hosts else ()

    def situation(self, page: Address, came: Address, said: Said) -> _Situation:
        """Which evidence there is, and what the strongest of it leads to."""
        referrer, came_place = "none", None
        if came.host:
            came_place = self._places.of_referrer(came)
            if came.is_app:
                referrer = "app"
            else:
                referrer = "own" if self._is_own(page.host, came.host, came_place is not None) else "any"
        click = None
        for click in said.clicks:
            if click[0].ads:
                place = self._click_places[click[0].name]
                return _Situation(referrer, came_place, place, Evidence.CLICK, click)
        if click is not None:
            click = said.clicks[0]
        if said.source:
            return _Situation(referrer, came_place, self._places.of_tag(said.source.lower()), Evidence.TAG, click)
        if referrer == "own":
            return _Situation(referrer, None, None, None, click)
        if came_place is not None:
            return _Situation(referrer, came_place, came_place, Evidence.REFERRER, click)
        if click is not None and referrer == "none":
            return _Situation(referrer, None, self._click_places[click[0].name], Evidence.HINT, click)
        return _Situation(referrer, came_place, None, None, click)

    def _is_own(self, page: str, came: str, is_known: bool) -> bool:
        """Whether a referrer is the site itself: one of its domains, the same host, or one below the other.

        Below the other counts only for a host that is no known place: a page on ``sites.google.com`` is not Google's.
        """
        if came == page or self._own.closest(came, "") is not None:
            return True
        if not page:
            return False
        page, came = without_www(page), without_www(came)
        return came == page or (not is_known and (came.endswith("." + page) or page.endswith("." + came)))

    def _find_shortlist(
        self,
        place: tuple[str, str] | None,
        by: Evidence | None,
        referrer: str,
        came_place: str,
        named: tuple[str, ...],
        *given: bool,
    ) -> tuple[_Ready, ...]:
        """The rules that may hold in a situation, as far as it goes without looking at words; the last surely holds."""
        came_from = {referrer, came_place, *named, *(("any",) if referrer == "app" else ())}
        present = {tag for tag, is_given in zip(TAGS, given, strict=True) if is_given}

        def may_hold(when: When) -> bool:
            return (
                (not when.place or (place is not None and place[0] in when.place))
                and (not when.kind or (place is not None and place[1] in when.kind))
                and (not when.by or by in when.by)
                and (not when.referrer or not came_from.isdisjoint(when.referrer))
                and present.isdisjoint(when.without)
                and all(tag in present or tag == "medium" for tag in TAGS if getattr(when, tag))
            )

        shortlist = []
        for ready in self._rules:
            if may_hold(ready.when):
                shortlist.append(ready)
                if not (ready.checks or ready.unless_medium or ready.clicks):
                    break
        return tuple(shortlist)

    def _decision(
        self, ready: _Ready, situation: _Situation, came: Address, said: Said, values: tuple[str, ...]
    ) -> Decision:
        """What a rule says of a visit, filled in from the place and the addresses."""
        then, place, click = ready.then, situation.place, situation.click
        host = without_www(came.host)
        label, short, medium = then.label, then.source, values[1] or then.medium or _NOT_SET
        found = {"{host}": host, "{tag}": values[0], "{medium}": values[1], "{place}": place.short if place else ""}
        if not short:
            # A place without a label is many: each goes by its own name.
            short = place.short if place is not None and place.label else values[0] or host
        elif "{" in short:
            short = _filled(short, found)
        if not values[1] and "{" in medium:
            medium = _filled(medium, found)
        short, medium = short.strip() or _NOT_SET, medium.strip() or _NOT_SET
        # A rule that names another source speaks of that one: a mail read at Google's is no search.
        named = self._places.by_name.get(short) if then.source else place
        kind = named.kind if named is not None else None
        channel = then.channel or self._channels.channel(kind, short, medium, values[2], then.paid)
        if "{" in label:
            shown = (place.label if place is not None else "") or said.source or host or short
            found = {
                "{place}": shown,
                "{host}": host,
                "{tag}": said.source,
                "{medium}": values[1],
                "{channel}": channel,
            }
            label = _filled(label, found).strip() or channel
        keyword: str | None = said.term
        came_place = situation.came_place
        if not keyword and came.query and came_place is not None and came_place.short == short:
            keyword = keyword_of(came_place, came.query)
        return Decision(
            Source(
                label,
                channel,
                short,
                medium,
                said.campaign or None,
                said.content or None,
                keyword or None,
                click[1] if click is not None else None,
                click[0].name if click is not None else None,
            ),
            ready.name,
            then.touch,
        )


def _filled(text: str, found: dict[str, str]) -> str:
    """A result's text with what was found in place of each field, in one pass: what was found is not read again."""
    before, opened, rest = text.partition("{")
    if not opened:
        return text
    name, _, after = rest.partition("}")
    return before + found.get("{" + name + "}", "") + _filled(after, found)


@cache
def default_classifier() -> Classifier:
    """The default rules, made ready."""
    return Classifier(default_rule_set())


def classify(url: str, referrer: str = "", classifier: Classifier | None = None) -> Decision:
    """The source of a visit, and the rule that decided; by the default rules unless others are given."""
    return (classifier or default_classifier()).decide(url, referrer)

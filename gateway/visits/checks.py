"""Whether the parts of a set of source rules fit together: every fault in plain words, with the entry and the mend."""

import codecs
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from gateway.visits.faults import N_, Fault, say
from gateway.visits.rules import TAGS, ClickId, Place, Rule, When
from gateway.visits.words import BadPattern, Words

if TYPE_CHECKING:
    from gateway.visits.ruleset import RuleSet

SPECIAL_REFERRERS = frozenset({"own", "none", "app", "any"})
FIELDS_OF_TEXTS = frozenset({"place", "host", "tag", "medium", "channel"})
_NO_PLACE = N_("%(where)s: there is no place %(name)s; add it, or name another.")
_FIELD = re.compile(r"\{([^{}]*)\}")
_HOST = re.compile(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_-])?(/[^\s?#]*)?")


def problems(rule_set: "RuleSet") -> list[Fault]:
    """What is wrong with a set whose form is right; nothing if it can be used."""
    return list(dict.fromkeys(_problems(rule_set)))


def hosts_written(patterns: Iterable[str], endings: dict[str, tuple[str, ...]]) -> Iterator[str]:
    """Each host that ``patterns`` stand for: ``google.{google}`` is one for each of the endings of that name."""
    for pattern in patterns:
        found = _FIELD.search(pattern)
        if found is None:
            yield pattern.lower()
        else:
            for ending in endings.get(found[1], ()):
                yield pattern.replace(found[0], ending).lower()


def words_written(patterns: Iterable[str], words: dict[str, tuple[str, ...]]) -> list[str]:
    """The patterns, with ``@name`` replaced by the words of that list."""
    written: list[str] = []
    for pattern in patterns:
        if pattern.startswith("@"):
            written += words.get(pattern[1:], ())
        else:
            written.append(pattern)
    return written


def _problems(rule_set: "RuleSet") -> Iterator[Fault]:
    if not rule_set.version.strip():
        yield say("version is empty; write something that tells this set from other ones, such as a date.")
    for noun, names in (
        (say("place"), [place.name for place in rule_set.places]),
        (say("rule"), [rule.name for rule in rule_set.rules]),
        (say("click id"), [click_id.name.lower() for click_id in rule_set.click_ids]),
    ):
        for name, times in Counter(names).items():
            if not name.strip():
                yield say("A %(noun)s has no name; give it one.", noun=noun)
            elif times > 1:
                yield say(
                    "%(noun)s %(name)s is there %(times)s times; give each a name of its own.",
                    noun=noun,
                    name=repr(name),
                    times=times,
                )
    for name in rule_set.parameters.keys() - set(TAGS):
        yield say("parameters: %(name)s is none of %(tags)s.", name=repr(name), tags=", ".join(TAGS))
    for name, patterns in rule_set.words.items():
        yield from _patterns(say("words %(name)s", name=repr(name)), patterns, {})
    yield from _places(rule_set)
    places = {place.name for place in rule_set.places}
    for click_id in rule_set.click_ids:
        yield from _click_id(click_id, places)
    for rule in rule_set.rules:
        yield from _rule(rule, rule_set, places)
    yield from _channels(rule_set)


def _places(rule_set: "RuleSet") -> Iterator[Fault]:
    own: list[tuple[Fault, Place]] = [
        (say("place %(name)s", name=repr(place.name)), place) for place in rule_set.places
    ]
    own += [
        (say("sites of kind %(name)s", name=repr(sites.kind.value)), place)
        for sites in rule_set.sites
        for place in sites.places()
    ]
    hosts: dict[str, Fault] = {}
    tags: dict[str, Fault] = {}
    apps: dict[str, Fault] = {}
    for where, place in own:
        yield from _hosts(where, place.hosts, rule_set.endings)
        if place.charset:
            try:
                codecs.lookup(place.charset)
            except LookupError:
                yield say(
                    "%(where)s: charset %(name)s is not known; write its usual name, such as windows-1251.",
                    where=where,
                    name=repr(place.charset),
                )
        for noun, taken, words in (
            (say("host"), hosts, hosts_written(place.hosts, rule_set.endings)),
            (say("tag"), tags, place.tags),
            (say("app"), apps, place.apps),
        ):
            for word in words:
                other = taken.setdefault(word.lower(), where)
                if other != where:
                    yield say(
                        "%(where)s: %(noun)s %(name)s belongs to %(other)s already; leave it with one of them.",
                        where=where,
                        noun=noun,
                        name=repr(word),
                        other=other,
                    )


def _hosts(where: Fault, patterns: Iterable[str], endings: dict[str, tuple[str, ...]]) -> Iterator[Fault]:
    for pattern in patterns:
        names = _FIELD.findall(pattern)
        if len(names) > 1 or any(name not in endings for name in names):
            yield say(
                "%(where)s: %(name)s needs one of the endings %(endings)s.",
                where=where,
                name=repr(pattern),
                endings=", ".join(sorted(endings)) or say("(there are none)"),
            )
            continue
        for host in hosts_written([pattern], endings):
            if _HOST.fullmatch(host) is None or ".." in host.partition("/")[0]:
                yield say(
                    "%(where)s: %(name)s is no host; write it as example.com or example.com/path, without https://.",
                    where=where,
                    name=repr(host),
                )


def _click_id(click_id: ClickId, places: set[str]) -> Iterator[Fault]:
    if click_id.place not in places:
        where = say("click id %(name)s", name=repr(click_id.name))
        yield say(_NO_PLACE, where=where, name=repr(click_id.place))


def _patterns(where: Fault, patterns: Iterable[str], words: dict[str, tuple[str, ...]]) -> Iterator[Fault]:
    for pattern in patterns:
        if pattern.startswith("@") and pattern[1:] not in words:
            yield say(
                "%(where)s: there are no words %(name)s; there are %(words)s.",
                where=where,
                name=repr(pattern[1:]),
                words=", ".join(sorted(words)) or say("none"),
            )
    try:
        Words(words_written(patterns, words))
    except BadPattern as error:
        yield say("%(where)s: %(fault)s.", where=where, fault=error.fault)


def _rule(rule: Rule, rule_set: "RuleSet", places: set[str]) -> Iterator[Fault]:
    where, when, then = say("rule %(name)s", name=repr(rule.name)), rule.when, rule.then
    for name in when.place:
        if name not in places:
            yield say(_NO_PLACE, where=where, name=repr(name))
    for name in when.referrer:
        if name in SPECIAL_REFERRERS or name in places:
            continue
        if "." not in name:
            yield say(
                "%(where)s: referrer %(name)s is no place and no host; add the place, or write the host whole.",
                where=where,
                name=repr(name),
            )
        else:
            yield from _hosts(where, [name], rule_set.endings)
    known = {click_id.name.lower() for click_id in rule_set.click_ids}
    for name in when.click:
        if name.lower() not in known:
            yield say(
                "%(where)s: there is no click id %(name)s; add it to click_ids, or name another.",
                where=where,
                name=repr(name),
            )
    for tag in (*TAGS, "unless_medium"):
        yield from _patterns(say("%(where)s: %(tag)s", where=where, tag=tag), getattr(when, tag), rule_set.words)
    for tag in when.without:
        if getattr(when, tag):
            yield say("%(where)s: %(tag)s must be there and must not; remove one of the two.", where=where, tag=tag)
    if not then.label.strip():
        yield say("%(where)s: its label is empty; write what people shall read.", where=where)
    for text in (then.label, then.source, then.medium):
        for name in _FIELD.findall(text):
            if name not in FIELDS_OF_TEXTS:
                fields = ", ".join(f"{{{each}}}" for each in sorted(FIELDS_OF_TEXTS))
                yield say(
                    "%(where)s: %(name)s stands for nothing; there are %(fields)s.",
                    where=where,
                    name=f"{{{name}}}",
                    fields=fields,
                )
    names = {line.channel for line in rule_set.channels}
    if then.channel and then.channel not in names:
        yield say(
            "%(where)s: there is no channel %(name)s; there are %(channels)s.",
            where=where,
            name=repr(then.channel),
            channels=", ".join(sorted(names)),
        )


def _channels(rule_set: "RuleSet") -> Iterator[Fault]:
    for line in rule_set.channels:
        for tag in ("source", "medium", "campaign"):
            where = say("channel %(name)s", name=repr(line.channel))
            yield from _patterns(say("%(where)s: %(tag)s", where=where, tag=tag), getattr(line, tag), rule_set.words)
    if not rule_set.rules or rule_set.rules[-1].when != When():
        yield say(
            "The last rule has conditions, so a visit could be left without a source; end with one that has none."
        )
    last = rule_set.channels[-1] if rule_set.channels else None
    if last is None or last.kind or last.source or last.medium or last.campaign:
        yield say("The last channel has conditions, so a visit could be left without one; end with one that has none.")

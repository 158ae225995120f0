"""Whether the parts of a set of source rules fit together: every fault in plain words, with the entry and the mend."""

import codecs
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from gateway.visits.rules import TAGS, ClickId, Place, Rule, When
from gateway.visits.words import BadPattern, Words

if TYPE_CHECKING:
    from gateway.visits.ruleset import RuleSet

SPECIAL_REFERRERS = frozenset({"own", "none", "app", "any"})
FIELDS_OF_TEXTS = frozenset({"place", "host", "tag", "medium", "channel"})
_FIELD = re.compile(r"\{([^{}]*)\}")
_HOST = re.compile(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_-])?(/[^\s?#]*)?")


def problems(rule_set: "RuleSet") -> list[str]:
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


def _problems(rule_set: "RuleSet") -> Iterator[str]:
    if not rule_set.version.strip():
        yield "version is empty; write something that tells this set from other ones, such as a date."
    for noun, names in (
        ("place", [place.name for place in rule_set.places]),
        ("rule", [rule.name for rule in rule_set.rules]),
        ("click id", [click_id.name.lower() for click_id in rule_set.click_ids]),
    ):
        for name, times in Counter(names).items():
            if not name.strip():
                yield f"A {noun} has no name; give it one."
            elif times > 1:
                yield f"{noun} {name!r} is there {times} times; give each a name of its own."
    for name in rule_set.parameters.keys() - set(TAGS):
        yield f"parameters: {name!r} is none of {', '.join(TAGS)}."
    for name, patterns in rule_set.words.items():
        yield from _patterns(f"words {name!r}", patterns, {})
    yield from _places(rule_set)
    places = {place.name for place in rule_set.places}
    for click_id in rule_set.click_ids:
        yield from _click_id(click_id, places)
    for rule in rule_set.rules:
        yield from _rule(rule, rule_set, places)
    yield from _channels(rule_set)


def _places(rule_set: "RuleSet") -> Iterator[str]:
    own: list[tuple[str, Place]] = [(f"place {place.name!r}", place) for place in rule_set.places]
    own += [(f"sites of kind {sites.kind.value!r}", place) for sites in rule_set.sites for place in sites.places()]
    hosts: dict[str, str] = {}
    tags: dict[str, str] = {}
    apps: dict[str, str] = {}
    for where, place in own:
        yield from _hosts(where, place.hosts, rule_set.endings)
        if place.charset:
            try:
                codecs.lookup(place.charset)
            except LookupError:
                yield f"{where}: charset {place.charset!r} is not known; write its usual name, such as windows-1251."
        for noun, taken, words in (
            ("host", hosts, hosts_written(place.hosts, rule_set.endings)),
            ("tag", tags, place.tags),
            ("app", apps, place.apps),
        ):
            for word in words:
                other = taken.setdefault(word.lower(), where)
                if other != where:
                    yield f"{where}: {noun} {word!r} belongs to {other} already; leave it with one of them."


def _hosts(where: str, patterns: Iterable[str], endings: dict[str, tuple[str, ...]]) -> Iterator[str]:
    for pattern in patterns:
        names = _FIELD.findall(pattern)
        if len(names) > 1 or any(name not in endings for name in names):
            yield f"{where}: {pattern!r} needs one of the endings {', '.join(sorted(endings)) or '(there are none)'}."
            continue
        for host in hosts_written([pattern], endings):
            if _HOST.fullmatch(host) is None or ".." in host.partition("/")[0]:
                yield f"{where}: {host!r} is no host; write it as example.com or example.com/path, without https://."


def _click_id(click_id: ClickId, places: set[str]) -> Iterator[str]:
    if click_id.place not in places:
        yield f"click id {click_id.name!r}: there is no place {click_id.place!r}; add it, or name another."


def _patterns(where: str, patterns: Iterable[str], words: dict[str, tuple[str, ...]]) -> Iterator[str]:
    for pattern in patterns:
        if pattern.startswith("@") and pattern[1:] not in words:
            yield f"{where}: there are no words {pattern[1:]!r}; there are {', '.join(sorted(words)) or 'none'}."
    try:
        Words(words_written(patterns, words))
    except BadPattern as error:
        yield f"{where}: {error}."


def _rule(rule: Rule, rule_set: "RuleSet", places: set[str]) -> Iterator[str]:
    where, when, then = f"rule {rule.name!r}", rule.when, rule.then
    for name in when.place:
        if name not in places:
            yield f"{where}: there is no place {name!r}; add it, or name another."
    for name in when.referrer:
        if name in SPECIAL_REFERRERS or name in places:
            continue
        if "." not in name:
            yield f"{where}: referrer {name!r} is no place and no host; add the place, or write the host whole."
        else:
            yield from _hosts(where, [name], rule_set.endings)
    known = {click_id.name.lower() for click_id in rule_set.click_ids}
    for name in when.click:
        if name.lower() not in known:
            yield f"{where}: there is no click id {name!r}; add it to click_ids, or name another."
    for tag in (*TAGS, "unless_medium"):
        yield from _patterns(f"{where}: {tag}", getattr(when, tag), rule_set.words)
    for tag in when.without:
        if getattr(when, tag):
            yield f"{where}: {tag} must be there and must not; remove one of the two."
    if not then.label.strip():
        yield f"{where}: its label is empty; write what people shall read."
    for text in (then.label, then.source, then.medium):
        for name in _FIELD.findall(text):
            if name not in FIELDS_OF_TEXTS:
                fields = ", ".join(f"{{{each}}}" for each in sorted(FIELDS_OF_TEXTS))
                yield f"{where}: {{{name}}} stands for nothing; there are {fields}."
    names = {line.channel for line in rule_set.channels}
    if then.channel and then.channel not in names:
        yield f"{where}: there is no channel {then.channel!r}; there are {', '.join(sorted(names))}."


def _channels(rule_set: "RuleSet") -> Iterator[str]:
    for line in rule_set.channels:
        for tag in ("source", "medium", "campaign"):
            yield from _patterns(f"channel {line.channel!r}: {tag}", getattr(line, tag), rule_set.words)
    if not rule_set.rules or rule_set.rules[-1].when != When():
        yield "The last rule has conditions, so a visit could be left without a source; end with one that has none."
    last = rule_set.channels[-1] if rule_set.channels else None
    if last is None or last.kind or last.source or last.medium or last.campaign:
        yield "The last channel has conditions, so a visit could be left without one; end with one that has none."

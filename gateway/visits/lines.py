"""JSON lines of addresses in, JSON lines of sources out: one for each, in order, however broken."""

import json
from collections.abc import Iterable, Iterator

from gateway.visits.classify import Classifier
from gateway.visits.source import Decision, Source

_read = json.JSONDecoder(strict=False).decode
_written = json.JSONEncoder(ensure_ascii=False).encode
UNREADABLE = Decision(Source("Unknown", "Unassigned", "(not set)", "(not set)"), "unreadable", is_touch=False)


def classified_lines(lines: Iterable[bytes], classifier: Classifier) -> Iterator[bytes]:
    """A line for each of ``lines``.

    An address that is missing or is no text counts as none; a line that is no JSON object is ``Unknown`` by the rule
    ``unreadable``, since nothing is known of that visit, not even that it was direct.
    """
    for line in lines:
        yield _line(_decided(line, classifier))


def _decided(line: bytes, classifier: Classifier) -> Decision:
    try:
        given = _read(line.decode("utf-8-sig", "replace"))
    except (ValueError, RecursionError):
        return UNREADABLE
    if not isinstance(given, dict):
        return UNREADABLE
    url, referrer = given.get("url"), given.get("referrer")
    return classifier.decide(url if isinstance(url, str) else "", referrer if isinstance(referrer, str) else "")


def _line(decision: Decision) -> bytes:
    source = decision.source
    said = {
        "label": source.label,
        "channel": source.channel,
        "source": source.source,
        "medium": source.medium,
        "campaign": source.campaign,
        "content": source.content,
        "keyword": source.keyword,
        "click_id": source.click_id,
        "click_id_type": source.click_id_type,
        "rule": decision.rule,
    }
    return _written(said).encode() + b"\n"

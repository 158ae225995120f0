"""The default channel groups of Google Analytics 4, as a table that a rule set carries."""

from collections.abc import Iterable
from functools import lru_cache

from gateway.visits.checks import words_written
from gateway.visits.rules import Channel, Kind
from gateway.visits.words import Words

# As many combinations of source, medium and campaign as a company of some size has; each is some hundred bytes.
_REMEMBERED = 4096


class ChannelTable:
    """Finds the channel of a source. The first line whose conditions all hold counts; the last one has none."""

    def __init__(self, lines: Iterable[Channel], words: dict[str, tuple[str, ...]]) -> None:
        def ready(patterns: tuple[str, ...]) -> Words | None:
            return Words(words_written(patterns, words)) if patterns else None

        self._lines = tuple(
            (line.channel, frozenset(line.kind), ready(line.source), ready(line.medium), ready(line.campaign))
            for line in lines
        )
        self._bought = Words([*words.get("paid", ()), *words.get("display", ())])
        self.channel = lru_cache(_REMEMBERED)(self._channel)

    def _channel(self, kind: Kind | None, source: str, medium: str, campaign: str, paid: bool) -> str:
        """The channel of texts in small letters. ``paid``: it was bought, though its medium may not say so."""
        if paid and not self._bought.hold(medium):
            medium = "cpc"
        for channel, kinds, sources, media, campaigns in self._lines:
            if (
                (not kinds or kind in kinds)
                and (media is None or media.hold(medium))
                and (sources is None or sources.hold(source))
                and (campaigns is None or campaigns.hold(campaign))
            ):
                return channel
        raise AssertionError("a checked rule set ends with a channel that has no conditions")

"""What brought a visit, as the rest of Numberpool speaks of it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Source:
    """What brought a visit.

    ``label`` is what people read and never empty (``Google Organic``, ``Direct``, the host of a plain referral).
    ``channel`` is a default channel group of Google Analytics 4. ``source`` is the short name (``google``,
    ``(direct)``) and ``medium`` is in small letters; the others stand as they were given. Texts hold no control
    characters and no halves of characters, so that Postgres and JSON take them, and are cut at ``address.LONGEST``
    characters.
    """

    label: str
    channel: str
    source: str
    medium: str
    campaign: str | None = None
    content: str | None = None
    keyword: str | None = None
    click_id: str | None = None
    click_id_type: str | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """A source, the name of the rule that decided, and whether it is a new touch.

    A step within the own site, or the way back from a page where the visitor paid or signed in, is no new touch: what
    brought the visitor before goes on counting.
    """

    source: Source
    rule: str
    is_touch: bool = True


@dataclass(frozen=True, slots=True)
class Touch:
    """One arrival as it was stored: its key, and the addresses that a source is derived from."""

    key: str | int
    url: str
    referrer: str = ""

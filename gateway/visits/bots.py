"""Visits that no person makes: programs that say so, browsers steered by programs, and pages loaded ahead."""

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from crawleruseragents import is_crawler

# How many user agents are remembered: a search through all the patterns takes about a millisecond.
_REMEMBERED = 8192
# What the browser of a check of a site calls itself (gateway.site_check).
SITE_CHECK = "NumberpoolCheck"
# No browser's is longer; what is cut off decides nothing.
_LONGEST = 512


class Bot(StrEnum):
    """Why a visit counts as no person's."""

    CRAWLER = "crawler"  # the list of crawler-user-agents knows it
    HEADLESS = "headless"  # a browser without a screen
    AUTOMATED = "automated"  # a browser steered by a program (navigator.webdriver)
    SILENT = "silent"  # says nothing of itself, as programs in data centres do


@dataclass(frozen=True, slots=True)
class Signs:
    """What a request says of who made it; ``client_hints`` is ``Sec-CH-UA``, ``languages`` is ``Accept-Language``."""

    user_agent: str = ""
    client_hints: str = ""
    languages: str = ""
    purpose: str = ""  # Sec-Purpose, Purpose, X-Purpose or X-Moz
    automated: bool = False
    visible: bool = True
    screen: str = ""


def bot_of(signs: Signs) -> Bot | None:
    """Whether a visit is a program's, and why; none for people."""
    if signs.automated or SITE_CHECK in signs.user_agent:
        return Bot.AUTOMATED
    if "headless" in signs.client_hints.lower() or "headless" in signs.user_agent.lower():
        return Bot.HEADLESS
    if signs.screen.startswith(("0x", "1x1x")) or signs.screen == "1x1":
        return Bot.HEADLESS
    if not signs.user_agent.strip() or not signs.languages.strip():
        return Bot.SILENT
    return Bot.CRAWLER if _is_crawler(signs.user_agent[:_LONGEST]) else None


def is_seen(signs: Signs) -> bool:
    """Whether somebody may be looking: not a page that the browser loads ahead (prefetch, prerender) or in the back.

    ``Sec-Purpose`` is of the Fetch standard, ``Purpose`` and ``X-Moz`` are older browsers'.
    """
    purpose = signs.purpose.lower()
    return signs.visible and not any(word in purpose for word in ("prefetch", "prerender", "preview"))


@lru_cache(_REMEMBERED)
def _is_crawler(user_agent: str) -> bool:
    return bool(is_crawler(user_agent))

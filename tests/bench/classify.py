"""Classifying visits against splitting their addresses with ``urllib.parse``, in turns within one run."""

import gc
import random
import statistics
import time
from collections.abc import Callable
from urllib.parse import urlsplit

from gateway.visits.classify import Classifier
from gateway.visits.ruleset import default_rule_set

Visit = tuple[str, str]
_PATHS = ("", "roof-repair", "contact", "blog/how-to-find-a-leak", "de/preise?sort=asc&page=2", "services/emergency")
_REFERRERS = (
    "https://www.google.com/",
    "https://www.google.co.uk/search?q=roof+repair+{n}&hl=en",
    "https://www.bing.com/search?q=plumber+{n}&form=QBLH",
    "https://yandex.ru/search/?text=%D0%BA%D1%80%D1%8B%D1%88%D0%B0+{n}&lr=213",
    "https://duckduckgo.com/",
    "https://l.facebook.com/l.php?u=https%3A%2F%2Fwww.roofs.example%2F&h=AT{n}",
    "https://www.youtube.com/watch?v=dQw4w9W{n}",
    "https://chatgpt.com/c/{n}",
    "android-app://com.google.android.gm/",
    "https://blog{n}.partner.example/posts/{n}",
    "https://www.roofs.example/cart/{n}",
    "https://www.paypal.com/checkoutnow?token=EC-{n}",
)
_QUERIES = (
    "gclid=Cj0KCQjw{n}wcB&gad_source=1&gbraid=0AAA{n}",
    "utm_source=google&utm_medium=cpc&utm_campaign=roof-{n}&utm_term=roof%20repair%20{n}&utm_content=ad{n}",
    "utm_source=newsletter&utm_medium=email&utm_campaign=may-{n}",
    "utm_source=facebook&utm_medium=paid_social&utm_campaign=leads-{n}&fbclid=IwAR{n}",
    "source=flyer-{n}",
    "msclkid={n}abcdef&utm_source=bing&utm_medium=cpc&utm_campaign=c{n}",
    "page={n}&sort=price&color=red&size=l",
)


def visits(count: int, seed: int = 7) -> list[Visit]:
    """As many visits as a site sees them, none twice: a third with a query, a sixth without a referrer."""
    chosen = random.Random(seed)
    made: list[Visit] = []
    for n in range(count):
        number = f"{n:06}"
        url = f"https://www.roofs.example/{number}/{chosen.choice(_PATHS)}"
        if chosen.random() < 0.35:
            url += ("&" if "?" in url else "?") + chosen.choice(_QUERIES).format(n=number)
        referrer = "" if chosen.random() < 0.17 else chosen.choice(_REFERRERS).format(n=number)
        made.append((url, referrer))
    return made


def _seconds(work: Callable[[str, str], object], batch: list[Visit]) -> float:
    begun = time.process_time()
    for url, referrer in batch:
        work(url, referrer)
    return time.process_time() - begun


def _split(url: str, referrer: str) -> None:
    urlsplit(url)
    urlsplit(referrer)


def ratio(count: int = 40_000, batches: int = 40) -> float:
    """How many times as long as ``urlsplit`` of both addresses it takes to classify a visit: the median of batches.

    Every address is new to both, so that neither answers from what it remembers of it.
    """
    decide = Classifier(default_rule_set()).decide
    everything = visits(count)
    size = count // batches
    parts = [everything[start : start + size] for start in range(0, count, size)]
    _seconds(decide, visits(2000, seed=8))
    gc.collect()
    gc.disable()
    try:
        return statistics.median(_seconds(decide, part) / _seconds(_split, part) for part in parts)
    finally:
        gc.enable()

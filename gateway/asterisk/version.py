"""Which Asterisk will do, and what to say of one that will not."""

import re

Version = tuple[int, int]

# Below these, eventfilter(action(include),name(...)) in manager.conf is ignored in silence (Asterisk change logs of
# 20.11.0, 21.6.0 and 22.1.0), so that every call would flood the link with some 145 events.
_OLDEST: dict[int, Version] = {20: (20, 11), 21: (21, 6), 22: (22, 1)}


def parse(text: str) -> Version | None:
    """``(22, 10)`` of ``22.10.1+dfsg``; none of what is no version."""
    match = re.match(r"(?:certified[/-])?(\d+)\.(\d+)", text)
    return (int(match[1]), int(match[2])) if match else None


def is_supported(version: Version | None) -> bool:
    """Whether this Asterisk filters events as we need it."""
    if version is None:
        return False
    return version[0] > max(_OLDEST) or version >= _OLDEST.get(version[0], (1000, 0))


def advice(node: str, text: str) -> str:
    """What to do about a version that will not do."""
    return (
        f"Asterisk {node} is version {text or 'unknown'}; Numberpool needs 20.11, 22.1 or newer. Upgrade Asterisk. "
        "Until then its calls ring by their fallback routes."
    )

"""What a visitor looks at a page with, by the user agent (``ua-parser``)."""

from functools import lru_cache

from ua_parser import parse_device, parse_os

_REMEMBERED = 8192
_LONGEST = 512
_TABLETS = ("ipad", "tablet", "kindle", "playbook", "silk")
_POCKET = frozenset({"Android", "iOS", "Windows Phone", "BlackBerry OS", "KaiOS", "HarmonyOS", "Firefox OS", "Tizen"})


def device_of(user_agent: str) -> str:
    """``mobile``, ``tablet`` or ``desktop`` (see ``pools.conditions.Device``); empty where nothing is said."""
    return _device(user_agent[:_LONGEST]) if user_agent else ""


@lru_cache(_REMEMBERED)
def _device(user_agent: str) -> str:
    small = user_agent.lower()
    device, os = parse_device(user_agent), parse_os(user_agent)
    said = f"{device.family} {device.brand}".lower() if device else ""
    if any(word in said or word in small for word in _TABLETS):
        return "tablet"
    if os is not None and os.family in _POCKET:
        # An Android browser says Mobile on a telephone and leaves it away on a tablet (developer.chrome.com).
        return "mobile" if os.family != "Android" or "mobile" in small else "tablet"
    return "mobile" if "mobile" in small or "phone" in small else "desktop"

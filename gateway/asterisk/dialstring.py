"""The one place where text of ours becomes something Asterisk executes.

A route reaches the dialplan as a channel variable or an AstDB entry and ends in ``Dial()`` or ``Playback()``, whose
arguments are split at commas and substituted at ``${``. Nothing but what these functions let through gets there.
"""

import re

# A dial string: TECH/resource, several of them rung together with '&'. No comma (next argument), no '$', '{', quotes,
# brackets, white space, and none of the separators of a route (route.py): '|', '~', '^'.
_DIAL = re.compile(r"^[A-Za-z0-9]+/[A-Za-z0-9_.+@:/=*#-]+(?:&[A-Za-z0-9]+/[A-Za-z0-9_.+@:/=*#-]+)*$")
# Into a context of the admin's own, by Goto: Dialplan/extension@context.
_DIALPLAN = re.compile(r"^Dialplan/([A-Za-z0-9*#+_-]{1,40})@([A-Za-z0-9_-]{1,80})$")
# A number outside, over the trunks of the settings: Trunk/+13065551234.
_TRUNK = re.compile(r"^Trunk/\+[1-9][0-9]{3,14}$")
# What the dialplan does besides ringing (np-step); written by us alone.
STEPS = ("Sound/", "Menu/", "Voicemail/", "Hangup/")
_SOUND = re.compile(r"^[A-Za-z0-9_/-]{1,120}$")
MAX_DIAL_STRING = 200


def checked_dial_string(text: str) -> str:
    """``text`` if it is a dial string such as ``PJSIP/reception`` or ``PJSIP/13065551234@carrier``.

    ``Dialplan/600@queues`` stands alone: the call goes on at that extension of a context of the admin's own. A Local
    channel must end in ``/n``: one that takes itself out of the way would take the record of who answered with it.
    Raises ValueError that says how to mend it.
    """
    if text.startswith("Trunk/"):
        if not _TRUNK.fullmatch(text):
            raise ValueError(
                f"{text!r} names no number outside; write Trunk/ and the number with + and country code, alone"
            )
        return text
    if text.startswith("Dialplan/"):
        if not _DIALPLAN.fullmatch(text):
            raise ValueError(f"{text!r} names no place in the dialplan; write Dialplan/extension@context, alone")
        return text
    for part in text.split("&"):
        if part.startswith("Local/") and not part.endswith("/n"):
            raise ValueError(f"{part!r} is a Local channel without /n; write {part}/n")
    if any(part.startswith(STEPS) for part in text.split("&")):
        raise ValueError(f"{text!r} is not a dial string; what callers hear and choose is set up as a flow")
    if "Dialplan/" in text or "Trunk/" in text or len(text) > MAX_DIAL_STRING or not _DIAL.fullmatch(text):
        raise ValueError(
            f"{text!r} is not a dial string; write technology/endpoint, such as PJSIP/reception or "
            "PJSIP/+13065551234@carrier, several joined by &, Trunk/+13065551234, or Dialplan/600@queues"
        )
    return text


def checked_sound(text: str) -> str:
    """``text`` if it names a sound file of Asterisk, without its extension, such as ``custom/google-ads``."""
    if not _SOUND.fullmatch(text) or ".." in text:
        raise ValueError(
            f"{text!r} does not name a sound; use letters, digits, - _ and /, without extension, "
            "such as custom/google-ads"
        )
    return text


def dialplan_context(dial: str) -> str | None:
    """The context that ``dial`` leads into, where it is a ``Dialplan/extension@context``."""
    place = _DIALPLAN.fullmatch(dial)
    return place and place.group(2)

"""The examples of trunks as they are rendered, with the places filled in that their heads name."""

import re
from collections.abc import Mapping

from gateway.asterisk.render import render_texts
from gateway.settings import CallSettings, NodeSettings
from tests.stack import PROJECT

_NODE = NodeSettings.model_validate({"name": "pbx", "secret": "s", "store_secret": "s", "spool": "/var/spool/x"})


def example(name: str, changes: Mapping[str, str]) -> str:
    """The example ``name``, each text of ``changes`` replaced by what stands for it here.

    Only what the example's head tells the admin to change may be: a text must contain one of those words.
    """
    text = render_texts(_NODE, CallSettings(), PROJECT)[f"trunks/{name}.conf"]
    documented = _to_change(text)
    for before in sorted(changes, key=len, reverse=True):
        assert before in text, f"{name} has no {before!r}"
        assert any(word in before for word in documented), f"{name} does not tell anybody to change {before!r}"
        text = text.replace(before, changes[before])
    return text


def _to_change(text: str) -> list[str]:
    """What stands in the list behind ``Change:``, two or more spaces before what it means."""
    head = re.match(r"(?:;.*\n)+", text)
    assert head
    listed = head[0].partition("Change:")[2].splitlines()
    words = [re.match(r";?\s*(\S.*?)\s{2,}\S", line) for line in listed]
    return [word for found in words if found for word in found[1].split(", ")]

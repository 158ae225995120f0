"""``numberpool telephone`` as a person types it, on a real Postgres."""

import pytest

from tests.stack import Typed


async def test_press_one_by_command(numberpool: Typed) -> None:
    assert numberpool("company", "add", "Acme Roofing", "--region", "CA").returncode == 0
    assert numberpool("destination", "add", "Anna", "PJSIP/anna").returncode == 0
    assert "Press 1 to take a call:  nowhere" in numberpool("telephone", "list").stdout
    on = numberpool("telephone", "press-one", "Anna", "on")
    assert "counts once somebody there has pressed 1" in on.stdout, on.stderr
    assert "Press 1 to take a call:  Anna" in numberpool("telephone", "list").stdout
    # What else is changed of a destination leaves it as it is.
    assert numberpool("destination", "set", "Anna", "--ring-seconds", "20").returncode == 0
    assert "Press 1 to take a call:  Anna" in numberpool("telephone", "list").stdout
    assert "has the call" in numberpool("telephone", "press-one", "Anna", "off").stdout
    assert "nowhere" in numberpool("telephone", "list").stdout


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("press-one", "Nobody", "on"), "destination list"),
        (("press-one", "Far", "on"), "name an endpoint or a number outside"),
    ],
)
def test_what_cannot_be_asked_says_how_to_mend_it(numberpool: Typed, words: tuple[str, ...], says: str) -> None:
    assert numberpool("company", "add", "Acme Roofing").returncode == 0
    assert numberpool("destination", "add", "Far", "PJSIP/" + "x" * 90).returncode == 0
    refused = numberpool("telephone", *words)
    assert refused.returncode == 1
    assert says in refused.stderr
    assert "Traceback" not in refused.stderr

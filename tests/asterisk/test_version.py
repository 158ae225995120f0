"""Which releases of Asterisk will do."""

import pytest

from gateway.asterisk.version import advice, is_supported, parse


@pytest.mark.parametrize(
    ("text", "version", "supported"),
    [
        ("22.10.1~dfsg+~cs6.17-1", (22, 10), True),
        ("22.1.0", (22, 1), True),
        ("22.0.0", (22, 0), False),
        ("20.11.0", (20, 11), True),
        ("20.10.1", (20, 10), False),
        ("21.6.0", (21, 6), True),
        ("21.5.0", (21, 5), False),
        ("23.0.0", (23, 0), True),
        ("24.1.0", (24, 1), True),
        ("18.26.4", (18, 26), False),
        ("16.2.1~dfsg-1", (16, 2), False),
        ("19.8.1", (19, 8), False),
        ("certified/20.7-cert3", (20, 7), False),
        ("certified-18.9-cert11", (18, 9), False),
        ("GIT-master-abcdef", None, False),
        ("", None, False),
    ],
)
def test_versions(text: str, version: tuple[int, int] | None, supported: bool) -> None:
    assert parse(text) == version
    assert is_supported(version) is supported


def test_the_advice_says_what_to_do() -> None:
    assert "version 18.1; Numberpool needs 20.11" in advice("pbx", "18.1")
    assert "unknown" in advice("pbx", "")

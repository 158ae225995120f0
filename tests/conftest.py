"""Fixtures that every test may use."""

import pytest
from playwright.async_api import expect

# A page says what it says, also on a machine that is busy with other tests.
expect.set_options(timeout=20_000)

pytest_plugins = ["tests.stack"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Share tests over workers by file, and all that telephone over one worker.

    Calls run in real time. Two exchanges at once on a small machine make each other's calls late.
    """
    telephone = {item.path for item in items if "asterisk_home" in getattr(item, "fixturenames", ())}
    for item in items:
        group = "telephone" if item.path in telephone else item.nodeid.partition("::")[0]
        item.add_marker(pytest.mark.xdist_group(group))

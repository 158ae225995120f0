"""Fixtures that every test may use."""

from collections import Counter

import pytest
from playwright.async_api import expect

# A page says what it says, also on a machine that is busy with other tests.
expect.set_options(timeout=20_000)

pytest_plugins = ["tests.stack"]


# Calls run in real time. More exchanges at once on a small machine make each other's calls late.
EXCHANGES = 2


@pytest.hookimpl(tryfirst=True)  # pytest-xdist reads the groups in a hook of the same name
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Share tests over workers by file; those that telephone over no more than ``EXCHANGES`` of them."""
    telephone = Counter(item.path for item in items if "asterisk_home" in getattr(item, "fixturenames", ()))
    group_of = {path: f"telephone {place % EXCHANGES}" for place, (path, _) in enumerate(telephone.most_common())}
    for item in items:
        item.add_marker(pytest.mark.xdist_group(group_of.get(item.path, item.nodeid.partition("::")[0])))


def pytest_collection_finish(session: pytest.Session) -> None:
    """Fail rather than run tests in no order that was meant, should pytest-xdist no longer see the groups."""
    if getattr(session.config.option, "loadgroup", False) and not all("@" in item.nodeid for item in session.items):
        raise pytest.UsageError("pytest-xdist does not see the groups of tests: use versions of both that fit.")

"""What can be wrong with an amount, for whoever enters it."""

from gateway.errors import Mendable


class SpendError(Mendable):
    """An amount cannot be entered.

    SpendError
    ├── Overlaps
    ├── NoSuchAmount
    ├── BadAmount
    ├── BadDays
    └── gateway.reports.spend_exports.UnreadableExport
    """


class Overlaps(SpendError):
    """For these days there is an amount of this source already; nothing was counted twice."""

    def __init__(self, clashes: tuple[object, ...]) -> None:
        super().__init__(self.__doc__)
        self.clashes = clashes


class NoSuchAmount(SpendError):
    """There is no such amount any more."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


class BadAmount(SpendError):
    """An amount is a number of money such as 500 or 1200.50, not below zero."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


class BadDays(SpendError):
    """The last day is not before the first one, and at most ten years after it."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)

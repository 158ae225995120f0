"""What figures are told by: the dimensions of a report, and how its days are counted."""

from enum import StrEnum


class Dimension(StrEnum):
    """What calls are told apart by. The first five and city and device are those of the touch that has the credit."""

    SOURCE = "source"
    CHANNEL = "channel"
    CAMPAIGN = "campaign"
    KEYWORD = "keyword"
    LANDING = (
        "landing"  # the page its visit began on: a path; with its host where it is not of the company's first site
    )
    POOL = "pool"
    NUMBER = "number"  # that was dialled
    REGION = "region"  # of the caller's number
    CITY = "city"  # where the visitor was
    DEVICE = "device"
    PERSON = "person"  # the first who answered: an endpoint


class Basis(StrEnum):
    """The day that a call counts on, of the company's calendar."""

    CALL = "call"  # when it came
    CLICK = "click"  # when the touch was that has the credit


class Grain(StrEnum):
    """How long a point of a line is."""

    DAY = "day"
    WEEK = "week"  # from Monday on
    MONTH = "month"

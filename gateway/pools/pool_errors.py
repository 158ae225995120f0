"""What can be wrong with pools, sites and changes of numbers as they were asked for."""

from gateway.pools.errors import SetupError, _Said


class PoolError(SetupError):
    """Something about a pool, a site or a number of one cannot be done as asked.

    PoolError
    ├── NoSuchSite
    ├── NoSuchTarget
    ├── TargetTaken
    ├── BadHost
    ├── NoSuchNumber
    ├── BadDuration
    ├── BadPrice
    ├── BadParameter
    ├── QuarantineTooShort
    ├── OnlyForLending
    ├── StaticNeedsSource
    ├── HasHistory
    ├── EmptyLine
    ├── RoundedNumber
    └── FaultyImport
    """


class NoSuchSite(PoolError):
    """is not a site of this company; numberpool site list shows those that are, numberpool site add makes one."""


class NoSuchTarget(PoolError):
    """is printed on no site of this company; numberpool site target SITE NUMBER says that it is."""


class TargetTaken(PoolError):
    """stands with this site already; nothing is to be done, see numberpool site list."""


class BadHost(PoolError):
    """is not the name of a web server; write it without https:// and path, such as www.example.com."""


class NoSuchNumber(PoolError):
    """is not a tracking number of this company; numberpool number list shows those that are."""


class BadDuration(PoolError):
    """is no length of time that will do; write a number with s, m, h or d, such as 90s, 20m, 1h or 30d."""


class BadPrice(PoolError):
    """is not a price; write a number in the company's currency, such as 1.15, or none."""


class BadParameter(PoolError):
    """is no parameter that numbers can be bound to; write its name in small letters, such as utm_campaign."""


class QuarantineTooShort(PoolError):
    """for a number that was dialled is less than for one that was not; make it at least as long."""


class OnlyForLending(PoolError):
    """is a static pool, whose numbers are lent to nobody; leave such settings away, or make a dynamic pool."""


class StaticNeedsSource(PoolError):
    """is a static pool, in which every number stands for one source; name it with --source."""


class HasHistory(PoolError):
    """has calls or visits in its history, which would lose it; retire it instead: numberpool number retire."""


class EmptyLine(PoolError):
    """stands without a number; write it into its column, or remove the line."""


class RoundedNumber(PoolError):
    """was rounded by a spreadsheet, its last digits are lost; format that column as text, and export the list again."""


class FaultyImport(_Said, PoolError):
    """Some lines of a list of numbers cannot be used."""

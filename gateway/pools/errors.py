"""What can be wrong with a set-up as it was asked for: what was given, what is wrong with it, the mend."""

from collections.abc import Collection

from gateway.errors import Mendable


class SetupError(Mendable):
    """Something cannot be set up as asked.

    SetupError
    ├── NoName
    ├── NameTaken
    ├── NoSuchCompany
    ├── NoCompany
    ├── WhichCompany
    ├── NoSuchSource
    ├── NoSuchDestination
    ├── NoSuchPool
    ├── UnknownTimeZone
    ├── UnknownCurrency
    ├── BadRegion, BadNumber, BadDialString, BadSound   (the message says what, as the checks of each do)
    ├── ContextNotAllowed
    ├── NoTrunks
    ├── EmergencyNumber, DialsEmergency
    ├── NotThatCountry, CostsExtra
    ├── BadRingSeconds
    ├── NextInCircle
    ├── StillLeadsThere
    ├── NumberTaken
    ├── CallsItself
    ├── IsDestination
    ├── NeedsSource
    ├── FaxIsLeftAlone
    └── FaultyList
    """

    def __init__(self, given: object) -> None:
        super().__init__(f"{given!r} {self.__doc__}" if isinstance(given, str) else f"{given} {self.__doc__}")


class _Said(SetupError):
    """A check of another subject has said it all."""

    def __init__(self, message: str) -> None:
        Exception.__init__(self, message)


class NoName(SetupError):
    """is no name; give it one that people will recognise in reports."""


class NameTaken(SetupError):
    """is there already; choose another name, or use the one that is there."""


class NoSuchCompany(SetupError):
    """is not a company here; numberpool company list shows those that are, numberpool company add makes one."""


class NoCompany(_Said):
    """There is no company yet; make one with numberpool company add NAME."""

    def __init__(self) -> None:
        super().__init__(str(self.__doc__))


class WhichCompany(SetupError):
    """companies are here; say which with --company (numberpool company list shows them)."""


class NoSuchSource(SetupError):
    """is not a source of this company; numberpool source list shows those that are, numberpool source add makes one."""


class NoSuchDestination(SetupError):
    """is not a destination of this company; see numberpool destination list, or make it: numberpool destination add."""


class NoSuchPool(SetupError):
    """is not a pool of this company; leave --pool away to use its pool of static numbers."""


class UnknownTimeZone(SetupError):
    """is not a time zone; write it as Area/City, such as America/Regina or Europe/London."""


class UnknownCurrency(SetupError):
    """is not a currency; write its three letters, such as CAD, USD or EUR."""


class BadRegion(_Said):
    """The country cannot be read."""


class BadNumber(_Said):
    """The number cannot be read."""


class BadDialString(_Said):
    """The destination cannot be dialled."""


class ContextNotAllowed(_Said):
    """A destination leads into a context of the dialplan that the settings do not name."""

    def __init__(self, dial: str, context: str, contexts: Collection[str]) -> None:
        listed = ", ".join(f'"{each}"' for each in (*contexts, context))
        super().__init__(
            f"{dial!r} leads into {context}, which calls are not allowed into; if they may go there, write this line "
            f"under [calls] in the settings:\n  dialplan_contexts = [{listed}]\n"
            "then: numberpool asterisk render, asterisk -rx 'dialplan reload', and start the gateway anew"
        )


class BadSound(_Said):
    """The sound cannot be played."""


class BadRingSeconds(SetupError):
    """seconds is no time to let it ring; choose 5 to 600."""


class NextInCircle(SetupError):
    """leads back to this destination, so an unanswered call would go round for ever; choose another, or none."""


class StillLeadsThere(_Said):
    """A destination cannot be removed while calls ring there."""

    def __init__(self, name: str, reasons: Collection[str]) -> None:
        super().__init__(
            f"{name!r} is still where these ring: {'; '.join(reasons)}. Say where they shall ring:  "
            f'numberpool destination remove "{name}" --instead NAME'
        )


class NumberTaken(SetupError):
    """is a tracking number already; a number belongs to one pool, so remove it there or choose another."""


class NoTrunks(SetupError):
    """goes out over trunks, and the settings name none; add a [[nodes.trunks]] table, or write PJSIP/number@trunk."""


class NotThatCountry(SetupError):
    """is in a country that this company's calls are not forwarded to; allow it: numberpool limits countries."""


class CostsExtra(SetupError):
    """costs extra to call, and fraud likes such numbers; allow them: numberpool limits premium on."""


class EmergencyNumber(SetupError):
    """is an emergency number, or may reach one; emergency calls never go through Numberpool, so choose another."""


class DialsEmergency(SetupError):
    """A destination would call the emergency services; name another."""

    def __init__(self, dial: str, number: str) -> None:
        Exception.__init__(
            self,
            f"{dial!r} dials {number}, an emergency number of some country, and emergency calls never go through "
            "Numberpool; name your own line. An extension of yours that has this number can be reached through your "
            "dialplan: Local/extension@context/n",
        )


class CallsItself(SetupError):
    """leads to a tracking number of ours, so a call would come back for ever; name the line behind that number."""


class IsDestination(SetupError):
    """is what a destination dials, so its calls would come back for ever; change that destination first."""


class NeedsSource(SetupError):
    """is to be a static number, which stands for one source; name it with --source."""


class FaxIsLeftAlone(SetupError):
    """is a fax, whose calls are neither recorded nor whispered to; leave --fax away, or --record and --whisper."""


class FaultyList(_Said):
    """Some lines of a list of numbers cannot be used."""

"""A number outside, rung over the trunks of a node: which dial strings are tried, and how each trunk wants the number.

A destination ``Trunk/+13065551234`` names no trunk. Where a route is written for a node it becomes that node's trunks,
in the order of its settings, each tried only if the one before refused the call or could not be reached.
"""

from collections.abc import Sequence
from enum import StrEnum
from functools import lru_cache
from typing import Protocol

import phonenumbers
from phonenumbers import PhoneNumberFormat

TRUNK = "Trunk/"


class NumberForm(StrEnum):
    """How a trunk wants a number that is dialled."""

    PLUS_E164 = "+e164"  # +13065551234
    E164 = "e164"  # 13065551234
    NATIONAL = "national"  # as people dial it in the trunk's country: 3065551234, 01144…


class Trunk(Protocol):
    """What the settings say of a trunk (gateway.settings.TrunkSettings)."""

    @property
    def name(self) -> str: ...
    @property
    def form(self) -> NumberForm: ...
    @property
    def country(self) -> str | None: ...


class NoTrunk(ValueError):
    """A number outside is to be rung, and the settings of this node name no trunk; add a [[nodes.trunks]] table."""


def dialled_as(e164: str, form: NumberForm, country: str | None) -> str:
    """``e164`` as a trunk in ``country`` wants it; a number of no country's goes out in full."""
    if form is NumberForm.PLUS_E164:
        return e164
    if form is NumberForm.E164 or country is None:
        return e164.removeprefix("+")
    try:
        number = phonenumbers.parse(e164, None)
    except phonenumbers.NumberParseException:
        return e164.removeprefix("+")
    if number.country_code == phonenumbers.country_code_for_region(country):
        text = phonenumbers.format_number(number, PhoneNumberFormat.NATIONAL)
    else:
        text = phonenumbers.format_out_of_country_calling_number(number, country)
    return "".join(character for character in text if character.isdecimal())


def attempts(dial: str, trunks: Sequence[Trunk]) -> tuple[str, ...]:
    """The dial strings to try in turn for ``dial``: itself, or one a trunk. Raises NoTrunk."""
    if not dial.startswith(TRUNK):
        return (dial,)
    if not trunks:
        raise NoTrunk(NoTrunk.__doc__)
    number = dial.removeprefix(TRUNK)
    return tuple(f"PJSIP/{_dialled_as(number, trunk.form, trunk.country)}@{trunk.name}" for trunk in trunks)


# Routes are written anew for each call.
_dialled_as = lru_cache(maxsize=4096)(dialled_as)

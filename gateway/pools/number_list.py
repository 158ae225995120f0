"""Lists of numbers, as a carrier's mail or a spreadsheet gives them."""

import re

from gateway.pools.errors import FaultyList
from gateway.pools.numbers import NumberError, to_e164


def numbers_in(text: str, region: str) -> list[str]:
    """The numbers of a list, as E.164: one a line or split by commas, ``#`` before a remark.

    Raises FaultyList, which names every line that is wrong.
    """
    found: dict[str, int] = {}
    faults: list[str] = []
    for line_number, line in enumerate(text.splitlines(), 1):
        for entry in re.split(r"[,;\t]", line.partition("#")[0]):
            if not entry.strip():
                continue
            try:
                e164 = to_e164(entry.strip(), region)
            except NumberError as error:
                faults.append(f"line {line_number}: {error}")
                continue
            if e164 in found:
                faults.append(f"line {line_number}: {e164} stands in line {found[e164]} already; remove one of them.")
            found.setdefault(e164, line_number)
    if faults:
        raise FaultyList("\n".join(faults))
    return list(found)

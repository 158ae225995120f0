"""Sums by the thousand in one value: what a block of days has under each key, a column after the other.

A row of the database for each key cost five times the room, and a report of five thousand keywords its time.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

FIGURES = 13  # as gateway.reports.cube.Sums has them

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

# The narrowest that says a column is taken; the place in here is its first byte. None: nothing but zeros.
_KINDS: tuple[np.dtype[Any] | None, ...] = (None, *(np.dtype(name) for name in ("<u1", "<u2", "<i4", "<f4", "<f8")))
_WHOLE = ((1, 0, 2**8 - 1), (2, 0, 2**16 - 1), (3, -(2**31), 2**31 - 1))
_ROUGHLY, _ANY = 4, 5
# Seconds of talk and ring and what is expected, and all that parts of calls have but money: seven digits are enough.
_ROUGH = frozenset({6, 7, 11, 12})
_MONEY = 5
# The bits of the models that credit one touch with all of a call.
_OF_ONE_TOUCH = 15
_COUNT = 4  # bytes that say how many there are


def _no_ints() -> Ints:
    return np.zeros(0, np.int64)


@dataclass(frozen=True, slots=True)
class Entries:
    """Figures under keys: two ids of ``report_keys`` each (0: none), and for which basis and models they are sums."""

    first: Ints = field(default_factory=_no_ints)
    second: Ints = field(default_factory=_no_ints)
    kind: Ints = field(default_factory=_no_ints)  # basis * 128 + the models as bits
    figures: Floats = field(default_factory=lambda: np.zeros((FIGURES, 0)))  # a row for each

    def __len__(self) -> int:
        return len(self.kind)

    def of(self, is_wanted: npt.NDArray[np.bool_]) -> "Entries":
        """Those that are wanted."""
        return Entries(self.first[is_wanted], self.second[is_wanted], self.kind[is_wanted], self.figures[:, is_wanted])

    def added(self, by_kind: bool = True) -> "Entries":
        """One for each pair of keys (and kind, unless all kinds are one)."""
        if not len(self):
            return self
        keys = self.first << 32 | self.second
        if by_kind:
            places, of_keys = np.unique(keys, return_inverse=True)
            kinds, of_kinds = np.unique(self.kind, return_inverse=True)
            both, turn = np.unique(of_keys * len(kinds) + of_kinds, return_inverse=True)
            keys, kind = places[both // len(kinds)], kinds[both % len(kinds)]
        else:
            keys, turn = np.unique(keys, return_inverse=True)
            kind = np.zeros(len(keys), np.int64)
        figures: Floats = np.stack(
            [np.bincount(turn, each, len(keys)) if each.any() else np.zeros(len(keys)) for each in self.figures]
        )
        return Entries(keys >> 32, keys & 0xFFFFFFFF, kind, figures)


def together(parts: Sequence[Entries]) -> Entries:
    """All of them, one after the other."""
    if len(parts) == 1:
        return parts[0]
    if not parts:
        return Entries()
    return Entries(
        np.concatenate([each.first for each in parts]),
        np.concatenate([each.second for each in parts]),
        np.concatenate([each.kind for each in parts]),
        np.concatenate([each.figures for each in parts], axis=1),
    )


def pack(entries: Entries) -> bytes:
    """As they are stored: whole calls for themselves, as parts of calls have no narrow figures."""
    is_whole = entries.kind & _OF_ONE_TOUCH != 0
    parts = (entries,) if is_whole.all() else (entries.of(is_whole), entries.of(~is_whole))
    return b"".join(_section(part) for part in parts if len(part))


def unpack(stored: bytes) -> Entries:
    """What was packed."""
    at, parts = 0, []
    while at < len(stored):
        count, at = int.from_bytes(stored[at : at + _COUNT], "little"), at + _COUNT
        columns: list[npt.NDArray[Any]] = []
        for place in range(3 + FIGURES):
            wide = np.int64 if place < 3 else np.float64
            kind, at = _KINDS[stored[at]], at + 1
            if kind is None:
                columns.append(np.zeros(count, wide))
                continue
            columns.append(np.frombuffer(stored, kind, count, at).astype(wide))
            at += count * kind.itemsize
        parts.append(Entries(columns[0], columns[1], columns[2], np.stack(columns[3:])))
    return together(parts)


def _section(entries: Entries) -> bytes:
    columns: list[npt.NDArray[Any]] = [entries.first, entries.second, entries.kind, *entries.figures]
    of_parts = not (entries.kind & _OF_ONE_TOUCH).all()
    packed = (
        _packed(each, is_rough=place - 3 in _ROUGH or (of_parts and place - 3 != _MONEY))
        for place, each in enumerate(columns)
    )
    return b"".join((len(entries).to_bytes(_COUNT, "little"), *packed))


def _packed(column: npt.NDArray[Any], *, is_rough: bool) -> bytes:
    low, high = column.min(), column.max()
    if low == 0 == high:
        return b"\0"
    if column.dtype == np.int64 or np.array_equal(np.rint(column), column):
        place = next((at for at, least, most in _WHOLE if least <= low and high <= most), _ANY)
    else:
        place = _ROUGHLY if is_rough else _ANY
    kind = _KINDS[place]
    assert kind is not None
    return bytes([place]) + column.astype(kind).tobytes()

"""What the buttons of a flow's form do to the draft: cards, telephones, keys, times, holidays added, moved, removed."""

from gateway.calls.flow import KEYS, MOST_LINES, WEEK, Day
from gateway.http.flow_draft import (
    MOST_CARDS,
    MOST_HOLIDAYS,
    OPEN,
    OTHERWISE,
    Card,
    Chain,
    Draft,
    DraftHoliday,
    DraftLine,
    Kind,
    even,
    every_card,
    new_card,
)


def change(draft: Draft, wish: str, destination: str = "") -> str:
    """Do what a button says (``add:0.open.:ring``, ``up:0.open.1``, ...); the place to look at then, empty where none.

    ``destination`` is what a new ring rings. What cannot be done is not.
    """
    verb, _, rest = wish.partition(":")
    place, _, what = rest.partition(":")
    if verb == "add":
        return _add(draft, place, what, destination)
    found = _find(draft.cards, place)
    if found is None:
        return ""
    chain, at = found
    card = chain[at]
    number = int(what) if what.isascii() and what.isdigit() and len(what) < 3 else -1
    match verb:
        case "up":
            return _up(draft, place, chain, at)
        case "down":
            return _down(place, chain, at)
        case "drop":
            chain[at : at + 1] = card.branches.get(OPEN, []) or card.branches.get(OTHERWISE, [])
            return ""
        case "line" if card.kind is Kind.RING and len(card.lines) < MOST_LINES:
            card.lines.append(DraftLine())
            return place
        case "line-up" if 0 < number < len(card.lines):
            card.lines.insert(number - 1, card.lines.pop(number))
        case "line-down" if 0 <= number < len(card.lines) - 1:
            card.lines.insert(number + 1, card.lines.pop(number))
        case "line-drop" if 0 <= number < len(card.lines):
            del card.lines[number]
        case "times" if card.kind is Kind.HOURS and card.columns < 4:
            card.week = even(card.week, card.columns + 1)
        case "alike" if card.kind is Kind.HOURS:
            for day in WEEK[1:5]:
                card.week[day] = list(card.week[Day.MONDAY])
        case "holiday" if card.kind is Kind.HOURS and len(card.holidays) < MOST_HOLIDAYS:
            card.holidays.append(DraftHoliday())
        case "holiday-drop" if 0 <= number < len(card.holidays):
            del card.holidays[number]
        case "key" if card.kind is Kind.MENU and len(card.branches) <= len(KEYS):
            _add_key(card, destination)
        case "key-drop" if card.kind is Kind.MENU and len(card.branches) > 2:
            _drop_key(card, what)
    return place


def _add(draft: Draft, chain_place: str, what: str, destination: str) -> str:
    chain = _chain_at(draft.cards, chain_place)
    try:
        kind = Kind(what)
    except ValueError:
        return ""
    if chain is None or sum(1 for _ in every_card(draft.cards)) >= MOST_CARDS:
        return ""
    card = new_card(kind, destination)
    if kind in (Kind.HOURS, Kind.MENU):  # what was there is what they lead to
        card.branches[OPEN if kind is Kind.HOURS else OTHERWISE] = chain[:] or [new_card(Kind.RING, destination)]
        chain[:] = [card]
        return f"{chain_place}0"
    at = len(chain) - 1 if chain and chain[-1].kind.ends else len(chain)
    chain.insert(at, card)
    return f"{chain_place}{at}"


def _up(draft: Draft, place: str, chain: Chain, at: int) -> str:
    if at > 0:
        chain.insert(at - 1, chain.pop(at))
        return _beside(place, at - 1)
    outer = place.rpartition(".")[0].rpartition(".")[0]
    found = _find(draft.cards, outer) if outer else None
    if found is None or chain[at].kind.ends:
        return place
    around, there = found
    around.insert(there, chain.pop(at))
    return outer


def _down(place: str, chain: Chain, at: int) -> str:
    if at + 1 >= len(chain):
        return place
    below = chain[at + 1]
    if below.branches and not chain[at].kind.ends:  # into the first of its branches
        branch = next(iter(below.branches))
        below.branches[branch].insert(0, chain.pop(at))
        return f"{place}.{branch}.0"
    chain.insert(at + 1, chain.pop(at))
    return _beside(place, at + 1)


def _beside(place: str, at: int) -> str:
    before, dot, _ = place.rpartition(".")
    return f"{before}{dot}{at}"


def _add_key(card: Card, destination: str) -> None:
    taken = {key for _, key in card.keys}
    number = len(card.keys)
    otherwise = card.branches.pop(OTHERWISE)
    card.values[f"key{number}"] = next((key for key in (*KEYS[1:], KEYS[0]) if key not in taken), "")
    card.branches[f"b{number}"] = [new_card(Kind.RING, destination)]
    card.branches[OTHERWISE] = otherwise


def _drop_key(card: Card, branch: str) -> None:
    kept = [(key, card.branches[name]) for name, key in card.keys if name != branch]
    otherwise = card.branches[OTHERWISE]
    card.values = {name: value for name, value in card.values.items() if not name.startswith("key")}
    card.values |= {f"key{number}": key for number, (key, _) in enumerate(kept)}
    card.branches = {**{f"b{number}": chain for number, (_, chain) in enumerate(kept)}, OTHERWISE: otherwise}


def _chain_at(cards: Chain, place: str) -> Chain | None:
    """The chain whose cards' places begin so; the first of all for none."""
    if not place:
        return cards
    outer, _, branch = place.removesuffix(".").rpartition(".")
    found = _find(cards, outer)
    return None if found is None else found[0][found[1]].branches.get(branch)


def _find(cards: Chain, place: str) -> tuple[Chain, int] | None:
    before, _, number = place.rpartition(".")
    chain = _chain_at(cards, before)
    if chain is None or not number.isdigit() or int(number) >= len(chain):
        return None
    return chain, int(number)

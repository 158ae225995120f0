"""Erlang's loss formula: how often all numbers are taken."""


def erlang_b(numbers: int, load: float) -> float:
    """The share of arrivals that find ``numbers`` servers taken, at ``load`` erlangs (arrivals times holding time).

    A. K. Erlang, 1917, by the recursion B(n) = a B(n-1) / (n + a B(n-1)), which neither overflows nor rounds badly.
    """
    blocked = 1.0
    for taken in range(1, numbers + 1):
        blocked = load * blocked / (taken + load * blocked)
    return blocked


def numbers_for(load: float, *, at_most: float) -> int:
    """The fewest numbers with which at most so great a share finds them taken."""
    numbers, blocked = 0, 1.0
    while blocked > at_most:
        numbers += 1
        blocked = load * blocked / (numbers + load * blocked)
    return numbers


def load_for(numbers: int, *, at_most: float) -> float:
    """The greatest load at which at most so great a share finds ``numbers`` taken."""
    low, high = 0.0, float(numbers) / (1 - at_most) + 1
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if erlang_b(numbers, middle) <= at_most else (low, middle)
    return low

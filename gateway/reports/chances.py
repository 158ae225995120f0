"""What can be said for sure of a count: the bounds of a Poisson rate, and the chance of so few of so many."""

from math import exp, lgamma, log, sqrt
from statistics import NormalDist

# Counts beyond this are so sure that an approximation is exact to four digits.
_MANY = 500.0


def least(count: float, chance: float) -> float:
    """The rate that lies behind ``count`` events is lower than this with no more than ``chance``.

    F. Garwood, "Fiducial Limits for the Poisson Distribution", Biometrika 1936; counts may have fractions.
    """
    return gamma_quantile(count, chance) if count > 0 else 0.0


def most(count: float, chance: float) -> float:
    """The rate that lies behind ``count`` events is higher than this with no more than ``chance`` (Garwood 1936)."""
    return gamma_quantile(count + 1, 1 - chance)


def gamma_quantile(shape: float, chance: float) -> float:
    """Where a gamma distribution of this shape and scale one has ``chance`` below it; ``shape`` above 0."""
    if shape > _MANY:
        return _wilson_hilferty(shape, chance)
    low, high = 0.0, max(1.0, 2 * shape)
    while gamma_below(shape, high) < chance:
        low, high = high, 2 * high
    for _ in range(48):
        middle = (low + high) / 2
        low, high = (middle, high) if gamma_below(shape, middle) < chance else (low, middle)
    return (low + high) / 2


def gamma_below(shape: float, x: float) -> float:
    """The regularised lower incomplete gamma function P(shape, x): by its series, or its continued fraction.

    NIST Digital Library of Mathematical Functions, 8.7.1 and 8.9.2 (the fraction by Lentz's method).
    """
    if x <= 0:
        return 0.0
    front = exp(shape * log(x) - x - lgamma(shape))
    if x < shape + 1:
        term = total = 1 / shape
        place = shape
        while term > total * 1e-12:
            place += 1
            term *= x / place
            total += term
        return min(1.0, front * total)
    b = x + 1 - shape
    c, d = 1e300, 1 / b
    fraction = d
    for step in range(1, 10_000):
        a = -step * (step - shape)
        b += 2
        d = 1 / (a * d + b)
        c = b + a / c
        fraction *= c * d
        if abs(c * d - 1) < 1e-12:
            break
    return max(0.0, 1 - front * fraction)


def so_few(count: int, of: int, share: float) -> float:
    """The chance of at most ``count`` successes in ``of`` trials that each succeed with ``share`` (between 0 and 1)."""
    if count >= of:
        return 1.0
    term = exp(
        lgamma(of + 1) - lgamma(count + 1) - lgamma(of - count + 1) + count * log(share) + (of - count) * log(1 - share)
    )
    total = 0.0
    for number in range(count, -1, -1):
        total += term
        term *= number / (of - number + 1) * (1 - share) / share
        if term < total * 1e-12 and number < of * share:
            break
    return min(1.0, total)


def _wilson_hilferty(shape: float, chance: float) -> float:
    """E. B. Wilson and M. M. Hilferty, "The Distribution of Chi-Square", 1931."""
    away = NormalDist().inv_cdf(chance)
    root = 1 - 1 / (9 * shape) + away / (3 * sqrt(shape))
    return shape * root * root * root

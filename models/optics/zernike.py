"""Zernike polynomials in Noll's order, unit root mean square on the unit disc (Noll 1976), and other orders' names.

Each polynomial is written as a sum of monomials x^a y^b: no angle is needed, nothing is singular at the origin, and the
gradient is exact.
"""

from __future__ import annotations

from functools import lru_cache
from math import comb, factorial, sqrt

from array_api_compat import array_namespace

from models.optics.arrays import Array

Terms = tuple[tuple[int, int, float], ...]
"""Monomials: exponent of x, exponent of y, coefficient."""


def noll_to_nm(j: int) -> tuple[int, int]:
    """Return radial order n and azimuthal order m of Noll's index; m < 0 is the sine.

    Raises
    ------
    ValueError
        j is below 1.
    """
    if j < 1:
        raise ValueError(f"Noll index {j}: the first one is 1, piston")
    n = int((sqrt(8 * j - 7) - 1) // 2)
    place = j - n * (n + 1) // 2 - 1
    size = 2 * ((place + 1) // 2) if n % 2 == 0 else 2 * (place // 2) + 1
    return n, size if j % 2 == 0 else -size


def nm_to_noll(n: int, m: int) -> int:
    """Return Noll's index; raises ValueError if there is no such polynomial."""
    _check(n, m)
    for j in range(n * (n + 1) // 2 + 1, (n + 1) * (n + 2) // 2 + 1):
        if noll_to_nm(j) == (n, m):
            return j
    raise AssertionError("each (n, m) has its place in the row of n")


def osa_to_noll(j: int) -> int:
    """Return Noll's index of an OSA / ANSI index, which starts at 0 (ANSI Z80.28)."""
    if j < 0:
        raise ValueError(f"OSA index {j}: the first one is 0, piston")
    n = int((sqrt(8 * j + 1) - 1) // 2)
    return nm_to_noll(n, 2 * j - n * (n + 2))


def noll_to_osa(j: int) -> int:
    """Return the OSA / ANSI index, which starts at 0 (ANSI Z80.28)."""
    n, m = noll_to_nm(j)
    return (n * (n + 2) + m) // 2


def noll_to_fringe(j: int) -> int:
    """Return the fringe (University of Arizona) index, which starts at 1; the cosine comes before the sine."""
    n, m = noll_to_nm(j)
    return (1 + (n + abs(m)) // 2) ** 2 - 2 * abs(m) + (m < 0)


def fringe_to_noll(j: int) -> int:
    """Return Noll's index of a fringe index, which starts at 1."""
    if j < 1:
        raise ValueError(f"fringe index {j}: the first one is 1, piston")
    ring = next(d for d in range(j + 1) if (d + 1) ** 2 >= j)  # (n + |m|) / 2
    size, cosine = divmod((ring + 1) ** 2 - j + 1, 2)
    return nm_to_noll(2 * ring - size, size if cosine else -size)


def evaluate(j: int, x: Array, y: Array) -> Array:
    """Return the polynomial of Noll's index j at (x, y), any shape; the edge of the pupil is at radius 1."""
    return _sum(_terms(*noll_to_nm(j)), x, y)


def gradient(j: int, x: Array, y: Array) -> tuple[Array, Array]:
    """Return the derivatives by x and by y."""
    terms = _terms(*noll_to_nm(j))
    by_x = tuple((a - 1, b, a * c) for a, b, c in terms if a)
    by_y = tuple((a, b - 1, b * c) for a, b, c in terms if b)
    return _sum(by_x, x, y), _sum(by_y, x, y)


def basis(modes: tuple[int, ...], x: Array, y: Array) -> Array:
    """Return the polynomials of several Noll indices, (modes, *shape of x)."""
    return array_namespace(x).stack([evaluate(j, x, y) for j in modes])


@lru_cache
def _terms(n: int, m: int) -> Terms:
    """Expand sqrt(2 (n + 1)) R_n^|m|(r) {cos, sin}(|m| phi), without the 2 for m = 0, into monomials."""
    _check(n, m)
    size, terms = abs(m), dict[tuple[int, int], float]()
    norm = sqrt((n + 1) * (1 if m == 0 else 2))
    for k in range((n - size) // 2 + 1):
        radial = (-1) ** k * factorial(n - k) / (
            factorial(k) * factorial((n + size) // 2 - k) * factorial((n - size) // 2 - k)
        )  # fmt: skip
        power = (n - size) // 2 - k  # of r^2 = x^2 + y^2
        for i in range(power + 1):
            for p in range(size + 1):  # (x + i y)^size: even p is the real part, odd p the imaginary one
                if p % 2 == (m < 0):
                    at = (2 * (power - i) + size - p, 2 * i + p)
                    terms[at] = terms.get(at, 0.0) + norm * radial * comb(power, i) * comb(size, p) * (-1) ** (p // 2)
    return tuple((a, b, c) for (a, b), c in terms.items())


def _sum(terms: Terms, x: Array, y: Array) -> Array:
    total = 0 * x
    for a, b, c in terms:
        total = total + c * x**a * y**b
    return total


def _check(n: int, m: int) -> None:
    if n < 0 or abs(m) > n or (n - m) % 2:
        raise ValueError(f"no Zernike polynomial has n = {n}, m = {m}: |m| is at most n, and n - m is even")

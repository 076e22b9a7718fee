"""Are two results the same? Distances between arrays in units in the last place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from fuseir.errors import FuseirError

Array: TypeAlias = NDArray[Any]


class MismatchError(FuseirError):
    """Two backends that should agree do not."""

    code = "FIR-E014"


@dataclass(frozen=True)
class Difference:
    """How two arrays of one shape and dtype differ: in how many elements, by how many ulp at most, and where first.

    Integers and booleans that differ, and NaNs beside numbers, count as infinitely far apart (``ulp`` None).
    """

    elements: int
    ulp: int | None
    first: tuple[int, ...] | None

    def within(self, tolerance: int) -> bool:
        """Whether no element is further off than ``tolerance`` ulp."""
        return self.elements == 0 or (self.ulp is not None and self.ulp <= tolerance)


def difference(a: Array, b: Array) -> Difference:
    """How ``b`` differs from ``a``. NaNs are all alike; -0 and +0 are 1 ulp apart."""
    if a.dtype.kind != "f":
        differs, ulp = a != b, None
    else:
        distance = np.where(np.isnan(a) & np.isnan(b), np.uint64(0), _distance(_key(a), _key(b)))
        differs = distance != 0
        ulp = None if np.any(np.isnan(a) != np.isnan(b)) else int(distance.max(initial=0))
    elements = int(np.count_nonzero(differs))
    if not elements:
        return Difference(0, 0, None)
    first = np.unravel_index(int(np.argmax(differs)), a.shape) if a.ndim else ()
    return Difference(elements, ulp, tuple(int(i) for i in first))


def _key(a: Array) -> NDArray[np.int64]:
    """Integers in the order of the floats, neighbours one apart."""
    bits = a.view(f"i{a.dtype.itemsize}").astype(np.int64)
    lowest = np.int64(np.iinfo(f"i{a.dtype.itemsize}").min)
    return np.where(bits < 0, ~(bits - lowest), bits)


def _distance(a: NDArray[np.int64], b: NDArray[np.int64]) -> NDArray[np.uint64]:
    # Differences of 64-bit keys may need all 64 bits.
    return np.maximum(a, b).astype(np.uint64) - np.minimum(a, b).astype(np.uint64)


def report(expected: Mapping[str, Array], found: Mapping[str, Array], tolerance: int) -> tuple[list[str], bool]:
    """One line for each store, and whether all are within the tolerance."""
    lines: list[str] = []
    agree = True
    for name, array in expected.items():
        d = difference(array, found[name])
        if d.elements == 0:
            lines.append(f"{name}: equal")
            continue
        agree = agree and d.within(tolerance)
        far = "" if d.ulp is None else f", by {d.ulp} ulp at most"
        first = "" if not d.first else f" at {list(d.first)}"
        values = f"{array[d.first or ()]!s} and {found[name][d.first or ()]!s}"
        lines.append(f"{name}: {d.elements} of {array.size} elements differ{far}; first{first}: {values}")
    return lines, agree

"""Views: affine windows onto a store, and when two of them cannot meet."""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd

from fuseir.dialects.dist.index_map import Coordinate, IndexMap
from fuseir.dialects.dist.partition import COORDINATE_LIMIT, Shape


@dataclass(frozen=True, slots=True)
class View:
    """A window of ``shape`` onto a store: view index ``i`` is the store's element ``index_map.at(i)``.

    Each view dimension moves at most one store dimension; one that moves none is a broadcast dimension. ``index_map`` of None is the
    whole store, unchanged: the common case, kept cheap to compare.
    """

    shape: Shape
    index_map: IndexMap | None = None

    def map(self) -> IndexMap:
        """The index map, written out."""
        return IndexMap.identity(len(self.shape)) if self.index_map is None else self.index_map

    @property
    def repeats(self) -> bool:
        """Whether some element of the store appears at two indices: there is a broadcast dimension longer than 1."""
        if self.index_map is None:
            return False
        used = {c.dim for c in self.index_map.results}
        return any(extent > 1 and d not in used for d, extent in enumerate(self.shape))

    def bounds(self) -> tuple[tuple[int, int], ...]:
        """Least and greatest index into each dimension of the store; the view must not be empty."""
        return tuple(_bounds(coordinate, self.shape) for coordinate in self.map().results)

    def covers(self, store_shape: Shape) -> bool:
        """Whether every element of the store is in the view."""
        if self.index_map is None or 0 in store_shape:
            return True
        if 0 in self.shape:
            return False
        return all(
            (extent == 1 if c.dim is None else self.shape[c.dim] == extent and (abs(c.scale) == 1 or extent == 1))
            for c, extent in zip(self.index_map.results, store_shape, strict=True)
        )

    def error(self, store_shape: Shape) -> str | None:
        """What makes this no window onto a store of that shape; None if nothing does."""
        index_map = self.map()
        if index_map.inputs != len(self.shape):
            return f"the map takes {index_map.inputs} dimensions, the view has {len(self.shape)}"
        if len(index_map.results) != len(store_shape):
            return f"the map has {len(index_map.results)} results, the store has rank {len(store_shape)}"
        used = [c.dim for c in index_map.results if c.dim is not None]
        if len(set(used)) != len(used):
            return "a view dimension appears in two results of the map"
        empty = 0 in self.shape
        for k, (coordinate, extent) in enumerate(zip(index_map.results, store_shape, strict=True)):
            low, high = (coordinate.offset, coordinate.offset) if empty else _bounds(coordinate, self.shape)
            # The scale counts also where it moves nothing: machine code holds it.
            if max(abs(low), abs(high), abs(coordinate.scale)) >= COORDINATE_LIMIT:
                return f"index arithmetic in dimension {k} leaves the range ±2^62"
            if not empty and (low < 0 or high >= extent):
                return f"indices {low} to {high} leave dimension {k} of the store, which has extent {extent}"
        return None


def _bounds(coordinate: Coordinate, shape: Shape) -> tuple[int, int]:
    """Least and greatest value over a nonempty index space."""
    if coordinate.dim is None:
        return coordinate.offset, coordinate.offset
    last = (shape[coordinate.dim] - 1) * coordinate.scale + coordinate.offset
    return min(coordinate.offset, last), max(coordinate.offset, last)


def compose(outer: View, inner: View) -> View:
    """The view onto the store that shows what ``inner`` shows of ``outer`` (``inner`` indexes into ``outer``'s index space)."""
    if inner.index_map is None:
        return outer
    if outer.index_map is None:
        return inner
    return View(inner.shape, outer.index_map.after(inner.index_map))


def views_meet(a: View, b: View) -> bool:
    """Whether two views of one store have an element in common. Exact; costs O(rank) plus a gcd a dimension."""
    if 0 in a.shape or 0 in b.shape:
        return False
    return all(
        _progressions_meet(x, a.shape, y, b.shape) for x, y in zip(a.map().results, b.map().results, strict=True)
    )


def _progressions_meet(a: Coordinate, a_shape: Shape, b: Coordinate, b_shape: Shape) -> bool:
    """Whether two bounded arithmetic progressions have a common member (Chinese remainders)."""
    a_low, a_high = _bounds(a, a_shape)
    b_low, b_high = _bounds(b, b_shape)
    low, high = max(a_low, b_low), min(a_high, b_high)
    if low > high:
        return False
    # A progression of one member has any step; a step beyond both spans keeps the arithmetic below uniform.
    a_step = abs(a.scale) if a_low < a_high else 0
    b_step = abs(b.scale) if b_low < b_high else 0
    if a_step == 0 or b_step == 0:
        if a_step == 0 and b_step == 0:
            return True  # both are the single value in [low, high]
        fixed, other_low, step = (a_low, b_low, b_step) if a_step == 0 else (b_low, a_low, a_step)
        return (fixed - other_low) % step == 0
    g = gcd(a_step, b_step)
    if (b_low - a_low) % g:
        return False
    # Least x ≥ low with x ≡ a_low (mod a_step) and x ≡ b_low (mod b_step).
    modulus = b_step // g
    k = ((b_low - a_low) // g * pow(a_step // g, -1, modulus)) % modulus if modulus > 1 else 0
    lcm = a_step // g * b_step
    first = a_low + k * a_step
    return first + -(-(low - first) // lcm) * lcm <= high

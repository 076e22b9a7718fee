"""Index maps: the one kind of affine map that views and projections need.

Each result is a constant, or one input dimension scaled and shifted; no result mixes two dimensions. That restriction is what makes
every question about partitions and views answerable exactly, one dimension at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple


class Coordinate(NamedTuple):
    """One result of an index map: ``d[dim] * scale + offset``, or the constant ``offset`` where ``dim`` is None (then scale is 0)."""

    dim: int | None
    scale: int
    offset: int

    def at(self, point: Sequence[int]) -> int:
        """The value at a point of the input space."""
        return self.offset if self.dim is None else point[self.dim] * self.scale + self.offset

    def __str__(self) -> str:
        if self.dim is None:
            return str(self.offset)
        text = f"d{self.dim}" if self.scale == 1 else f"d{self.dim} * {self.scale}"
        if self.offset:
            text += f" + {self.offset}" if self.offset > 0 else f" - {-self.offset}"
        return text


@dataclass(frozen=True, slots=True)
class IndexMap:
    """A map from ``inputs`` dimensions to ``len(results)`` coordinates."""

    inputs: int
    results: tuple[Coordinate, ...]

    @staticmethod
    def identity(rank: int) -> IndexMap:
        """The map ``(d0, …) -> (d0, …)``."""
        return IndexMap(rank, tuple(Coordinate(d, 1, 0) for d in range(rank)))

    @property
    def is_identity(self) -> bool:
        """Whether the map is ``identity(inputs)``."""
        return self == IndexMap.identity(self.inputs)

    def at(self, point: Sequence[int]) -> tuple[int, ...]:
        """The image of a point."""
        return tuple(coordinate.at(point) for coordinate in self.results)

    def after(self, inner: IndexMap) -> IndexMap:
        """The map ``point -> self.at(inner.at(point))``."""
        if len(inner.results) != self.inputs:
            raise ValueError(f"cannot compose: {len(inner.results)} results into {self.inputs} inputs")
        results: list[Coordinate] = []
        for outer in self.results:
            if outer.dim is None:
                results.append(outer)
                continue
            source = inner.results[outer.dim]
            results.append(
                Coordinate(source.dim, source.scale * outer.scale, source.offset * outer.scale + outer.offset)
            )
        return IndexMap(inner.inputs, tuple(results))

    def __str__(self) -> str:
        dims = ", ".join(f"d{d}" for d in range(self.inputs))
        return f"({dims}) -> ({', '.join(map(str, self.results))})"

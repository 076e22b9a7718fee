"""The partition algebra: how a launch's points divide an index space, and the exact questions passes ask about it.

A partition of an index space of shape ``n`` over a launch domain gives point ``p`` a box, the product over dimensions ``k`` of
``[c*multiplier + addend, … + tile)`` clipped to ``[0, n_k)``, where ``c`` is one coordinate of ``p`` or 0. Every answer here is
computed from those few integers: at a cost that depends on ranks alone, never on how many points or pieces there are (papers:
Diffuse §3.1, §4.2.1; checks D1–D8, D26, D27). Python integers do not overflow; the verifier keeps what machine code computes
within ``COORDINATE_LIMIT``.

What makes it exact: where a launch dimension ``j`` moves a tile at all, it moves it by at least the tile's extent, so tiles of points that
differ in ``j`` never overlap, and tiles of points that agree in all such dimensions are the same.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from operator import index
from typing import ClassVar, NamedTuple

from fuseir.dialects.dist.index_map import Coordinate, IndexMap

Shape = tuple[int, ...]

COORDINATE_LIMIT = 2**62
"""Every coordinate that can occur stays strictly below this in magnitude, so 64-bit index arithmetic cannot wrap."""


class Range(NamedTuple):
    """The integers ``low ≤ i < high``; empty where ``high ≤ low``."""

    low: int
    high: int

    @property
    def empty(self) -> bool:
        """Whether no integer is in the range."""
        return self.high <= self.low

    def meet(self, other: Range) -> Range:
        """The integers in both."""
        return Range(max(self.low, other.low), min(self.high, other.high))


class Interval(NamedTuple):
    """What one dimension of a partitioned index space gives to each point: an interval that may move with one launch dimension.

    At launch coordinate ``c`` it is ``[c*multiplier + addend, c*multiplier + addend + tile)`` clipped to ``[0, extent)``.
    ``launch_dim`` is None, and ``multiplier`` 0, where it does not move; otherwise ``|multiplier| ≥ tile``.
    """

    launch_dim: int | None
    multiplier: int
    addend: int
    tile: int
    extent: int

    def at(self, c: int) -> Range:
        """The clipped interval at launch coordinate ``c``."""
        start = c * self.multiplier + self.addend
        return Range(max(start, 0), min(start + self.tile, self.extent))

    def coordinates_where(self, low: int, high: int, count: int) -> Range:
        """The coordinates in ``[0, count)`` at which the unclipped start lies in ``[low, high]``."""
        if self.launch_dim is None:
            return Range(0, count if low <= self.addend <= high else 0)
        low, high = low - self.addend, high - self.addend
        if self.multiplier < 0:
            low, high = -high, -low
        step = abs(self.multiplier)
        return Range(max(0, -(-low // step)), min(count, high // step + 1))

    def nonempty(self, count: int) -> Range:
        """The coordinates at which the clipped interval has elements."""
        if self.extent == 0:
            return Range(0, 0)  # a tile may reach over both ends of nothing
        return self.coordinates_where(1 - self.tile, self.extent - 1, count)

    def full(self, count: int) -> Range:
        """The coordinates at which the clipped interval is the whole extent (which must be ≥ 1)."""
        return self.coordinates_where(self.extent - self.tile, 0, count)

    def fixed_at(self, c: int) -> Interval:
        """The interval that stays where this one is at ``c``."""
        return Interval(None, 0, c * self.multiplier + self.addend, self.tile, self.extent)

    def turning_points(self, count: int) -> set[int]:
        """Coordinates between which both clipped ends are affine in ``c``: a constant number of them, ends of the range included."""
        points = {0, 1, count - 2, count - 1}
        if self.launch_dim is not None:
            for start in (-self.tile, 0, self.extent - self.tile, self.extent):
                root = (start - self.addend) // self.multiplier
                points.update(range(root - 1, root + 3))
        return {c for c in points if 0 <= c < count}


def intervals_within_limit(intervals: Sequence[Interval], domain: Shape) -> bool:
    """Whether multipliers and all unclipped bounds over the domain stay below ``COORDINATE_LIMIT`` in magnitude."""
    for interval in intervals:
        if abs(interval.multiplier) >= COORDINATE_LIMIT:
            return False  # machine code holds it even where the domain has one point and it moves nothing
        last = 0 if interval.launch_dim is None else max(domain[interval.launch_dim] - 1, 0)
        for c in (0, last):
            start = c * interval.multiplier + interval.addend
            if abs(start) >= COORDINATE_LIMIT or abs(start + interval.tile) >= COORDINATE_LIMIT:
                return False
    return True


def nonempty_points(intervals: Sequence[Interval], domain: Shape) -> tuple[Range, ...] | None:
    """The box of points whose tile has elements, or None where there is none."""
    support = [Range(0, count) for count in domain]
    for interval in intervals:
        if interval.launch_dim is None:
            if interval.at(0).empty:
                return None
        else:
            j = interval.launch_dim
            support[j] = support[j].meet(interval.nonempty(domain[j]))
    return None if any(r.empty for r in support) else tuple(support)


def intervals_equal(a: Sequence[Interval], b: Sequence[Interval], domain: Shape) -> bool:
    """Whether each point of the domain gets the same set of elements from both."""
    support = nonempty_points(a, domain)
    if support != nonempty_points(b, domain):
        return False
    if support is None:
        return True
    return all(_equal_on(x, y, support) for x, y in zip(a, b, strict=True))


def _equal_on(a: Interval, b: Interval, support: tuple[Range, ...]) -> bool:
    """Whether two intervals, nonempty on all of ``support``, agree at each of its points."""

    def settle(interval: Interval) -> Interval:
        j = interval.launch_dim
        if j is not None and support[j].high - support[j].low == 1:
            return interval.fixed_at(support[j].low)
        return interval

    a, b = settle(a), settle(b)
    if a.launch_dim != b.launch_dim:
        return False  # one moves (by a tile or more) while the other stays
    if a.launch_dim is None:
        return a.at(0) == b.at(0)
    # Nonempty at all of these, so only the outermost coordinates are clipped: inside, both ends are affine.
    low, high = support[a.launch_dim]
    return all(a.at(c) == b.at(c) for c in {low, low + 1, high - 2, high - 1})


def intervals_cover(intervals: Sequence[Interval], domain: Shape) -> bool:
    """Whether the union of all points' boxes is the whole index space."""
    if any(interval.extent == 0 for interval in intervals):
        return True
    if 0 in domain:
        return False
    by_launch_dim: dict[int, list[Interval]] = {}
    for interval in intervals:
        if interval.launch_dim is None:
            if interval.full(1).empty:
                return False
        else:
            by_launch_dim.setdefault(interval.launch_dim, []).append(interval)
    for j, group in by_launch_dim.items():
        if len(group) == 1 and _slides_over(group[0], domain[j]):
            continue
        # Otherwise one coordinate must do it alone: strided tiles leave gaps between them, and two dimensions that move together leave out
        # the corners that pair one's early tile with the other's late one.
        alone = Range(0, domain[j])
        for interval in group:
            alone = alone.meet(interval.full(domain[j]))
        if alone.empty:
            return False
    return True


def _slides_over(interval: Interval, count: int) -> bool:
    """Whether adjacent tiles touch and together span the extent."""
    if abs(interval.multiplier) != interval.tile:
        return False
    first, last = interval.addend, interval.addend + (count - 1) * interval.multiplier
    return min(first, last) <= 0 and max(first, last) + interval.tile >= interval.extent


def intervals_disjoint(intervals: Sequence[Interval], domain: Shape) -> bool:
    """Whether no two points of the domain share an element."""
    if nonempty_points(intervals, domain) is None:
        return True
    moving = {interval.launch_dim for interval in intervals}
    return all(count <= 1 or j in moving for j, count in enumerate(domain))


def intervals_fixed(intervals: Sequence[Interval], domain: Shape) -> bool:
    """Whether all points of the domain get the same box."""
    return 0 in domain or all(i.launch_dim is None or domain[i.launch_dim] == 1 for i in intervals)


def extent_fixed(interval: Interval, domain: Shape) -> bool:
    """Whether the clipped interval has one length at all points of the domain."""
    return extents_agree(interval, interval.fixed_at(0), domain)


def extents_agree(a: Interval, b: Interval, domain: Shape) -> bool:
    """Whether the two clipped intervals have the same length at every point of the domain."""
    if 0 in domain:
        return True

    def lengths(interval: Interval, coordinates: set[int]) -> list[int]:
        return [max(0, r.high - r.low) for r in map(interval.at, sorted(coordinates))]

    def samples(*intervals: Interval) -> set[int]:
        return set[int]().union(
            *(i.turning_points(1 if i.launch_dim is None else domain[i.launch_dim]) for i in intervals)
        )

    if a.launch_dim == b.launch_dim:
        both = samples(a, b)
        return lengths(a, both) == lengths(b, both)
    # They vary independently, so neither may vary at all.
    return len({*lengths(a, samples(a)), *lengths(b, samples(b))}) == 1


def tiles_agree(a: Sequence[Interval], b: Sequence[Interval], domain: Shape) -> bool:
    """Whether each point of the domain gets the same set of elements from both, as tiles of the same extents.

    Equal tiles differ in extent only where they are empty, but a kernel can tell.
    """
    return intervals_equal(a, b, domain) and all(extents_agree(x, y, domain) for x, y in zip(a, b, strict=True))


class Partition(ABC):
    """How a launch divides an index space. A new kind needs ``rank_error`` and ``intervals``, or its own answers to the three questions."""

    replicated: ClassVar[bool] = False
    """Whether each point has its own copy of what it writes, so that points may write the same elements if they write the same values."""

    @abstractmethod
    def rank_error(self, rank: int, launch_rank: int) -> str | None:
        """What is wrong with using this partition on an index space of ``rank`` over a domain of ``launch_rank``; None if nothing."""

    @abstractmethod
    def intervals(self, shape: Shape) -> tuple[Interval, ...]:
        """One interval for each dimension of the index space."""

    def equal(self, other: Partition, shape: Shape, domain: Shape) -> bool:
        """Whether each point gets the same elements from both (D6)."""
        return self == other or intervals_equal(self.intervals(shape), other.intervals(shape), domain)

    def covers(self, shape: Shape, domain: Shape) -> bool:
        """Whether each element belongs to some point (D7)."""
        return intervals_cover(self.intervals(shape), domain)

    def disjoint(self, shape: Shape, domain: Shape) -> bool:
        """Whether no element belongs to two points (D8, WF-1)."""
        return intervals_disjoint(self.intervals(shape), domain)

    def same_tiles(self, other: Partition, shape: Shape, domain: Shape) -> bool:
        """Whether each point gets the same elements from both, as tiles of the same extents."""
        return self == other or tiles_agree(self.intervals(shape), other.intervals(shape), domain)

    def box(self, shape: Shape, point: Sequence[int]) -> tuple[Range, ...]:
        """The box of one point (for executors; the passes never look at a point)."""
        return tuple(i.at(0 if i.launch_dim is None else point[i.launch_dim]) for i in self.intervals(shape))


@dataclass(frozen=True, slots=True)
class NonePartition(Partition):
    """Every point sees the whole index space (D5)."""

    def rank_error(self, rank: int, launch_rank: int) -> str | None:
        """Never anything wrong."""
        return None

    def intervals(self, shape: Shape) -> tuple[Interval, ...]:
        """One fixed interval a dimension, as long as the extent."""
        return tuple(Interval(None, 0, 0, extent, extent) for extent in shape)

    def __str__(self) -> str:
        return "none"


@dataclass(frozen=True, slots=True)
class ReplicatedPartition(Partition):
    """Every point has its own copy of the whole index space, and all copies hold the same values.

    To who reads, this is ``NonePartition``. Who writes through it writes the same at each point, and any one of the copies is what the
    store holds afterwards. Of this kind are the scalar tasks that run wherever their results are needed (Diffuse §5; D36).
    """

    replicated: ClassVar[bool] = True

    def rank_error(self, rank: int, launch_rank: int) -> str | None:
        """Never anything wrong."""
        return None

    def intervals(self, shape: Shape) -> tuple[Interval, ...]:
        """Those of ``NonePartition``."""
        return NonePartition().intervals(shape)

    def disjoint(self, shape: Shape, domain: Shape) -> bool:
        """Copies are never shared. Where it matters which *elements* points share, ask the intervals."""
        return True

    def __str__(self) -> str:
        return "replicated"


@dataclass(frozen=True, slots=True)
class Tiling(Partition):
    """Point ``p`` gets the tile at ``projection(p)``: the box from ``projection(p)*tile + offset``, one tile long, clipped (D1–D4).

    The upper bound is the lower one plus the tile. Figure 3e of the paper prints the next tile's start, which differs for
    projections other than the identity (D3).
    """

    tile: Shape
    offset: Shape
    projection: IndexMap

    @staticmethod
    def of(tile: Sequence[int], offset: Sequence[int] | None = None, projection: IndexMap | None = None) -> Tiling:
        """A tiling with offset zero and the identity projection unless given."""
        tile = tuple(map(index, tile))  # Python's integers: others overflow
        return Tiling(
            tile,
            (0,) * len(tile) if offset is None else tuple(map(index, offset)),
            IndexMap.identity(len(tile)) if projection is None else projection,
        )

    def rank_error(self, rank: int, launch_rank: int) -> str | None:
        """Checks tile, offset and projection against the two ranks, and what the parser cannot get wrong but Python code can."""
        if not len(self.tile) == len(self.offset) == len(self.projection.results):
            return "tile, offset and projection of a tiling have one entry for each dimension"
        if any(tile < 1 for tile in self.tile):
            return f"a tile's extents are at least 1, not {list(self.tile)}"
        if len(self.tile) != rank:
            return f"a tiling of rank {len(self.tile)} divides an argument of rank {rank}"
        if self.projection.inputs != launch_rank:
            return f"the projection takes {self.projection.inputs} dimensions, the launch domain has {launch_rank}"
        for coordinate in self.projection.results:
            if coordinate.dim is not None and (coordinate.scale == 0 or not 0 <= coordinate.dim < launch_rank):
                return f"the projection {self.projection} does not map {launch_rank} launch dimensions"
        return None

    def of_leading(self, rank: int) -> Tiling:
        """The tiling of the first ``rank`` dimensions alone."""
        projection = IndexMap(self.projection.inputs, self.projection.results[:rank])
        return Tiling(self.tile[:rank], self.offset[:rank], projection)

    def intervals(self, shape: Shape) -> tuple[Interval, ...]:
        """One interval a dimension."""
        return tuple(
            Interval(coordinate.dim, coordinate.scale * tile, coordinate.offset * tile + offset, tile, extent)
            for tile, offset, coordinate, extent in zip(
                self.tile, self.offset, self.projection.results, shape, strict=True
            )
        )

    def __str__(self) -> str:
        text = f"tiling<[{', '.join(map(str, self.tile))}]"
        if any(self.offset):
            text += f" + [{', '.join(map(str, self.offset))}]"
        if not self.projection.is_identity:
            text += f", {self.projection}"
        return text + ">"


def constant_projection(launch_rank: int, *tile_coordinates: int) -> IndexMap:
    """The projection that gives every point the tile at fixed coordinates."""
    return IndexMap(launch_rank, tuple(Coordinate(None, 0, c) for c in tile_coordinates))

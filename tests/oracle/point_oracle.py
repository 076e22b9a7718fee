"""Dependence between launches by enumeration: Diffuse's Def. 1-3, read literally.

Launches are plain numbers. Each argument is expanded to the set of store elements that each point gets, through its view; two launches are
fusible if no dependence joins two different points. Shares no code with the analysis under test.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import combinations, product
from typing import NamedTuple

from enumerate_partitions import Coordinate, Shape, TilingNumbers, indices, points, union, value


class ViewNumbers(NamedTuple):
    """A view as docs/ir.md writes it: its shape, and the map from its indices to those of the store."""

    shape: Shape
    results: tuple[Coordinate, ...]


class Argument(NamedTuple):
    """One argument of a launch. ``view`` of None is the whole store, ``tiling`` of None gives everything to every point.

    ``replicated`` says that each point writes a copy of its own of all that the view shows, the same values in each.
    """

    store: int
    store_shape: Shape
    view: ViewNumbers | None
    tiling: TilingNumbers | None
    privilege: str
    replicated: bool = False

    @property
    def reads(self) -> bool:
        return self.privilege in ("read", "read_write")

    @property
    def writes(self) -> bool:
        return self.privilege in ("write", "read_write")

    @property
    def reduces(self) -> bool:
        return self.privilege.startswith("reduce")

    @property
    def shape(self) -> Shape:
        return self.store_shape if self.view is None else self.view.shape


class Task(NamedTuple):
    """A launch."""

    domain: Shape
    arguments: tuple[Argument, ...]


def element(argument: Argument, index: Sequence[int]) -> int:
    """The number of the store's element at an index of the view, as a set of one element."""
    at = index if argument.view is None else [value(c, index) for c in argument.view.results]
    number = 0
    for i, extent in zip(at, argument.store_shape, strict=True):
        assert 0 <= i < extent
        number = number * extent + i
    return 1 << number


def elements(argument: Argument, listed: Sequence[Sequence[int]]) -> int:
    """The store's elements at the product of the listed indices."""
    together = 0
    for index in product(*listed):
        together |= element(argument, index)
    return together


@lru_cache(4096)
def sub_stores(argument: Argument, domain: Shape) -> list[int]:
    """What each point gets, as sets of the store's elements."""
    if argument.tiling is None:
        return [all_of(argument)] * len(points(domain))
    return [elements(argument, indices(argument.tiling, argument.shape, point)) for point in points(domain)]


@lru_cache(4096)
def all_of(argument: Argument) -> int:
    """Every element that the view shows."""
    return elements(argument, [range(extent) for extent in argument.shape])


def depends(a: Argument, b: Argument) -> bool:
    """Whether an access like ``b`` depends on an earlier one like ``a`` where their elements meet (Def. 1)."""
    if a.store != b.store:
        return False
    true = a.writes and (b.reads or b.writes or b.reduces)
    anti = a.reads and (b.writes or b.reduces)
    reduction = a.reduces and (b.reads or b.writes or (b.reduces and a.privilege != b.privilege))
    return true or anti or reduction


def copied(a: Argument, b: Argument) -> bool:
    """Whether ``b`` only reads what each point has a copy of its own of, since ``a`` wrote it."""
    return a.replicated and a.writes and not (b.writes or b.reduces)


def crosses_points(a: Sequence[int], b: Sequence[int]) -> bool:
    """Whether two different points share an element."""
    return any(x & y for p, x in enumerate(a) for q, y in enumerate(b) if p != q)


def fusible(first: Task, second: Task) -> bool:
    """Whether all dependences of the second launch on the first stay at one point (Def. 2, 3)."""
    if first.domain != second.domain:
        return False
    return not any(
        depends(a, b) and not copied(a, b) and crosses_points(sub_stores(a, first.domain), sub_stores(b, second.domain))
        for a, b in product(first.arguments, second.arguments)
    )


def changes(argument: Argument) -> bool:
    """Whether the store may differ afterwards."""
    return argument.writes or argument.reduces


def touched(argument: Argument, domain: Shape) -> int:
    """The elements of the store that any point gets."""
    return union(sub_stores(argument, domain))


def commute(first: Task, second: Task) -> bool:
    """Whether the two launches may change places: no element that either changes is touched by both, at whichever points.

    Folds count as changes, and so do not commute: floating-point additions in another order have another result.
    """
    return not any(
        a.store == b.store
        and "no_access" not in (a.privilege, b.privilege)
        and (changes(a) or changes(b))
        and touched(a, first.domain) & touched(b, second.domain)
        for a, b in product(first.arguments, second.arguments)
    )


def well_formed(task: Task) -> bool:
    """WF-1 and WF-2, and no change through a view that repeats elements."""
    for argument in task.arguments:
        if argument.writes or argument.reduces:
            size = 1
            for extent in argument.shape:
                size *= extent
            if all_of(argument).bit_count() != size:
                return False
        if argument.writes and not argument.replicated:
            pieces = sub_stores(argument, task.domain)
            if crosses_points(pieces, pieces):
                return False
    for a, b in combinations(task.arguments, 2):
        if a.store != b.store or not (a.writes or a.reduces or b.writes or b.reduces):
            continue
        if "no_access" in (a.privilege, b.privilege) or not all_of(a) & all_of(b):
            continue
        in_place = {a.privilege, b.privilege} == {"read", "write"}
        if not in_place or not same_pieces(a, b, task.domain):
            return False
    return True


def same_pieces(a: Argument, b: Argument, domain: Shape) -> bool:
    """Whether both give each point the same piece of the same view; a kernel can tell empty pieces of different extents apart."""
    return (
        (a.store, written_out(a)) == (b.store, written_out(b))
        and sub_stores(a, domain) == sub_stores(b, domain)
        and tile_shapes(a, domain) == tile_shapes(b, domain)
    )


def written_out(argument: Argument) -> ViewNumbers:
    """The view of an argument; a whole store is a view of itself."""
    if argument.view is not None:
        return argument.view
    return ViewNumbers(argument.store_shape, tuple((k, 1, 0) for k in range(len(argument.store_shape))))


def tile_shapes(argument: Argument, domain: Shape) -> list[Shape]:
    """The extents of each point's piece."""
    if argument.tiling is None:
        return [argument.shape] * len(points(domain))
    return [
        tuple(len(listed) for listed in indices(argument.tiling, argument.shape, point)) for point in points(domain)
    ]

"""Which points share elements: ``overlap`` against the enumeration of what each point gets, and what its answers cost.

Two answers are compared: the truth, found element by element with ``point_oracle``, and the algebra's. An answer that claims less
sharing than there is would be unsound and is never forgiven; one that claims more is counted, and must be rare.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import pytest
from enumerate_partitions import Coordinate as CoordinateNumbers
from enumerate_partitions import Shape, TilingNumbers
from point_oracle import Argument, ViewNumbers, sub_stores
from test_partition_enumeration import bytecodes
from xdsl.dialects.builtin import f64

from fuseir.dialects.dist.access import Access
from fuseir.dialects.dist.attributes import StoreType, TilingAttr
from fuseir.dialects.dist.index_map import Coordinate, IndexMap
from fuseir.dialects.dist.ops import StoreOp
from fuseir.dialects.dist.overlap import Overlap, Pieces, overlap
from fuseir.dialects.dist.partition import Interval, NonePartition, Partition, Tiling
from fuseir.dialects.dist.privilege import READ, WRITE
from fuseir.dialects.dist.view import View

RANDOM_PAIRS = 120_000
STRIDED_PAIRS = 15_000
LEAST_SHARE = 0.1
MOST_INEXACT = 0.002

STRENGTH = {Overlap.APART: 0, Overlap.SAME_POINT: 1, Overlap.CROSSING: 2}
IDENTITY: tuple[CoordinateNumbers, ...] = ((0, 1, 0),)


def truth(a: Sequence[int], b: Sequence[int]) -> Overlap:
    """The definition, read literally."""
    answer = Overlap.APART
    for p, x in enumerate(a):
        for q, y in enumerate(b):
            if x & y and p != q:
                return Overlap.CROSSING
            if x & y:
                answer = Overlap.SAME_POINT
    return answer


@lru_cache(4096)
def algebraic(argument: Argument, launch_rank: int) -> Pieces:
    view = View(argument.store_shape)
    if argument.view is not None:
        view = View(argument.view.shape, index_map(len(argument.view.shape), argument.view.results))
    partition: Partition = NonePartition()
    if argument.tiling is not None:
        tile, offset, projection = argument.tiling
        partition = Tiling(tile, offset, index_map(launch_rank, projection))
    return Pieces(argument.store_shape, view, partition)


def index_map(inputs: int, results: Sequence[CoordinateNumbers]) -> IndexMap:
    return IndexMap(inputs, tuple(Coordinate(*result) for result in results))


class Tally:
    """Answers against truths."""

    def __init__(self) -> None:
        self.truths: Counter[Overlap] = Counter()
        self.unsound: list[str] = []
        self.inexact: list[str] = []

    def compare(self, a: Argument, b: Argument, domain: Shape) -> None:
        answer = overlap(algebraic(a, len(domain)), algebraic(b, len(domain)), domain)
        expected = truth(sub_stores(a, domain), sub_stores(b, domain))
        self.truths[expected] += 1
        if answer is not expected:
            wrong = self.unsound if STRENGTH[answer] < STRENGTH[expected] else self.inexact
            wrong.append(f"{answer.name}, not {expected.name}, over {domain}: {a} and {b}")

    @property
    def total(self) -> int:
        return self.truths.total()

    def __str__(self) -> str:
        found = ", ".join(f"{answer.name} {self.truths[answer]}" for answer in Overlap)
        return f"{found}; {len(self.unsound)} unsound, {len(self.inexact)} inexact"


# All small cases of one dimension


def small_views(extent: int) -> Iterator[ViewNumbers | None]:
    """The store itself, every window on it, and every strided one, in both directions."""
    yield None
    for stride, length in product((1, -1, 2, -2, 3), range(extent + 1)):
        for start in range(extent):
            if length == 0 or 0 <= start + stride * (length - 1) < extent:
                yield ViewNumbers((length,), ((0, stride, start),))


SMALL_PARTITIONS = (
    None,
    *(TilingNumbers((tile,), (offset,), IDENTITY) for tile in (1, 2, 3) for offset in (-1, 0, 1, 2)),
)


def test_all_partitions_of_small_stores(capsys: pytest.CaptureFixture[str]) -> None:
    """Whole stores of 1 to 5 elements over 1 to 3 points, every pair of partitions: the answer is the truth."""
    tally = Tally()
    for extent, count in product(range(1, 6), (1, 2, 3)):
        arguments = [Argument(0, (extent,), None, tiling, "read") for tiling in SMALL_PARTITIONS]
        for a, b in product(arguments, repeat=2):
            tally.compare(a, b, (count,))
    assert min(tally.truths.values()) >= LEAST_SHARE * tally.total
    assert not tally.unsound + tally.inexact
    with capsys.disabled():
        print(f"\nwhole small stores: {tally}")


def test_all_views_of_small_stores(capsys: pytest.CaptureFixture[str]) -> None:
    """Every pair of partitioned windows, strided and reversed ones too, over 3 points: the answer is the truth."""
    tally = Tally()
    for extent in range(1, 5):
        arguments = [
            Argument(0, (extent,), view, tiling, "read") for view in small_views(extent) for tiling in SMALL_PARTITIONS
        ]
        for a, b in product(arguments[::2], arguments):
            tally.compare(a, b, (3,))
    assert not tally.unsound + tally.inexact
    with capsys.disabled():
        print(f"\nviews of small stores: {tally}")


# Random cases


def random_view(rng: random.Random, store: Shape) -> ViewNumbers | None:
    """Windows with strides, either direction, transposed, with constants for dimensions and dimensions that repeat."""
    if rng.random() < 0.35:
        return None
    shape: list[int] = []
    results: list[CoordinateNumbers] = []
    for extent in store:
        if extent == 0:
            shape.append(0)
            results.append((len(shape) - 1, 1, 0))
        elif rng.random() < 0.08:
            results.append((None, 0, rng.randrange(extent)))
        else:
            stride = rng.choice((1, 1, 1, 1, 2, 2, 3))
            most = (extent - 1) // stride + 1
            length = max(0, most - rng.choice((0, 0, 0, 1, 1, 2, 9)))
            room = extent - 1 - stride * max(0, length - 1)
            start = rng.randint(0, room)
            forward = rng.random() < 0.75
            shape.append(length)
            results.append(
                (len(shape) - 1, stride, start)
                if forward
                else (len(shape) - 1, -stride, start + stride * max(0, length - 1))
            )
    if rng.random() < 0.06:
        shape.append(rng.choice((1, 2, 3)))
    order = list(range(len(shape)))
    if rng.random() < 0.3:
        rng.shuffle(order)
    place = {old: new for new, old in enumerate(order)}
    moved = tuple((None if dim is None else place[dim], scale, offset) for dim, scale, offset in results)
    return ViewNumbers(tuple(shape[old] for old in order), moved)


def random_tiling(rng: random.Random, shape: Shape, domain: Shape) -> TilingNumbers | None:
    """Mostly one that divides the index space evenly or nearly so; sometimes anything at all."""
    if rng.random() < 0.08:
        return None
    dims = list(range(len(domain)))
    if rng.random() < 0.3:
        rng.shuffle(dims)
    tile: list[int] = []
    offset: list[int] = []
    projection: list[CoordinateNumbers] = []
    wild = rng.random() < 0.3
    for k, extent in enumerate(shape):
        if wild:
            tile.append(rng.randint(1, 5))
            dim = rng.choice((None, *dims, *dims, *dims))
            projection.append(
                (dim, 0 if dim is None else rng.choice((1, 1, -1, 2, -2, 3)), rng.choice((0, 0, 1, -1, 2)))
            )
        elif k < len(dims) and rng.random() < 0.9:
            count = max(domain[dims[k]], 1)
            tile.append(max(1, -(-extent // count) + rng.choice((0, 0, 0, 1, -1))))
            projection.append(rng.choice(((dims[k], 1, 0), (dims[k], 1, 0), (dims[k], -1, count - 1), (dims[k], 2, 0))))
        else:
            tile.append(max(extent, 1))
            projection.append((None, 0, 0))
        offset.append(rng.choice((0, 0, 0, 0, 1, -1, 2, -2)))
    return TilingNumbers(tuple(tile), tuple(offset), tuple(projection))


def random_argument(rng: random.Random, store: Shape, domain: Shape) -> Argument:
    view = random_view(rng, store)
    return Argument(0, store, view, random_tiling(rng, store if view is None else view.shape, domain), "read")


def random_space(rng: random.Random) -> tuple[Shape, Shape]:
    """A store of one dimension, or two, and a launch domain; either is sometimes empty."""
    rank = rng.choice((1, 1, 1, 2, 2))
    store = tuple(rng.choice((0, 1, 2, 3, 4, 5, 6, 7, 8, 9) if rank == 2 else range(20)) for _ in range(rank))
    domain = tuple(rng.choice((0, 1, 1, 2, 2, 2, 3, 3, 4, 5)) for _ in range(rng.choice((1, 1, 1, 2, 2))))
    return store, domain


def test_random_pieces(capsys: pytest.CaptureFixture[str]) -> None:
    """Stores and domains of one and two dimensions: never unsound, hardly ever inexact."""
    rng = random.Random(20260802)
    tally = Tally()
    while tally.total < RANDOM_PAIRS:
        store, domain = random_space(rng)
        arguments = [random_argument(rng, store, domain) for _ in range(4)]
        for a, b in product(arguments, repeat=2):
            tally.compare(a, b, domain)
    with capsys.disabled():
        print(f"\nrandom pieces: {tally}")
    for answer in Overlap:
        assert tally.truths[answer] >= LEAST_SHARE * tally.total, tally
    assert not tally.unsound, f"{tally}, first: {tally.unsound[0]}"
    assert len(tally.inexact) <= MOST_INEXACT * tally.total, f"{tally}, first: {tally.inexact[:3]}"


def random_strided(rng: random.Random, store: Shape, domain: Shape, least: int, most: int) -> Argument:
    """A long strided window, in tiles whose extents have nothing to do with the stride."""
    stride = rng.randint(least, most)
    start = rng.randrange(min(stride, store[0]))
    length = (store[0] - 1 - start) // stride + 1
    coordinate = (0, stride, start) if rng.random() < 0.7 else (0, -stride, start + stride * (length - 1))
    scale, shift = rng.choice(((1, 0), (1, 0), (1, 1), (-1, domain[0] - 1), (2, 0), (2, 1)))
    tile = rng.randint(1, 7)
    tiling = TilingNumbers((tile,), (rng.randint(-tile, 2 * tile),), ((0, scale, shift),))
    return Argument(0, store, ViewNumbers((length,), (coordinate,)), tiling, "read")


def test_strides_that_do_not_divide_tiles(capsys: pytest.CaptureFixture[str]) -> None:
    """Strides of a few elements are decided exactly."""
    tally = strided_tally(1, 6)
    assert min(tally.truths.values()) >= LEAST_SHARE * tally.total
    assert not tally.unsound + tally.inexact, f"{tally}, first: {(tally.unsound + tally.inexact)[0]}"
    with capsys.disabled():
        print(f"\nstrides up to 6: {tally}")


def test_strides_with_too_many_tracks(capsys: pytest.CaptureFixture[str]) -> None:
    """Greater strides, coprime to each other and to the tiles, are decided soundly, and mostly exactly."""
    tally = strided_tally(7, 13)
    assert min(tally.truths.values()) >= 0.05 * tally.total
    assert not tally.unsound, f"{tally}, first: {tally.unsound[0]}"
    assert len(tally.inexact) <= 0.05 * tally.total
    with capsys.disabled():
        print(f"\nstrides of 7 to 13: {tally}")


def strided_tally(least: int, most: int) -> Tally:
    rng = random.Random(20260803)
    tally = Tally()
    while tally.total < STRIDED_PAIRS:
        store, domain = (rng.randint(10, 150),), (rng.randint(1, 9),)
        arguments = [random_strided(rng, store, domain, least, most) for _ in range(4)]
        for a, b in product(arguments, repeat=2):
            tally.compare(a, b, domain)
    return tally


def test_launch_dimensions_that_move_two_store_dimensions(capsys: pytest.CaptureFixture[str]) -> None:
    """Diagonal blocks, where each dimension of the store is judged on its own: sound, and mostly exact."""
    rng = random.Random(20260804)
    tally = Tally()
    while tally.total < STRIDED_PAIRS:
        store, domain = (rng.randint(1, 9), rng.randint(1, 9)), (rng.randint(1, 5),)
        moves = ((0, 1, 0), (0, 1, 0), (0, 1, 1), (0, -1, domain[0] - 1), (0, 2, 0))
        arguments: list[Argument] = []
        for _ in range(4):
            tile = rng.randint(1, 3), rng.randint(1, 3)
            offset = rng.choice((0, 0, 1, -1, 2)), rng.choice((0, 0, 1, -1, 2))
            tiling = TilingNumbers(tile, offset, (rng.choice(moves), rng.choice(moves)))
            arguments.append(Argument(0, store, None, tiling, "read"))
        for a, b in product(arguments, repeat=2):
            tally.compare(a, b, domain)
    assert min(tally.truths.values()) >= 0.05 * tally.total
    assert not tally.unsound, f"{tally}, first: {tally.unsound[0]}"
    assert len(tally.inexact) <= 0.1 * tally.total
    with capsys.disabled():
        print(f"\ndiagonal blocks: {tally}")


# Particular cases


def test_one_element_of_rank_zero_is_shared_by_all_points() -> None:
    scalar = Pieces((), View(()), NonePartition())
    assert overlap(scalar, scalar, ()) is Overlap.SAME_POINT
    assert overlap(scalar, scalar, (1, 1)) is Overlap.SAME_POINT
    assert overlap(scalar, scalar, (2,)) is Overlap.CROSSING
    assert overlap(scalar, scalar, (2, 0)) is Overlap.APART


def test_neighbours_in_a_stencil_cross_but_over_one_point() -> None:
    """Two windows onto one store, shifted by one, tiled alike: each point reads into the next one's tile."""
    centre, east = (
        Pieces((258,), View((256,), IndexMap(1, (Coordinate(0, 1, start),))), Tiling.of((64,))) for start in (1, 2)
    )
    assert overlap(centre, east, (4,)) is Overlap.CROSSING
    assert overlap(centre, east, (1,)) is Overlap.SAME_POINT


def test_a_tile_and_its_inner_part_meet_at_one_point_only() -> None:
    whole = Pieces((16,), View((16,)), Tiling.of((4,)))
    inner = Pieces((16,), View((16,)), Tiling.of((2,), (1,), IndexMap(1, (Coordinate(0, 2, 0),))))
    assert overlap(whole, inner, (4,)) is Overlap.SAME_POINT


def test_red_and_black_halves_of_the_same_tiles_are_apart() -> None:
    """Views that meet (they show the same odd elements), whose tiles do not."""
    odd = Pieces(
        (32,),
        View((16,), IndexMap(1, (Coordinate(0, 2, 1),))),
        Tiling.of((2,), (0,), IndexMap(1, (Coordinate(0, 2, 0),))),
    )
    other = odd._replace(partition=Tiling.of((2,), (2,), IndexMap(1, (Coordinate(0, 2, 0),))))
    assert overlap(odd, other, (4,)) is Overlap.APART
    assert overlap(odd, odd, (4,)) is Overlap.SAME_POINT


def test_a_transposed_tile_meets_its_own_point_on_the_diagonal_only() -> None:
    transposed = View((8, 8), IndexMap(2, (Coordinate(1, 1, 0), Coordinate(0, 1, 0))))
    rows = Pieces((8, 8), View((8, 8)), Tiling.of((4, 4)))
    columns = Pieces((8, 8), transposed, Tiling.of((4, 4)))
    assert overlap(rows, columns, (2, 2)) is Overlap.CROSSING
    corner = Pieces((8, 8), transposed, Tiling.of((4, 4), (4, 4)))
    assert overlap(corner, Pieces((8, 8), View((8, 8)), Tiling.of((4, 4), (4, 4))), (2, 2)) is Overlap.SAME_POINT


def test_accesses_to_different_stores_are_apart() -> None:
    stores = [StoreOp(StoreType((8,), f64)).result for _ in range(2)]
    first, second = (Access(store, store, View((8,)), TilingAttr((4,)), WRITE) for store in stores)
    shifted = Access(stores[0], stores[0], View((8,)), TilingAttr((4,), (1,)), READ)
    assert first.overlap(second, (2,)) is Overlap.APART
    assert first.overlap(first, (2,)) is Overlap.SAME_POINT
    assert first.overlap(shifted, (2,)) is Overlap.CROSSING


@dataclass(frozen=True)
class WholeForEach(Partition):
    """A kind that the analysis does not know: it claims to be disjoint, and gives every point everything."""

    def rank_error(self, rank: int, launch_rank: int) -> str | None:
        return None

    def intervals(self, shape: Shape) -> tuple[Interval, ...]:
        return NonePartition().intervals(shape)

    def disjoint(self, shape: Shape, domain: Shape) -> bool:
        return True


@pytest.mark.parametrize("other", [WholeForEach(), NonePartition(), Tiling.of((4,))], ids=str)
def test_an_unknown_kind_is_judged_by_what_points_get(other: Partition) -> None:
    whole = Pieces((8,), View((8,)), WholeForEach())
    assert overlap(whole, Pieces((8,), View((8,)), other), (2,)) is Overlap.CROSSING
    assert overlap(whole, Pieces((8,), View((8,)), other), (1,)) is Overlap.SAME_POINT


# What an answer costs


def many_pieces(count: int) -> list[tuple[Pieces, Pieces, Shape]]:
    """Pairs of one form each over ``count`` points a launch dimension: the same, backwards, shifted, faster, strided, transposed."""

    def window(length: int, stride: int, start: int) -> View:
        return View((length,), IndexMap(1, (Coordinate(0, stride, start),)))

    n = 256 * count
    rows = Pieces((n,), View((n,)), Tiling.of((256,)))
    plane = Pieces((n, n), View((n, n)), Tiling.of((256, 256)))
    transposed = View((n, n), IndexMap(2, (Coordinate(1, 1, 0), Coordinate(0, 1, 0))))
    return [
        (rows, rows, (count,)),
        (rows, rows._replace(partition=Tiling.of((256,), (n - 256,), IndexMap(1, (Coordinate(0, -1, 0),)))), (count,)),
        (rows, rows._replace(partition=Tiling.of((256,), (1,))), (count,)),
        (rows, rows._replace(partition=Tiling.of((100,))), (count,)),
        (rows, Pieces((n,), window(n // 2, 2, 1), Tiling.of((127,))), (count,)),
        (Pieces((n,), window(n // 2, 2, 0), Tiling.of((128,))), rows, (count,)),
        (plane, Pieces((n, n), transposed, Tiling.of((256, 256))), (count, count)),
        (plane, Pieces((n, n), transposed, Tiling.of((256, 256), (n - 256, n - 256))), (count, count)),
    ]


@pytest.mark.parametrize("points", [10**6, 10**15])
def test_an_answer_costs_the_same_for_any_number_of_points(points: int) -> None:
    """Counted in Python instructions: some thousands for 4 points, and for very many no more than Euclid's algorithm may add."""
    for few, many in zip(many_pieces(4), many_pieces(points), strict=True):
        costs = [bytecodes(lambda case=case: overlap(*case)) for case in (few, many)]
        assert costs[1] <= costs[0] + 1000, f"{few}: {costs}"

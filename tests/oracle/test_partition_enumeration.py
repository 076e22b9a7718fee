"""The partition algebra against plain enumeration, and what its answers cost.

Every answer of ``equal``, ``covers``, ``disjoint``, ``extents_agree``, ``views_meet`` and ``View`` is compared with the elements
that ``enumerate_partitions`` lists. The cases are drawn so that yes and no are both common: an oracle that hardly ever hears
"yes" proves little.
"""

from __future__ import annotations

import gc
import random
import sys
from collections import Counter
from collections.abc import Callable
from itertools import combinations, product
from types import FrameType
from typing import Any

import enumerate_partitions as oracle
import pytest
from enumerate_partitions import TilingNumbers
from xdsl.dialects.builtin import f64

from fuseir.dialects.dist.access import Access, meeting_pairs
from fuseir.dialects.dist.attributes import NoneAttr, StoreType
from fuseir.dialects.dist.index_map import Coordinate, IndexMap
from fuseir.dialects.dist.ops import StoreOp
from fuseir.dialects.dist.partition import (
    NonePartition,
    Partition,
    Shape,
    Tiling,
    constant_projection,
    extents_agree,
    intervals_within_limit,
)
from fuseir.dialects.dist.privilege import READ, WRITE
from fuseir.dialects.dist.view import View, compose, views_meet

PARTITION_PAIRS = 100_000
VIEW_PAIRS = 25_000
LEAST_SHARE = 0.05


class Tally:
    """How often each question was answered yes and no, and the cases where algebra and enumeration differ."""

    def __init__(self) -> None:
        self.answers: Counter[tuple[str, bool]] = Counter()
        self.differences: list[str] = []

    def compare(self, question: str, answer: bool, truth: bool, *case: object) -> None:
        self.answers[question, truth] += 1
        if answer != truth:
            self.differences.append(f"{question}: the algebra says {answer} of {', '.join(map(str, case))}")

    def check(self) -> None:
        assert not self.differences, f"{len(self.differences)} differences, first: {self.differences[0]}"
        for question in {question for question, _ in self.answers}:
            yes, no = self.answers[question, True], self.answers[question, False]
            assert min(yes, no) >= LEAST_SHARE * (yes + no), f"{question}: {yes} times yes, {no} times no"

    def __str__(self) -> str:
        questions = sorted({question for question, _ in self.answers})
        return ", ".join(f"{q} {self.answers[q, True]} yes / {self.answers[q, False]} no" for q in questions)


# Random partitions


def random_tiling(rng: random.Random, shape: Shape, domain: Shape) -> TilingNumbers:
    """Half of the time one that means to divide the index space, otherwise anything at all."""
    dims = list(range(len(domain)))
    rng.shuffle(dims)
    if rng.random() < 0.5:
        return _dividing_tiling(rng, shape, domain, dims)
    tile = tuple(rng.randint(1, extent + 2) for extent in shape)
    offset = tuple(rng.choice((0, 0, rng.randint(-extent - 1, extent + 1))) for extent in shape)
    return TilingNumbers(tile, offset, tuple(_random_coordinate(rng, dims) for _ in shape))


def _random_coordinate(rng: random.Random, dims: list[int]) -> oracle.Coordinate:
    """A constant, or any launch dimension (so several may move with one), scaled and shifted."""
    if not dims or rng.random() < 0.3:
        return None, 0, rng.choice((0, 0, -1, 1, 2))
    return rng.choice(dims), rng.choice((1, 1, 1, -1, 2, -2, 3)), rng.choice((0, 0, 0, 1, -1, 3))


def _dividing_tiling(rng: random.Random, shape: Shape, domain: Shape, dims: list[int]) -> TilingNumbers:
    """Launch dimensions, in random order, cut dimensions into just enough tiles, forwards or backwards; the rest is left whole."""
    tile: list[int] = []
    projection: list[oracle.Coordinate] = []
    for k, extent in enumerate(shape):
        if k < len(dims) and rng.random() < 0.9:
            count = domain[dims[k]]
            tile.append(max(1, -(-extent // max(count, 1))))
            projection.append(rng.choice(((dims[k], 1, 0), (dims[k], -1, count - 1))))
        else:
            tile.append(max(extent, 1))
            projection.append((None, 0, 0))
    offset = tuple(rng.choice((0,) * 8 + (-1, 1)) for _ in shape)
    return TilingNumbers(tuple(tile), offset, tuple(projection))


def respelled(rng: random.Random, tiling: TilingNumbers, shape: Shape, domain: Shape) -> TilingNumbers:
    """A tiling with other numbers that often, but not always, gives the same pieces."""
    tile, offset, projection = (list(part) for part in tiling)
    for k, (t, o, (dim, scale, shift)) in enumerate(zip(*tiling, strict=True)):
        change = rng.randrange(5)
        if change == 0:  # a whole tile moves from the offset into the projection
            offset[k], projection[k] = o - t, (dim, scale, shift + 1)
        elif (
            change == 1 and dim is not None and domain[dim] <= 2
        ):  # the same two places in another order, or the same one
            projection[k] = (None, 0, shift) if domain[dim] == 1 else (dim, -scale, shift + scale)
        elif change == 2 and dim is None:  # a longer tile, which the edge of the index space may clip to the same
            start = shift * t + o
            tile[k], projection[k], offset[k] = t + 1, (None, 0, 0), start
        elif change == 3 and dim is None and domain:  # a constant that moves after all
            projection[k] = (rng.randrange(len(domain)), 1, shift)
        elif change == 4 and dim is not None and domain[dim] > 1:  # stays with another dimension, or at another pace
            projection[k] = (rng.randrange(len(domain)), scale * rng.choice((1, 2)), shift)
    return TilingNumbers(tuple(tile), tuple(offset), tuple(projection))


def algebraic(numbers: TilingNumbers | None, domain: Shape) -> Partition:
    if numbers is None:
        return NonePartition()
    results = tuple(Coordinate(*coordinate) for coordinate in numbers.projection)
    return Tiling(numbers.tile, numbers.offset, IndexMap(len(domain), results))


def random_space(rng: random.Random) -> tuple[Shape, Shape]:
    """An index space of 1 to 3 dimensions and a launch domain of 0 to 3, either of them sometimes empty."""
    shape = tuple(rng.choice((0, 1, 1, 2, 2, 3, 3, 4, 5, 6)) for _ in range(rng.choice((1, 1, 2, 2, 3))))
    domain = tuple(rng.choice((0, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4)) for _ in range(rng.choice((0, 1, 1, 1, 2, 2, 3))))
    return shape, domain


def test_partition_queries_agree_with_enumeration(capsys: pytest.CaptureFixture[str]) -> None:
    """``equal``, ``covers``, ``disjoint``, ``extents_agree`` and ``box`` on 200,000 random partitions: no difference."""
    rng = random.Random(20260801)
    tally = Tally()
    for _ in range(PARTITION_PAIRS):
        shape, domain = random_space(rng)
        numbers = [None if rng.random() < 0.05 else random_tiling(rng, shape, domain)]
        first = numbers[0]
        keep = first is not None and rng.random() < 0.6
        numbers.append(respelled(rng, first, shape, domain) if first and keep else random_tiling(rng, shape, domain))
        partitions = [algebraic(n, domain) for n in numbers]
        pieces = [oracle.pieces(n, shape, domain) for n in numbers]

        for partition, sets in zip(partitions, pieces, strict=True):
            covers, disjoint = partition.covers(shape, domain), partition.disjoint(shape, domain)
            everything = oracle.everything(shape)
            tally.compare("covers", covers, oracle.union(sets) == everything, partition, shape, domain)
            tally.compare("disjoint", disjoint, oracle.pairwise_disjoint(sets), partition, shape, domain)
        equal = partitions[0].equal(partitions[1], shape, domain)
        if numbers[0] == numbers[1] or not any(pieces[0] + pieces[1]):
            assert equal, f"{partitions[0]} and {partitions[1]} have the same numbers, or nothing to give"
        else:
            tally.compare("equal", equal, pieces[0] == pieces[1], *partitions, shape, domain)
        assert equal == partitions[1].equal(partitions[0], shape, domain), "equal is symmetric"
        _compare_extents(rng, tally, numbers, partitions, shape, domain)
    with capsys.disabled():
        print(f"\n{2 * PARTITION_PAIRS} partitions: {tally}")
    tally.check()


def _compare_extents(
    rng: random.Random,
    tally: Tally,
    numbers: list[TilingNumbers | None],
    partitions: list[Partition],
    shape: Shape,
    domain: Shape,
) -> None:
    """One dimension of the first partition against one dimension of the second: do tiles have one length at every point?"""
    dims = [rng.randrange(len(shape)), rng.randrange(len(shape))]
    lengths: list[list[int]] = []
    for n, k in zip(numbers, dims, strict=True):
        listed = [shape[k] if n is None else len(oracle.indices(n, shape, point)[k]) for point in oracle.points(domain)]
        lengths.append(listed)
    intervals = [partition.intervals(shape)[k] for partition, k in zip(partitions, dims, strict=True)]
    agree = extents_agree(*intervals, domain)
    tally.compare("extents_agree", agree, lengths[0] == lengths[1], *partitions, dims, shape, domain)


def test_the_box_of_a_point_holds_the_elements_enumerated() -> None:
    rng = random.Random(5)
    for _ in range(5_000):
        shape, domain = random_space(rng)
        numbers = random_tiling(rng, shape, domain)
        partition = algebraic(numbers, domain)
        for point in oracle.points(domain):
            box = [list(range(low, high)) for low, high in partition.box(shape, point)]
            assert box == oracle.indices(numbers, shape, point), (partition, shape, point)


@pytest.mark.parametrize("count", [1, 2, 3, 4])
@pytest.mark.parametrize("extent", [0, 1, 5, 6])
def test_every_pair_of_small_tilings_of_one_dimension(extent: int, count: int) -> None:
    """``equal`` and ``extents_agree`` on all pairs: random ones seldom agree at both ends and differ in between."""
    shape, domain = (extent,), (count,)
    cases: list[tuple[Partition, list[int], list[int]]] = []
    for tile, scale, start in product((1, 2, 3, 4), (0, 1, -1, 2), range(-5, 7)):
        numbers = TilingNumbers((tile,), (start,), ((0, scale, 0) if scale else (None, 0, 0),))
        sets = oracle.pieces(numbers, shape, domain)
        cases.append((algebraic(numbers, domain), sets, [each.bit_count() for each in sets]))
    for (a, a_sets, a_lengths), (b, b_sets, b_lengths) in combinations(cases, 2):
        assert a.equal(b, shape, domain) == (a_sets == b_sets), (a, b)
        agree = extents_agree(a.intervals(shape)[0], b.intervals(shape)[0], domain)
        assert agree == (a_lengths == b_lengths), (a, b)


# Random views


def random_view(rng: random.Random, store_shape: Shape) -> View:
    """Mostly a window that lies in the store or nearly does: per store dimension an index, or a run with a step."""
    shape: list[int] = [rng.randint(0, 3) for _ in range(rng.choice((0, 0, 0, 1)))]
    results: list[Coordinate] = []
    for extent in store_shape:
        if rng.random() < 0.25:
            results.append(Coordinate(None, 0, rng.randint(0 if rng.random() < 0.95 else -1, max(extent - 1, 0))))
            continue
        step = rng.choice((1, 1, 1, 2, 3)) if rng.random() < 0.8 else extent + 1
        start = rng.randrange(max(extent, 1)) if rng.random() < 0.6 else 0
        count = max(0, -(-(extent - start) // step)) + rng.choice((0,) * 20 + (1,))
        backwards = rng.random() < 0.3
        results.append(
            Coordinate(len(shape), -step, start + (count - 1) * step)
            if backwards
            else Coordinate(len(shape), step, start)
        )
        shape.append(count)
    order = list(range(len(shape)))
    rng.shuffle(order)
    shuffled = tuple(Coordinate(None if c.dim is None else order[c.dim], c.scale, c.offset) for c in results)
    return View(tuple(shape[order.index(d)] for d in range(len(shape))), IndexMap(len(shape), shuffled))


def test_views_agree_with_enumeration(capsys: pytest.CaptureFixture[str]) -> None:
    """``error``, ``covers``, ``repeats`` and ``views_meet`` on 50,000 random views: no difference."""
    rng = random.Random(20260802)
    tally = Tally()
    for _ in range(VIEW_PAIRS):
        store_shape = tuple(rng.choice((0, 1, 2, 3, 4, 5, 7, 9, 12)) for _ in range(rng.choice((0, 1, 1, 2, 2, 3))))
        sets: list[tuple[View, set[Shape]]] = []
        for view in (random_view(rng, store_shape), random_view(rng, store_shape)):
            listed = oracle.targets(view.shape, view.map().results)
            legal = all(oracle.inside(index, store_shape) for index in listed)
            tally.compare("error is None", view.error(store_shape) is None, legal, view, store_shape)
            if not legal:
                continue
            elements = set(listed)
            sets.append((view, elements))
            covers = elements == set(oracle.points(store_shape))
            tally.compare("view covers", view.covers(store_shape), covers, view, store_shape)
            if listed:  # a view without elements may claim to repeat them: nobody can tell
                tally.compare("repeats", view.repeats, len(elements) < len(listed), view)
        if len(sets) == 2:
            (a, in_a), (b, in_b) = sets
            tally.compare("views_meet", views_meet(a, b), bool(in_a & in_b), a, b)
            assert views_meet(b, a) == views_meet(a, b), "meeting is symmetric"
    with capsys.disabled():
        print(f"\n{2 * VIEW_PAIRS} views: {tally}")
    tally.check()


def random_accesses(rng: random.Random) -> list[Access]:
    """Accesses of one store through views that may be empty, under privileges that matter."""
    shape = tuple(rng.randint(1, 9) for _ in range(rng.randint(0, 3)))
    root = StoreOp(StoreType(shape, f64)).result
    views = [view for view in (random_view(rng, shape) for _ in range(8)) if view.error(shape) is None]
    return [Access(root, root, view, NoneAttr(), rng.choice((READ, READ, WRITE))) for view in views]


def test_the_sweep_finds_every_pair_that_meets() -> None:
    rng = random.Random(11)
    found = 0
    for _ in range(3_000):
        accesses = random_accesses(rng)
        numbered = [
            (k, a.privilege, set(oracle.targets(a.shape, a.view.map().results))) for k, a in enumerate(accesses)
        ]
        meeting = {(i, j) for (i, p, a), (j, q, b) in combinations(numbered, 2) if a & b and (p.writes or q.writes)}
        pairs = list(meeting_pairs(accesses))
        assert len(pairs) == len(set(pairs))
        assert set(pairs) == meeting
        found += len(meeting)
    assert found > 1_000


def test_the_sweep_compares_windows_that_are_apart_with_few_others(monkeypatch: pytest.MonkeyPatch) -> None:
    root = StoreOp(StoreType((4, 1_000), f64)).result
    windows = [View((4,), IndexMap(1, (Coordinate(0, 1, 0), Coordinate(None, 0, column)))) for column in range(1_000)]
    accesses = [Access(root, root, view, NoneAttr(), WRITE) for view in windows]
    compared: list[Access] = []
    monkeypatch.setattr(Access, "apart_from", lambda self, other: compared.append(other) or True)
    assert list(meeting_pairs(accesses)) == []
    assert len(compared) <= 2 * len(accesses)


def test_a_view_of_a_view_shows_the_composed_elements() -> None:
    rng = random.Random(9)
    for _ in range(2_000):
        store_shape = tuple(rng.randint(1, 6) for _ in range(rng.randint(1, 3)))
        outer = random_view(rng, store_shape)
        inner = random_view(rng, outer.shape)
        if outer.error(store_shape) is not None or inner.error(outer.shape) is not None:
            continue
        through_both = [outer.map().at(index) for index in oracle.targets(inner.shape, inner.map().results)]
        assert oracle.targets(inner.shape, compose(outer, inner).map().results) == through_both


def test_a_view_whose_map_does_not_fit_is_refused() -> None:
    """The rules about ranks and repeated dimensions, which random views cannot break."""
    assert View((2,), constant_projection(0, 1)).error((4,)) == "the map takes 0 dimensions, the view has 1"
    assert View((2,), IndexMap.identity(1)).error((4, 4)) == "the map has 1 results, the store has rank 2"
    diagonal = View((2,), IndexMap(1, (Coordinate(0, 1, 0), Coordinate(0, 1, 0))))
    assert diagonal.error((4, 4)) == "a view dimension appears in two results of the map"


# Cost


def bytecodes(call: Callable[[], object]) -> int:
    """How many Python instructions ``call`` executes.

    Nothing else may run meanwhile: a garbage collection would count the finalisers of other tests' objects.
    """
    count = 0

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal count
        frame.f_trace_opcodes = True
        count += event == "opcode"
        return trace

    previous, collecting = sys.gettrace(), gc.isenabled()
    gc.disable()
    sys.settrace(trace)
    try:
        call()
    finally:
        sys.settrace(previous)
        if collecting:
            gc.enable()
    return count


def _tilings(count: int) -> list[tuple[Tiling, Shape, Shape]]:
    """Tilings of one form over ``count`` points a launch dimension: rows, backwards rows, strided rows, blocks, a diagonal."""
    rows = Tiling.of((256,))
    backwards = Tiling.of((256,), projection=IndexMap(1, (Coordinate(0, -1, count - 1),)))
    strided = Tiling.of((128,), (3,), IndexMap(1, (Coordinate(0, 2, 0),)))
    blocks = Tiling.of((16, 8))
    diagonal = Tiling.of((16, 8), projection=IndexMap(1, (Coordinate(0, 1, 0), Coordinate(0, 1, 0))))
    return [
        *((tiling, (256 * count,), (count,)) for tiling in (rows, backwards, strided)),
        (blocks, (16 * count, 8 * count), (count, count)),
        (diagonal, (16 * count, 8 * count), (count,)),
    ]


@pytest.mark.parametrize("points", [10**6, 10**15])
def test_queries_cost_the_same_for_any_number_of_points(points: int) -> None:
    """Counted, not timed: the same number of Python instructions for 4 points and for very many."""
    for few, many in zip(_tilings(4), _tilings(points), strict=True):
        for question in ("covers", "disjoint"):
            costs = [
                bytecodes(lambda case=case: getattr(case[0], question)(case[1], case[2]))  # noqa: B023
                for case in (few, many)
            ]
            assert costs[0] == costs[1], f"{question} of {many[0]}"
        costs = []
        for tiling, shape, domain in (few, many):
            shifted = Tiling(tiling.tile, tuple(o + 1 for o in tiling.offset), tiling.projection)
            # The same places, written otherwise: only a full comparison can tell.
            moved = Tiling(
                tiling.tile,
                tuple(o - t for t, o in zip(tiling.tile, tiling.offset, strict=True)),
                IndexMap(len(domain), tuple(c._replace(offset=c.offset + 1) for c in tiling.projection.results)),
            )
            assert tiling.equal(moved, shape, domain)
            assert not tiling.equal(shifted, shape, domain)
            costs.append([bytecodes(lambda o=o: tiling.equal(o, shape, domain)) for o in (shifted, moved)])  # noqa: B023
        assert costs[0] == costs[1], f"equal of {few[0]} and {many[0]}"


@pytest.mark.parametrize("points", [10**6, 10**15])
def test_the_verifier_s_other_questions_are_bounded_too(points: int) -> None:
    """``extents_agree`` samples, so its cost varies a little with where the samples fall; it does not grow."""
    rows, columns = Tiling.of((256,)), Tiling.of((300,))
    shape, domain = (256 * points,), (points,)
    interval, other, short = rows.intervals(shape)[0], columns.intervals(shape)[0], rows.intervals((1024,))[0]
    assert bytecodes(lambda: extents_agree(interval, other, domain)) < 20_000
    limit = [bytecodes(lambda i=i, d=d: intervals_within_limit([i], d)) for i, d in ((short, (4,)), (interval, domain))]
    assert limit[0] == limit[1]

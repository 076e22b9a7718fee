"""``Access.broadcast_from`` and ``without_repeats`` against enumeration: is the one tile at every point the broadcast of the other?"""

from __future__ import annotations

import random
from itertools import product

import enumerate_partitions as oracle
from enumerate_partitions import Coordinate, Shape, TilingNumbers
from test_overlap import index_map
from test_partition_enumeration import algebraic, random_tiling, respelled
from xdsl.dialects.builtin import f64

from fuseir.dialects.dist.access import Access
from fuseir.dialects.dist.attributes import NoneAttr, StoreType, TilingAttr
from fuseir.dialects.dist.index_map import IndexMap
from fuseir.dialects.dist.ops import StoreOp
from fuseir.dialects.dist.partition import Tiling
from fuseir.dialects.dist.privilege import READ
from fuseir.dialects.dist.view import View

PAIRS = 5_000
LEAST_SHARE = 0.1

Numbers = tuple[Shape, tuple[Coordinate, ...], TilingNumbers | None]
"""A view's shape and map, and how it is divided."""


def elements(access: Numbers, point: Shape) -> tuple[Shape, dict[Shape, Shape]]:
    """The extents of a point's tile, and the element of the store at each index into it."""
    shape, results, tiling = access
    listed = [list(range(extent)) for extent in shape] if tiling is None else oracle.indices(tiling, shape, point)
    extents = tuple(map(len, listed))
    return extents, {
        index: tuple(oracle.value(c, [own[i] for own, i in zip(listed, index, strict=True)]) for c in results)
        for index in product(*map(range, extents))
    }


def is_broadcast(read: Numbers, base: Numbers, dims: Shape, domain: Shape) -> bool:
    """The definition, read literally."""
    for point in oracle.points(domain):
        extents, held = elements(read, point)
        base_extents, base_held = elements(base, point)
        if tuple(extents[d] for d in dims) != base_extents:
            return False
        if any(element != base_held[tuple(index[d] for d in dims)] for index, element in held.items()):
            return False
    return True


def random_pair(rng: random.Random, domain: Shape) -> tuple[Shape, Numbers, Numbers, Shape]:
    """A store, pieces of it that repeat nothing, and pieces with more dimensions that often, but not always, are broadcasts of those."""
    base_shape = tuple(rng.choice((1, 2, 3, 4, 5)) for _ in range(rng.choice((0, 1, 1, 2))))
    axes = list(range(len(base_shape)))
    rng.shuffle(axes)
    moves = ((1, 0), (1, 0), (1, 1), (2, 0))
    base_map: list[Coordinate] = [(d, scale, offset) for d in axes for scale, offset in [rng.choice(moves)]]
    store = [(base_shape[d] - 1) * scale + offset + 1 for d, scale, offset in base_map if d is not None]
    if rng.random() < 0.2:  # a dimension of the store of which the view shows one index
        base_map.append((None, 0, rng.choice((0, 1))))
        store.append(2)
    rank = len(base_shape) + rng.choice((0, 1, 1, 2))
    dims = tuple(rng.sample(range(rank), len(base_shape)))
    shape = [rng.choice((0, 1, 2, 3)) for _ in range(rank)]
    for own, extent in zip(dims, base_shape, strict=True):
        shape[own] = extent
    results: list[Coordinate] = [(d if d is None else dims[d], scale, offset) for d, scale, offset in base_map]
    base_tiling = random_tiling(rng, base_shape, domain)
    tiling = random_tiling(rng, tuple(shape), domain)
    tile, offset, projection = list(tiling.tile), list(tiling.offset), list(tiling.projection)
    like = respelled(rng, base_tiling, base_shape, domain) if rng.random() < 0.7 else base_tiling
    for d, own in enumerate(dims):
        tile[own], offset[own], projection[own] = like.tile[d], like.offset[d], like.projection[d]
    tiling = TilingNumbers(tuple(tile), tuple(offset), tuple(projection))
    if results and rng.random() < 0.4:
        k = rng.randrange(len(results))
        d, scale, offset = results[k]
        results[k] = rng.choice(((d, scale, 0), (None, 0, offset), (d, 1 if scale else 0, offset)))
    return tuple(store), (base_shape, tuple(base_map), base_tiling), (tuple(shape), tuple(results), tiling), dims


def access(store: Shape, numbers: Numbers, root: StoreOp, domain: Shape) -> Access:
    shape, results, tiling = numbers
    partition = algebraic(tiling, domain)
    attribute = (
        TilingAttr(partition.tile, partition.offset, partition.projection)
        if isinstance(partition, Tiling)
        else NoneAttr()
    )
    view = View(shape, index_map(len(shape), results))
    if view.map() == IndexMap.identity(len(shape)) and shape == store:
        view = View(shape)
    return Access(root.result, root.result, view, attribute, READ)


def test_answers_agree_with_enumeration() -> None:
    rng = random.Random(7)
    answers = {True: 0, False: 0}
    missed = 0
    for _ in range(PAIRS):
        domain = tuple(rng.choice((1, 2, 2, 3, 4)) for _ in range(rng.choice((1, 1, 2))))
        store, base, read, dims = random_pair(rng, domain)
        root = StoreOp(StoreType(store, f64))
        answer = access(store, read, root, domain).broadcast_from(access(store, base, root, domain), domain)
        truth = is_broadcast(read, base, dims, domain)
        if answer is not None:
            assert is_broadcast(read, base, answer, domain), (domain, base, read, answer)
        if any(elements(read, point)[1] for point in oracle.points(domain)):
            missed += truth and answer is None
            answers[truth] += 1
    assert min(answers.values()) >= LEAST_SHARE * sum(answers.values()), answers
    # Needless noes: where an extent is 1, any scale gives the same view.
    assert missed <= 0.05 * answers[True], (missed, answers)


def numbers_of(found: Access) -> Numbers:
    partition = found.partition.partition
    results = tuple((c.dim, c.scale, c.offset) for c in found.view.map().results)
    if not isinstance(partition, Tiling):
        return found.shape, results, None
    projection = tuple((c.dim, c.scale, c.offset) for c in partition.projection.results)
    return found.shape, results, TilingNumbers(partition.tile, partition.offset, projection)


def test_pieces_without_the_dimensions_that_repeat() -> None:
    rng = random.Random(8)
    shorter = 0
    for _ in range(PAIRS // 4):
        domain = tuple(rng.choice((1, 2, 2, 3, 4)) for _ in range(rng.choice((1, 1, 2))))
        store, _, (shape, results, tiling), _ = random_pair(rng, domain)
        read = shape, results, rng.choice((tiling, tiling, None))
        answer = access(store, read, StoreOp(StoreType(store, f64)), domain).without_repeats()
        rank = max((d for d, _, _ in results if d is not None), default=-1) + 1
        repeats = any(extent > 1 for extent in shape[rank:])
        assert (answer is not None) == (repeats and 0 not in shape), (store, read)
        if answer is not None:
            shorter += 1
            assert len(answer.shape) == rank
            assert is_broadcast(read, numbers_of(answer), tuple(range(rank)), domain), (domain, read, answer)
    assert shorter >= LEAST_SHARE * PAIRS // 4

"""Folds of partials as native launches: bit for bit what NumPy makes of the numerics contract (docs/kernels.md, section 2)."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from fuseir.dialects.dist.index_map import Coordinate, IndexMap
from fuseir.dialects.dist.partition import Interval, Shape
from fuseir.dialects.dist.view import View
from fuseir.runtime.arrays import Array, view_strides
from fuseir.runtime.executors.cpu import NativeCalls
from fuseir.runtime.executors.folds import PointBuffers, copy_call, fold_calls
from fuseir.runtime.executors.native_call import Base, NativeCall
from fuseir.runtime.executors.partials import Partials

CASES: list[tuple[Shape, tuple[int | None, ...]]] = [
    ((), (None, None)),
    ((8,), ()),
    ((40,), ()),
    ((1100,), ()),
    ((8,), (None,)),
    ((8,), (0,)),
    ((3, 4), (0,)),
    ((3, 4), (1,)),
    ((3, 4), (1, None)),
    ((3, 2), (1, 0)),
    ((5,), (0, 0)),
    # The points that share a tile have no common stride, or those of different tiles.
    ((2, 3, 4), (1,)),
    ((2, 3, 4), (0, 2)),
    ((2, 3, 4, 2), (1, 3)),
    ((2, 1, 4), (0, 2)),
]
"""Launch domains, and for each dimension of the store the launch dimension that moves the tile."""

OPERATORS = {
    "f": ("add", "mul", "min", "max"),
    "i": ("add", "mul", "min", "max", "and", "or", "xor"),
    "b": ("min", "max", "and", "or", "xor"),
}
SPECIAL = (0.0, -0.0, np.inf, -np.inf, 1e300)


def random_values(rng: np.random.Generator, shape: Shape, dtype: np.dtype) -> Array:
    if dtype.kind == "b":
        return rng.integers(0, 2, shape).astype(bool)
    if dtype.kind != "f":
        return rng.integers(0, 256, shape).astype(dtype)
    values = rng.standard_normal(shape)
    chosen = rng.integers(0, 30, shape)
    for number, value in enumerate(SPECIAL):
        values = np.where(chosen == number, value, values)
    with np.errstate(over="ignore"):
        return values.astype(dtype)


def call(made: NativeCall, slot: Array, buffers: list[Array]) -> None:
    bases = [
        (slot if base.slot is not None else buffers[base.buffer or 0]).ctypes.data + base.offset for base in made.bases
    ]
    made.kernel.call(0, made.points, bases, made.layout)  # type: ignore[attr-defined]


@pytest.mark.parametrize("dtype", ["f8", "f4", "i1", "u1", "i2", "u4", "i8", "u8", "?"])
def test_native_folds_are_those_of_the_contract(dtype: str) -> None:
    element = np.dtype(dtype)
    rng = np.random.default_rng(3)
    operators = itertools.cycle(OPERATORS[element.kind.replace("u", "i")])
    for domain, moved_by in CASES * 2:
        operator = next(operators)
        shape = tuple(int(rng.integers(1, 20)) for _ in moved_by)
        # A view that runs backwards, every second element.
        view = View(shape, IndexMap(len(shape), tuple(Coordinate(d, -2, 2 * extent) for d, extent in enumerate(shape))))
        root_shape = tuple(2 * extent + 1 for extent in shape)
        intervals = tuple(
            Interval(None, 0, 0, extent, extent)
            if j is None
            else Interval(j, tile := -(-extent // domain[j]), 0, tile, extent)
            for extent, j in zip(shape, moved_by, strict=True)
        )
        reference = Partials(operator, view, domain, intervals, element)
        partials = random_values(rng, reference.allocate().shape, element)
        before = random_values(rng, root_shape, element)
        wanted, got = before.copy(), before.copy()
        reference.fold_into(wanted, partials)
        offset, strides = view_strides(view, root_shape, element.itemsize)
        buffers = PointBuffers(0, domain, reference.tile, element)
        assert buffers.bytes == partials.nbytes
        made, scratch = fold_calls(operator, buffers, intervals, Base(0, offset), strides, 1, NativeCalls(None))
        memory = np.empty(scratch, np.uint8)
        for each in made:
            call(each, got, [partials, memory])
        # NaN is NaN, whatever its sign.
        assert np.array_equal(got, wanted, equal_nan=element.kind == "f"), (operator, domain, moved_by)
        if element.kind == "f":
            assert np.array_equal(np.signbit(got)[~np.isnan(got)], np.signbit(wanted)[~np.isnan(wanted)])


@pytest.mark.parametrize("dtype", ["f8", "?", "i2"])
def test_one_of_the_copies_becomes_the_contents(dtype: str) -> None:
    element = np.dtype(dtype)
    rng = np.random.default_rng(4)
    copies = random_values(rng, (3, 4, 5), element)
    root = random_values(rng, (6, 4, 2), element)
    wanted = root.copy()
    view = View((4, 5), IndexMap(2, (Coordinate(1, 1, 1), Coordinate(0, -1, 3), Coordinate(None, 0, 1))))
    wanted[1:, ::-1, 1] = copies[0].T
    offset, strides = view_strides(view, root.shape, element.itemsize)
    call(copy_call(PointBuffers(0, (3,), (4, 5), element), Base(0, offset), strides, NativeCalls(None)), root, [copies])
    assert np.array_equal(root, wanted)

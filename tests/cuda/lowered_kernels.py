"""Any lowered kernel on arrays that fit it: which extents must agree, random contents, and what the CPU path makes of them."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

import numpy as np
from xdsl.dialects import func, memref, scf
from xdsl.dialects.builtin import MemRefType
from xdsl.ir import SSAValue

from fuseir.codegen.abi import ArgumentLayout, encode_layout, pack_scalars, whole_dimension
from fuseir.codegen.element_types import element_type
from fuseir.codegen.llvm import compile as llvm_compile
from fuseir.codegen.llvm.compiled import CompiledKernel, loaded_kernels
from fuseir.codegen.llvm.target import host_target

DTYPES = {
    "i1": np.bool_,
    "i8": np.int8,
    "i16": np.int16,
    "i32": np.int32,
    "i64": np.int64,
    "f32": np.float32,
    "f64": np.float64,
}


@dataclass
class Shapes:
    """For each tile of a kernel the numbers of its dimensions' extents; equal numbers are equal extents."""

    elements: list[str]
    extents: list[tuple[int, ...]]
    scalars: list[str]


def shapes_of(kernel: func.FuncOp) -> Shapes:
    """Which extents a kernel takes to be equal, from the loops that index its tiles."""
    parent: dict[tuple[SSAValue, int], tuple[SSAValue, int]] = {}

    def find(key: tuple[SSAValue, int]) -> tuple[SSAValue, int]:
        while parent.setdefault(key, key) != key:
            key = parent[key]
        return key

    def bound(index: SSAValue) -> tuple[SSAValue, int]:
        loop = index.owner.parent_op()
        assert isinstance(loop, scf.ParallelOp)
        return dimension(loop.upperBound[0])

    def dimension(value: SSAValue) -> tuple[SSAValue, int]:
        dim = value.owner
        assert isinstance(dim, memref.DimOp)
        return dim.source, dim.index.owner.value.value.data

    for op in kernel.walk():
        if isinstance(op, memref.LoadOp | memref.StoreOp):
            for place, index in enumerate(op.indices):
                parent[find((op.memref, place))] = find(bound(index))
        elif isinstance(op, memref.AllocOp):
            for place, size in enumerate(op.dynamic_sizes):
                parent[find((op.memref, place))] = find(dimension(size))
    numbers: dict[tuple[SSAValue, int], int] = {}
    elements, extents, scalars = list[str](), list[tuple[int, ...]](), list[str]()
    for argument in kernel.body.block.args:
        if isinstance(argument.type, MemRefType):
            elements.append(element_type(argument.type.element_type).name)
            own = range(argument.type.get_num_dims())
            extents.append(tuple(numbers.setdefault(find((argument, d)), len(numbers)) for d in own))
        else:
            scalars.append(element_type(argument.type).name)
    return Shapes(elements, extents, scalars)


def random_values(rng: np.random.Generator, element: str, shape: tuple[int, ...]) -> np.ndarray:
    """Contents with zeros of both signs, NaN, infinities and extremes among them."""
    dtype = np.dtype(DTYPES[element])
    if element == "i1":
        return rng.integers(0, 2, shape).astype(bool)
    if dtype.kind == "i":
        limits = np.iinfo(dtype)
        small = rng.integers(-5, 6, shape).astype(dtype)
        large = rng.integers(limits.min, limits.max, shape, dtype, endpoint=True)
        extreme = rng.choice(np.array([limits.min, limits.max, 0, -1], dtype), shape)
        return np.where(rng.random(shape) < 0.6, small, np.where(rng.random(shape) < 0.7, large, extreme)).astype(dtype)
    values = rng.normal(size=shape) * 10.0 ** rng.integers(-3, 4, shape)
    special = rng.choice([0.0, -0.0, 1.0, -1.0, np.nan, np.inf, -np.inf, 1e-310], shape)
    return np.where(rng.random(shape) < 0.97, values, special).astype(dtype)


def random_arrays(shapes: Shapes, seed: int, sizes: list[int], budget: int) -> list[np.ndarray]:
    """An array for each tile, its extents drawn from ``sizes``, mostly one from the larger half; none has more than ``budget`` elements.

    Half of the time all are contiguous; else some are parts of larger arrays, transposed, reversed, or of every other element.
    """
    chance, rng = random.Random(seed), np.random.default_rng(seed)
    count = max((n for own in shapes.extents for n in own), default=-1) + 1
    extents = [chance.choice(sizes) for _ in range(count)]
    large = chance.randrange(count) if count else -1
    if count and chance.random() < 0.75:
        extents[large] = chance.choice(sorted(sizes)[len(sizes) // 2 :])
    for own in shapes.extents:
        while np.prod([max(extents[n], 1) for n in own], dtype=np.int64) > budget:
            others = [n for n in own if n != large and extents[n] > 1]
            shrunk = max(others or own, key=lambda n: extents[n])
            extents[shrunk] = extents[shrunk] // 3 or 1
    arrays: list[np.ndarray] = []
    plain = chance.random() < 0.5
    for element, own in zip(shapes.elements, shapes.extents, strict=True):
        shape = tuple(extents[n] for n in own)
        way = 0 if plain else chance.randrange(5)
        if way == 1 and shape:  # a part of something larger
            base = random_values(rng, element, tuple(n + 3 for n in shape))
            arrays.append(base[tuple(slice(1, n + 1) for n in shape)])
        elif way == 2 and shape:
            arrays.append(random_values(rng, element, shape[::-1]).T)
        elif way == 3 and shape:
            arrays.append(random_values(rng, element, shape)[::-1])
        elif way == 4 and shape:
            arrays.append(random_values(rng, element, (*shape[:-1], 2 * shape[-1]))[..., ::2])
        else:
            arrays.append(np.array(random_values(rng, element, shape)))
    return arrays


def random_scalars(shapes: Shapes, seed: int) -> list[tuple[str, float]]:
    """A value for each scalar."""
    rng = np.random.default_rng(seed + 1)
    return [(element, random_values(rng, element, ()).item()) for element in shapes.scalars]


def compile_for_cpu(kernel: func.FuncOp) -> CompiledKernel:
    """The CPU's code, with the C library's scalar functions for math: those that emulated kernels call."""
    target = replace(host_target(), has_fma=False, mvec_variant=None)
    code = llvm_compile._compiled("0" * 64, kernel, target, None)
    return loaded_kernels([code], target)[0]


def run_on_cpu(code: CompiledKernel, arrays: list[np.ndarray], scalars: list[tuple[str, float]]) -> None:
    """Run a kernel for one point that sees the arrays in full."""
    dimensions = [tuple(map(whole_dimension, array.shape, array.strides)) for array in arrays]
    layout = encode_layout((), [ArgumentLayout(each) for each in dimensions])
    bases = [array.__array_interface__["data"][0] for array in arrays]
    code.call(0, 1, bases, layout, pack_scalars(scalars))


def copied(array: np.ndarray) -> np.ndarray:
    """An array of the same contents and the same strides."""
    base = array
    while isinstance(base.base, np.ndarray):
        base = base.base
    twin = base.copy(order="K")
    offset = array.__array_interface__["data"][0] - base.__array_interface__["data"][0]
    assert twin.strides == base.strides
    data = np.lib.stride_tricks.as_strided(twin, base.shape, base.strides)
    flat = data.reshape(-1, order="A") if data.flags.forc else data
    return np.ndarray(array.shape, array.dtype, flat, offset, array.strides)


def same_bits(actual: np.ndarray, expected: np.ndarray) -> bool:
    """Equal to the bit, all NaN being one."""
    if actual.dtype.kind != "f":
        return bool(np.array_equal(actual, expected))
    nans = np.isnan(actual) & np.isnan(expected)
    return bool(np.all(nans | ((actual == expected) & (np.signbit(actual) == np.signbit(expected)))))

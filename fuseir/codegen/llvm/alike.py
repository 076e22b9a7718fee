"""Loop nests of a kernel that are alike: each kind becomes one function, which the kernel calls with the tiles and scalars of each.

Programs repeat themselves, and so do their kernels: a border of four sides is four nests that copy, a sweep over coarse and fine grids the
same nests for each grid. What LLVM takes for a kernel goes with the instructions it gets.

Two nests are alike if they are the same operations on the same types, and differ only in which tiles, scalars and extents from outside
they work on; constants are part of a nest. A nest whose results are used behind it (a fold) stays where it is. The function that stands
for a kind is a kernel like any other, of that nest alone. No bit depends on it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable
from typing import NamedTuple

from xdsl.dialects import arith, func, memref, scf
from xdsl.dialects.builtin import IndexType, MemRefType
from xdsl.ir import Block, Operation, OpResult, Region, SSAValue

_FEWEST = 2
"""Nests that are alike, from which on they become a function."""


class NestCall(NamedTuple):
    """A nest as a kernel of its own, and what it is to be called with: tiles first."""

    kernel: func.FuncOp
    arguments: tuple[SSAValue, ...]


def alike_nests(ops: Iterable[Operation]) -> dict[Operation, NestCall]:
    """The nests among a lowered kernel's operations that are like another; nests that are alike have one kernel."""
    found = {op: kind for op in ops if isinstance(op, scf.ParallelOp) and (kind := _Kind.of(op)) is not None}
    counts = Counter(kind.key for kind in found.values())
    kernels: dict[Hashable, func.FuncOp] = {}
    calls: dict[Operation, NestCall] = {}
    for op, kind in found.items():
        if counts[kind.key] >= _FEWEST:
            if kind.key not in kernels:
                kernels[kind.key] = kind.kernel(op)
            calls[op] = NestCall(kernels[kind.key], tuple(kind.arguments))
    return calls


class _Kind:
    """What is to be known of a nest: ``key`` is equal for nests that are alike, ``inlined`` are constants and extents that it uses."""

    def __init__(self) -> None:
        self.arguments: list[SSAValue] = []
        self.inlined: list[Operation] = []
        self.key: Hashable = ()
        self._numbers: dict[SSAValue, int] = {}

    @staticmethod
    def of(nest: scf.ParallelOp) -> _Kind | None:
        """The kind of a nest; None if it cannot be a kernel of its own."""
        if nest.results:
            return None
        kind = _Kind()
        parts: list[Hashable] = []
        for op in nest.walk():
            for region in op.regions:
                for argument in region.block.args:
                    kind._number(argument)
            for result in op.results:
                kind._number(result)
        for op in nest.walk():
            operands = [kind._operand(operand) for operand in op.operands]
            if None in operands:
                return None
            parts.append(_described(op, tuple(operands)))
        # Tiles first, as kernels have them.
        kind.arguments.sort(key=lambda value: not isinstance(value.type, MemRefType))
        kind.key = tuple(parts)
        return kind

    def kernel(self, nest: scf.ParallelOp) -> func.FuncOp:
        """A lowered kernel that does what the nest does."""
        block = Block(arg_types=[value.type for value in self.arguments])
        values: dict[SSAValue, SSAValue] = dict(zip(self.arguments, block.args, strict=True))
        block.add_ops([op.clone(values) for op in (*self.inlined, nest)])
        block.add_op(func.ReturnOp())
        return func.FuncOp("nest", (block.arg_types, []), Region(block), visibility="private")

    def _number(self, value: SSAValue) -> int:
        return self._numbers.setdefault(value, len(self._numbers))

    def _operand(self, value: SSAValue) -> Hashable:
        """What stands for an operand in the key: a number, or the operation that is part of the nest; None for what nests do not take."""
        known = self._numbers.get(value)
        if known is not None:
            return known
        owner = value.owner if isinstance(value, OpResult) else None
        if isinstance(owner, arith.ConstantOp | memref.DimOp):
            parts = tuple([self._operand(operand) for operand in owner.operands])
            self.inlined.append(owner)
            return self._number(value), _described(owner, parts)
        if isinstance(value.type, IndexType):
            return None
        self.arguments.append(value)
        return self._number(value), value.type


def _described(op: Operation, operands: tuple[Hashable, ...]) -> Hashable:
    """An operation but for its place in the program."""
    blocks = tuple(tuple(argument.type for argument in region.block.args) for region in op.regions)
    results = tuple(result.type for result in op.results)
    return (
        op.name,
        operands,
        results,
        tuple(op.properties.items()),
        tuple(op.attributes.items()),
        blocks,
        len(op.regions),
    )

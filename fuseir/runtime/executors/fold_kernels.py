"""Kernels of the executors' own, which work on what points leave in buffers: a fold over points, and a copy. Lowered; no executor's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from xdsl.dialects import arith
from xdsl.dialects.builtin import (
    DYNAMIC_INDEX,
    AffineMapAttr,
    Float32Type,
    Float64Type,
    IntegerType,
    ModuleOp,
    TensorType,
)
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.dialects.linalg.attrs import IteratorTypeAttr
from xdsl.dialects.linalg.ops import GenericOp, YieldOp
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.ir.affine import AffineExpr, AffineMap

from fuseir.passes.pipelines import run_pipeline


class _Combiner(NamedTuple):
    """The operation of an operator on floats, on signed integers, and on unsigned ones and booleans."""

    floats: type[Operation] | None
    signed: type[Operation]
    unsigned: type[Operation]


_COMBINERS = {
    "add": _Combiner(arith.AddfOp, arith.AddiOp, arith.AddiOp),
    "mul": _Combiner(arith.MulfOp, arith.MuliOp, arith.MuliOp),
    "min": _Combiner(arith.MinimumfOp, arith.MinSIOp, arith.MinUIOp),
    "max": _Combiner(arith.MaximumfOp, arith.MaxSIOp, arith.MaxUIOp),
    "and": _Combiner(None, arith.AndIOp, arith.AndIOp),
    "or": _Combiner(None, arith.OrIOp, arith.OrIOp),
    "xor": _Combiner(None, arith.XOrIOp, arith.XOrIOp),
}


def fold_kernel(operator: str, dtype: np.dtype[Any], rank: int) -> FuncOp:
    """``t[…] = t[…] ⊕ T(p[…])``, the fold along the leading dimension of ``p``; ``t`` has the rank given."""
    return _lowered(_function(operator, dtype, rank))


def copy_kernel(dtype: np.dtype[Any], rank: int) -> FuncOp:
    """``t[…] = p[…]``, both of the rank given."""
    return _lowered(_function(None, dtype, rank))


def _lowered(function: FuncOp) -> FuncOp:
    run_pipeline(ModuleOp([function]), ("fuse-kernels", "lower-kernels"))
    return function


def _function(operator: str | None, dtype: np.dtype[Any], rank: int) -> FuncOp:
    element: Attribute = (
        IntegerType(1 if dtype.kind == "b" else 8 * dtype.itemsize)
        if dtype.kind != "f"
        else Float32Type()
        if dtype.itemsize == 4
        else Float64Type()
    )
    shared = 0 if operator is None else 1
    dims = rank + shared
    source, target = (TensorType(element, [DYNAMIC_INDEX] * r) for r in (dims, rank))
    body = Block(arg_types=[element, element])
    result: SSAValue = body.args[0]
    if operator is not None:
        folded = _combiner(operator, dtype).create(operands=[body.args[1], body.args[0]], result_types=[element])
        body.add_op(folded)
        result = folded.results[0]
    body.add_op(YieldOp(result))
    block = Block(arg_types=[source, target])
    generic = GenericOp(
        [block.args[0]],
        [block.args[1]],
        Region(body),
        [_kept_dims(dims, range(dims)), _kept_dims(dims, range(shared, dims))],
        [IteratorTypeAttr.reduction()] * shared + [IteratorTypeAttr.parallel()] * rank,
        [target],
    )
    block.add_ops([generic, ReturnOp(generic.results[0])])
    return FuncOp("after_points", ([source, target], [target]), Region(block))


def _combiner(operator: str, dtype: np.dtype[Any]) -> type[Operation]:
    combiner = _COMBINERS[operator]
    found = combiner.floats if dtype.kind == "f" else combiner.signed if dtype.kind == "i" else combiner.unsigned
    assert found is not None  # no launch reduces what it cannot
    return found


def _kept_dims(dims: int, kept: Sequence[int]) -> AffineMapAttr:
    return AffineMapAttr(AffineMap(dims, 0, tuple(map(AffineExpr.dimension, kept))))

"""Kernels interpreted with NumPy, in tensor form and in lowered form: docs/kernels.md read literally, and slowly.

Tensor form: each ``linalg.generic`` is evaluated on whole arrays. Lowered form: element by element, the iterations of each loop
backwards, so that an order on which a result depends by mistake shows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from xdsl.dialects import arith, func, memref, scf, tensor
from xdsl.dialects.builtin import Float32Type, Float64Type, IntegerType
from xdsl.dialects.linalg import ops as linalg
from xdsl.ir import Attribute, Block, Operation, SSAValue


def _minimum(a, b):
    return np.where((a == b) & np.signbit(a), a, np.minimum(a, b)) if a.dtype.kind == "f" else np.minimum(a, b)


def _maximum(a, b):
    return np.where((a == b) & np.signbit(a), b, np.maximum(a, b)) if a.dtype.kind == "f" else np.maximum(a, b)


SCALAR_OPS: dict[str, Callable] = {
    "arith.addf": np.add,
    "arith.subf": np.subtract,
    "arith.mulf": np.multiply,
    "arith.divf": np.divide,
    "arith.negf": np.negative,
    "arith.minimumf": _minimum,
    "arith.maximumf": _maximum,
    "arith.addi": np.add,
    "arith.muli": np.multiply,
    "arith.andi": np.bitwise_and,
    "arith.ori": np.bitwise_or,
    "arith.xori": np.bitwise_xor,
    "arith.minsi": np.minimum,
    "arith.maxsi": np.maximum,
    "math.absf": np.abs,
    "math.sqrt": np.sqrt,
}

IDENTITIES = {
    "arith.addf": -0.0,
    "arith.mulf": 1.0,
    "arith.minimumf": np.inf,
    "arith.maximumf": -np.inf,
    "arith.addi": 0,
    "arith.muli": 1,
    "arith.ori": 0,
    "arith.xori": 0,
    "arith.andi": -1,
}


def dtype_of(type_: Attribute) -> np.dtype:
    match type_:
        case Float64Type():
            return np.dtype(np.float64)
        case Float32Type():
            return np.dtype(np.float32)
        case IntegerType():
            return np.dtype(f"i{type_.width.data // 8}")
        case _:
            return np.dtype(np.int64)


def tree(combiner: str, values: np.ndarray) -> np.ndarray:
    """``T`` along the last axis."""
    combine = SCALAR_OPS[combiner]
    n = values.shape[-1]
    blocks = max(1, -(-n // 1024))
    padded = np.full((*values.shape[:-1], blocks * 1024), IDENTITIES[combiner], values.dtype)
    padded[..., :n] = values
    steps = padded.reshape(*values.shape[:-1], blocks, 32, 32)
    partial = steps[..., 0, :]
    for step in range(1, 32):
        partial = combine(partial, steps[..., step, :])
    level = [partial[..., block, :] for block in range(blocks)]
    while len(level) > 1:
        odd = [level[-1]] if len(level) % 2 else []
        level = [combine(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)] + odd
    lanes = level[0]
    while lanes.shape[-1] > 1:
        half = lanes.shape[-1] // 2
        lanes = combine(lanes[..., :half], lanes[..., half:])
    return lanes[..., 0]


def _constant(op: arith.ConstantOp):
    return dtype_of(op.result.type).type(op.value.value.data)


def _apply(op: Operation, values: dict[SSAValue, object]) -> object:
    if isinstance(op, arith.ConstantOp):
        return _constant(op)
    result = SCALAR_OPS[op.name](*(np.asarray(values[operand]) for operand in op.operands))
    return result.astype(dtype_of(op.results[0].type))


def run_tensor_form(function: func.FuncOp, arguments: Sequence[object]) -> list[np.ndarray]:
    """The results of a kernel in tensor form."""
    block = function.body.block
    values: dict[SSAValue, object] = dict(zip(block.args, arguments, strict=True))
    with np.errstate(all="ignore"):
        for op in block.ops:
            match op:
                case func.ReturnOp():
                    return [np.array(values[operand]) for operand in op.operands]
                case tensor.DimOp():
                    values[op.result] = values[op.source].shape[int(values[op.index])]
                case tensor.EmptyOp():
                    shape = [int(values[size]) for size in op.dynamic_sizes]
                    values[op.tensor] = np.full(shape, np.nan, dtype_of(op.tensor.type.element_type))
                case linalg.FillOp():
                    values[op.res[0]] = np.full_like(values[op.outputs[0]], values[op.inputs[0]])
                case linalg.GenericOp():
                    values.update(zip(op.res, _run_generic(op, values), strict=True))
                case _:
                    values[op.results[0]] = _apply(op, values)
    raise AssertionError("a kernel returns")


def _run_generic(op: linalg.GenericOp, outer: dict[SSAValue, object]) -> list[np.ndarray]:
    rank = len(op.iterator_types)
    maps = [[e.position for e in m.data.results] for m in op.indexing_maps]
    extents = [0] * rank
    for operand, dims in zip(op.operands, maps, strict=True):
        for d, extent in zip(dims, np.shape(outer[operand]), strict=True):
            extents[d] = extent
    block = op.body.block
    values = dict(outer)
    for argument, operand, dims in zip(block.args, op.operands, maps, strict=True):
        array = np.asarray(outer[operand])
        order = sorted(range(len(dims)), key=lambda k: dims[k])
        shape = [extents[d] if d in dims else 1 for d in range(rank)]
        values[argument] = np.broadcast_to(array.transpose(order).reshape(shape), extents)
    results: list[np.ndarray] = []
    yielded = block.last_op
    reductions = {yielded.operands[k].owner for k in range(len(op.res)) if len(maps[len(op.inputs) + k]) < rank}
    for inner in block.ops:
        if inner is not yielded and inner not in reductions:
            values[inner.results[0]] = _apply(inner, values)
    for k, operand in enumerate(op.outputs):
        dims = maps[len(op.inputs) + k]
        if len(dims) < rank:
            combiner = yielded.operands[k].owner
            value = np.broadcast_to(np.asarray(values[combiner.operands[1]]), extents)
            for d in reversed([d for d in range(rank) if d not in dims]):
                value = tree(combiner.name, np.moveaxis(value, d, -1))
            # What is left is in the order of the iteration space.
            value = value.transpose([sorted(dims).index(d) for d in dims])
            value = SCALAR_OPS[combiner.name](np.asarray(outer[operand]), value)
        else:
            value = np.broadcast_to(np.asarray(values[yielded.operands[k]]), extents).transpose(dims)
        results.append(np.array(value))
    return results


def run_lowered_form(function: func.FuncOp, arguments: Sequence[object]) -> None:
    """Run a kernel in lowered form; arrays among the arguments are its memory."""
    block = function.body.block
    with np.errstate(all="ignore"):
        _run_block(block, dict(zip(block.args, arguments, strict=True)))


def _run_block(block: Block, values: dict[SSAValue, object]) -> list[object]:
    for op in block.ops:
        match op:
            case func.ReturnOp() | memref.DeallocOp():
                pass
            case memref.DimOp():
                values[op.result] = values[op.source].shape[int(values[op.index])]
            case memref.AllocOp():
                shape = [int(values[size]) for size in op.dynamic_sizes]
                values[op.memref] = np.full(shape, np.nan, dtype_of(op.memref.type.element_type))
            case memref.LoadOp():
                values[op.res] = values[op.memref][tuple(values[i] for i in op.indices)]
            case memref.StoreOp():
                values[op.memref][tuple(values[i] for i in op.indices)] = values[op.value]
            case scf.ParallelOp():
                _run_loop(op, values)
            case scf.ReduceOp():
                return [values[operand] for operand in op.args]
            case _:
                values[op.results[0]] = _apply(op, values)
    return []


def _run_loop(op: scf.ParallelOp, values: dict[SSAValue, object]) -> None:
    count = int(values[op.upperBound[0]])
    yielded: list[list[object]] = [[] for _ in op.res]
    for i in reversed(range(count)):
        values[op.body.block.args[0]] = i
        for column, value in zip(yielded, _run_block(op.body.block, values), strict=True):
            column.insert(0, value)
    terminator = op.body.block.last_op
    for result, init, region, column in zip(op.res, op.initVals, terminator.reductions, yielded, strict=True):
        combiner = region.block.first_op
        dtype = dtype_of(result.type)
        identity = np.asarray(values[init], dtype)
        assert identity.tobytes() == np.asarray(IDENTITIES[combiner.name], dtype).tobytes()
        values[result] = tree(combiner.name, np.array(column, dtype))

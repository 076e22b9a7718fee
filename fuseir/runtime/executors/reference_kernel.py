"""Kernels in tensor form, interpreted with NumPy: the reference for what a kernel computes.

One tensor value is one array; a ``linalg.generic`` is evaluated operation by operation on arrays over its whole iteration space. Knows
nothing of stores and points: tiles come in, new tiles go out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from xdsl.dialects import func, tensor
from xdsl.dialects.builtin import DYNAMIC_INDEX, TensorType
from xdsl.dialects.linalg import ops as linalg
from xdsl.ir import Operation, OpResult, SSAValue
from xdsl.ir.affine import AffineDimExpr, AffineMap

from fuseir.errors import ShapeError, UnsupportedError
from fuseir.runtime.executors import reference_integers as integers
from fuseir.runtime.executors.reference_ops import dtype_of, evaluate
from fuseir.runtime.reduction_tree import combine, tree_reduce

Array: TypeAlias = NDArray[Any]

# Each combiner: the operator of the tree, and how it reads integers.
_COMBINERS = {
    "arith.addf": ("add", "as is"),
    "arith.addi": ("add", "as is"),
    "arith.mulf": ("mul", "as is"),
    "arith.muli": ("mul", "as is"),
    "arith.minimumf": ("min", "as is"),
    "arith.minsi": ("min", "signed"),
    "arith.minui": ("min", "unsigned"),
    "arith.maximumf": ("max", "as is"),
    "arith.maxsi": ("max", "signed"),
    "arith.maxui": ("max", "unsigned"),
    "arith.andi": ("and", "as is"),
    "arith.ori": ("or", "as is"),
    "arith.xori": ("xor", "as is"),
}


def garbage(shape: Sequence[int], dtype: np.dtype[Any]) -> Array:
    """An array of undefined contents: bytes 0xAB (true for booleans), so that whoever reads it does not get zeros by luck."""
    pattern = np.ones((), dtype) if dtype.kind == "b" else np.frombuffer(b"\xab" * dtype.itemsize, dtype)[0]
    return np.full(shape, pattern, dtype)


def run_kernel(kernel: func.FuncOp, arguments: Sequence[Array]) -> list[Array]:
    """What ``kernel`` returns for these tiles and scalars (arrays of rank 0), which are not changed.

    Raises ShapeError where tiles do not fit together, UnsupportedError for what kernels may not contain; kernels that keep the contract do
    neither.
    """
    block = kernel.body.blocks[0]
    values: dict[SSAValue, Array] = dict(zip(block.args, arguments, strict=True))
    for op in block.ops:
        if isinstance(op, func.ReturnOp):
            return [values[operand] for operand in op.operands]
        if isinstance(op, linalg.GenericOp):
            values.update(zip(op.results, _run_generic(op, values), strict=True))
        else:
            values[op.results[0]] = _run_operation(op, values)
    raise UnsupportedError(f"kernel '@{kernel.sym_name.data}' does not return")


def _run_operation(op: Operation, values: dict[SSAValue, Array]) -> Array:
    if isinstance(op, tensor.DimOp):
        source, dim = values[op.source], int(values[op.index])
        if not 0 <= dim < source.ndim:
            raise ShapeError(f"'tensor.dim' asks for dimension {dim} of a tensor of rank {source.ndim}")
        return np.asarray(source.shape[dim], np.int64)
    if isinstance(op, tensor.EmptyOp):
        return _run_empty(op, values)
    if isinstance(op, linalg.FillOp):
        out = values[op.outputs[0]]
        return np.full(out.shape, values[op.inputs[0]], out.dtype)
    return evaluate(op, [values[operand] for operand in op.operands])


def _run_empty(op: tensor.EmptyOp, values: dict[SSAValue, Array]) -> Array:
    result = op.tensor.type
    assert isinstance(result, TensorType)
    dynamic = iter(op.dynamic_sizes)
    shape = [int(values[next(dynamic)]) if extent == DYNAMIC_INDEX else extent for extent in result.get_shape()]
    return garbage(shape, dtype_of(result.element_type))


def _run_generic(op: linalg.GenericOp, values: dict[SSAValue, Array]) -> list[Array]:
    dims = [_dims(attribute.data) for attribute in op.indexing_maps.data]
    operands = [values[operand] for operand in op.operands]
    space = _iteration_space(op, dims, operands)

    block = op.body.blocks[0]
    # Every value inside is an array that broadcasts to the iteration space.
    inside = dict(values)
    for argument, operand, operand_dims in zip(block.args, operands, dims, strict=True):
        inside[argument] = _spread(operand, operand_dims, len(space))
    for body_op in block.ops:
        if isinstance(body_op, linalg.IndexOp):
            dim = body_op.dim.value.data
            inside[body_op.result] = _spread(np.arange(space[dim]), (dim,), len(space))
        elif not isinstance(body_op, linalg.YieldOp):
            inside[body_op.results[0]] = evaluate(body_op, [inside[operand] for operand in body_op.operands])

    yielded = block.last_op
    assert isinstance(yielded, linalg.YieldOp)
    results: list[Array] = []
    for k, value in enumerate(yielded.operands):
        position = len(op.inputs) + k
        if len(dims[position]) == len(space):
            full = np.broadcast_to(inside[value], space)
            results.append(np.transpose(full, dims[position]).astype(operands[position].dtype))
        else:
            accumulator = block.args[position]
            results.append(_fold(value, accumulator, inside, operands[position], dims[position], space))
    return results


def _dims(indexing_map: AffineMap) -> tuple[int, ...]:
    """The iteration dimension that each dimension of an operand runs along."""
    dims = [result.position for result in indexing_map.results if isinstance(result, AffineDimExpr)]
    if len(dims) != len(indexing_map.results) or len(set(dims)) != len(dims):
        raise UnsupportedError(f"indexing map {indexing_map} is no projected permutation")
    return tuple(dims)


def _iteration_space(op: linalg.GenericOp, dims: list[tuple[int, ...]], operands: list[Array]) -> tuple[int, ...]:
    extents: dict[int, int] = {}
    for operand, operand_dims in zip(operands, dims, strict=True):
        for dim, extent in zip(operand_dims, operand.shape, strict=True):
            if extents.setdefault(dim, extent) != extent:
                raise ShapeError(f"extents {extents[dim]} and {extent} meet in dimension d{dim} of a 'linalg.generic'")
    rank = len(op.iterator_types)
    if len(extents) != rank:
        raise ShapeError("a dimension of a 'linalg.generic' is bound by no operand")
    return tuple(extents[dim] for dim in range(rank))


def _spread(operand: Array, dims: tuple[int, ...], rank: int) -> Array:
    """``operand`` with one axis for each iteration dimension, of extent 1 along those it does not run along."""
    ordered = np.transpose(operand, np.argsort(dims)) if dims else operand
    return (
        ordered.reshape([1] * rank) if not dims else np.expand_dims(ordered, [d for d in range(rank) if d not in dims])
    )


def _fold(
    value: SSAValue,
    accumulator: SSAValue,
    inside: dict[SSAValue, Array],
    init: Array,
    dims: tuple[int, ...],
    space: tuple[int, ...],
) -> Array:
    """``init ⊕ T(x)``, ``value`` being ``accumulator ⊕ x``; reduces along the dimensions that are not in ``dims``."""
    combiner = value.op if isinstance(value, OpResult) else None
    if combiner is None or combiner.name not in _COMBINERS or combiner.operands[0] is not accumulator:
        raise UnsupportedError("a reduction of a 'linalg.generic' does not yield a combiner of its output's element")
    operator, reading = _COMBINERS[combiner.name]
    read = {"signed": integers.signed, "unsigned": integers.unsigned}.get(reading, np.asarray)
    folded = np.broadcast_to(read(inside[combiner.operands[1]]), space)
    for dim in reversed(range(len(space))):
        if dim not in dims:
            folded = tree_reduce(operator, folded, dim)
    # What is left are the output's dimensions in order of the iteration space.
    folded = np.transpose(folded, np.argsort(np.argsort(dims)))
    result = combine(operator, read(init), folded)
    return integers.wrap(result, init.dtype) if result.dtype != init.dtype else result

"""What each result of a kernel is made of: the tiles whose contents can affect it, and the extents that can."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from xdsl.dialects import func, tensor
from xdsl.dialects.builtin import TensorType
from xdsl.dialects.linalg import ops as linalg
from xdsl.dialects.linalg.attrs import IteratorType
from xdsl.ir import BlockArgument, SSAValue
from xdsl.ir.affine import AffineDimExpr

from fuseir.dialects.kernel.extents import constant_index

Source = int | tuple[int, int]
"""The number of a tensor parameter, contents and extents; or, of one that is looked at for its shape only, a number and a dimension."""

_NOTHING: frozenset[Source] = frozenset()


def sources_of_results(function: func.FuncOp) -> tuple[frozenset[Source], ...]:
    """For each result of a kernel that keeps its contract, the tensor parameters and extents that can affect it.

    Follows values through the operations and, in a ``linalg.generic``, each output by itself. Scalars are left out. Linear in the kernel,
    but for the size of the answers.
    """
    found: dict[SSAValue, frozenset[Source]] = {
        parameter: frozenset((parameter.index,))
        for parameter in function.body.block.args
        if isinstance(parameter.type, TensorType)
    }
    for op in function.body.block.ops:
        match op:
            case func.ReturnOp():
                return tuple(found.get(value, _NOTHING) for value in op.operands)
            case tensor.DimOp():
                dimension = constant_index(op.index)
                found[op.result] = _of_extents(op.source, () if dimension is None else (dimension,), found)
            case linalg.FillOp():
                for output, result in zip(op.outputs, op.res, strict=True):
                    found[result] = _of_shape(output, found)  # what fills it is a scalar
            case linalg.GenericOp():
                found.update(zip(op.res, _of_generic(op, found), strict=True))
            case _:
                sources = _NOTHING.union(*(found.get(operand, _NOTHING) for operand in op.operands))
                found.update(dict.fromkeys(op.results, sources))
    return ()


def _of_extents(
    value: SSAValue, dimensions: Iterable[int], found: Mapping[SSAValue, frozenset[Source]]
) -> frozenset[Source]:
    """What some extents of a tensor are made of; of a tensor that is no parameter all that it is made of, which is more."""
    if isinstance(value, BlockArgument) and isinstance(value.type, TensorType):
        return frozenset((value.index, dimension) for dimension in dimensions)
    return found.get(value, _NOTHING)


def _of_shape(value: SSAValue, found: Mapping[SSAValue, frozenset[Source]]) -> frozenset[Source]:
    assert isinstance(value.type, TensorType)
    return _of_extents(value, range(value.type.get_num_dims()), found)


def _of_generic(op: linalg.GenericOp, found: Mapping[SSAValue, frozenset[Source]]) -> Sequence[frozenset[Source]]:
    """For each output: the operands that its element is computed from, its own shape, and how many elements are folded."""
    reduced = {k for k, iterator in enumerate(op.iterator_types.data) if iterator.data is IteratorType.REDUCTION}
    folded = _NOTHING
    if reduced:
        for operand, attribute in zip(op.operands, op.indexing_maps.data, strict=True):
            dimensions = [
                position
                for position, expression in enumerate(attribute.data.results)
                if isinstance(expression, AffineDimExpr) and expression.position in reduced
            ]
            if dimensions:
                folded |= _of_extents(operand, dimensions, found)
    return [
        folded.union(_of_shape(output, found), *(found.get(op.operands[k], _NOTHING) for k in used))
        for output, used in zip(op.outputs, _operands_of_yields(op), strict=True)
    ]


def _operands_of_yields(op: linalg.GenericOp) -> Sequence[frozenset[int]]:
    """For each value that the body yields, the operands whose elements it is computed from."""
    block = op.body.block
    used: dict[SSAValue, frozenset[int]] = {argument: frozenset((argument.index,)) for argument in block.args}
    for inner in block.ops:
        if isinstance(inner, linalg.YieldOp):
            return [used.get(value, frozenset()) for value in inner.operands]
        operands = frozenset[int]().union(*(used.get(operand, frozenset()) for operand in inner.operands))
        used.update(dict.fromkeys(inner.results, operands))
    return ()

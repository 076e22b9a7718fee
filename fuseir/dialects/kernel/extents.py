"""Which extents of a kernel are one and the same number: union-find over the dimensions of its tensors.

    %r = linalg.generic {indexing_maps = [(d0, d1) -> (d0), (d0, d1) -> (d1, d0)]} ins(%x) outs(%y)

ties dimension 0 of ``%x`` to dimension 1 of ``%y`` and the result's dimensions to those of ``%y``. Near-linear in the
number of operand dimensions.
"""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects import arith, func, tensor
from xdsl.dialects.builtin import IntegerAttr, TensorType
from xdsl.dialects.linalg import ops as linalg
from xdsl.ir import BlockArgument, OpResult, SSAValue
from xdsl.ir.affine import AffineDimExpr
from xdsl.utils.exceptions import VerifyException

from fuseir.dialects.kernel.privileges import destination_root, kernel_privileges, result_parameters

# A dimension of a tensor value, or of the iteration space of a ``linalg.generic``.
Place = tuple[object, int]


def constant_index(value: SSAValue) -> int | None:
    """The number that ``value`` is, if an ``arith.constant`` says so."""
    if isinstance(value, OpResult) and isinstance(value.op, arith.ConstantOp):
        attribute = value.op.value
        if isinstance(attribute, IntegerAttr):
            return attribute.value.data
    return None


class ExtentClasses:
    """The extents of one kernel, each dimension with the number of the class it belongs to.

    ``returned`` names the parameter of each result; without it, results tie nothing.
    """

    def __init__(self, function: func.FuncOp, returned: Sequence[int] = ()) -> None:
        self._parents: list[int] = []
        self._nodes: dict[Place, int] = {}
        block = function.body.blocks[0]
        for op in block.ops:
            if isinstance(op, linalg.GenericOp):
                self._visit_generic(op)
            elif isinstance(op, linalg.FillOp):
                for output, result in zip(op.outputs, op.res, strict=False):
                    self._tie_values(output, result)
            elif isinstance(op, tensor.EmptyOp):
                for dimension, size in enumerate(op.dynamic_sizes):
                    if (place := self._source(size)) is not None:
                        self._tie((op.tensor, dimension), place)
            elif isinstance(op, func.ReturnOp):
                for value, parameter in zip(op.operands, returned, strict=False):
                    self._tie_values(block.args[parameter], value)

    def number(self, value: object, dimension: int) -> int:
        """The class of ``dimension`` of a tensor value, or of the iteration space of a ``linalg.generic``."""
        return self._find(self._node((value, dimension)))

    def _visit_generic(self, op: linalg.GenericOp) -> None:
        for operand, attribute in zip(op.operands, op.indexing_maps.data, strict=False):
            for dimension, expression in enumerate(attribute.data.results):
                if isinstance(expression, AffineDimExpr):
                    self._tie((op, expression.position), (operand, dimension))
        for output, result in zip(op.outputs, op.res, strict=False):
            self._tie_values(output, result)

    @staticmethod
    def _source(size: SSAValue) -> Place | None:
        if not isinstance(size, OpResult) or not isinstance(size.op, tensor.DimOp):
            return None
        dimension = constant_index(size.op.index)
        return None if dimension is None else (size.op.source, dimension)

    def _tie_values(self, a: SSAValue, b: SSAValue) -> None:
        if isinstance(a.type, TensorType) and isinstance(b.type, TensorType):
            for dimension in range(min(a.type.get_num_dims(), b.type.get_num_dims())):
                self._tie((a, dimension), (b, dimension))

    def _tie(self, a: Place, b: Place) -> None:
        # The smaller number becomes the representative, so that numbering does not depend on the order of ties.
        first, second = sorted((self._find(self._node(a)), self._find(self._node(b))))
        self._parents[second] = first

    def _node(self, place: Place) -> int:
        node = self._nodes.setdefault(place, len(self._parents))
        if node == len(self._parents):
            self._parents.append(node)
        return node

    def _find(self, node: int) -> int:
        parents = self._parents
        while parents[node] != node:
            parents[node] = parents[parents[node]]
            node = parents[node]
        return node


def extent_classes(function: func.FuncOp, returned: Sequence[int] | None = None) -> list[frozenset[tuple[int, int]]]:
    """The dimensions of tensor parameters that the kernel takes to be equal, as sets of (argument, dimension).

    ``returned`` names the parameter of each result, whose tile the result must fit; without it, it is what the function
    itself tells. Classes of one dimension are left out.
    """
    if returned is None:
        try:
            returned = result_parameters(kernel_privileges(function))
        except VerifyException:
            returned = ()
    extents = ExtentClasses(function, returned)
    classes: dict[int, set[tuple[int, int]]] = {}
    for number, parameter in enumerate(_tensors(function)):
        for dimension in range(parameter.type.get_num_dims()):
            classes.setdefault(extents.number(parameter, dimension), set()).add((number, dimension))
    return [frozenset(members) for members in classes.values() if len(members) > 1]


def is_divisible(function: func.FuncOp, returned: Sequence[int]) -> bool:
    """Whether a kernel's results do not depend on how large its tiles are along the leading dimension of the first of highest rank.

    They do if the kernel has positions along that dimension, or folds along it into a tensor of its own. A fold into a parameter is
    either a partial, which is folded further across points, or covers dimensions that the parameter lacks.
    """
    tensors = _tensors(function)
    highest = max(tensors, key=lambda parameter: parameter.type.get_num_dims(), default=None)
    if highest is None or not highest.type.get_num_dims():
        return True
    extents = ExtentClasses(function, returned)
    leading = extents.number(highest, 0)
    for op in function.body.blocks[0].ops:
        if not isinstance(op, linalg.GenericOp):
            continue
        counted = {inner.dim.value.data for inner in op.body.blocks[0].ops if isinstance(inner, linalg.IndexOp)}
        for output, attribute in zip(op.outputs, list(op.indexing_maps.data)[len(op.inputs) :], strict=True):
            if not isinstance(destination_root(output), BlockArgument):
                kept = {e.position for e in attribute.data.results if isinstance(e, AffineDimExpr)}
                counted.update(set(range(attribute.data.num_dims)) - kept)
        if any(extents.number(op, dimension) == leading for dimension in counted):
            return False
    return True


def _tensors(function: func.FuncOp) -> list[BlockArgument[TensorType]]:
    return [a for a in function.body.blocks[0].args if isinstance(a.type, TensorType)]  # pyright: ignore[reportReturnType]

"""The rules for one ``linalg.generic`` of a kernel, and for the scalar operations inside and around it."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import NoReturn

from xdsl.dialects import arith
from xdsl.dialects.builtin import TensorType, UnitAttr, i64
from xdsl.dialects.linalg import ops as linalg
from xdsl.dialects.linalg.attrs import IteratorType
from xdsl.ir import Block, Operation, OpResult, SSAValue
from xdsl.ir.affine import AffineDimExpr, AffineMap

from fuseir.dialects.kernel.errors import KernelError
from fuseir.dialects.kernel.operators import fold_of
from fuseir.dialects.kernel.types import is_element_type

_SCALAR_DIALECTS = ("arith", "math", "ufunc")


def is_scalar_operation(op: Operation) -> bool:
    """Whether ``op`` computes a scalar of an element type from such scalars."""
    return (
        op.name.partition(".")[0] in _SCALAR_DIALECTS
        and len(op.results) == 1
        and not op.regions
        and not op.successors
        and is_element_type(op.results[0].type)
        and all(is_element_type(operand.type) for operand in op.operands)
    )


def is_position(op: Operation) -> bool:
    """Whether ``op`` makes a position, which a ``linalg.index`` says, an ``i64``."""
    if not isinstance(op, arith.IndexCastOp) or op.result.type != i64:
        return False
    return isinstance(op.input, OpResult) and isinstance(op.input.op, linalg.IndexOp)


def check_scalar_operation(kernel: str, op: Operation) -> None:
    """``op`` means what docs/kernels.md says it means, and no less: no flag permits the compiler anything."""
    for name, attribute in {**op.attributes, **op.properties}.items():
        if isinstance(attribute, arith.FastMathFlagsAttr | arith.IntegerOverflowAttr):
            permissive = bool(attribute.data)
        else:
            permissive = isinstance(attribute, UnitAttr) and name in ("exact", "isExact", "nneg", "nonNeg")
        if permissive:
            raise KernelError(op, f"{kernel} has a flag '{name}' on '{op.name}': operations mean one thing only")


def map_dimensions(indexing_map: AffineMap) -> tuple[int, ...] | None:
    """The iteration dimension of each result of a projected permutation; None for other maps."""
    positions = [e.position for e in indexing_map.results if isinstance(e, AffineDimExpr)]
    if len(positions) != len(indexing_map.results) or len(set(positions)) != len(positions):
        return None
    return None if indexing_map.num_symbols else tuple(positions)


def check_generic(kernel: str, op: linalg.GenericOp, defined: AbstractSet[SSAValue]) -> None:
    """``op``, which xDSL's own verifier accepts, keeps the rules of kernels. ``defined``: what its body may use."""
    _GenericChecker(kernel, op).check(defined)


class _GenericChecker:
    def __init__(self, kernel: str, op: linalg.GenericOp) -> None:
        self.kernel = kernel
        self.op = op

    def fail(self, message: str, op: Operation | None = None) -> NoReturn:
        raise KernelError(op or self.op, f"{self.kernel} has a 'linalg.generic' {message}")

    def check(self, defined: AbstractSet[SSAValue]) -> None:
        """All the rules, those first on which others rely."""
        op = self.op
        if op.library_call is not None:
            self.fail("that is a library call")
        if not op.outputs or len(op.outputs) != len(op.res):
            self.fail(f"of {len(op.outputs)} outputs and {len(op.res)} results")
        for k, (output, result) in enumerate(zip(op.outputs, op.res, strict=True)):
            if output.type != result.type or not isinstance(output.type, TensorType):
                self.fail(f"whose result {k} is of type {result.type}, its output of type {output.type}")
        for k, value in enumerate(op.inputs):
            if not isinstance(value.type, TensorType) and not is_element_type(value.type):
                self.fail(f"whose input {k} is of type {value.type}")
        maps = self.check_maps()
        self.check_body(op.body.blocks[0], defined)
        self.check_reductions(maps)

    def check_maps(self) -> list[tuple[int, ...]]:
        """Maps are projected permutations and bind every dimension; outputs leave out reduction dimensions only."""
        maps: list[tuple[int, ...]] = []
        for k, attribute in enumerate(self.op.indexing_maps.data):
            dimensions = map_dimensions(attribute.data)
            if dimensions is None:
                self.fail(f"whose indexing map {k} is not a projected permutation: {attribute.data}")
            maps.append(dimensions)
        iterators = self.op.iterator_types.data
        for dimension, iterator in enumerate(iterators):
            if iterator.data not in (IteratorType.PARALLEL, IteratorType.REDUCTION):
                self.fail(f"whose dimension d{dimension} is a {iterator.data}")
        bound = {dimension for dimensions in maps for dimension in dimensions}
        for dimension, iterator in enumerate(iterators):
            if dimension not in bound:
                self.fail(f"whose dimension d{dimension} is bound by no operand")
            for k, dimensions in enumerate(maps[len(self.op.inputs) :]):
                if iterator.data == IteratorType.PARALLEL and dimension not in dimensions:
                    self.fail(f"whose output {k} leaves out the parallel dimension d{dimension}")
        return maps

    def check_body(self, block: Block, defined: AbstractSet[SSAValue]) -> None:
        """Scalar operations in order, then a yield of what the outputs hold."""
        inside: set[SSAValue] = set(block.args)
        last: Operation | None = None
        for op in block.ops:
            if isinstance(last, linalg.YieldOp):
                self.fail("that goes on after its 'linalg.yield'", op)
            for operand in op.operands:
                if operand not in inside and (operand not in defined or not is_element_type(operand.type)):
                    self.fail(f"whose '{op.name}' uses something other than earlier scalars", op)
            if is_scalar_operation(op):
                check_scalar_operation(self.kernel, op)
            elif isinstance(op, linalg.IndexOp):
                self.check_position(op)
            elif not (isinstance(op, linalg.YieldOp) or is_position(op)):
                self.fail(f"with operation '{op.name}', which is not allowed in a kernel", op)
            inside.update(op.results)
            last = op
        if not isinstance(last, linalg.YieldOp):
            self.fail("that does not end in 'linalg.yield'")
        elements = [output.type.element_type for output in self.op.outputs if isinstance(output.type, TensorType)]
        if [operand.type for operand in last.operands] != elements:
            self.fail("that does not yield one element for each output", last)

    def check_position(self, op: linalg.IndexOp) -> None:
        """It is that of one of the dimensions, and serves as an ``i64`` only."""
        if not 0 <= op.dim.value.data < len(self.op.iterator_types):
            self.fail(f"with the position along a dimension d{op.dim.value.data} that it lacks", op)
        if not all(is_position(use.operation) for use in op.result.uses):
            self.fail("with a position that is no operand of 'arith.index_cast … to i64' alone", op)

    def check_reductions(self, maps: list[tuple[int, ...]]) -> None:
        """An output whose map leaves out dimensions folds by exactly one combiner."""
        for k, dimensions in enumerate(maps[len(self.op.inputs) :]):
            if len(dimensions) < len(self.op.iterator_types) and len(fold_of(self.op, k)) != 1:
                self.fail(
                    f"whose output {k} reduces, but is not yielded by a combiner that is the only user of its "
                    "accumulator and takes it as left operand"
                )

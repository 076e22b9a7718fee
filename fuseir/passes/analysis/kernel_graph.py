"""A kernel in tensor form as nests and the values between them, with what is accidental taken out.

Reading a kernel this way
- takes shapes from parameters (or ``tensor.empty``), never from intermediate values that merely happen to have the shape;
- turns reads through ``outs`` into ordinary reads;
- replaces reads of tensors that hold one scalar everywhere (``linalg.fill``) by that scalar;
- splits generics that no single nest of loops computes;
- forgets what no result needs.

Both fuse-kernels and lower-kernels start from here. Linear in operations and operands.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from xdsl.dialects import arith, func, tensor
from xdsl.dialects.builtin import TensorType
from xdsl.dialects.linalg import ops as linalg
from xdsl.ir import Block, Operation, OpResult, SSAValue
from xdsl.ir.affine import AffineDimExpr, AffineMap

from fuseir.dialects.kernel import ExtentClasses, destination_root, fold_of
from fuseir.passes.analysis.loop_order import Reduction, loop_order
from fuseir.passes.analysis.scalar_body import Dims, Load, ScalarBody

_CASTS = (
    arith.BitcastOp,
    arith.ExtFOp,
    arith.TruncFOp,
    arith.ExtSIOp,
    arith.ExtUIOp,
    arith.TruncIOp,
    arith.FPToSIOp,
    arith.FPToUIOp,
    arith.SIToFPOp,
    arith.UIToFPOp,
)


@dataclass(frozen=True, slots=True)
class Output:
    """One output of a nest: the value ``number`` of its body, for each point or reduced.

    ``combiner`` is set if it reduces, and then the reduction starts from the scalar ``start`` or from the elements of the tensor
    ``init``. Without a combiner, ``init`` is set if the output folds into that tensor element by element, as it must into an
    argument with privilege ``reduce``.
    ``root`` is a parameter or ``tensor.empty`` of the output's shape.
    """

    result: SSAValue
    number: int
    dims: Dims
    combiner: Operation | None
    start: SSAValue | None
    init: SSAValue | None
    root: SSAValue


@dataclass(slots=True)
class Nest:
    """One loop nest: what a ``linalg.generic`` or several merged ones compute.

    ``classes`` has the extent class of each dimension; ``shapes`` are tensors that have the dimensions' extents; ``sources``
    the operations it came from.
    """

    sources: list[Operation]
    classes: Dims
    body: ScalarBody
    outputs: list[Output]
    shapes: list[tuple[SSAValue, Dims]]

    @property
    def rank(self) -> int:
        """The number of loops."""
        return len(self.classes)

    @property
    def reductions(self) -> list[Reduction]:
        """The outputs that reduce."""
        return [Reduction(o.dims, missing(o.dims, range(self.rank))) for o in self.outputs if o.combiner is not None]

    def reads(self) -> list[Load]:
        """The tensor elements that the outputs need."""
        return self.body.loads(output.number for output in self.outputs)


def missing(dims: Dims, order: Sequence[int]) -> Dims:
    """The dimensions that ``dims`` leaves out, in order."""
    return tuple(dimension for dimension in order if dimension not in dims)


def read_from_memory(body: ScalarBody, source: SSAValue, dims: Dims) -> int:
    """The way to read an element that is not computed in the same nest."""
    return body.load(source, dims)


class KernelGraph:
    """The nests of one kernel in program order, and what stands around them.

    ``uniform`` has, for each tensor that holds one scalar everywhere, that scalar; ``hoisted`` are new operations that such scalars
    need, to be put before the first nest by whoever writes the kernel back. Nothing of the function is changed.
    """

    def __init__(self, function: func.FuncOp, returned: Sequence[int] = ()) -> None:
        self.block: Block = function.body.blocks[0]
        self.extents = ExtentClasses(function, returned)
        self.uniform: dict[SSAValue, SSAValue] = {}
        self.hoisted: list[Operation] = []
        self.results: tuple[SSAValue, ...] = ()
        found: list[Nest] = []
        for op in self.block.ops:
            if isinstance(op, linalg.FillOp):
                found.append(self._read_fill(op))
            elif isinstance(op, linalg.GenericOp):
                found.extend(self._read_generic(op))
            elif isinstance(op, func.ReturnOp):
                self.results = tuple(op.operands)
        self.nests = self._keep_needed(found)

    def _read_fill(self, op: linalg.FillOp) -> Nest:
        result = op.res[0]
        self.uniform[result] = op.inputs[0]
        dims = tuple(range(len(op.res[0].type.get_shape())))
        classes = tuple(self.extents.number(result, d) for d in dims)
        root = destination_root(op.outputs[0])
        body = ScalarBody()
        output = Output(result, body.outside(op.inputs[0]), dims, None, None, None, root)
        return Nest([op], classes, body, [output], [])

    def _read_generic(self, op: linalg.GenericOp) -> list[Nest]:
        rank, results = len(op.iterator_types.data), op.results
        operands = operand_dims(op)
        outputs = operands[len(operands) - len(results) :]
        shapes = [(destination_root(v), dims) for v, dims in operands if isinstance(v.type, TensorType)]
        body = ScalarBody()
        nest = Nest([op], tuple(self.extents.number(op, d) for d in range(rank)), body, [], shapes)
        block = op.body.blocks[0]
        yielded = () if block.last_op is None else block.last_op.operands
        combiners = [fold_of(op, k) for k in range(len(results))]
        values = [
            combiners[k][0].operands[1] if len(dims) < rank else yielded[k] for k, (_, dims) in enumerate(outputs)
        ]
        numbers = self._read_body(body, block, operands, values)
        for k, (operand, dims) in enumerate(outputs):
            reduces = len(dims) < rank
            start = self.uniform.get(operand) if reduces else None
            # A fold keeps its form where its tensor has no other reader: an argument to reduce into has none.
            folds = reduces or (combiners[k] and _sole_reader(operand, op))
            init = operand if folds and operand not in self.uniform else None
            combiner = combiners[k][0] if reduces else None
            root = destination_root(operand)
            nest.outputs.append(Output(results[k], numbers[k], dims, combiner, start, init, root))
            if not reduces:
                self._note_uniform(results[k], yielded[k], block)
        return split(nest)

    def _read_body(
        self,
        body: ScalarBody,
        block: Block,
        operands: Sequence[tuple[SSAValue, Dims]],
        roots: Sequence[SSAValue],
    ) -> list[int]:
        """Add what ``roots`` need: their numbers."""
        numbers: dict[SSAValue, int] = {}
        needed = _needed_operations(block, roots)
        used = {operand for op in needed for operand in op.operands}.union(roots)
        for argument, (operand, dims) in zip(block.args, operands, strict=True):
            if argument not in used:
                continue
            if operand in self.uniform:
                numbers[argument] = body.outside(self.uniform[operand])
            elif isinstance(operand.type, TensorType):
                numbers[argument] = body.load(operand, dims)
            else:
                numbers[argument] = body.outside(operand)
        for op in needed:
            if isinstance(op, linalg.IndexOp):
                numbers[op.result] = body.position(op.dim.value.data)
                continue
            args = [numbers[a] if a in numbers else body.outside(a) for a in op.operands]
            numbers[op.results[0]] = body.apply(op, args)
        return [numbers[root] if root in numbers else body.outside(root) for root in roots]

    def _note_uniform(self, result: SSAValue, yielded: SSAValue, block: Block) -> None:
        """Note that ``result`` holds one scalar, if that costs nothing to compute: constants and casts of scalars."""
        chain: list[Operation] = []
        value = yielded
        while isinstance(value, OpResult) and value.op.parent is block:
            chain.append(value.op)
            if isinstance(value.op, arith.ConstantOp):
                break
            if not isinstance(value.op, _CASTS):
                return
            value = value.op.operands[0]
        if value in block.args:
            return
        for op in reversed(chain):
            copy = op.clone() if not op.operands else op.clone({op.operands[0]: value})
            self.hoisted.append(copy)
            value = copy.results[0]
        self.uniform[result] = value

    def _keep_needed(self, nests: list[Nest]) -> list[Nest]:
        needed: set[SSAValue] = set(self.results)
        kept: list[Nest] = []
        for nest in reversed(nests):
            nest.outputs = [output for output in nest.outputs if output.result in needed]
            if nest.outputs:
                needed.update(load.source for load in nest.reads())
                needed.update(output.init for output in nest.outputs if output.init is not None)
                kept.append(nest)
        kept.reverse()
        return kept


def split(nest: Nest) -> list[Nest]:
    """``nest`` if loops can compute it, else one nest for each of its reductions and one for the rest."""
    if loop_order(range(nest.rank), nest.reductions) is not None:
        return [nest]
    groups = [[output] for output in nest.outputs if output.combiner is not None]
    groups.append([output for output in nest.outputs if output.combiner is None])
    return [replace(nest, outputs=group) for group in groups if group]


def operand_dims(op: linalg.GenericOp) -> list[tuple[SSAValue, Dims]]:
    """Each operand with the iteration dimensions of its map, which the contract makes a projected permutation."""
    return [
        (operand, _dims_of(attribute.data))
        for operand, attribute in zip(op.operands, op.indexing_maps.data, strict=True)
    ]


@lru_cache(maxsize=1024)
def _dims_of(indexing_map: AffineMap) -> Dims:
    return tuple([e.position for e in indexing_map.results if isinstance(e, AffineDimExpr)])


def _needed_operations(block: Block, roots: Sequence[SSAValue]) -> list[Operation]:
    needed = set(roots)
    kept: list[Operation] = []
    for op in reversed(list(block.ops)):
        if any(result in needed for result in op.results):
            needed.update(op.operands)
            kept.append(op)
    kept.reverse()
    return kept


def _sole_reader(value: SSAValue, op: Operation) -> bool:
    return [use.operation for use in value.uses if not isinstance(use.operation, tensor.DimOp)] == [op]

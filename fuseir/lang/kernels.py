"""From a checked task and the types of its arguments to a kernel: which loops, over what, folding into what."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from xdsl.dialects import arith
from xdsl.dialects.builtin import DYNAMIC_INDEX, AffineMapAttr, FunctionType, TensorType
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.dialects.linalg.attrs import IteratorTypeAttr
from xdsl.dialects.linalg.ops import FillOp, GenericOp, YieldOp
from xdsl.ir import Attribute, Block, BlockArgument, Operation, Region, SSAValue
from xdsl.ir.affine import AffineExpr, AffineMap
from xdsl.traits import Pure

from fuseir.dialects.kernel import identity_constant
from fuseir.errors import DTypeError, ShapeError
from fuseir.lang.elements import Elements
from fuseir.lang.expressions import Evaluator, Value
from fuseir.lang.functions import FOLD_SIGNS, REDUCTIONS
from fuseir.lang.syntax import Statement, TaskSyntax
from fuseir.lang.types import BOOL, Kind, is_float, is_signed, kernel_type

Axes = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class TileType:
    """What is known of an argument's tile: element type and rank."""

    dtype: np.dtype
    rank: int

    def tensor(self) -> TensorType[Attribute]:
        """The tile's type in a kernel."""
        return TensorType(kernel_type(self.dtype), [DYNAMIC_INDEX] * self.rank)


@dataclass(slots=True)
class _Parameters:
    """The kernel's parameters by the names that the task gives them."""

    tiles: Mapping[str, TileType]
    scalars: Mapping[str, Kind]
    privileges: dict[str, str]
    values: dict[str, BlockArgument] = field(default_factory=dict[str, BlockArgument])

    @property
    def written(self) -> list[str]:
        """The arguments that the kernel returns, in order."""
        return [name for name in self.tiles if self.privileges[name] != "read"]


def build_kernel(symbol: str, task: TaskSyntax, tiles: Mapping[str, TileType], scalars: Mapping[str, Kind]) -> FuncOp:
    """The kernel of ``task`` on tiles and scalars of the given types, in the order of declaration.

    Raises DTypeError, ShapeError and LimitError, which point into the task's text.
    """
    parameters = _Parameters(tiles, scalars, {p.name: p.privilege for p in task.parameters})
    function = empty_kernel(symbol, tiles, scalars, parameters.written)
    block = function.body.block
    parameters.values = dict(zip((*tiles, *scalars), block.args, strict=True))
    rank = max(tile.rank for tile in tiles.values())

    results: dict[str, SSAValue] = {}
    for outputs in _groups(task, parameters, rank):
        results |= _Loop(task, parameters, rank, outputs).build(block)
    block.add_op(ReturnOp(*(results[name] for name in parameters.written)))
    return function


def empty_kernel(
    symbol: str, tiles: Mapping[str, TileType], scalars: Mapping[str, Kind], written: Collection[str]
) -> FuncOp:
    """A kernel with its signature and an empty body."""
    inputs = [*(tile.tensor() for tile in tiles.values()), *(kernel_type(kind.dtype) for kind in scalars.values())]
    outputs = [tile.tensor() for name, tile in tiles.items() if name in written]
    function = FuncOp(symbol, FunctionType.from_lists(inputs, outputs))
    for name, value in zip((*tiles, *scalars), function.body.block.args, strict=True):
        value.name_hint = name
    return function


@dataclass(frozen=True, slots=True)
class _Output:
    """An argument that one loop writes: over which of the loop's dimensions it is reduced, and by what."""

    name: str
    statement: Statement
    operator: str | None = None
    axes: Axes = ()


def _groups(task: TaskSyntax, parameters: _Parameters, rank: int) -> list[list[_Output]]:
    """The outputs by the loop that computes them: one loop for each set of reduced dimensions.

    Outputs that keep all dimensions go along with the first reductions, so most tasks are one loop.
    """
    last: dict[str, _Output] = {}
    for statement in task.statements:
        if statement.sign != "let":
            last[statement.target] = _output(task, statement, parameters, rank)
    by_axes: dict[Axes, list[_Output]] = {}
    for name in parameters.written:
        by_axes.setdefault(last[name].axes, []).append(last[name])
    whole = by_axes.pop((), [])
    groups = list(by_axes.values())
    if not groups:
        return [whole]
    groups[0][:0] = whole
    return groups


def _output(task: TaskSyntax, statement: Statement, parameters: _Parameters, rank: int) -> _Output:
    """What an assignment does to its argument. Raises ShapeError."""
    name, value = statement.target, task.nodes[statement.value]
    tile = parameters.tiles[name]
    reduction = value.name if value.kind == "call" and value.name in REDUCTIONS else None
    if reduction is None and parameters.privileges[name] == "reduce":
        reduction = FOLD_SIGNS[statement.sign]
    if reduction is None:
        if tile.rank != rank:
            message = f"`{name}` has rank {tile.rank}, but the task runs over rank {rank}"
            note = "an argument of lower rank than the others can be read, or reduced into"
            raise task.source.error(ShapeError, statement.position, message, (note,))
        return _Output(name, statement)
    given = value.axes if value.kind == "call" else None
    if given is not None:
        for axis in given:
            if not -rank <= axis < rank:
                message = f"axis {axis} is out of range: the task runs over rank {rank}"
                raise task.source.error(ShapeError, value.position, message)
        axes = tuple(sorted({axis % rank for axis in given}))
        if len(axes) != len(given):
            raise task.source.error(
                ShapeError, value.position, f"an axis is named twice: the task runs over rank {rank}"
            )
    else:
        axes = tuple(range(rank)) if tile.rank == 0 else ()
    if rank - len(axes) != tile.rank:
        message = f"`{name}` has rank {tile.rank}, but {rank - len(axes)} of the task's {rank} dimensions are kept"
        notes = ("say which dimensions are reduced: `sum(…, axis=0)`, `sum(…, axis=(0, 2))`",) if given is None else ()
        raise task.source.error(ShapeError, statement.position, message, notes)
    return _Output(name, statement, REDUCTIONS[reduction], axes)


class _Loop:
    """One ``linalg.generic``: reads what it needs, computes all statements, keeps what its outputs need."""

    def __init__(self, task: TaskSyntax, parameters: _Parameters, rank: int, outputs: list[_Output]) -> None:
        self.task = task
        self.parameters = parameters
        self.rank = rank
        self.outputs = outputs

    def build(self, block: Block) -> dict[str, SSAValue]:
        """Append the loop to the kernel's body; the outputs' new tiles by name."""
        tiles = self.parameters.tiles
        own = {output.name for output in self.outputs}
        readable = ("read", "read_write")
        inputs = [n for n in tiles if self.parameters.privileges[n] in readable and n not in own]
        outputs = [output.name for output in self.outputs]
        body = Block(arg_types=[kernel_type(tiles[name].dtype) for name in (*inputs, *outputs)])
        arguments = dict(zip((*inputs, *outputs), body.args, strict=True))
        yielded = self._yielded(body, arguments)
        body.add_op(YieldOp(*yielded))
        _erase_unused(body)
        inputs = self._drop_unused(body, inputs)

        destinations = [self._destination(block, output) for output in self.outputs]
        maps = [self._map(range(self.rank - tiles[name].rank, self.rank)) for name in inputs]
        maps += [self._map([d for d in range(self.rank) if d not in output.axes]) for output in self.outputs]
        reduced = {axis for output in self.outputs for axis in output.axes}
        generic = GenericOp(
            [self.parameters.values[name] for name in inputs],
            destinations,
            Region(body),
            maps,
            [IteratorTypeAttr.reduction() if d in reduced else IteratorTypeAttr.parallel() for d in range(self.rank)],
            [tiles[name].tensor() for name in outputs],
        )
        block.add_op(generic)
        return dict(zip(outputs, generic.results, strict=True))

    def _yielded(self, body: Block, arguments: dict[str, BlockArgument]) -> list[SSAValue]:
        """Compute every statement in ``body``; the value that each output's element takes."""
        names = {name: Value(kind, 0, self.parameters.values[name]) for name, kind in self.parameters.scalars.items()}
        for name, argument in arguments.items():
            if self.parameters.privileges[name] in ("read", "read_write"):
                tile = self.parameters.tiles[name]
                names[name] = Value(Kind(tile.dtype), tile.rank, argument)
        to = Elements(body)
        evaluator = Evaluator(self.task.source, self.task.nodes, to, names)
        own = {output.name: output for output in self.outputs}
        new: dict[str, SSAValue] = {}
        for statement in self.task.statements:
            name = statement.target
            value = evaluator.evaluate(statement.first, statement.value)
            if statement.sign == "let":
                names[name] = value
                continue
            output = own.get(name)
            folds = self.parameters.privileges[name] == "reduce" or (output is not None and output.operator is not None)
            if not folds and statement.sign != "=":
                value = evaluator.combine(statement.sign[:-1], names[name], value, statement.sign_position)
            dtype = self.parameters.tiles[name].dtype
            element = evaluator.assign(value, dtype, name, statement.sign_position)
            if not folds:
                names[name] = Value(Kind(dtype), self.rank, element)
                new[name] = element
            elif output is not None and output.operator is not None:
                self._check_rank(value, output)
                new[name] = self._folded(to, output, arguments[name], element)
        return [new[output.name] for output in self.outputs]

    def _check_rank(self, value: Value, output: _Output) -> None:
        # A value of lower rank repeats along the leading dimensions; a sum would silently count it many times over.
        missing = self.rank - value.rank
        if value.rank and any(axis < missing for axis in output.axes):
            message = (
                f"the value reduced into `{output.name}` has rank {value.rank}, but the task runs over rank {self.rank}: "
                "every element would count more than once"
            )
            raise self.task.source.error(ShapeError, output.statement.position, message)

    def _folded(self, to: Elements, output: _Output, accumulated: SSAValue, element: SSAValue) -> SSAValue:
        operator, dtype = output.operator or "add", self.parameters.tiles[output.name].dtype
        combiner = combiner_of(operator, dtype)
        if combiner is None:
            notes = ("`s = any(…)` into a reduce<or> tells whether there is one",) if dtype == BOOL else ()
            message = f"`{output.name}` is {dtype}, which cannot be reduced by `{operator}`"
            raise self.task.source.error(DTypeError, output.statement.position, message, notes)
        return to.add(combiner(accumulated, element))

    def _destination(self, block: Block, output: _Output) -> SSAValue:
        """What an output's loop starts from: the parameter, or the operator's identity where that is undefined."""
        parameter = self.parameters.values[output.name]
        if output.operator is None or self.parameters.privileges[output.name] == "reduce":
            return parameter
        dtype = self.parameters.tiles[output.name].dtype
        unsigned = not is_signed(dtype)
        start = arith.ConstantOp(identity_constant(output.operator, kernel_type(dtype), unsigned=unsigned))
        fill = FillOp([start.result], [parameter], [parameter.type])
        block.add_ops((start, fill))
        return fill.results[0]

    def _drop_unused(self, body: Block, inputs: list[str]) -> list[str]:
        """Drop the inputs that nothing reads, but for one that gives the loop its extents where no other operand does."""
        tiles = self.parameters.tiles
        kept = [name for name, argument in zip(inputs, body.args, strict=False) if argument.first_use]
        spanning = [*kept, *(output.name for output in self.outputs if not output.axes)]
        if all(tiles[name].rank < self.rank for name in spanning):
            # Only a full reduction of values of no rank comes here: it runs over the extents of another argument.
            extents = next((name for name in inputs if tiles[name].rank == self.rank), None)
            if extents is None:
                raise self._no_extents()
            kept = [name for name in inputs if name in kept or name == extents]
        for name, argument in list(zip(inputs, body.args, strict=False)):
            if name not in kept:
                body.erase_arg(argument)
        return kept

    def _no_extents(self) -> Exception:
        output = self.outputs[0]
        message = f"nothing that is read to compute `{output.name}` has the rank {self.rank} that the task runs over"
        return self.task.source.error(ShapeError, output.statement.position, message)

    def _map(self, dimensions: Sequence[int]) -> AffineMapAttr:
        results = tuple(AffineExpr.dimension(dimension) for dimension in dimensions)
        return AffineMapAttr(AffineMap(self.rank, 0, results))


def _erase_unused(block: Block) -> None:
    """Erase the operations whose results nothing uses: what other loops of the task need."""
    operation = block.last_op
    while operation is not None:
        before = operation.prev_op
        if operation.has_trait(Pure) and not any(result.first_use for result in operation.results):
            operation.detach()
            operation.erase()
        operation = before


def combiner_of(operator: str, dtype: np.dtype) -> Callable[[SSAValue, SSAValue], Operation] | None:
    """The operation that folds with ``operator``; None where a type has no such reduction."""
    if is_float(dtype):
        return {"add": arith.AddfOp, "mul": arith.MulfOp, "min": arith.MinimumfOp, "max": arith.MaximumfOp}.get(
            operator
        )
    if operator == "add":
        return None if dtype == BOOL else arith.AddiOp
    if operator in ("min", "max"):
        signed = {"min": arith.MinSIOp, "max": arith.MaxSIOp}
        unsigned = {"min": arith.MinUIOp, "max": arith.MaxUIOp}
        return (signed if is_signed(dtype) else unsigned)[operator]
    return {"mul": arith.MuliOp, "and": arith.AndIOp, "or": arith.OrIOp, "xor": arith.XOrIOp}[operator]

"""From a checked task and the types of its arguments to a kernel: which loops, over what, folding into what."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from xdsl.dialects import arith, tensor
from xdsl.dialects.builtin import DYNAMIC_INDEX, AffineMapAttr, FunctionType, IndexType, IntegerAttr, TensorType
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.dialects.linalg.attrs import IteratorTypeAttr
from xdsl.dialects.linalg.ops import FillOp, GenericOp, IndexOp, YieldOp
from xdsl.ir import Attribute, Block, BlockArgument, Operation, Region, SSAValue
from xdsl.ir.affine import AffineExpr, AffineMap
from xdsl.traits import Pure

from fuseir.dialects.kernel import identity_constant
from fuseir.errors import DTypeError, ShapeError
from fuseir.lang.elements import Elements
from fuseir.lang.expressions import Evaluator, Value
from fuseir.lang.functions import FOLD_SIGNS, POSITIONS, REDUCTIONS, is_reduction
from fuseir.lang.syntax import Statement, TaskSyntax
from fuseir.lang.types import BOOL, INT64, Kind, is_float, is_signed, kernel_type

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
        loop = _Search if outputs[0].axis is not None else _Loop
        results |= loop(task, parameters, rank, outputs).build(block)
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
    """An argument that one loop writes: over which of the loop's dimensions it is reduced, and by what.

    ``axis`` is set if the result is where along that dimension the value is that ``operator`` finds.
    """

    name: str
    statement: Statement
    operator: str | None = None
    axes: Axes = ()
    axis: int | None = None


def _groups(task: TaskSyntax, parameters: _Parameters, rank: int) -> list[list[_Output]]:
    """The outputs by the loop that computes them: one loop for each set of reduced dimensions.

    Outputs that keep all dimensions go along with the first reductions, so most tasks are one loop.
    """
    last: dict[str, _Output] = {}
    for statement in task.statements:
        if statement.sign != "let":
            last[statement.target] = _output(task, statement, parameters, rank)
    by_axes: dict[Axes, list[_Output]] = {}
    searches = [[last[name]] for name in parameters.written if last[name].axis is not None]
    for name in parameters.written:
        if last[name].axis is None:
            by_axes.setdefault(last[name].axes, []).append(last[name])
    whole = by_axes.pop((), [])
    if whole and not by_axes:
        return [whole, *searches]
    groups = [*by_axes.values(), *searches]
    if not groups:
        return [whole]
    groups[0][:0] = whole
    return groups


def _output(task: TaskSyntax, statement: Statement, parameters: _Parameters, rank: int) -> _Output:
    """What an assignment does to its argument. Raises ShapeError."""
    name, value = statement.target, task.nodes[statement.value]
    tile = parameters.tiles[name]
    reduction = _reduction(task, statement)
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
    if reduction not in POSITIONS:
        return _Output(name, statement, REDUCTIONS[reduction], axes)
    if len(axes) != 1:
        message = f"`{reduction}` goes along one axis, not {len(axes)}"
        raise task.source.error(ShapeError, value.position, message)
    if tile.dtype != INT64:
        message = f"`{name}` is {tile.dtype}, but where a value is is an int64"
        raise task.source.error(DTypeError, statement.position, message)
    return _Output(name, statement, POSITIONS[reduction], axes, axes[0])


def _reduction(task: TaskSyntax, statement: Statement) -> str | None:
    """The function by which an assignment reduces, if it calls one."""
    value = task.nodes[statement.value]
    return value.name if value.kind == "call" and is_reduction(value.name) else None


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

        results = self._append(block, body, inputs, [], [self._destination(block, output) for output in self.outputs])
        return dict(zip(outputs, results, strict=True))

    def _append(
        self, block: Block, body: Block, inputs: Sequence[str], more: Sequence[SSAValue], destinations: list[SSAValue]
    ) -> Sequence[SSAValue]:
        """Append the generic of ``body`` to the kernel's: its results. ``more`` inputs have the dimensions that are kept."""
        values = self.parameters.values
        kept = [self._map([d for d in range(self.rank) if d not in output.axes]) for output in self.outputs]
        maps = [self._map(range(self.rank - self.parameters.tiles[name].rank, self.rank)) for name in inputs]
        reduced = {axis for output in self.outputs for axis in output.axes}
        generic = GenericOp(
            [*(values[name] for name in inputs), *more],
            destinations,
            Region(body),
            [*maps, *(kept[0] for _ in more), *kept],
            [IteratorTypeAttr.reduction() if d in reduced else IteratorTypeAttr.parallel() for d in range(self.rank)],
            [destination.type for destination in destinations],
        )
        block.add_op(generic)
        return generic.results

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
            if self.parameters.privileges[name] == "reduce" or _reduction(self.task, statement) is not None:
                if output is not None:
                    self._check_rank(value, output)
                    new[name] = self._fold(evaluator, output, value, body)
                continue
            if statement.sign != "=":
                value = evaluator.combine(statement.sign[:-1], names[name], value, statement.sign_position)
            dtype = self.parameters.tiles[name].dtype
            element = evaluator.assign(value, dtype, name, statement.sign_position)
            names[name] = Value(Kind(dtype), self.rank, element)
            new[name] = element
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

    def _fold(self, evaluator: Evaluator, output: _Output, value: Value, body: Block) -> SSAValue:
        """What an output that reduces yields for this value of an element."""
        dtype = self.parameters.tiles[output.name].dtype
        element = evaluator.assign(value, dtype, output.name, output.statement.sign_position)
        accumulated = body.args[len(body.args) - len(self.outputs) + self.outputs.index(output)]
        return self._combined(evaluator.to, output, output.operator or "add", dtype, accumulated, element)

    def _combined(
        self,
        to: Elements,
        output: _Output,
        operator: str,
        dtype: np.dtype,
        accumulated: SSAValue,
        element: SSAValue,
    ) -> SSAValue:
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
        return _identities(block, output.operator, self.parameters.tiles[output.name].dtype, parameter)

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


class _Search(_Loop):
    """Where along an axis the least or greatest value is first: a loop that finds the value, and one that finds where it is.

    Both fold by operators that do not depend on order, so the result does not either.
    """

    _best: SSAValue | None = None
    _dtype: np.dtype = INT64

    def build(self, block: Block) -> dict[str, SSAValue]:
        """Append both loops to the kernel's body; the output's new tile by name."""
        (output,) = self.outputs
        operator = output.operator or "min"
        parameter = self.parameters.values[output.name]
        body, inputs = self._body()
        places = [arith.ConstantOp(IntegerAttr(d, IndexType())) for d in range(self.rank - 1)]
        sizes = [tensor.DimOp(parameter, place.result) for place in places]
        shape = [DYNAMIC_INDEX] * (self.rank - 1)
        empty = tensor.EmptyOp([size.result for size in sizes], TensorType(kernel_type(self._dtype), shape))
        block.add_ops((*places, *sizes, empty))
        start = _identities(block, operator, self._dtype, empty.tensor)
        (self._best,) = self._append(block, body, inputs, [], [start])
        body, inputs = self._body()
        start = _identities(block, "min", INT64, parameter)
        (found,) = self._append(block, body, inputs, [self._best], [start])
        return {output.name: found}

    def _body(self) -> tuple[Block, list[str]]:
        """A loop's body, and the arguments that it reads."""
        tiles = self.parameters.tiles
        inputs = [name for name in tiles if self.parameters.privileges[name] in ("read", "read_write")]
        body = Block(arg_types=[kernel_type(tiles[name].dtype) for name in inputs])
        yielded = self._yielded(body, dict(zip(inputs, body.args, strict=True)))
        body.add_op(YieldOp(*yielded))
        _erase_unused(body)
        return body, self._drop_unused(body, inputs)

    def _fold(self, evaluator: Evaluator, output: _Output, value: Value, body: Block) -> SSAValue:
        to, dtype, operator = evaluator.to, value.kind.dtype, output.operator or "min"
        element = evaluator.convert(value, dtype, output.statement.sign_position)
        self._dtype = dtype
        if self._best is not None:
            assert output.axis is not None
            best = body.insert_arg(kernel_type(dtype), len(body.args))
            hit = to.compare("eq", element, best, dtype)
            if is_float(dtype):  # a NaN is both the least and the greatest
                hit = to.either(hit, to.both(to.is_nan(element), to.is_nan(best)))
            position = to.add(arith.IndexCastOp(to.add(IndexOp(output.axis)), kernel_type(INT64)))
            nowhere = to.constant(np.iinfo(np.int64).max, INT64)
            operator, dtype, element = "min", INT64, to.select(hit, position, nowhere)
        accumulated = body.insert_arg(kernel_type(dtype), len(body.args))
        return self._combined(to, output, operator, dtype, accumulated, element)


def _identities(block: Block, operator: str, dtype: np.dtype, target: SSAValue) -> SSAValue:
    """Append what makes a tensor like ``target`` that holds the operator's identity; the tensor."""
    start = arith.ConstantOp(identity_constant(operator, kernel_type(dtype), unsigned=not is_signed(dtype)))
    fill = FillOp([start.result], [target], [target.type])
    block.add_ops((start, fill))
    return fill.results[0]


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

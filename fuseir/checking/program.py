"""A module as plain numbers: what the checker runs. Nothing in it changes when passes change the module it was read from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from math import prod

from xdsl.dialects import func
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.linalg import ops as linalg
from xdsl.ir import Operation, SSAValue
from xdsl.ir.affine import AffineMap

from fuseir.checking.geometry import ArgumentNumbers, MapNumbers, Piece, Shape, TilingNumbers, pieces_of
from fuseir.checking.hashing import mix, word_of
from fuseir.dialects.dist.attributes import (
    IndexMapAttr,
    NoneAttr,
    PartitionAttr,
    ReplicatedAttr,
    ShapedStoreType,
    TilingAttr,
)
from fuseir.dialects.dist.launch import FusedTaskOp, LaunchOp
from fuseir.dialects.dist.ops import INPUT_ONLY, ReleaseOp, ScalarOp, StoreOp, SwapOp, ViewOp
from fuseir.dialects.dist.trace import refuse_replays
from fuseir.dialects.verification import location_of
from fuseir.errors import LimitError, UnsupportedError

MOST_TERMS = 2**25
"""Elements of all stores together: a word each, and as many again for copies."""
MOST_PIECES = 2**18
"""Pieces of all launches together: each is looked at in Python."""
MOST_WORK = 2**30
"""Elements of all pieces together: what one run of the program reads and writes."""


@dataclass(frozen=True, eq=False, slots=True)
class Store:
    """A root store. ``visible``: the world outside can see it after the program, as it is named (and no mere input) or never released."""

    op: StoreOp
    name: str | None
    shape: Shape
    size: int
    visible: bool

    @property
    def label(self) -> str:
        """How messages call it."""
        if self.name is not None:
            return f'"{self.name}"'
        hint = self.op.result.name_hint
        return f"%{hint}" if hint else f"(unnamed, {self.op.result.type})"


@dataclass(frozen=True, eq=False, slots=True)
class Argument:
    """What a launch does to its pieces of the store with number ``store``.

    ``operator``: the word of its reduction, 0 if it does not reduce. ``fixed``: all points get the same piece. ``replicated``: each point
    has a copy of its own.
    """

    store: int
    reads: bool
    writes: bool
    operator: int
    pieces: tuple[Piece, ...]
    fixed: bool
    replicated: bool

    @property
    def used(self) -> bool:
        """Whether it touches contents: some arguments are there for their shape only."""
        return self.reads or self.changes

    @property
    def changes(self) -> bool:
        """Whether it writes or reduces."""
        return self.writes or self.operator != 0


@dataclass(frozen=True, eq=False, slots=True)
class Call:
    """A launch. ``key``: the word for its task and scalars. ``copies``: its kernel copies argument 0 to argument 1, unchanged."""

    op: LaunchOp
    key: int
    domain: Shape
    arguments: tuple[Argument, ...]
    copies: bool
    opaque: bool

    @property
    def task(self) -> str:
        """The symbol without its ``@``."""
        return self.op.task.root_reference.data

    @property
    def points(self) -> int:
        """The number of points."""
        return prod(self.domain)


@dataclass(frozen=True, eq=False, slots=True)
class Group:
    """A fused task, or a launch that works in place."""

    op: FusedTaskOp | LaunchOp
    members: tuple[Call, ...]
    domain: Shape
    temporaries: frozenset[int]


@dataclass(frozen=True, eq=False, slots=True)
class Swap:
    """Two stores exchange their contents."""

    first: int
    second: int


Step = Call | Group | Swap


@dataclass(frozen=True, eq=False)
class Program:
    """The stores of a module, and what happens to them, in order."""

    stores: tuple[Store, ...]
    steps: tuple[Step, ...]

    def number_of(self, other: Store) -> int | None:
        """The store that is the one of another program: it has the same ``dist.store``, or else the same name."""
        return self._numbers.get(other.op, None if other.name is None else self._numbers.get(other.name))

    @cached_property
    def _numbers(self) -> dict[StoreOp | str, int]:
        numbers: dict[StoreOp | str, int] = {s.op: number for number, s in enumerate(self.stores)}
        numbers.update({s.name: number for number, s in enumerate(self.stores) if s.name is not None})
        return numbers

    @cached_property
    def used(self) -> frozenset[int]:
        """The stores that something is done to."""
        used: set[int] = set()
        for step in self.flattened().steps:
            if isinstance(step, Call):
                used.update(argument.store for argument in step.arguments)
            elif isinstance(step, Swap):
                used.update((step.first, step.second))
        return frozenset(used)

    def flattened(self) -> Program:
        """The program with the members of fused tasks as launches of their own, and temporaries as ordinary stores."""
        steps: list[Step] = []
        for step in self.steps:
            steps.extend(step.members if isinstance(step, Group) else (step,))
        return Program(self.stores, tuple(steps))


def require_few_terms(program: Program, stores: Iterable[int]) -> None:
    """Raise LimitError if these stores have more elements together than can be held."""
    terms = sum(program.stores[number].size for number in stores)
    if terms > MOST_TERMS:
        raise LimitError(
            f"the stores have {terms} elements together: too many to check legality (at most {MOST_TERMS})"
        )


def read_program(module: ModuleOp) -> Program:
    """The program of a verified module whose launches name tasks as they were written (not composed or lowered kernels).

    Raises LimitError if running it on terms would take too long or too much memory, UnsupportedError for an unknown kind of partition.
    """
    return _Reader(module).program


class _Reader:
    def __init__(self, module: ModuleOp) -> None:
        refuse_replays(module, "the check of legality")
        released = {op.store for op in module.ops if isinstance(op, ReleaseOp)}
        stores: list[Store] = []
        self.numbers: dict[SSAValue, int] = {}
        self.functions = {op.sym_name.data: op for op in module.ops if isinstance(op, func.FuncOp)}
        self.copying: dict[str, bool] = {}
        self.known: dict[tuple[ArgumentNumbers, Shape], tuple[tuple[Piece, ...], bool, int]] = {}
        self.pieces = self.work = 0
        steps: list[Step] = []
        for op in module.ops:
            if isinstance(op, StoreOp):
                self.numbers[op.result] = len(stores)
                stores.append(_store(op, released))
            elif isinstance(op, LaunchOp):
                steps.append(self.call(op))
            elif isinstance(op, FusedTaskOp):
                members = tuple(self.call(member) for member in op.members)
                temporaries = frozenset(self.numbers[value] for value in op.temporaries)
                steps.append(Group(op, members, tuple(op.domain.get_values()), temporaries))
            elif isinstance(op, SwapOp):
                steps.append(Swap(self.numbers[op.first], self.numbers[op.second]))
        self.program = Program(tuple(stores), tuple(steps))
        require_few_terms(self.program, self.program.used)

    def call(self, op: LaunchOp) -> Call:
        domain = tuple(op.domain.get_values())
        self.pieces += prod(domain) * max(len(op.arguments), 1)
        if self.pieces > MOST_PIECES:
            message = f"the launches up to this one have {self.pieces} pieces: too many to check legality (at most {MOST_PIECES})"
            raise LimitError(message, location=location_of(op))
        arguments = tuple(self.argument(op, k, domain) for k in range(len(op.arguments)))
        if self.work > MOST_WORK:
            message = f"the pieces up to this launch have {self.work} elements: too many to check legality (at most {MOST_WORK})"
            raise LimitError(message, location=location_of(op))
        task = op.task.root_reference.data
        key = word_of(task)
        for scalar in op.scalars:
            key = mix(key, _scalar_key(scalar))
        function = self.functions.get(task)
        opaque = function is None or function.is_declaration
        return Call(op, key, domain, arguments, not opaque and self.copies(task, arguments), opaque)

    def argument(self, op: LaunchOp, k: int, domain: Shape) -> Argument:
        privilege, partition = op.privileges.data[k].data, op.partitions.data[k]
        store, numbers = _numbers(op.arguments[k], partition, op)
        known = self.known.get((numbers, domain))
        if known is None:
            pieces = pieces_of(numbers, domain)
            fixed = all(piece == pieces[0] for piece in pieces)
            known = self.known[numbers, domain] = pieces, fixed, sum(piece.size for piece in pieces)
        pieces, fixed, size = known
        self.work += size
        operator = 0 if privilege.operator is None else word_of(privilege.operator)
        replicated = isinstance(partition, ReplicatedAttr)
        return Argument(self.numbers[store], privilege.reads, privilege.writes, operator, pieces, fixed, replicated)

    def copies(self, task: str, arguments: tuple[Argument, ...]) -> bool:
        if len(arguments) != 2:
            return False
        source, target = arguments
        if (source.reads, source.writes, target.reads, target.writes) != (True, False, False, True):
            return False
        if task not in self.copying:
            self.copying[task] = _returns_its_argument(self.functions[task])
        return self.copying[task] and all(a.shape == b.shape for a, b in zip(source.pieces, target.pieces, strict=True))


def _store(op: StoreOp, released: set[SSAValue]) -> Store:
    shape = op.result.type.extents
    name = None if op.store_name is None else op.store_name.data
    asked_for = name is not None and INPUT_ONLY not in op.attributes
    return Store(op, name, shape, prod(shape), asked_for or op.result not in released)


def _numbers(value: SSAValue, partition: PartitionAttr, launch: Operation) -> tuple[SSAValue, ArgumentNumbers]:
    """The root store of an argument, and all the integers that decide who gets what of it."""
    store, view = value, None
    if isinstance(value.owner, ViewOp):
        store, view = value.owner.store, _map_numbers(value.owner.index_map)
    if isinstance(partition, TilingAttr):
        tile, offset = (tuple(number.data for number in part.data) for part in (partition.tile, partition.offset))
        tiling = TilingNumbers(tile, offset, _map_numbers(partition.projection))
    elif isinstance(partition, NoneAttr | ReplicatedAttr):
        tiling = None
    else:
        message = f"legality cannot be checked with a partition '{partition.name}'"
        raise UnsupportedError(message, location=location_of(launch))
    return store, ArgumentNumbers(_extents(store), _extents(value), view, tiling)


def _extents(value: SSAValue) -> Shape:
    assert isinstance(value.type, ShapedStoreType)
    return value.type.extents


def _map_numbers(attribute: IndexMapAttr) -> MapNumbers:
    return tuple((result.dim, result.scale, result.offset) for result in attribute.data.results)


def _scalar_key(value: SSAValue) -> int:
    """A scalar is known by its name, else by its value: passes may make equal ones one."""
    assert isinstance(value.owner, ScalarOp)
    if value.owner.scalar_name is not None:
        return word_of(value.owner.scalar_name.data)
    return mix(1, word_of(str(value.owner.value)))


def _returns_its_argument(function: func.FuncOp) -> bool:
    """Whether the kernel's one result is its first parameter, element by element."""
    block = function.body.block
    if not isinstance(end := block.last_op, func.ReturnOp) or len(end.operands) != 1:
        return False
    result, source = end.operands[0], block.args[0]
    if result is source:
        return True
    loop = result.owner
    if not isinstance(loop, linalg.GenericOp) or len(loop.inputs) != 1 or len(loop.outputs) != 1:
        return False
    identity = AffineMap.identity(loop.get_num_loops())
    body = loop.body.block
    return (
        loop.inputs[0] is source
        and all(attribute.data == identity for attribute in loop.indexing_maps.data)
        and isinstance(body.last_op, linalg.YieldOp)
        and body.last_op.operands[0] is body.args[0]
    )

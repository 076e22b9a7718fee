"""Random programs whose launches meet at one point without sharing pieces, and reduce, read and write through one disjoint tiling.

Each program is one module of plain launches over one domain of one to nine points. A point owns a box of every store, and launches look at
parts of these boxes: the whole, some of the elements side by side, every second one, the same ones through another view. Some pieces
reach into other boxes. Made with the IR's classes, so that it shares nothing with the capture path.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import numpy as np
from xdsl.dialects.builtin import ModuleOp
from xdsl.dialects.func import FuncOp
from xdsl.ir import SSAValue
from xdsl.utils.exceptions import VerifyException

from fuseir.dialects.dist.attributes import StoreType, kernel_element_type, partition_attr
from fuseir.dialects.dist.index_map import Coordinate, IndexMap
from fuseir.dialects.dist.launch import LaunchOp
from fuseir.dialects.dist.ops import ReleaseOp, ScalarOp, StoreOp, ViewOp
from fuseir.dialects.dist.partition import NonePartition, Partition, Tiling
from fuseir.dialects.dist.privilege import READ, READ_WRITE, WRITE, Operator, Privilege, PrivilegeKind
from fuseir.dialects.dist.view import View
from fuseir.dialects.parsing import parse_module
from fuseir.runtime.captured_module import element_attribute, number_attribute
from fuseir.universe import make_context

Shape = tuple[int, ...]

FLOAT = ("add", "mul", "min", "max")
INTEGER = (*FLOAT, "and", "or", "xor")
OPERATORS = {"f": FLOAT, "i": INTEGER, "u": INTEGER, "b": ("mul", "min", "max", "and", "or", "xor")}
"""The reduction operators of each kind of element."""

DTYPES = [np.dtype(name) for name in ("?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f4", "f8")]


def combiner(operator: str, dtype: np.dtype) -> str:
    """The operation that a kernel folds with."""
    if operator in ("and", "or", "xor"):
        return f"arith.{operator}i"
    if dtype.kind == "f":
        return {"add": "arith.addf", "mul": "arith.mulf", "min": "arith.minimumf", "max": "arith.maximumf"}[operator]
    sign = "s" if dtype.kind == "i" else "u"
    return {"add": "arith.addi", "mul": "arith.muli", "min": f"arith.min{sign}i", "max": f"arith.max{sign}i"}[operator]


class TaskForm(NamedTuple):
    """What a task does: a name, how many arguments it reads and whether the last argument is read, written or folded into."""

    name: str
    inputs: int
    privilege: Privilege
    inputs_drop: bool = False
    output_drops: bool = False


def fold(operator: str) -> Privilege:
    return Privilege(PrivilegeKind.REDUCE, Operator(operator))


def forms(dtype: np.dtype) -> list[TaskForm]:
    """The tasks on stores of one dtype. ``drop``: of one dimension less than the other side."""
    reductions = [
        form
        for operator in OPERATORS[dtype.kind]
        for form in (
            TaskForm(f"fold_{operator}", 1, fold(operator)),
            TaskForm(f"chain_{operator}", 2, fold(operator)),
            TaskForm(f"total_{operator}", 1, fold(operator), output_drops=True),
        )
    ]
    return [
        TaskForm("set", 0, WRITE),
        TaskForm("copy", 1, WRITE),
        TaskForm("mix", 2, WRITE),
        TaskForm("update", 1, READ_WRITE),
        TaskForm("spread", 1, WRITE, inputs_drop=True),
        *reductions,
    ]


def body(form: TaskForm, dtype: np.dtype) -> list[str]:
    """The lines of the generic's block: inputs %e0, %e1, output %acc."""
    plus = combiner("xor" if dtype.kind == "b" else "add", dtype)
    element = kernel_element_type(element_attribute(dtype))
    match form.name.split("_"):
        case ["set"]:
            return [f"linalg.yield %a : {element}"]
        case ["copy" | "spread"]:
            return [f"linalg.yield %e0 : {element}"]
        case ["mix"]:
            return [f"%0 = {plus} %e0, %e1 : {element}", f"linalg.yield %0 : {element}"]
        case ["update"]:
            return [f"%0 = {plus} %acc, %e0 : {element}", f"linalg.yield %0 : {element}"]
        case ["chain", operator]:
            op = combiner(operator, dtype)
            first, second = f"%0 = {op} %acc, %e0 : {element}", f"%1 = {op} %0, %e1 : {element}"
            return [first, second, f"linalg.yield %1 : {element}"]
        case [_, operator]:
            return [f"%0 = {combiner(operator, dtype)} %acc, %e0 : {element}", f"linalg.yield %0 : {element}"]
        case _:
            raise AssertionError(form.name)


@cache
def kernel(form: TaskForm, dtype: np.dtype, rank: int) -> FuncOp:
    """The kernel of a task whose larger arguments have ``rank`` dimensions."""
    element = kernel_element_type(element_attribute(dtype))
    ranks = [rank - form.inputs_drop] * form.inputs + [rank - form.output_drops]
    types = [f"tensor<{'?x' * r}{element}>" for r in ranks]
    dims = [f"d{k}" for k in range(rank)]
    maps = [f"affine_map<({', '.join(dims)}) -> ({', '.join(dims[:r])})>" for r in ranks]
    iterators = ["parallel"] * ranks[-1] + ["reduction"] * (rank - ranks[-1])
    names = [f"%x{k}" for k in range(form.inputs)]
    parameters = [f"{name}: {type_}" for name, type_ in zip([*names, "%out"], types, strict=True)]
    scalars = [f"%a: {element}"] if form.name == "set" else []
    ins = f"ins({', '.join(names)} : {', '.join(types[:-1])})" if names else ""
    arguments = ", ".join([*(f"%e{k}: {element}" for k in range(form.inputs)), f"%acc: {element}"])
    lines = "\n    ".join(body(form, dtype))
    text = f"""
func.func @{form.name}{rank}({", ".join([*parameters, *scalars])}) -> {types[-1]} {{
  %r = linalg.generic {{indexing_maps = [{", ".join(maps)}], iterator_types = [{", ".join(f'"{i}"' for i in iterators)}]}}
      {ins} outs(%out : {types[-1]}) {{
  ^bb0({arguments}):
    {lines}
  }} -> {types[-1]}
  func.return %r : {types[-1]}
}}
"""
    (function,) = parse_module(make_context(), text).ops
    assert isinstance(function, FuncOp)
    return function


class Side(NamedTuple):
    """How one dimension of a store is looked at: the view's coordinate and extent, and the tiles of that."""

    coordinate: Coordinate
    extent: int
    tile: int
    offset: int
    projection: Coordinate


class GroupProgram:
    """One random module. ``module`` holds plain launches; named stores are inputs and outputs."""

    def __init__(self, seed: int) -> None:
        self.random = np.random.default_rng(seed)
        self.dtype = DTYPES[seed % len(DTYPES)]
        self.rank = self.among([1, 1, 2])
        self.points: Shape = tuple(self.among([1, 2, 3]) for _ in range(self.rank))
        if self.chance(40):
            self.points = (1,) * self.rank
        self.boxes = [self.among([1, 2, 4]) if n > 1 else self.among([1, 2, 4, 6]) for n in self.points]
        self.slack = self.among([0, 0, 1, 2])
        self.module = ModuleOp([])
        self.kernels: set[str] = set()
        self.views: dict[tuple[SSAValue, View], SSAValue] = {}
        # Arguments so far, by the extents of their pieces: half of the time a launch takes up what others looked at.
        self.used: dict[Shape, list[tuple[SSAValue, Partition]]] = {}
        shape = tuple(n * box + self.slack for n, box in zip(self.points, self.boxes, strict=True))
        self.stores = [self.store(shape, f"s{k}") for k in range(2)] + [self.store(shape[:-1], "low")]
        self.unnamed = [self.store(shape, None) for _ in range(self.among([0, 1, 2]))]
        self.scalar = ScalarOp(
            kernel_element_type(element_attribute(self.dtype)),
            "a",
            number_attribute(self.among([0, 1, 3]), kernel_element_type(element_attribute(self.dtype))),
        )
        self.module.body.block.add_op(self.scalar)
        for store in self.unnamed:
            self.define(store)
        launched = 0
        for _ in range(200):
            launched += self.launch()
            if launched == 8:
                break
        for store in self.unnamed:
            self.module.body.block.add_op(ReleaseOp(store))

    # Choices

    def among(self, options: list[int]) -> int:
        return options[int(self.random.integers(len(options)))]

    def chance(self, percent: int) -> bool:
        return int(self.random.integers(100)) < percent

    # Operations

    def store(self, shape: Shape, name: str | None) -> SSAValue:
        op = StoreOp(StoreType(shape, element_attribute(self.dtype)), name)
        self.module.body.block.add_op(op)
        return op.result

    def define(self, store: SSAValue) -> None:
        """Write all of a store, which nobody may read before."""
        form = forms(self.dtype)[0]
        tiles = [box + self.slack if n == 1 else box for n, box in zip(self.points, self.boxes, strict=True)]
        partition: Partition = Tiling.of(tiles)
        if any(n > 1 for n in self.points) and self.slack:
            # One point writes it, as the tiles leave a rest.
            self.add(form, (1,) * self.rank, [store], [NonePartition()])
        else:
            self.add(form, self.points, [store], [partition])

    def add(self, form: TaskForm, domain: Shape, values: list[SSAValue], partitions: list[Partition]) -> bool:
        function = kernel(form, self.dtype, self.rank)
        launch = LaunchOp(
            function.sym_name.data,
            domain,
            values,
            [READ] * form.inputs + [form.privilege],
            [partition_attr(partition) for partition in partitions],
            [self.scalar.result] if form.name == "set" else [],
        )
        self.module.body.block.add_op(launch)
        try:
            launch.verify_()
        except VerifyException:
            launch.detach()
            launch.erase()
            return False
        if function.sym_name.data not in self.kernels:
            self.kernels.add(function.sym_name.data)
            first = self.module.body.block.first_op
            assert first is not None
            self.module.body.block.insert_op_before(function.clone(), first)
        return True

    def launch(self) -> bool:
        """One launch, or none if the pieces chosen do not go together."""
        form = self.form()
        counts = [
            self.among([k for k in (1, 2, 3, 4, 6) if box % k == 0 or (n == 1 and k <= box)])
            for box, n in zip(self.boxes, self.points, strict=True)
        ]
        values: list[SSAValue] = []
        partitions: list[Partition] = []
        for k in range(form.inputs + 1):
            drops = form.output_drops if k == form.inputs else form.inputs_drop
            value, partition = self.argument(counts[: self.rank - drops], drops)
            values.append(value)
            partitions.append(partition)
        return self.add(form, self.points, values, partitions)

    def argument(self, counts: list[int], drops: bool) -> tuple[SSAValue, Partition]:
        """A store or view and a partition that gives each point so many elements."""
        used = self.used.setdefault(tuple(counts), [])
        if used and self.chance(50):
            return used[int(self.random.integers(len(used)))]
        stores = [self.stores[2]] if drops else [*self.stores[:2], *self.unnamed]
        store = stores[int(self.random.integers(len(stores)))]
        sides = [self.side(d, count) for d, count in enumerate(counts)]
        used.append((self.view(store, sides), self.partition(sides)))
        return used[-1]

    def form(self) -> TaskForm:
        known = forms(self.dtype)
        plain, folds = known[:5], known[5:]
        chosen = folds if self.chance(45) else plain
        return chosen[int(self.random.integers(len(chosen)))]

    # Pieces

    def side(self, d: int, count: int) -> Side:
        """``count`` elements of each point's box in dimension ``d``."""
        points, box = self.points[d], self.boxes[d]
        shift = self.among([0, 0, 0, 1]) if self.slack and self.chance(30) else 0
        start = int(self.random.integers(box - count + 1)) + shift
        if points == 1:
            step = self.among([1, 1, 2]) if (count - 1) * 2 < box else 1
            start = int(self.random.integers(box - (count - 1) * step))
            backwards = self.chance(15)
            first = start + (count - 1) * step if backwards else start
            return Side(Coordinate(d, -step if backwards else step, first), count, count, 0, Coordinate(d, 1, 0))
        apart = box // count
        if self.chance(50):
            # Tiles of the store itself, as far from each other as boxes are.
            phase = start // count if shift == 0 else 0
            whole = Coordinate(d, 1, 0)
            return Side(whole, points * box + self.slack, count, start - phase * count, Coordinate(d, apart, phase))
        # Tiles side by side of a view that leaves out the rest.
        phase = int(self.random.integers(apart))
        return Side(Coordinate(d, apart, phase + shift), points * count, count, 0, Coordinate(d, 1, 0))

    def view(self, store: SSAValue, sides: list[Side]) -> SSAValue:
        assert isinstance(store.type, StoreType)
        view = View(tuple(s.extent for s in sides), IndexMap(len(sides), tuple(s.coordinate for s in sides)))
        if view.map().is_identity and view.shape == store.type.extents:
            return store
        known = self.views.get((store, view))
        if known is None:
            op = ViewOp(store, view, element_attribute(self.dtype))
            self.module.body.block.add_op(op)
            known = self.views[store, view] = op.result
        return known

    def partition(self, sides: list[Side]) -> Partition:
        if all(n == 1 for n in self.points) and self.chance(50):
            return NonePartition()
        projection = IndexMap(self.rank, tuple(s.projection for s in sides))
        return Tiling(tuple(s.tile for s in sides), tuple(s.offset for s in sides), projection)


def launches(module: ModuleOp) -> Iterator[LaunchOp]:
    """The plain launches of a module."""
    return (op for op in module.ops if isinstance(op, LaunchOp))

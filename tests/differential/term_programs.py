"""Random programs of launches as plain numbers, and as modules: what the tests on terms run.

A program is drawn from a *scene*: a few stores, and pieces of them over several launch domains. That a launch is well-formed (WF-1, WF-2)
is looked up in tables of the scene, which come from enumeration; one scene serves several programs.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from math import prod
from pathlib import Path
from typing import NamedTuple

from xdsl.dialects.builtin import ModuleOp, StringAttr, f64
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Attribute, Block, Region, SSAValue

from fuseir.dialects.dist.attributes import StoreType
from fuseir.dialects.dist.launch import LaunchOp
from fuseir.dialects.dist.ops import FenceOp, ReleaseOp, StoreOp, ViewOp
from fuseir.dialects.dist.privilege import Privilege
from fuseir.dialects.parsing import parse_module
from fuseir.universe import make_context

sys.path.append(str(Path(__file__).parents[1] / "oracle"))
from enumerate_partitions import Shape, TilingNumbers
from launches_as_ir import argument as argument_of
from launches_as_ir import partition, view
from point_oracle import (
    Argument,
    Task,
    ViewNumbers,
    all_of,
    crosses_points,
    fusible,
    same_pieces,
    sub_stores,
    tile_shapes,
)
from random_launches import random_pool, random_tiling

__all__ = [
    "Emitted",
    "Program",
    "Scene",
    "Step",
    "Task",
    "argument_of",
    "emit",
    "fusible",
    "name_of",
    "random_programs",
    "random_scene",
]

OPERATORS = ("add", "mul", "min", "max")


class Step(NamedTuple):
    """A launch of a program. ``kind`` is ``body``, ``copy`` or ``opaque``; ``variant`` tells tasks of one signature apart."""

    task: Task
    kind: str
    variant: int

    @property
    def symbol(self) -> str:
        """The task's name, from which its kernel can be made."""
        if self.kind == "copy":
            return f"copy_{len(self.task.arguments[0].shape)}"
        signature = "_".join(f"{_letters(a.privilege)}{len(a.shape)}" for a in self.task.arguments)
        return f"{self.kind}{self.variant}_{signature}"


@dataclass(frozen=True)
class Program:
    """``released[k]``: behind which step store ``k`` is released, or None."""

    shapes: tuple[Shape, ...]
    named: tuple[bool, ...]
    released: tuple[int | None, ...]
    steps: tuple[Step, ...]

    def visible(self, store: int) -> bool:
        """Whether the world outside can see the store after the program."""
        return self.named[store] or self.released[store] is None


def _letters(privilege: str) -> str:
    return {"read": "r", "write": "w", "read_write": "u", "no_access": "n"}.get(privilege) or privilege[7:-1]


# Scenes


class Pieces(NamedTuple):
    """An argument without its privilege."""

    store: int
    store_shape: Shape
    view: ViewNumbers | None
    tiling: TilingNumbers | None


@dataclass
class Scene:
    """Stores and pieces of them, by launch domain. The first pieces of ``scalars`` are those of stores of one element."""

    shapes: list[Shape]
    domain: Shape
    pieces: dict[Shape, list[Pieces]]
    scalars: list[int] = field(default_factory=list)
    center: Pieces | None = None
    """Where a stencil writes back to; ``work`` then holds the same extents in another store."""
    work: Pieces | None = None
    _writable: dict[tuple[Pieces, Shape], tuple[bool, bool]] = field(default_factory=dict)
    _clashes: dict[tuple[Pieces, Pieces, Shape], tuple[bool, bool]] = field(default_factory=dict)

    def allows(self, pieces: Pieces, privilege: str, domain: Shape) -> bool:
        """WF-1, and no change through a view that repeats elements."""
        if privilege in ("read", "no_access"):
            return True
        key = (pieces, domain)
        if key not in self._writable:
            a = Argument(*pieces, "read")
            whole = all_of(a).bit_count() == prod(a.shape)
            parts = sub_stores(a, domain)
            self._writable[key] = whole and not crosses_points(parts, parts), whole
        return self._writable[key][privilege.startswith("reduce")]

    def allows_both(self, one: tuple[Pieces, str], other: tuple[Pieces, str], domain: Shape) -> bool:
        """WF-2."""
        (a, do_a), (b, do_b) = one, other
        if a.store != b.store or "no_access" in (do_a, do_b) or (do_a == "read" and do_b == "read"):
            return True
        key = (a, b, domain)
        if key not in self._clashes:
            x, y = Argument(*a, "read"), Argument(*b, "read")
            self._clashes[key] = not all_of(x) & all_of(y), same_pieces(x, y, domain)
        apart, same = self._clashes[key]
        return apart or ({do_a, do_b} == {"read", "write"} and same)

    def step(self, domain: Shape, uses: Sequence[tuple[Pieces, str]], kind: str, variant: int) -> Step | None:
        """The launch, if it is well-formed."""
        for k, (pieces, privilege) in enumerate(uses):
            if not self.allows(pieces, privilege, domain):
                return None
            if not all(self.allows_both(earlier, uses[k], domain) for earlier in uses[:k]):
                return None
        arguments = tuple(Argument(*pieces, privilege) for pieces, privilege in uses)
        if kind == "copy" and (
            uses[0][0] == uses[1][0]  # would do nothing
            or tile_shapes(arguments[0], domain) != tile_shapes(arguments[1], domain)
        ):
            return None
        return Step(Task(domain, arguments), kind, variant)


def random_scene(rng: random.Random) -> Scene:
    """Any views and tilings, or the shifted views of a stencil, or vectors."""
    scene = rng.choice([_any_scene, _any_scene, _stencil_scene, _vector_scene])(rng)
    other = rng.choice([(1,), (2,), (3,), (2, 2)])
    if other != scene.domain:
        scene.pieces[other] = [
            Pieces(k, shape, None, random_tiling(rng, shape, other)) for k, shape in enumerate(scene.shapes)
        ]
    for _ in range(rng.choice([0, 1, 2, 3])):
        shape = rng.choice([(), (), (1,), (1, 1)])
        scene.scalars.append(len(scene.shapes))
        scene.shapes.append(shape)
    return scene


def _any_scene(rng: random.Random) -> Scene:
    domain = rng.choice([(1,), (2,), (3,), (3,), (4,), (2, 2)])
    pool = [Pieces(*pieces) for pieces in random_pool(rng, domain)]
    shapes = {pieces.store: pieces.store_shape for pieces in pool}
    return Scene([shapes[k] for k in range(len(shapes))], domain, {domain: pool})


def _stencil_scene(rng: random.Random) -> Scene:
    """A store with a border, shifted views of its inside, a store of the inside's extents, and one more."""
    if rng.random() < 0.7:
        inside, border, domain = (rng.choice([4, 8, 9]),), ((1, rng.choice([0, 1])),), rng.choice([(2,), (3,)])
    else:
        inside, border = (rng.choice([8, 9]), 2), ((1, rng.choice([0, 1])), rng.choice([(0, 0), (0, 0), (0, 1)]))
        domain = rng.choice([(2,), (3,), (2, 2)])
    shape = tuple(extent + sum(rim) for extent, rim in zip(inside, border, strict=True))
    tiling = _rows(inside, domain)
    pieces = []
    for offsets in {(low, *(b[0] for b in border[1:])) for low in range(sum(border[0]) + 1)}:
        results = tuple((k, 1, offset) for k, offset in enumerate(offsets))
        pieces.append(Pieces(0, shape, ViewNumbers(inside, results), tiling))
    center = next(p for p in pieces if p.view is not None and p.view.results[0][2] == border[0][0])
    work = Pieces(1, inside, None, tiling)
    more = Pieces(2, inside, None, tiling)
    return Scene([shape, inside, inside], domain, {domain: [*pieces, work, more]}, center=center, work=work)


def _vector_scene(rng: random.Random) -> Scene:
    """Vectors of one length, all divided in one way."""
    domain, extent = rng.choice([(2,), (3,), (4,)]), rng.randint(3, 8)
    tiling = _rows((extent,), domain)
    count = rng.randint(2, 4)
    return Scene([(extent,)] * count, domain, {domain: [Pieces(k, (extent,), None, tiling) for k in range(count)]})


def _rows(shape: Shape, domain: Shape) -> TilingNumbers:
    tile = tuple(-(-shape[k] // domain[k]) if k < len(domain) else shape[k] for k in range(len(shape)))
    projection = tuple((k, 1, 0) if k < len(domain) else (None, 0, 0) for k in range(len(shape)))
    return TilingNumbers(tile, (0,) * len(shape), projection)


# Programs

PRIVILEGES = ["read"] * 6 + ["write"] * 5 + ["read_write"] * 2 + ["reduce<add>"] * 2 + ["reduce<max>", "no_access"]


def random_program(rng: random.Random, scene: Scene) -> Program:
    """Two to seven launches, and where stores are released."""
    steps: list[Step] = []
    wanted = rng.choice([2, 3, 3, 4, 4, 5, 6])
    for _ in range(3 * wanted):
        if len(steps) >= wanted:
            break
        steps += (_stencil if scene.center is not None and rng.random() < 0.4 else _steps)(rng, scene)
    return _with_lives(rng, scene, steps)


def _steps(rng: random.Random, scene: Scene) -> list[Step]:
    """One launch of a kind that the scene has, if it is well-formed."""
    domain, variant = scene.domain, rng.randrange(2)
    pool = scene.pieces[domain]
    kind = "opaque" if rng.random() < 0.04 else "body"
    uses: list[tuple[Pieces, str]]
    what = rng.random()
    if scene.scalars and what < 0.5:
        one = rng.choice(scene.scalars)
        if what < 0.2:  # arithmetic on scalars, at one point
            domain = (1,)
            others = rng.sample(scene.scalars, rng.randint(0, len(scene.scalars)))
            uses = [(_scalar(scene, k, tiled=rng.random() < 0.5), "read") for k in others if k != one]
            uses.append((_scalar(scene, one, tiled=rng.random() < 0.5), rng.choice(["write"] * 6 + ["read_write"])))
        elif what < 0.35:  # a dot product
            uses = [(rng.choice(pool), "read") for _ in range(rng.randint(1, 2))]
            uses.append((_scalar(scene, one), f"reduce<{rng.choice(OPERATORS)}>"))
        else:  # an update with a scalar
            uses = [(_scalar(scene, one), "read"), (rng.choice(pool), rng.choice(["write", "read_write"]))]
            if rng.random() < 0.5:
                uses.insert(1, (rng.choice(pool), "read"))
    elif what < 0.6:
        kind, uses = "copy", [(rng.choice(pool), "read"), (rng.choice(pool), "write")]
    elif what < 0.68:
        domain = rng.choice(list(scene.pieces))
        uses = [(rng.choice(scene.pieces[domain]), rng.choice(PRIVILEGES)) for _ in range(rng.randint(1, 2))]
    elif what < 0.78:  # folds, element by element where the pieces allow it
        uses = [(rng.choice(pool), "read"), (rng.choice(pool), f"reduce<{rng.choice(OPERATORS)}>")]
    elif what < 0.9:
        uses = [(rng.choice(pool), "read") for _ in range(rng.randint(0, 2))] + [(rng.choice(pool), "write")]
    else:
        uses = [(rng.choice(pool), rng.choice(PRIVILEGES)) for _ in range(rng.randint(1, 3))]
    step = scene.step(domain, uses, kind, variant)
    return [] if step is None else [step]


def _stencil(rng: random.Random, scene: Scene) -> list[Step]:
    """Sums of shifted views, written back into the middle."""
    assert scene.center is not None
    assert scene.work is not None
    center, work = scene.center, scene.work
    shifted = [p for p in scene.pieces[scene.domain] if p.store == center.store]
    made = [scene.step(scene.domain, [(p, "read") for p in shifted] + [(work, "write")], "body", 0)]
    if rng.random() < 0.5:
        made.append(scene.step(scene.domain, [(rng.choice(shifted), "read"), (work, "read_write")], "body", 1))
    made.append(scene.step(scene.domain, [(work, "read"), (center, "write")], rng.choice(["copy", "body"]), 0))
    return [step for step in made if step is not None]


def _scalar(scene: Scene, store: int, *, tiled: bool = False) -> Pieces:
    shape = scene.shapes[store]
    ones = (1,) * len(shape)
    tiling = TilingNumbers(ones, (0,) * len(shape), ((None, 0, 0),) * len(shape)) if tiled else None
    return Pieces(store, shape, None, tiling)


def _with_lives(rng: random.Random, scene: Scene, steps: Sequence[Step]) -> Program:
    """Drops stores that are not used, and decides which are named and released.

    A store that is read before anything writes it has a name, as the dialect asks for.
    """
    last = {a.store: k for k, step in enumerate(steps) for a in step.task.arguments}
    stores = sorted(last)
    number = {store: k for k, store in enumerate(stores)}
    named, released = [], []
    mostly_named = rng.random() < 0.3
    for store in stores:
        named.append(not _written_first(steps, store) or rng.random() < (0.9 if mostly_named else 0.3))
        end = rng.choice([last[store], last[store], rng.randint(last[store], len(steps) - 1)])
        released.append(end if rng.random() < (0.3 if named[-1] else 0.8) else None)
    return Program(
        tuple(scene.shapes[store] for store in stores),
        tuple(named),
        tuple(released),
        tuple(
            step._replace(
                task=Task(step.task.domain, tuple(a._replace(store=number[a.store]) for a in step.task.arguments))
            )
            for step in steps
        ),
    )


def _written_first(steps: Iterable[Step], store: int) -> bool:
    for step in steps:
        privileges = {a.privilege for a in step.task.arguments if a.store == store} - {"no_access"}
        if privileges:
            return privileges == {"write"}
    return True


def random_programs(rng: random.Random, count: int) -> list[Program]:
    """So many programs, a few of each scene."""
    programs: list[Program] = []
    while len(programs) < count:
        scene = random_scene(rng)
        made = (random_program(rng, scene) for _ in range(8))
        programs += [program for program in made if len(program.steps) > 1]
    return programs[:count]


# As IR


@dataclass
class Emitted:
    """A module, and where the programs' stores and steps are in it. Keys: number of the program, number within it."""

    module: ModuleOp
    stores: dict[StoreOp, tuple[int, int]]
    launches: dict[LaunchOp, tuple[int, int]]


def name_of(program: int, store: int) -> str:
    """The name that a named store has unless it is renamed."""
    return f"p{program}s{store}"


def emit(
    programs: Sequence[Program],
    rng: random.Random | None = None,
    *,
    fences: str = "between",
    shuffled: bool = False,
    kernels: bool = False,
) -> Emitted:
    """One module with all programs, one behind the other.

    ``fences``: ``between`` programs; ``random``, in programs too; ``none``, and two programs at a time are interleaved then.
    ``shuffled``: stores have other names and are created in another order, at the head. ``kernels``: tasks have kernels that keep the
    contract, so that the module can be verified; else bodies that say nothing.
    """
    module = ModuleOp([])
    block = module.body.block
    keys = [(p, k) for p, program in enumerate(programs) for k in range(len(program.shapes))]
    ops: dict[tuple[int, int], StoreOp] = {}
    names = {key: name_of(*key) for key in keys}
    if shuffled:
        assert rng is not None
        given = [f"z{k}" for k in range(len(keys))]
        rng.shuffle(given)
        names = dict(zip(keys, given, strict=True))
        keys = rng.sample(keys, len(keys))
    for p, k in keys:
        program = programs[p]
        named = {"store_name": StringAttr(names[p, k])} if program.named[k] else {}
        ops[p, k] = StoreOp.create(result_types=[_store_type(program.shapes[k])], properties=named)
    if shuffled:
        block.add_ops(ops.values())
    launches: dict[LaunchOp, tuple[int, int]] = {}
    symbols: dict[str, Step] = {}
    views: dict[tuple[int, int, ViewNumbers], SSAValue] = {}
    declared: set[tuple[int, int]] = set(ops) if shuffled else set()

    def value(p: int, argument: Argument) -> SSAValue:
        store = ops[p, argument.store]
        if (p, argument.store) not in declared:
            declared.add((p, argument.store))
            block.add_op(store)
        if argument.view is None:
            return store.result
        key = (p, argument.store, argument.view)
        if key not in views or (rng is not None and rng.random() < 0.2):
            result, properties = _view(argument)
            op = ViewOp.create(operands=[store.result], result_types=[result], properties=properties)
            block.add_op(op)
            views[key] = op.result
        return views[key]

    previous = None
    for p, k in _order(programs, rng if fences == "none" else None):
        program, step = programs[p], programs[p].steps[k]
        if previous is not None and (
            (fences == "between" and p != previous)
            or (fences == "random" and rng is not None and rng.random() < (0.8 if p != previous else 0.25))
        ):
            block.add_op(FenceOp.create())
        previous = p
        symbols.setdefault(step.symbol, step)
        launch = LaunchOp.create(operands=[value(p, a) for a in step.task.arguments], properties=_properties(step))
        block.add_op(launch)
        launches[launch] = p, k
        block.add_ops(ReleaseOp(ops[p, store].result) for store, end in enumerate(program.released) if end == k)
    functions = [_function(symbol, step.kind, kernels).clone() for symbol, step in symbols.items()]
    assert block.first_op is not None
    block.insert_ops_before(functions, block.first_op)
    return Emitted(module, {op: key for key, op in ops.items()}, launches)


def _order(programs: Sequence[Program], rng: random.Random | None) -> Iterable[tuple[int, int]]:
    """All steps; two programs at a time interleaved if there is an ``rng``."""
    if rng is None:
        return ((p, k) for p, program in enumerate(programs) for k in range(len(program.steps)))
    order: list[tuple[int, int]] = []
    for p in range(0, len(programs), 2):
        pair = [iter([(q, k) for k in range(len(programs[q].steps))]) for q in range(p, min(p + 2, len(programs)))]
        whose = [n for n in range(len(pair)) for _ in programs[p + n].steps]
        rng.shuffle(whose)
        order += [next(pair[n]) for n in whose]
    return order


# Made once and shared, as making attributes takes longer than anything else here.


@lru_cache(1 << 14)
def _properties(step: Step) -> dict[str, Attribute]:
    """The properties of a step's launch."""
    domain, arguments = step.task
    return LaunchOp(
        step.symbol,
        domain,
        [StoreOp(_store_type(a.store_shape)).result for a in arguments],
        [Privilege.parse(a.privilege) for a in arguments],
        [partition(a.tiling, len(domain), replicated=a.replicated) for a in arguments],
    ).properties


@lru_cache(4096)
def _store_type(shape: Shape) -> StoreType:
    return StoreType(shape, f64)


@lru_cache(1 << 14)
def _view(argument: Argument) -> tuple[Attribute, dict[str, Attribute]]:
    """The type and the properties of a view."""
    op = ViewOp(StoreOp(_store_type(argument.store_shape)).result, view(argument), f64)
    return op.result.type, op.properties


@lru_cache(4096)
def _function(symbol: str, kind: str, kernels: bool) -> FuncOp:
    if kernels or kind != "body":
        (function,) = parse_module(make_context(), kernel_text(symbol, kind)).ops
        assert isinstance(function, FuncOp)
        function.detach()
        return function
    return FuncOp(symbol, ([], []), Region(Block([ReturnOp()])))


def kernel_text(symbol: str, kind: str) -> str:
    """A function with the signature that the symbol spells out. Each result depends on its own parameter and on nothing else."""
    if kind == "copy":
        rank = int(symbol.rpartition("_")[2])
        signature = [("r", rank), ("w", rank)]
    else:
        signature = [(part.rstrip("0123456789"), int(part[-1])) for part in symbol.split("_")[1:]]
    types = [f"tensor<{'?x' * rank}f64>" for _, rank in signature]
    results = [k for k, (letters, _) in enumerate(signature) if letters not in ("r", "n")]
    returned = f" -> ({', '.join(types[k] for k in results)})" if results else ""
    if kind == "opaque":
        return f"func.func private @{symbol}({', '.join(types)}){returned}"
    lines = [f"func.func @{symbol}({', '.join(f'%a{k}: {t}' for k, t in enumerate(types))}){returned} {{"]
    if kind == "copy":
        lines.append(_generic(signature[1][1], 1, types[1], ["linalg.yield %x : f64"], source="%a0"))
    else:
        for k in results:
            letters, rank = signature[k]
            lines.append(_generic(rank, k, types[k], _ELEMENT.get(letters) or _fold(letters)))
    if results:
        lines.append(f"  func.return {', '.join(f'%r{k}' for k in results)} : {', '.join(types[k] for k in results)}")
    else:
        lines.append("  func.return")
    return "\n".join([*lines, "}"])


def _fold(operator: str) -> list[str]:
    combiner = {"add": "addf", "mul": "mulf", "min": "minimumf", "max": "maximumf"}[operator]
    return [
        "%c = arith.constant 3.0 : f64",
        f"%t = arith.{combiner} %e, %c : f64",
        "linalg.yield %t : f64",
    ]


_ELEMENT = {
    "w": ["%c = arith.constant 2.0 : f64", "linalg.yield %c : f64"],
    "u": ["%t = arith.addf %e, %e : f64", "linalg.yield %t : f64"],
}


def _generic(rank: int, k: int, tile: str, body: list[str], source: str | None = None) -> str:
    dims = ", ".join(f"d{i}" for i in range(rank))
    maps = ", ".join([f"affine_map<({dims}) -> ({dims})>"] * (1 if source is None else 2))
    kinds = ", ".join(['"parallel"'] * rank)
    ins = "" if source is None else f"ins({source} : {tile}) "
    elements = "%e: f64" if source is None else "%x: f64, %e: f64"
    return (
        f"  %r{k} = linalg.generic {{indexing_maps = [{maps}], iterator_types = [{kinds}]}} {ins}outs(%a{k} : {tile}) {{\n"
        f"  ^bb0({elements}):\n    " + "\n    ".join(body) + f"\n  }} -> {tile}"
    )

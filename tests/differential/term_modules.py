"""The random programs as modules, many in one."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from term_programs import Argument, Program, Shape, Step, ViewNumbers  # it puts the oracle on the path

# isort: split
from launches_as_ir import partition, view
from xdsl.dialects.builtin import ModuleOp, StringAttr, f64
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Attribute, Block, Region, SSAValue

from fuseir.dialects.dist.attributes import StoreType
from fuseir.dialects.dist.launch import LaunchOp
from fuseir.dialects.dist.ops import FenceOp, ReleaseOp, StoreOp, ViewOp
from fuseir.dialects.dist.privilege import Privilege
from fuseir.dialects.parsing import parse_module
from fuseir.universe import make_context


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

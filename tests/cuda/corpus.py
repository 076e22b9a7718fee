"""Lowered kernels to try code generators on: random ones, those of random programs and of the benchmarks, all operations, all folds."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from helpers.random_kernels import random_kernel
from xdsl.dialects import func
from xdsl.dialects.builtin import ModuleOp
from xdsl.parser import Parser

import fuseir
from fuseir.passes.fuse_kernels import FuseKernelsPass
from fuseir.passes.lower_kernels import LowerKernelsPass
from fuseir.runtime.executors import cpu
from fuseir.universe import make_context

ROOT = Path(__file__).parents[2]
for place in (ROOT, ROOT / "tests" / "differential", ROOT / "tests" / "unit"):
    sys.path.append(str(place))

import random_programs  # noqa: E402
from llvm_kernels import elementwise, kernel_of  # noqa: E402

CONTEXT = make_context()

INTEGERS = ("i8", "i16", "i32", "i64")
FLOATS = ("f32", "f64")


def lowered(text: str, *, fused: bool = True, shared: bool = True) -> func.FuncOp:
    """A kernel in tensor form, lowered."""
    module = parsed(text)
    if fused:
        FuseKernelsPass().apply(CONTEXT, module)
    LowerKernelsPass(share_loops=shared).apply(CONTEXT, module)
    module.verify()
    kernel = module.body.block.first_op
    assert isinstance(kernel, func.FuncOp)
    return kernel


def parsed(text: str) -> ModuleOp:
    """A module from its text."""
    return Parser(CONTEXT, text).parse_module()


def generated(seed: int) -> func.FuncOp:
    """A random kernel on ``f64``, fused or not, its loops shared or not."""
    return lowered(random_kernel(seed).text, fused=seed % 3 > 0, shared=seed % 4 > 0)


@contextmanager
def _captured() -> Iterator[dict[str, None]]:
    """The texts of all kernels that sessions compile in the meantime."""
    texts: dict[str, None] = {}
    original: Callable[..., Any] = cpu.compile_kernels

    def capture(functions: Any, *arguments: Any) -> Any:
        texts.update(dict.fromkeys(map(str, functions)))
        return original(functions, *arguments)

    cpu.compile_kernels = capture
    try:
        yield texts
    finally:
        cpu.compile_kernels = original


def _parsed(texts: dict[str, None]) -> list[func.FuncOp]:
    kernels = [parsed(text).body.block.first_op for text in texts]
    assert all(isinstance(kernel, func.FuncOp) for kernel in kernels)
    return kernels  # pyright: ignore[reportReturnType]


def of_random_programs(seeds: range) -> list[func.FuncOp]:
    """The kernels of random programs of tasks, on all element types: fused ones of half of the seeds, single tasks' of the others."""
    with _captured() as texts, np.errstate(all="ignore"):
        for seed in seeds:
            program = random_programs.drawn(seed)
            sizes = program.sizes(np.random.default_rng((seed, 0)))
            session = fuseir.Session(threads=1, fuse=seed % 2 == 0, cache=False)
            random_programs.run_in(session, program, random_programs.Given(sizes, seed))
    return _parsed(texts)


def of_benchmarks(names: Sequence[str] = ()) -> dict[str, list[func.FuncOp]]:
    """The kernels of each program of the benchmarks, or of those with these names."""
    from benchmarks.suite.contenders import FuseirContender
    from benchmarks.suite.programs import PROGRAMS

    kernels: dict[str, list[func.FuncOp]] = {}
    for name, program in PROGRAMS.items():
        if names and name not in names:
            continue
        with _captured() as texts:
            prepared = FuseirContender(1).prepare(program, program.inputs(1000, np.random.default_rng(1)))
            assert prepared is not None
            prepared.call()
        kernels[name] = _parsed(texts)
    return kernels


def of_operations() -> dict[str, func.FuncOp]:
    """A kernel for each element type that computes every operation on it."""
    kernels: dict[str, func.FuncOp] = {}
    for t in (*INTEGERS, "i1"):
        names = [*("addi", "subi", "muli", "andi", "ori", "xori", "divsi", "divui", "remsi", "remui", "floordivsi"),
                 *("ceildivsi", "ceildivui", "shli", "shrui", "shrsi", "minsi", "minui", "maxsi", "maxui")]  # fmt: skip
        cases = [(f"arith.{name} %x, %y : {t}", t) for name in names]
        cases += [
            (f"arith.cmpi {p}, %x, %y : {t}", "i1")
            for p in ("eq", "ne", "slt", "sle", "sgt", "sge", "ult", "ule", "ugt", "uge")
        ]
        cases += [(f"math.{name} %x : {t}", t) for name in ("absi", "ctlz", "cttz", "ctpop")]
        cases += [(f"math.ipowi %x, %y : {t}", t)]
        wider = [u for u in (*INTEGERS, "i1") if int(u[1:]) > int(t[1:])]
        cases += [(f"arith.{name} %x : {t} to {u}", u) for u in wider for name in ("extsi", "extui")]
        narrower = [u for u in ("i1", *INTEGERS) if int(u[1:]) < int(t[1:])]
        cases += [(f"arith.trunci %x : {t} to {u}", u) for u in narrower]
        cases += [(f"arith.{name} %x : {t} to {u}", u) for u in FLOATS for name in ("sitofp", "uitofp")]
        if t in ("i32", "i64"):
            cases.append((f"arith.bitcast %x : {t} to f{t[1:]}", f"f{t[1:]}"))
        kernels[t] = kernel_of(elementwise({"x": t, "y": t}, cases))
    for t in FLOATS:
        names = ["addf", "subf", "mulf", "divf", "maximumf", "minimumf", "maxnumf", "minnumf"]
        predicates = [
            "false",
            "true",
            "ord",
            "uno",
            *(f"{k}{p}" for k in "ou" for p in ("eq", "gt", "ge", "lt", "le", "ne")),
        ]
        cases = [(f"arith.{name} %x, %y : {t}", t) for name in names]
        cases += [(f"arith.cmpf {p}, %x, %y : {t}", "i1") for p in predicates]
        cases += [(f"arith.negf %x : {t}", t)]
        cases += [
            (f"math.{n} %x : {t}", t) for n in ("absf", "ceil", "floor", "trunc", "round", "roundeven", "sqrt", "rsqrt")
        ]
        cases += [(f"math.copysign %x, %y : {t}", t), (f"math.fma %x, %y, %x : {t}", t)]
        cases += [(f"arith.{name} %x : {t} to {u}", u) for u in (*INTEGERS, "i1") for name in ("fptosi", "fptoui")]
        cases += [("arith.truncf %x : f64 to f32", "f32") if t == "f64" else ("arith.extf %x : f32 to f64", "f64")]
        cases.append((f"arith.bitcast %x : {t} to i{t[1:]}", f"i{t[1:]}"))
        kernels[t] = kernel_of(elementwise({"x": t, "y": t}, cases))
        unary = [*("acos", "acosh", "asin", "asinh", "atan", "atanh", "cbrt", "cos", "cosh", "erf", "exp", "exp2", "expm1"),
                 *("log", "log10", "log1p", "log2", "sin", "sinh", "tan", "tanh")]  # fmt: skip
        cases = [(f"math.{name} %x : {t}", t) for name in unary]
        cases += [(f"math.{name} %x, %y : {t}", t) for name in ("atan2", "powf")]
        cases += [(f"ufunc.{name} %x, %y : {t}", t) for name in ("fmod", "hypot", "nextafter")]
        # In f64 it is the emitter's own, and not the C library's.
        cases += [("ufunc.erfc %x : f32", "f32")] if t == "f32" else []
        kernels[f"functions of {t}"] = kernel_of(elementwise({"x": t, "y": t}, cases))
    return kernels


FOLDS = {
    **{t: ["addi", "muli", "minsi", "minui", "maxsi", "maxui", "andi", "ori", "xori"] for t in INTEGERS},
    **{t: ["addf", "mulf", "minimumf", "maximumf"] for t in FLOATS},
    "i1": ["andi", "ori", "xori", "minui", "maxui", "muli"],
}
AXES = {"all": "NM", "leading": "N", "trailing": "M", "middle": "K", "outer two": "NK"}


def of_folds(t: str, combiner: str, reduced: str, rank: int) -> func.FuncOp:
    """A reduction of a tile over some of its dimensions ``N``, ``K``, ``M`` (of two, without ``K``), into what the store holds."""
    letters = "NKM" if rank == 3 else "NM" if rank == 2 else "M"
    kept = [d for d, letter in enumerate(letters) if letter not in reduced]
    source = f"tensor<{'?x' * rank}{t}>"
    target = f"tensor<{'?x' * len(kept)}{t}>"
    dims = ", ".join(f"d{d}" for d in range(rank))
    kinds = ", ".join('"parallel"' if d in kept else '"reduction"' for d in range(rank))
    return lowered(f"""
      func.func @fold(%x: {source}, %z: {target}) -> {target} attributes {{dist.privileges = ["read", "read_write"]}} {{
        %r = linalg.generic {{
            indexing_maps = [affine_map<({dims}) -> ({dims})>, affine_map<({dims}) -> ({", ".join(f"d{d}" for d in kept)})>],
            iterator_types = [{kinds}]}} ins(%x : {source}) outs(%z : {target}) {{
        ^bb0(%e: {t}, %acc: {t}):
          %s = arith.{combiner} %acc, %e : {t}
          linalg.yield %s : {t}
        }} -> {target}
        func.return %r : {target}
      }}""")


def many(count: int, first: int) -> Iterator[func.FuncOp]:
    """``count`` random kernels and kernels of random programs, from seed ``first`` on, after all other kinds; different ones only."""
    known: set[str] = set()

    def new(kernel: func.FuncOp) -> bool:
        text = str(kernel).replace(f"@{kernel.sym_name.data}", "@kernel", 1)
        is_new = text not in known
        known.add(text)
        return is_new

    yield from (kernel for kernels in of_benchmarks().values() for kernel in kernels if new(kernel))
    yield from of_operations().values()
    yield from (
        of_folds(t, combiner, *axes)
        for t, combiners in FOLDS.items()
        for combiner in combiners
        for axes in (("M", 1), ("N", 2), ("M", 2), ("NM", 2), ("K", 3), ("NK", 3))
        if _number_of(t, combiner, *axes) % 4 == first % 4
    )
    found = 0
    for seed in range(first, first + count):
        if found < count // 2 and new(kernel := generated(seed)):
            found += 1
            yield kernel
    seed = first
    while found < count:
        for kernel in filter(new, of_random_programs(range(seed, seed + 4))):
            found += 1
            yield kernel
        seed += 4


def _number_of(*parts: object) -> int:
    """A number that is the same in every process."""
    return sum(ord(letter) * place for place, letter in enumerate(" ".join(map(str, parts)), 1))

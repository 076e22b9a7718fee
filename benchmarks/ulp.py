"""The largest errors of the math functions, in units of the last place, at ten million points each.

    python -m benchmarks.ulp [--points N] [--functions exp,log] [--write]

The reference is the C library: in ``long double`` for f64 (64 bits of significand on x86: good to 0.001 ulp of f64), in ``double``
for f32, called by a C program that is compiled here. ``--write`` puts the table into ``docs/accuracy.md``. A special value (NaN,
infinity, a signed zero) that is not the one that C defines counts as an infinite error. Returns 1 if an error exceeds 4.
"""

from __future__ import annotations

import argparse
import ctypes
import dataclasses
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from xdsl.dialects import func

from fuseir.codegen.abi import ArgumentLayout, encode_layout, whole_dimension
from fuseir.codegen.elements import F32, F64
from fuseir.codegen.llvm import compile as llvm_compile
from fuseir.codegen.llvm.math_functions import MATH_FUNCTIONS, MathFunction
from fuseir.codegen.llvm.target import Target
from fuseir.codegen.llvm.vector_math import BODIES
from fuseir.dialects.parsing import parse_module
from fuseir.universe import make_context

PAGE = Path(__file__).parents[1] / "docs/accuracy.md"
BEGIN, END = "<!-- by benchmarks/ulp.py -->", "<!-- end -->"
LIMIT = 4.0
TYPES = {"f64": np.float64, "f32": np.float32}
CHUNK = 1 << 20

MAIN: dict[str, tuple[tuple[float, float], ...]] = {
    **dict.fromkeys(("acos", "asin", "atanh"), ((-1, 1),)),
    "acosh": ((1, 2), (1, 1e4)),
    **dict.fromkeys(("exp", "expm1", "sinh", "cosh"), ((-1, 1), (-20, 20), (-746, 711))),
    "exp2": ((-1, 1), (-1076, 1025)),
    **dict.fromkeys(("log", "log2", "log10"), ((0.5, 2), (0.99, 1.01), (0, 1000))),
    "log1p": ((-1, 1), (-0.01, 0.01), (-1, 1000)),
    **dict.fromkeys(("sin", "cos", "tan"), ((-1, 1), (-10, 10), (-1e5, 1e5))),
    "erf": ((-1, 1), (-6, 6)),
    "erfc": ((-6, 6), (-1, 28)),
    "tanh": ((-1, 1), (-20, 20)),
    "pow": ((0.5, 2), (0.9, 1.1), (0, 100)),
}
"""Where each function is looked at closely, besides all magnitudes; else from -1 to 1 and from -100 to 100."""

SECOND = {"pow": ((-1000, 1000), (-7000, 7000), (-150, 150))}
"""The same for the second operand, where it is not as for the first."""

KERNEL = """
!t = memref<?x{t}, strided<[?], offset: ?>>
func.func @kernel(%x: !t, %y: !t, %z: !t) {{
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = memref.dim %x, %c0 : !t
  "scf.parallel"(%c0, %n, %c1) <{{operandSegmentSizes = array<i32: 1, 1, 1, 0>}}> ({{
  ^bb0(%i: index):
    %a = memref.load %x[%i] : !t
    %b = memref.load %y[%i] : !t
    %c = {operation} {operands} : {t}
    memref.store %c, %z[%i] : !t
    scf.reduce
  }}) {{vector}} : (index, index, index) -> ()
  func.return
}}
"""

C_HEAD = """
#include <math.h>
#include <stddef.h>
typedef long double real;
/* The error of `got`, an element with `digits` bits of significand and exponents from `least` to `most`. */
static double error(real got, real exact, int digits, int least, int most) {
  if (isnan(exact) || isnan(got)) return isnan(exact) && isnan(got) ? 0 : INFINITY;
  if (exact == 0) return got == 0 && signbit(got) == signbit(exact) ? 0 : INFINITY;
  if (isinf(exact)) return got == exact ? 0 : INFINITY;
  real limit = ldexpl(1, most + 1);  /* what overflows counts as this */
  if (isinf(got)) got = copysignl(limit, got);
  if (fabsl(exact) > limit) exact = copysignl(limit, exact);
  int exponent = ilogbl(exact);
  if (exponent > most) exponent = most;
  if (exponent < least) exponent = least;
  return (double)ldexpl(fabsl(got - exact), digits - 1 - exponent);
}
"""
C_LOOP = """
void worst_{name}_{t}(const {c} *x, const {c} *y, const {c} *z, size_t n, double *most, size_t *where) {{
  for (size_t i = 0; i < n; i++) {{
    double e = error(z[i], {reference}, {limits});
    if (!(e <= *most)) {{ *most = e; *where = i; }}
  }}
}}
"""


def c_text() -> str:
    """The C program: for each function and type, the largest error of an array."""
    parts = [C_HEAD]
    for function in MATH_FUNCTIONS.values():
        for t, c, suffix, limits in (("f64", "double", "l", "53, -1022, 1023"), ("f32", "float", "", "24, -126, 127")):
            operands = ", ".join(("x[i]", "y[i]")[: function.operands])
            # The next float is a question of the type.
            suffix = {"f64": "", "f32": "f"}[t] if function.name == "nextafter" else suffix
            call = f"{function.name}{suffix}({operands})"
            parts.append(C_LOOP.format(name=function.name, t=t, c=c, reference=call, limits=limits))
    return "".join(parts)


def c_library(folder: Path) -> ctypes.CDLL:
    (folder / "ulp.c").write_text(c_text())
    # No builtin may be folded, and no operation contracted.
    flags = ["-O2", "-fno-builtin", "-ffp-contract=off", "-shared", "-fPIC"]
    subprocess.run(["cc", *flags, "ulp.c", "-o", "ulp.so", "-lm"], cwd=folder, check=True)
    return ctypes.CDLL(str(folder / "ulp.so"))


def specials(t: str) -> np.ndarray[Any, Any]:
    """Values at the edges of formats and functions."""
    near = [2.0**power for power in (-149, -126, -24, -23, 23, 24, 30, 52, 53, 127, -1, 0, 1)]
    far = [5e-324, 2.0**-1022, 2.0**-1074, 1.7976931348623157e308, 709.78, 745.13, 745.2, 710.4758, 1024, 1074.5]
    # Integers close to multiples of π: numerators of its convergents.
    rest = [22, 355, 103993, 833719, 80143857, 245850922, 411557987, 1068966896]
    rest += [0.0, np.inf, np.nan, np.pi, np.pi / 2, 1e22, 88.72, 103.9, 89.4, 5.9, 26.6, 9.19, 3.9, 1.5, 3, 1 / 3]
    with np.errstate(all="ignore"):
        values = np.array([*near, *far, *rest]).astype(TYPES[t])
        neighbours = np.concatenate([np.nextafter(values, TYPES[t](target)) for target in (np.inf, -np.inf)])
    return np.concatenate([values, -values, neighbours, -neighbours])


def points(t: str, count: int, intervals: tuple[tuple[float, float], ...], seed: int) -> Iterator[np.ndarray[Any, Any]]:
    """Arrays of arguments: half of all bit patterns, which means all magnitudes, half where the function is interesting."""
    dtype, random = TYPES[t], np.random.default_rng(seed)
    yield specials(t)
    for number in range(-(-count // CHUNK)):
        if number % 2:
            low, high = intervals[number // 2 % len(intervals)]
            yield random.uniform(low, high, CHUNK).astype(dtype)
        else:
            bits = random.integers(0, 2 ** (8 * dtype().nbytes), CHUNK, f"u{dtype().nbytes}")
            yield bits.view(dtype)


def kernel_for(operation: str, function: MathFunction, t: str, target: Target) -> llvm_compile.CompiledKernel:
    operands = ", ".join(("%a", "%b")[: function.operands])
    module = parse_module(make_context(), KERNEL.format(operation=operation, operands=operands, t=t))
    kernel = next(op for op in module.walk() if isinstance(op, func.FuncOp))
    llvm_compile.host_target = lambda: target
    return llvm_compile.compile_kernel(kernel)


def largest_error(
    library: ctypes.CDLL, operation: str, t: str, target: Target, count: int
) -> tuple[float, tuple[float, ...]]:
    """The largest error of a function, and its arguments there."""
    function = MATH_FUNCTIONS[operation]
    kernel = kernel_for(operation, function, t, target)
    loop = library[f"worst_{function.name}_{t}"]
    intervals = MAIN.get(function.name, ((-1, 1), (-100, 100)))
    first = points(t, count, intervals, 1)
    second = points(t, count, SECOND.get(function.name, intervals), 2)
    worst, arguments = -1.0, ()
    for x, y in zip(first, second, strict=True):
        if len(x) < CHUNK:
            x, y = np.repeat(x, len(y)), np.tile(y, len(x))  # special values in all pairs
        z = np.empty_like(x)
        layout = encode_layout((), [ArgumentLayout((whole_dimension(len(x), x.itemsize),))] * 3)
        kernel.call(0, 1, [a.ctypes.data for a in (x, y, z)], layout)
        most, where = ctypes.c_double(worst), ctypes.c_size_t(0)
        pointers = [ctypes.c_void_p(a.ctypes.data) for a in (x, y, z)]
        loop(*pointers, ctypes.c_size_t(len(x)), ctypes.byref(most), ctypes.byref(where))
        if not most.value <= worst:
            worst, arguments = most.value, tuple(float(a[where.value]) for a in (x, y)[: function.operands])
    return worst, arguments


def targets() -> dict[str, Target]:
    """This machine, and what it would be with AVX2 alone."""
    host = llvm_compile.host_target()
    if host.mvec_variant != "e":
        return {"here": host}
    return {
        "AVX-512": host,
        "AVX2": dataclasses.replace(host, vector_bytes=32, masked_bytes=frozenset({4, 8}), mvec_variant="d"),
    }


def is_own(name: str, t: str) -> bool:
    body = BODIES.get(name)
    return body is not None and (F64 if t == "f64" else F32).bits in body.widths


def main(arguments: list[str] | None = None) -> int:
    """Prints the table; returns 1 if an error exceeds the limit."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ulp", description=__doc__)
    parser.add_argument("--points", type=int, default=10_000_000)
    parser.add_argument("--functions", type=lambda text: text.split(","), help="C names; all if not given")
    parser.add_argument("--write", action="store_true", help="puts the table into docs/accuracy.md")
    options = parser.parse_args(arguments)
    kinds = targets()
    columns = [(t, kind) for t in TYPES for kind in kinds]
    rows = [
        "| function | " + " | ".join(f"{t} {kind}" for t, kind in columns) + " |",
        "| --- |" + " --- |" * len(columns),
    ]
    over = False
    with tempfile.TemporaryDirectory() as folder:
        library = c_library(Path(folder))
        for operation, function in sorted(MATH_FUNCTIONS.items(), key=lambda item: item[1].name):
            if options.functions and function.name not in options.functions:
                continue
            cells: list[str] = []
            for t, kind in columns:
                worst, where = largest_error(library, operation, t, kinds[kind], options.points)
                print(f"{function.name} {t} {kind}: {worst:.3f} at {where}", file=sys.stderr, flush=True)
                over |= not worst <= LIMIT
                cells.append(f"**{worst:.2f}**" if is_own(function.name, t) else f"{worst:.2f}")
            rows.append(f"| `{function.name}` | {' | '.join(cells)} |")
    print("\n".join(rows))
    if options.write:
        before, _, rest = PAGE.read_text().partition(BEGIN)
        _, _, after = rest.partition(END)
        PAGE.write_text(f"{before}{BEGIN}\n" + "\n".join(rows) + f"\n{END}{after}")
    return int(over)


if __name__ == "__main__":
    sys.exit(main())

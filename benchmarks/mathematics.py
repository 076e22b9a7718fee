"""What the math functions cost: each alone, and ``exp(x) + log(x) + erf(x)`` beside NumPy, on one thread.

    python -m benchmarks.mathematics [--functions exp,log]

Nanoseconds an element, the least of many rounds: 16384 elements that stay in the cache for functions alone, in FuseIR as it is, in
FuseIR with the C library's functions only, and in NumPy; 10^6 elements for the expression. NumPy has no erf: SciPy's, or where
that is not installed a loop over the C library's, compiled here.
"""

from __future__ import annotations

import argparse
import ctypes
import dataclasses
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import fuseir
from benchmarks.ulp import MAIN, TYPES, kernel_for
from fuseir.codegen.abi import ArgumentLayout, encode_layout, whole_dimension
from fuseir.codegen.llvm.compile import CompiledKernel, host_target
from fuseir.codegen.llvm.math_functions import MATH_FUNCTIONS

COUNT, POINTS, ROUNDS = 16384, 16, 40
LONG = 1_000_000
HOST = host_target()
NAMES = {"acos": "arccos", "asin": "arcsin", "atan": "arctan", "atan2": "arctan2", "pow": "power"}
NAMES |= {"acosh": "arccosh", "asinh": "arcsinh", "atanh": "arctanh"}

ERF_LOOP = """
#include <math.h>
#include <stddef.h>
void erfs(const double *x, double *z, size_t n) { for (size_t i = 0; i < n; i++) z[i] = erf(x[i]); }
"""


def least(*calls: Callable[[], object], rounds: int = ROUNDS) -> list[float]:
    """Seconds of each call, the least of rounds in which all take turns."""
    best = [float("inf")] * len(calls)
    for _ in range(rounds):
        for number, call in enumerate(calls):
            start = time.perf_counter()
            call()
            best[number] = min(best[number], time.perf_counter() - start)
    return best


def arguments(name: str, t: str, count: int) -> list[np.ndarray[Any, Any]]:
    low, high = MAIN.get(name, ((-1, 1), (-20, 20)))[-1]
    low, high = {"acosh": (1, 20), "log1p": (-0.9, 20), "pow": (0.1, 10)}.get(name, (max(low, -20), min(high, 20)))
    if name.startswith("log") and name != "log1p":
        low = 0.01
    random = np.random.default_rng(0)
    return [random.uniform(low, high, count).astype(TYPES[t]) for _ in range(2)]


def run_of(kernel: CompiledKernel, arrays: list[np.ndarray[Any, Any]]) -> Callable[[], object]:
    """A call that runs a kernel ``POINTS`` times over its arrays."""
    dimensions = [(whole_dimension(len(a), a.itemsize),) for a in arrays]
    layout, bases = encode_layout((POINTS,), [ArgumentLayout(d) for d in dimensions]), [a.ctypes.data for a in arrays]
    return lambda: kernel.call(0, POINTS, bases, layout)


def alone(operation: str, t: str) -> str:
    """A line of the table: one function by itself."""
    function = MATH_FUNCTIONS[operation]
    x, y = arguments(function.name, t, COUNT)
    arrays = [x, y, np.empty_like(x)]
    kernels = [
        kernel_for(operation, function, t, target) for target in (HOST, dataclasses.replace(HOST, has_fma=False))
    ]
    seconds = [s / POINTS for s in least(*(run_of(kernel, arrays) for kernel in kernels))]
    ufunc = getattr(np, NAMES.get(function.name, function.name), None)
    cells = [f"{s / COUNT * 1e9:6.3f}" for s in seconds]
    if ufunc is None:
        cells.append("     -")
    else:
        operands, out = arrays[: function.operands], arrays[2]
        cells.append(f"{least(lambda: ufunc(*operands, out=out))[0] / COUNT * 1e9:6.3f}")
    return f"{function.name:10} {t}  " + "  ".join(cells)


def erf_of_peers() -> tuple[str, Callable[..., Any]]:
    """An erf for NumPy's arrays, and whose it is."""
    try:
        from scipy.special import erf
    except ImportError:
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "erf.c").write_text(ERF_LOOP)
            command = ["cc", "-O3", "-march=native", "-shared", "-fPIC", "erf.c", "-o", "erf.so", "-lm"]
            subprocess.run(command, cwd=folder, check=True)
            loop = ctypes.CDLL(f"{folder}/erf.so").erfs

        def erf(x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
            z = np.empty_like(x)
            loop(ctypes.c_void_p(x.ctypes.data), ctypes.c_void_p(z.ctypes.data), ctypes.c_size_t(x.size))
            return z

        return "a C loop of erf", erf
    return "SciPy's erf", erf


def expression() -> str:
    """``exp(x) + log(x) + erf(x)``: FuseIR beside NumPy."""
    task = fuseir.task("task sum(x: read, z: write) { z = exp(x) + log(x) + erf(x) }")
    owner, erf = erf_of_peers()
    x = np.random.default_rng(0).uniform(0.01, 5, LONG)
    session = fuseir.Session(threads=1)
    given, result = session.from_numpy(x), session.store(LONG)

    def ours() -> None:
        session.launch(task, given, result)
        session.flush()

    ours()
    expected = np.exp(x) + np.log(x) + erf(x)
    assert np.allclose(result.numpy(), expected, rtol=1e-14, atol=1e-14)
    fast, slow = least(ours, lambda: np.exp(x) + np.log(x) + erf(x), rounds=15)
    times = f"{fast / LONG * 1e9:.2f} and {slow / LONG * 1e9:.2f} ns an element"
    return f"exp(x) + log(x) + erf(x): {slow / fast:.1f} times as fast as NumPy with {owner} ({times})"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mathematics", description=__doc__)
    parser.add_argument("--functions", type=lambda text: text.split(","), help="C names; all if not given")
    wanted = parser.parse_args().functions
    print("                FuseIR   C only  NumPy")
    for operation, function in sorted(MATH_FUNCTIONS.items(), key=lambda item: item[1].name):
        if not wanted or function.name in wanted:
            for t in TYPES:
                print(alone(operation, t), flush=True)
    if not wanted:
        print(expression())


if __name__ == "__main__":
    sys.exit(main())

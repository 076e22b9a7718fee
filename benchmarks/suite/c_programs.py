"""Hand-fused C: compiled here with the system's compiler, called through ctypes. The sources are in ``c/``."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.suite import c_examples
from benchmarks.suite.contenders import MissingError, Prepared
from benchmarks.suite.programs import HEAT_STEPS, POLYNOMIAL, STENCIL_STEPS, Arrays, Program

SOURCES = Path(__file__).parent / "c"
FLAGS = ["-std=gnu11", "-O3", "-march=native", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=off", "-fopenmp"]
WIDE = "-mprefer-vector-width=512"


def compiler() -> str:
    """The C compiler. Raises MissingError."""
    found = shutil.which(os.environ.get("CC", "cc"))
    if found is None:
        raise MissingError("no C compiler (cc)")
    return found


def build(folder: Path) -> tuple[Path, float]:
    """The library of all programs, and the seconds it took to compile. Raises MissingError."""
    library = folder / "programs.so"
    command = [
        compiler(),
        *FLAGS,
        *([WIDE] if "avx512f" in _cpu_flags() else []),
        "-shared",
        "-fPIC",
        "-o",
        str(library),
    ]
    start = time.perf_counter()
    sources = [str(source) for source in sorted(SOURCES.glob("*.c"))]
    # libmvec is there on x86-64 with glibc only.
    for libraries in (["-lmvec", "-lm"], ["-lm"]):
        done = subprocess.run([*command, *sources, *libraries], capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return library, time.perf_counter() - start
    raise MissingError(f"the C compiler failed: {done.stderr.strip().splitlines()[-1]}")


def _cpu_flags() -> set[str]:
    try:
        return set(Path("/proc/cpuinfo").read_text().split())
    except OSError:
        return set()


def _address(array: np.ndarray[Any, Any]) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)


class CContender:
    """Calls the hand-fused programs. Results are written to memory that is allocated once, as C programs do."""

    def __init__(self, threads: int) -> None:
        self.threads = threads
        with tempfile.TemporaryDirectory() as folder:
            path, self.compile_seconds = build(Path(folder))
            self.library = ctypes.CDLL(str(path))

    def function(self, name: str, *arguments: Any, returns: Any = None) -> Callable[[], Any]:
        """A call with fixed arguments: integers, arrays; the number of threads comes last."""
        function = getattr(self.library, name)
        function.restype = returns
        bound = [_address(x) if isinstance(x, np.ndarray) else ctypes.c_int64(x) for x in arguments]
        bound.append(ctypes.c_int(self.threads))

        def call(_memory: Any = arguments) -> Any:
            return function(*bound)

        return call

    def prepare(self, program: Program, inputs: Arrays) -> Prepared | None:
        """Binds arguments and memory for results."""
        a = {
            name: np.array(value, order="C") if not value.flags.c_contiguous else value
            for name, value in inputs.items()
        }
        found = c_examples.bound(self, program, a) if program.example else getattr(self, f"_{program.name}")(a)
        if found is None:
            return None
        run, results = found

        def reset(fresh: Arrays) -> None:
            for name in program.state:
                a[name][...] = fresh[name]
            if program.name == "bicgstab":
                results["scalars"][:] = [a[name] for name in ("rho", "alpha", "omega")]

        def named() -> Arrays:
            found = {name: value for name, value in results.items() if name != "scalars"}
            if program.name == "bicgstab":
                found |= dict(zip(("rho", "alpha", "omega"), results["scalars"], strict=True))
            return found

        return Prepared(run, reset, named)

    def _black_scholes(self, a: Arrays) -> tuple[Callable[[], Any], Arrays]:
        call, put = np.empty_like(a["price"]), np.empty_like(a["price"])
        run = self.function("black_scholes", call.size, a["price"], a["strike"], a["years"], call, put)
        return run, {"call": call, "put": put}

    def _stencil(self, a: Arrays) -> tuple[Callable[[], Any], Arrays]:
        grid = a["grid"]
        self._work = grid.copy()
        return self.function("stencil", *grid.shape, STENCIL_STEPS, grid, self._work), {"grid": grid}

    def _heat(self, a: Arrays) -> tuple[Callable[[], Any], Arrays]:
        u = a["u"]
        self._work = u.copy()
        return self.function("heat", len(u), HEAT_STEPS, u, self._work), {"u": u}

    def _cg(self, a: Arrays) -> tuple[Callable[[], Any], Arrays]:
        run = self.function("cg", a["x"].size, a["x"], a["r"], a["p"], a["q"], a["rr"])
        return run, {name: a[name] for name in ("x", "r", "p", "rr")}

    def _bicgstab(self, a: Arrays) -> tuple[Callable[[], Any], Arrays]:
        s, scalars = np.empty_like(a["x"]), np.array([a["rho"], a["alpha"], a["omega"]])
        vectors = [a[name] for name in ("x", "r", "p", "v", "t", "shadow")]
        run = self.function("bicgstab", s.size, *vectors, s, scalars)
        return run, {name: a[name] for name in ("x", "r", "p")} | {"s": s, "scalars": scalars}

    def _softmax(self, a: Arrays) -> tuple[Callable[[], Any], Arrays]:
        y = np.empty_like(a["x"])
        return self.function("softmax", *y.shape, a["x"], y), {"y": y}

    def _polynomial(self, a: Arrays) -> tuple[Callable[[], Any], Arrays]:
        y, self._work = np.empty_like(a["x"]), np.array(POLYNOMIAL)
        return self.function("polynomial", y.size, a["x"], self._work, y), {"y": y}

    def _l2_norm(self, a: Arrays) -> tuple[Callable[[], Any], Arrays]:
        run = self.function("l2_norm", a["x"].size, a["x"], returns=ctypes.c_double)
        results: Arrays = {}

        def call() -> None:
            results["norm"] = run()

        return call, results

    def _means(self, a: Arrays) -> tuple[Callable[[], Any], Arrays]:
        n, m = a["x"].shape
        columns, rows, self._work = np.empty(m), np.empty(n), np.empty((self.threads, m))
        return self.function("means", n, m, a["x"], columns, rows, self._work), {"columns": columns, "rows": rows}

    def _mandelbrot(self, a: Arrays) -> tuple[Callable[[], Any], Arrays]:
        count = np.empty_like(a["cr"])
        return self.function("mandelbrot", count.size, a["cr"], a["ci"], count), {"count": count}

    def _hash(self, a: Arrays) -> tuple[Callable[[], Any], Arrays]:
        y = np.empty_like(a["x"])
        return self.function("hash", y.size, a["x"], y), {"y": y}

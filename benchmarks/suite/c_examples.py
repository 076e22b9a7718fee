"""The NumPy programs in C: which function runs each, and on what memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from benchmarks.suite.programs import Arrays, Program

Call = Callable[[], Any]


class Library(Protocol):
    """The C programs."""

    threads: int

    def function(self, name: str, *arguments: Any) -> Call:
        """A call with fixed arguments."""
        ...


def _black_scholes(c: Library, a: Arrays, _steps: int) -> tuple[Call, Arrays]:
    results = {"call": np.empty_like(a["price"]), "put": np.empty_like(a["price"])}
    return c.function("black_scholes", a["price"].size, *a.values(), *results.values()), results


def _stencil(c: Library, a: Arrays, steps: int) -> tuple[Call, Arrays]:
    grid = a["grid"]
    return c.function("stencil", *grid.shape, steps, grid, grid.copy()), {"grid": grid}


def _heat3d(c: Library, a: Arrays, steps: int) -> tuple[Call, Arrays]:
    return c.function("heat", len(a["u"]), steps, a["u"], a["u"].copy()), {"u": a["u"]}


def _gray_scott(c: Library, a: Arrays, steps: int) -> tuple[Call, Arrays]:
    u, v = a["u"], a["v"]
    return c.function("gray_scott", len(u), steps, u, v, u.copy(), v.copy()), {"u": u, "v": v}


def _jacobi(c: Library, a: Arrays, steps: int) -> tuple[Call, Arrays]:
    x = a["x"]
    return c.function("jacobi", x.size, steps, a["rest"], a["diagonal"], a["b"], x, x.copy()), {"x": x}


def _cg(c: Library, a: Arrays, steps: int) -> tuple[Call, Arrays]:
    vectors, q = [a[name] for name in ("x", "r", "p")], np.zeros_like(a["p"])
    return c.function("grid_cg", len(q), steps, *vectors, q, a["rr"]), _of(a, "x", "r", "p", "rr")


def _cg_dense(c: Library, a: Arrays, steps: int) -> tuple[Call, Arrays]:
    vectors, q = [a[name] for name in ("matrix", "x", "r", "p")], np.zeros_like(a["p"])
    return c.function("dense_cg", q.size, steps, *vectors, q, a["rr"]), _of(a, "x", "r", "p", "rr")


def _bicgstab(c: Library, a: Arrays, steps: int) -> tuple[Call, Arrays]:
    vectors, scalars = ("shadow", "x", "r", "p", "v"), ("rho", "alpha", "omega")
    work = [np.zeros_like(a["x"]) for _ in range(2)]
    run = c.function("grid_bicgstab", len(a["x"]), steps, *_of(a, *vectors).values(), *work, *_of(a, *scalars).values())
    return run, _of(a, *vectors[1:], *scalars)


def _multigrid(c: Library, a: Arrays, steps: int) -> tuple[Call, Arrays]:
    u, right = a["u"], a["right"]
    n = len(u)
    # Three grids on each level below: less than a third of the finest's elements each, and something for their odd sides.
    work, rows = np.zeros(n * n + 16 * n), np.zeros((c.threads, 3, n))
    return c.function("multigrid", n, steps, u, u.copy(), right, work, rows), {"u": u}


def _cavity_flow(c: Library, a: Arrays, steps: int) -> tuple[Call, Arrays]:
    from benchmarks.suite.examples import program

    grids = list(a.values())
    sweeps = program("cavity_flow", "numpy").step.__globals__["SWEEPS"]
    work = [*(grid.copy() for grid in grids), np.zeros_like(grids[0])]
    return c.function("cavity_flow", len(grids[0]), steps, sweeps, *grids, *work), dict(a)


def _shallow_water(c: Library, a: Arrays, steps: int) -> tuple[Call, Arrays]:
    names = ("h", "hu", "hv")
    n = len(a["h"])
    state = np.stack([a[name] for name in names])
    a.update(zip(names, state, strict=True))  # views: what a program changes is found by name
    wide, rows = np.zeros((4, n + 4, n + 4)), np.zeros((c.threads, 24, n + 4))
    return c.function("shallow_water", n, steps, state, a["ground"], np.zeros_like(state), wide, rows), _of(a, *names)


def _nbody(c: Library, a: Arrays, steps: int) -> tuple[Call, Arrays]:
    run = c.function("nbody", a["mass"].size, steps, a["mass"], a["position"], a["velocity"])
    return run, _of(a, "position", "velocity")


def _of(a: Arrays, *names: str) -> Arrays:
    return {name: a[name] for name in names}


_BINDINGS: dict[str, Callable[[Library, Arrays, int], tuple[Call, Arrays]]] = {
    "black_scholes": _black_scholes,
    "stencil": _stencil,
    "heat3d": _heat3d,
    "gray_scott": _gray_scott,
    "jacobi": _jacobi,
    "cg": _cg,
    "cg:dense": _cg_dense,
    "bicgstab": _bicgstab,
    "multigrid": _multigrid,
    "cavity_flow": _cavity_flow,
    "shallow_water": _shallow_water,
    "nbody": _nbody,
}


def bound(library: Library, program: Program, arrays: Arrays) -> tuple[Call, Arrays] | None:
    """A call of all of a program's iterations, and where its results are; None for programs that are not written in C.

    The call keeps what it works in.
    """
    binding = _BINDINGS.get(program.example)
    return None if binding is None else binding(library, arrays, program.steps)

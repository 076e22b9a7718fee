"""The papers' programs through the public API: how many tasks are left of them, and that results keep their bits.

Where a count depends on an option of `fuse-tasks`, the passes run on the window that the session captured.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from helpers.dist_programs import groups, temporaries
from xdsl.dialects.builtin import ModuleOp

import fuseir
from fuseir import Session, Store
from fuseir.passes.pipelines import run_pipeline
from fuseir.runtime.compiler import Compiler, capture_module
from fuseir.runtime.plan import Plan
from fuseir.runtime.statistics import Statistics
from fuseir.runtime.window import Segment

Array = np.ndarray[Any, np.dtype[Any]]
Program = Callable[[Session], list[Store]]

ONE_WINDOW = 10_000
PAPER = "pointwise=false reductions=false reorder=false promote-scalars=false rename=false"

task = fuseir.task
ADD = task("task add(x: read, y: read, z: write) { z = x + y }")
SUB = task("task sub(x: read, y: read, z: write) { z = x - y }")
MUL = task("task mul(x: read, y: read, z: write) { z = x * y }")
DIV = task("task div(x: read, y: read, z: write) { z = x / y }")
SCALE = task("task scale(x: read, a: scalar, z: write) { z = x * a }")
COPY = task("task copy(x: read, z: write) { z = x }")
DOT = task("task dot(x: read, y: read, s: reduce<add>) { s += x * y }")
AXPY = task("task axpy(a: read, x: read, y: read_write) { y = y + a * x }")
AXMY = task("task axmy(a: read, x: read, y: read_write) { y = y - a * x }")
XPBY = task("task xpby(x: read, b: read, p: read_write) { p = x + b * p }")


def _tridiagonal(p: Array, q: Array) -> None:
    q[...] = 4.0 * p
    q[1:] -= p[:-1]
    q[:-1] -= p[1:]


SPMV = fuseir.opaque_task(_tridiagonal, ["read", "write"], name="spmv")


def run(program: Program, **options: Any) -> tuple[list[Array], Statistics]:
    """What the program's stores hold, and what the session counted."""
    session = Session(window=ONE_WINDOW, **options)
    with session:
        stores = program(session)
        session.flush()
    return [store.numpy() for store in stores], session.statistics


def counted(program: Program, tasks: int, *, exact: bool = True) -> Statistics:
    """What the session counted; the bits are those of the program unfused, and on the reference executor.

    ``exact`` is no for programs with transcendental functions: NumPy's differ from ours in the last places.
    """
    fused, statistics = run(program)
    for other in ({"fuse": False}, {"target": "reference"}):
        results, unfused = run(program, **other)
        if exact or "fuse" in other:
            assert [array.tobytes() for array in results] == [array.tobytes() for array in fused], other
        for ours, theirs in zip(fused, results, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)
        assert unfused.launches == tasks
    assert statistics.tasks == tasks
    assert statistics.fallbacks == 0
    return statistics


def fused(program: Program, options: str, patch: pytest.MonkeyPatch) -> ModuleOp:
    """What the first passes make of the program's one window, with these options of `fuse-tasks`."""
    windows: list[ModuleOp] = []
    plan = Compiler.plan

    def note(self: Compiler, segment: Segment) -> Plan:
        windows.append(capture_module(segment).module)
        return plan(self, segment)

    with patch.context() as inside:
        inside.setattr(Compiler, "plan", note)
        run(program, target="reference")
    (module,) = windows
    run_pipeline(
        module, (f"fuse-tasks{{{options}}}" if options else "fuse-tasks", "eliminate-temporaries"), verify=True
    )
    return module


def random_array(*shape: int) -> Array:
    return np.random.default_rng(len(shape)).uniform(1, 2, shape)


# Chains


def _example(name: str) -> ModuleType:
    path = Path(__file__).parents[2] / "examples" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_black_scholes_is_one_task():
    example = _example("black_scholes_tasks")

    def program(session: Session) -> list[Store]:
        rng = np.random.default_rng(0)
        inputs = [session.from_numpy(rng.uniform(*limits, 1000)) for limits in ((5, 30), (1, 100), (0.25, 10))]
        return list(example.black_scholes(example.FuseirArrays(), *inputs))

    assert counted(program, 61, exact=False).launches == 1


def test_d33_a_chain_of_67_element_wise_tasks_is_one():
    def program(session: Session) -> list[Store]:
        x, y = session.from_numpy(random_array(500)), session.from_numpy(random_array(500))
        for k in range(67):
            x = launched(session, (ADD, MUL, SUB, DIV)[k % 4], x, y)
        return [x]

    statistics = counted(program, 67)
    assert (statistics.launches, statistics.temporaries) == (1, 66)


def launched(session: Session, task: fuseir.Task, x: Store, *others: Any) -> Store:
    """The result of a task in a new store."""
    result = session.store(x.shape)
    session.launch(task, x, *others, result)
    return result


# Jacobi (Diffuse Fig. 9)

MATVEC = task("task matvec(a: read, x: read, y: reduce<add>) { y = sum(a * x, axis=1) }")


def jacobi(iterations: int, *, opaque: bool) -> Program:
    def program(session: Session) -> list[Store]:
        n = 24
        x, b, d = (session.from_numpy(random_array(n)) for _ in range(3))
        a = session.from_numpy(random_array(n, n))
        for _ in range(iterations):
            if opaque:
                product = session.store(n)
                session.launch(SPMV, x, product)
            else:
                product = session.zeros(n)
                # On a domain of its own: as many pieces as columns allow, as libraries with kernels of their own choose.
                rows = fuseir.Tiling.of([8, n], None, fuseir.IndexMap(1, (_P, _HERE)))
                session.launch(
                    MATVEC, a, x, product, domain=(3,), partitions=[rows, fuseir.NonePartition(), fuseir.Tiling.of([8])]
                )
            x = launched(session, DIV, launched(session, SUB, b, product), d)
        return [x]

    return program


_P, _HERE = fuseir.Coordinate(0, 1, 0), fuseir.Coordinate(None, 0, 0)


@pytest.mark.parametrize("opaque", [True, False], ids=["opaque", "another-domain"])
def test_d22_jacobi_is_two_tasks_an_iteration(opaque: bool, monkeypatch: pytest.MonkeyPatch):
    program = jacobi(5, opaque=opaque)
    assert counted(program, 15).launches == 10
    for options in ("", "reorder=false", PAPER):
        assert [len(group) for group in groups(fused(program, options, monkeypatch))] == 5 * [1, 2]


# Temporaries (Diffuse Fig. 6)


def test_d40_only_z_is_a_temporary(monkeypatch: pytest.MonkeyPatch):
    square = task("task square(x: read, z: write) { z = x * x }")

    def program(session: Session) -> list[Store]:
        x, y = session.from_numpy(random_array(64)), session.from_numpy(random_array(64))
        z = launched(session, SCALE, x, 2.0)
        w = launched(session, ADD, y, z)
        v = launched(session, square, w)
        norm = session.zeros(())
        session.launch(DOT, w[32:], w[32:], norm)
        del z
        return [v, norm]

    statistics = counted(program, 4)
    assert (statistics.launches, statistics.temporaries) == (2, 1)
    module = fused(program, "", monkeypatch)
    assert [len(group) for group in groups(module)] == [3, 1]
    assert [len(names) for names in temporaries(module)] == [1]


# Stencils (Diffuse §2)


def stencil(iterations: int, *shape: int) -> Program:
    """The middle becomes a mean of itself and its neighbours: a sum of shifted views, scaled, and copied back."""

    def program(session: Session) -> list[Store]:
        grid = session.from_numpy(random_array(*shape))
        for _ in range(iterations):
            first, *others = neighbours(grid)
            total = launched(session, ADD, first, others[0])
            for other in others[1:]:
                total = launched(session, ADD, total, other)
            session.launch(COPY, launched(session, SCALE, total, 1 / len(others)), first)
        return [grid]

    return program


def neighbours(grid: Store) -> Sequence[Store]:
    """The middle, what lies around it, and one of these again: six views, so five sums."""
    if len(grid.shape) == 1:
        return [grid[2:-2], grid[:-4], grid[1:-3], grid[3:-1], grid[4:], grid[:-4]]
    return [
        grid[1:-1, 1:-1],
        grid[:-2, 1:-1],
        grid[2:, 1:-1],
        grid[1:-1, :-2],
        grid[1:-1, 2:],
        grid[:-2, 1:-1],
    ]


@pytest.mark.parametrize("shape", [(100,), (34, 34)], ids=["1-D", "2-D"])
def test_d20_a_stencil_is_one_task_an_iteration(shape: tuple[int, ...], monkeypatch: pytest.MonkeyPatch):
    program = stencil(4, *shape)
    statistics = counted(program, 28)
    assert statistics.launches == 4
    carries = 2 * len(shape)
    members = [len(group) for group in groups(fused(program, "", monkeypatch))]
    assert members == 4 * [7 + carries]
    for options in ("rename=false", PAPER):
        # As the paper has it: the copy waits for all reads, and the next iteration for the copy.
        assert [len(group) for group in groups(fused(program, options, monkeypatch))] == 4 * [6, 1]


# Krylov solvers


def conjugate_gradients(iterations: int) -> Program:
    def program(session: Session) -> list[Store]:
        n = 1000
        x, rs = session.zeros(n), session.zeros(())
        r, p = session.from_numpy(random_array(n)), session.from_numpy(random_array(n))
        session.launch(DOT, r, r, rs)
        for _ in range(iterations):
            q = launched(session, SPMV, p)
            alpha = launched(session, DIV, rs, dot(session, p, q))
            session.launch(AXPY, alpha, p, x)
            session.launch(AXMY, alpha, q, r)
            new = dot(session, r, r)
            session.launch(XPBY, r, launched(session, DIV, new, rs), p)
            rs = new
        return [x, r, rs]

    return program


def dot(session: Session, x: Store, y: Store) -> Store:
    result = session.zeros(())
    session.launch(DOT, x, y, result)
    return result


def test_d36_conjugate_gradients_is_four_tasks_an_iteration(monkeypatch: pytest.MonkeyPatch):
    # Product; dot; alpha, update of r, dot; beta, updates of p and x, which reads p. The first dot needs nothing and stands alone.
    statistics = counted(conjugate_gradients(10), 81)
    assert statistics.launches == 41
    module = fused(conjugate_gradients(2), "", monkeypatch)
    iteration = [
        ["spmv_d1_d1"],
        ["dot_d1_d1_d0"],
        ["div_d0_d0_d0", "axmy_d0_d1_d1", "dot_d1_d1_d0"],
        ["axpy_d0_d1_d1", "div_d0_d0_d0", "xpby_d1_d0_d1"],
    ]
    assert groups(module) == [["dot_d1_d1_d0"], *iteration, *iteration]
    # Scalar tasks at one point stand between, and so do the dots they need.
    without = groups(fused(conjugate_gradients(2), "promote-scalars=false", monkeypatch))
    assert len(without) > 1 + 2 * 4


def bicgstab(iterations: int) -> Program:
    beta_task = task(
        "task beta(new: read, old: read, alpha: read, omega: read, z: write) { z = (new / old) * (alpha / omega) }"
    )
    direction = task("task direction(r: read, b: read, w: read, v: read, p: read_write) { p = r + b * (p - w * v) }")
    minus = task("task minus(x: read, a: read, y: read, z: write) { z = x - a * y }")

    def program(session: Session) -> list[Store]:
        n = 1000
        x, r = session.zeros(n), session.from_numpy(random_array(n))
        shadow, p = session.from_numpy(random_array(n)), session.from_numpy(random_array(n))
        rho = dot(session, shadow, r)
        for _ in range(iterations):
            v = launched(session, SPMV, p)
            alpha = launched(session, DIV, rho, dot(session, shadow, v))
            s = launched(session, minus, r, alpha, v)
            t = launched(session, SPMV, s)
            omega = launched(session, DIV, dot(session, t, s), dot(session, t, t))
            session.launch(AXPY, alpha, p, x)
            session.launch(AXPY, omega, s, x)
            session.launch(minus, s, omega, t, r)
            new = dot(session, shadow, r)
            beta = session.store(())
            session.launch(beta_task, new, rho, alpha, omega, beta)
            session.launch(direction, r, beta, omega, v, p)
            rho = new
        return [x, r, p]

    return program


def test_bicgstab_is_fused_as_far_as_its_dot_products_allow():
    # Products; dot; alpha, s; both dots; omega, both updates of x, r, dot; beta, direction.
    statistics = counted(bicgstab(6), 1 + 6 * 14)
    print(f"BiCGSTAB: {statistics.tasks} tasks, {statistics.launches} launches")
    assert statistics.launches == 1 + 6 * 7

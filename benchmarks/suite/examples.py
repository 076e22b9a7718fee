"""The NumPy programs of ``examples/`` as benchmarks: a call is some iterations of one of them.

NumPy, FuseIR, JAX, Numba and torch run the very source, each with its own idea of ``np``. JAX has no assignments to parts of arrays: they
are rewritten to its ``.at[].set()``.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.suite.programs import HEAT_STEPS, PROGRAMS, STENCIL_STEPS, Arrays, Program
from examples import common


@functools.cache
def program(example: str, package: str) -> common.Program:
    """A program by its file's name, ``:`` and its variant, computing with a package."""
    name, _, variant = example.partition(":")
    if package == "jax.numpy":
        return common.Program(without_assignments(name), package, variant)
    return common.load(name, package, variant)


def without_assignments(name: str) -> dict[str, Any]:
    """A program's module with ``x = x.at[part].set(value)`` for ``x[part] = value``, and so on."""
    path = Path(common.__file__).with_name(f"{name}.py")
    tree = ast.fix_missing_locations(_Functional().visit(ast.parse(path.read_text(encoding="utf-8"))))
    namespace: dict[str, Any] = {"__name__": f"{name}_without_assignments"}
    exec(compile(tree, str(path), "exec"), namespace)
    return namespace


class _Functional(ast.NodeTransformer):
    def visit_Assign(self, node: ast.Assign) -> ast.stmt:
        (target,) = node.targets
        return _replaced(target, node.value) if isinstance(target, ast.Subscript) else node

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.stmt:
        target = node.target
        if not isinstance(target, ast.Subscript):
            return node
        before = ast.Subscript(target.value, target.slice, ast.Load())
        return _replaced(target, ast.BinOp(before, node.op, node.value))


def _replaced(target: ast.Subscript, value: ast.expr) -> ast.stmt:
    array = ast.unparse(target.value)
    (statement,) = ast.parse(f"{array} = {array}.at[0].set(0)").body
    call = statement.value
    call.func.value.slice, call.args = target.slice, [value]
    return statement


def _inputs(example: str) -> Callable[[int, np.random.Generator], Arrays]:
    return lambda n, _random: {name: np.asarray(value) for name, value in program(example, "numpy").setup(n).items()}


def _run(example: str) -> Callable[[Any, Arrays], Arrays]:
    def run(ops: Any, arrays: Arrays) -> Arrays:
        found = program(example, ops.package)
        return dict(zip(found.returns, found.step(**arrays), strict=True))

    return run


_STEPS = {
    "black_scholes": 1,
    "stencil": STENCIL_STEPS,
    "heat3d": HEAT_STEPS,
    "gray_scott": 4,
    "jacobi": 4,
    "cg": 4,
    "cg:dense": 4,
    "bicgstab": 4,
    "bicgstab:dense": 4,
    "multigrid": 2,
    "cavity_flow": 2,
    "channel_flow": 2,
    "shallow_water": 2,
    "nbody": 4,
    "logistic_regression": 4,
    "kmeans": 4,
}


def _program(example: str, steps: int) -> Program:
    found = program(example, "numpy")
    state = tuple(name for name in found.returns if name in found.takes)
    name = f"np.{example.replace(':', '_')}"
    return Program(name, _inputs(example), _run(example), state, steps=steps, example=example)


EXAMPLES: dict[str, Program] = {found.name: found for found in (_program(*item) for item in _STEPS.items())}
ALL_PROGRAMS = PROGRAMS | EXAMPLES

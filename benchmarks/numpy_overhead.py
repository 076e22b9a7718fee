"""What an operation of fuseir.numpy costs before it runs, by kind; next to NumPy's own call, on arrays of ten elements.

    python benchmarks/numpy_overhead.py [part of an operation …]

Prints microseconds an operation, the shortest of many short rounds: of all operations, or of those that contain one of the texts. What runs
them later is not in it: benchmarks/overhead.py has that.
"""

from __future__ import annotations

import sys
import time
from typing import Any

import numpy  # noqa: ICN001 (both have the usual short name in turn)

import fuseir
import fuseir.numpy

COUNT = 10
ROUNDS = 300
KINDS = """
x + y | x + 2.0 | 2.0 - x | x + 2 | s * x | -x | x**2 | x > 0.0 | x > y | z.__iadd__(y) | z.__imul__(2.0) | z.__imul__(s)
np.sqrt(x) | np.maximum(x, y) | np.maximum(x, 0.0) | np.sqrt(x, out=z) | np.add(x, y, out=z) | np.maximum(x, 0.0, out=z)
np.where(m, x, y) | np.where(m, x, 0.0) | np.where(m, 1.0, 0.0) | np.clip(x, 0.0, 1.0)
x.sum() | np.sum(x) | A.sum(axis=0) | np.sum(A, axis=1) | A.sum(axis=1, keepdims=True) | x.mean() | np.mean(x) | np.max(x) | m.any()
np.argmin(A, axis=1) | x @ y | np.dot(x, y) | np.vdot(x, y) | A @ x | A.T @ x | A @ A | np.linalg.norm(x)
x[1:-1] | A[1:-1, 1:-1] | A[2] | x[3] | A[:, None] | A.T | x.reshape(5, 2) | x.reshape(10, 1) | np.expand_dims(x, 0)
z.__setitem__(slice(1, -1), v) | z.__setitem__(slice(1, -1), 0.0) | z.__setitem__(slice(1, -1), z[2:]) | z.__setitem__(3, 0.0)
z.__setitem__(m, 0.0) | np.zeros(10) | np.zeros((5, 2)) | np.empty((5, 2)) | np.zeros_like(x) | np.empty_like(x) | np.full(10, 2.0)
x.copy() | x.astype(np.float32) | m.astype(x.dtype) | np.concatenate((x, y)) | np.stack((x, y, z)) | np.roll(x, 1) | np.roll(A, 1, axis=0)
np.pad(x, 1) | np.diff(x) | np.sort(x) | np.cumsum(x) | x[i] | z.__setitem__(i, 1.0) | g.normal(size=10)
"""


def names(np: Any) -> dict[str, Any]:
    x = np.ones(10)
    return {
        "np": np, "x": x, "y": np.ones(10), "z": np.ones(10), "v": np.ones(8), "s": x.sum(), "A": np.ones((10, 10)), "m": x > 0,
        "i": np.array([1, 2]), "g": np.random.default_rng(0),
    }  # fmt: skip


def microseconds(expression: str, np: Any) -> float:
    """The shortest of some rounds, for one operation. What was captured runs between rounds."""
    given = names(np)
    source = f"def calls({', '.join(given)}):\n" + f"    {expression}\n" * COUNT
    namespace: dict[str, Any] = {}
    exec(source, namespace)
    best = float("inf")
    for _ in range(ROUNDS):
        fuseir.flush()
        start = time.perf_counter()
        namespace["calls"](**given)
        best = min(best, time.perf_counter() - start)
    return best / COUNT * 1e6


def main(wanted: list[str]) -> None:
    """Prints a line an operation."""
    print(f"{'operation':44} {'fuseir.numpy':>12} {'NumPy':>8}")
    for expression in " | ".join(KINDS.strip().split("\n")).split("|"):
        shown = expression.strip()
        if not wanted or any(text in shown for text in wanted):
            print(f"{shown:44} {microseconds(shown, fuseir.numpy):12.2f} {microseconds(shown, numpy):8.2f}")


if __name__ == "__main__":
    # Nothing is cut from the window, and no traces are looked for.
    with fuseir.Session(window=1 << 20, max_window=1 << 20, trace=False):
        main(sys.argv[1:])

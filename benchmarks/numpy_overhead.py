"""What an operation of fuseir.numpy costs before it runs, by kind; next to NumPy's own call, on arrays of ten elements.

    python benchmarks/numpy_overhead.py

Prints microseconds an operation, the shortest of many rounds. What runs them later is not in it:
benchmarks/overhead.py has that.
"""

from __future__ import annotations

import time
from typing import Any

import numpy  # noqa: ICN001 (both have the usual short name in turn)

import fuseir
import fuseir.numpy

COUNT = 200
ROUNDS = 40
KINDS = """
x + y | x + 2.0 | x + 2 | np.sqrt(x) | np.maximum(x, y) | np.add(x, y, out=z) | z.__iadd__(y) | np.where(m, x, y) | np.clip(x, 0.0, 1.0)
x.sum() | np.sum(x) | A.sum(axis=0) | A.sum(axis=1, keepdims=True) | x.mean() | x.max() | m.any() | x @ y | np.dot(x, y) | A @ x | A @ A
np.linalg.norm(x) | x[1:-1] | A[1:-1, 1:-1] | A[2] | x[3] | A[:, None] | A.T | x.reshape(5, 2) | z.__setitem__(slice(1, -1), y[1:-1])
z.__setitem__(slice(1, -1), 0.0) | np.zeros(10) | np.empty_like(x) | x.copy() | x.astype(np.float32) | np.concatenate((x, y))
np.roll(x, 1) | np.sort(x) | np.cumsum(x) | x[i] | z.__setitem__(i, 1.0) | g.normal(size=10)
"""


def names(np: Any) -> dict[str, Any]:
    x = np.ones(10)
    return {
        "np": np, "x": x, "y": np.ones(10), "z": np.ones(10), "A": np.ones((10, 10)), "m": x > 0, "i": np.array([1, 2]),
        "g": np.random.default_rng(0),
    }  # fmt: skip


def microseconds(expression: str, np: Any) -> float:
    """The shortest of some rounds, for one operation. What was captured runs between rounds."""
    code = compile(expression, expression, "eval")
    given = names(np)
    best = float("inf")
    for _ in range(ROUNDS):
        fuseir.flush()
        start = time.perf_counter()
        for _ in range(COUNT):
            eval(code, given)
        best = min(best, time.perf_counter() - start)
    return best / COUNT * 1e6


def main() -> None:
    print(f"{'operation':44} {'fuseir.numpy':>12} {'NumPy':>8}")
    for expression in " | ".join(KINDS.split("\n")).split("|"):
        if shown := expression.strip():
            print(f"{shown:44} {microseconds(shown, fuseir.numpy):12.2f} {microseconds(shown, numpy):8.2f}")


if __name__ == "__main__":
    with fuseir.Session(window=2 * COUNT * len(KINDS)):
        main()

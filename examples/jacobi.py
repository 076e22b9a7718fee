"""Jacobi's method for a dense linear system: x ← (b − R·x) / d, with R the matrix without its diagonal d."""

from math import isqrt

import numpy as np

RETURNS = ("x",)
EXACT = False


def setup(size):
    n = max(2, isqrt(size))
    random = np.random.default_rng(1)
    matrix = random.uniform(-1.0, 1.0, (n, n))
    diagonal = np.abs(matrix).sum(axis=1) + 1.0  # dominates the row, so that the iteration converges
    return {
        "rest": matrix * (1.0 - np.eye(n)),
        "diagonal": diagonal,
        "b": random.uniform(-1.0, 1.0, n),
        "x": np.zeros(n),
    }


def step(rest, diagonal, b, x):
    x = (b - rest @ x) / diagonal
    return (x,)


if __name__ == "__main__":
    from common import main

    raise SystemExit(main(globals()))

"""The conjugate gradient method.

The matrix is the Laplace operator of a square grid, applied by slices; its vectors are grids with a border of zeros. In the variant
"dense" it is a full symmetric matrix.
"""

from math import isqrt

import numpy as np

RETURNS = ("x", "r", "p", "rr")
CHECKED = ("x",)
EXACT = False


def start(b):
    """The state for x = 0: the residual is b."""
    return {"x": np.zeros_like(b), "r": b, "p": b.copy(), "rr": np.sum(b * b)}


def setup(size):
    n = max(3, isqrt(size))
    b = np.zeros((n, n))
    b[1:-1, 1:-1] = np.random.default_rng(1).uniform(-1.0, 1.0, (n - 2, n - 2))
    return start(b)


def setup_dense(size):
    n = max(2, isqrt(size))
    random = np.random.default_rng(1)
    matrix = random.uniform(-1.0, 1.0, (n, n))
    matrix = 0.5 * (matrix + matrix.T) + n * np.eye(n)
    return {"matrix": matrix, **start(random.uniform(-1.0, 1.0, n))}


def laplacian(p):
    q = np.zeros_like(p)
    q[1:-1, 1:-1] = 4.0 * p[1:-1, 1:-1] - p[:-2, 1:-1] - p[2:, 1:-1] - p[1:-1, :-2] - p[1:-1, 2:]
    return q


def improve(x, r, p, rr, q):
    """One step along p, where q is the matrix times p."""
    alpha = rr / np.sum(p * q)
    x += alpha * p
    r -= alpha * q
    rr_after = np.sum(r * r)
    p *= rr_after / rr
    p += r
    return x, r, p, rr_after


def step(x, r, p, rr):
    return improve(x, r, p, rr, laplacian(p))


def step_dense(matrix, x, r, p, rr):
    return improve(x, r, p, rr, matrix @ p)


if __name__ == "__main__":
    from common import main

    raise SystemExit(main(globals()))

"""Poisson's equation on the unit square by geometric multigrid: each iteration is one V-cycle.

Weighted Jacobi smooths, residuals are restricted by full weighting, corrections are interpolated bilinearly. Grids have 2^k + 1 points a
side, and zeros on their border.
"""

from math import log2

import numpy as np

WEIGHT = 0.8
SMOOTHINGS = 2  # before and after each coarse correction
COARSEST = 3  # points a side
RETURNS = ("u",)
EXACT = True


def setup(size):
    n = 2 ** max(1, round(log2(size) / 2)) + 1
    x = np.linspace(0.0, 1.0, n)
    right = np.zeros((n, n))
    right[1:-1, 1:-1] = (x[1:-1] * (1.0 - x[1:-1]))[:, None] * (x[1:-1] - 0.3)
    return {"u": np.zeros((n, n)), "right": right}


def residual(u, right):
    """right + the Laplacian of u (times the square of the number of cells a side)."""
    n = u.shape[0]
    scale = float((n - 1) ** 2)
    r = np.zeros((n, n))
    around = u[:-2, 1:-1] + u[2:, 1:-1] + u[1:-1, :-2] + u[1:-1, 2:]
    r[1:-1, 1:-1] = right[1:-1, 1:-1] - scale * (4.0 * u[1:-1, 1:-1] - around)
    return r


def smooth(u, right):
    scale = 1.0 / (u.shape[0] - 1) ** 2
    for _ in range(SMOOTHINGS):
        around = u[:-2, 1:-1] + u[2:, 1:-1] + u[1:-1, :-2] + u[1:-1, 2:]
        wanted = 0.25 * (around + scale * right[1:-1, 1:-1])
        u[1:-1, 1:-1] += WEIGHT * (wanted - u[1:-1, 1:-1])
    return u


def restrict(fine):
    """Full weighting: the nine points around each coarse one."""
    n = fine.shape[0] // 2 + 1
    coarse = np.zeros((n, n))
    beside = fine[1:-2:2, 2:-2:2] + fine[3::2, 2:-2:2] + fine[2:-2:2, 1:-2:2] + fine[2:-2:2, 3::2]
    corners = fine[1:-2:2, 1:-2:2] + fine[1:-2:2, 3::2] + fine[3::2, 1:-2:2] + fine[3::2, 3::2]
    coarse[1:-1, 1:-1] = 0.25 * fine[2:-2:2, 2:-2:2] + 0.125 * beside + 0.0625 * corners
    return coarse


def correct(u, coarse):
    """Adds the coarse correction, interpolated."""
    u[::2, ::2] += coarse
    u[1::2, ::2] += 0.5 * (coarse[:-1, :] + coarse[1:, :])
    u[::2, 1::2] += 0.5 * (coarse[:, :-1] + coarse[:, 1:])
    u[1::2, 1::2] += 0.25 * (coarse[:-1, :-1] + coarse[1:, :-1] + coarse[:-1, 1:] + coarse[1:, 1:])
    return u


def step(u, right):
    u = smooth(u, right)
    n = u.shape[0]
    if n > COARSEST:
        coarse_right = restrict(residual(u, right))
        (error,) = step(np.zeros(coarse_right.shape), coarse_right)
        u = correct(u, error)
    u = smooth(u, right)
    return (u,)


if __name__ == "__main__":
    from common import main

    raise SystemExit(main(globals()))

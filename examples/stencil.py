"""The five-point stencil: every inner point becomes the mean of itself and its four neighbours."""

from math import isqrt

import numpy as np

RETURNS = ("grid",)
EXACT = True


def setup(size):
    n = max(3, isqrt(size))
    grid = np.zeros((n, n))
    grid[0, :] = 1.0
    grid[:, 0] = np.linspace(1.0, 0.0, n)
    grid[1:-1, 1:-1] = 0.5
    return {"grid": grid}


def step(grid):
    centre = grid[1:-1, 1:-1]
    north, south = grid[:-2, 1:-1], grid[2:, 1:-1]
    west, east = grid[1:-1, :-2], grid[1:-1, 2:]
    average = 0.2 * (centre + north + south + west + east)
    grid[1:-1, 1:-1] = average
    return (grid,)


if __name__ == "__main__":
    from common import main

    raise SystemExit(main(globals()))

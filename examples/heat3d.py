"""The heat equation in three dimensions, explicit in time: the seven-point stencil."""

import numpy as np

RETURNS = ("u",)
EXACT = True


def setup(size):
    n = max(3, round(size ** (1 / 3)))
    x = np.linspace(0.0, 1.0, n)
    u = np.zeros((n, n, n))
    u[:, :, :] = x[:, None, None] * (1.0 - x[None, :, None]) + x[None, None, :]
    u[n // 4 : n // 2, n // 3 : n // 2, n // 4 : n // 2] = 5.0
    return {"u": u}


def step(u):
    centre = u[1:-1, 1:-1, 1:-1]
    around = (
        u[:-2, 1:-1, 1:-1]
        + u[2:, 1:-1, 1:-1]
        + u[1:-1, :-2, 1:-1]
        + u[1:-1, 2:, 1:-1]
        + u[1:-1, 1:-1, :-2]
        + u[1:-1, 1:-1, 2:]
    )
    u[1:-1, 1:-1, 1:-1] += 0.1 * (around - 6.0 * centre)
    return (u,)


if __name__ == "__main__":
    from common import main

    raise SystemExit(main(globals()))

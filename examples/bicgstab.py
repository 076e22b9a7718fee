"""BiCGSTAB, for systems whose matrix is not symmetric.

The matrix is a convection-diffusion operator on a square grid, applied by slices; its vectors are grids with a border of zeros. In the
variant "dense" it is a full matrix.
"""

from math import isqrt

import numpy as np

WIND = 0.4  # convection in x over diffusion, in each cell
RETURNS = ("x", "r", "p", "v", "rho", "alpha", "omega")
CHECKED = ("x",)
EXACT = False


def start(b):
    """The state for x = 0: the residual is b, and so is the shadow residual."""
    vectors = {"shadow": b, "x": np.zeros_like(b), "r": b.copy(), "p": np.zeros_like(b), "v": np.zeros_like(b)}
    return {**vectors, "rho": np.ones(()), "alpha": np.ones(()), "omega": np.ones(())}


def setup(size):
    n = max(3, isqrt(size))
    b = np.zeros((n, n))
    b[1:-1, 1:-1] = np.random.default_rng(1).uniform(-1.0, 1.0, (n - 2, n - 2))
    return start(b)


def setup_dense(size):
    n = max(2, isqrt(size))
    random = np.random.default_rng(1)
    matrix = random.uniform(-1.0, 1.0, (n, n)) + n * np.eye(n)
    return {"matrix": matrix, **start(random.uniform(-1.0, 1.0, n))}


def transport(u):
    """Diffusion minus the neighbours, and wind from the west."""
    result = np.zeros_like(u)
    west, east = u[1:-1, :-2], u[1:-1, 2:]
    diffusion = 4.0 * u[1:-1, 1:-1] - u[:-2, 1:-1] - u[2:, 1:-1] - west - east
    result[1:-1, 1:-1] = diffusion + WIND * (east - west)
    return result


def direction(shadow, r, p, v, rho, alpha, omega):
    """The next search direction, and the shadow residual's product with the residual."""
    rho_after = np.sum(shadow * r)
    beta = (rho_after / rho) * (alpha / omega)
    return r + beta * (p - omega * v), rho_after


def stabilised(x, s, p, t, alpha):
    """The solution and the residual after the step along p and the one along the residual s; t is the matrix times s."""
    omega = np.sum(t * s) / np.sum(t * t)
    x += alpha * p + omega * s
    return x, s - omega * t, omega


def step(shadow, x, r, p, v, rho, alpha, omega):
    p, rho = direction(shadow, r, p, v, rho, alpha, omega)
    v = transport(p)
    alpha = rho / np.sum(shadow * v)
    s = r - alpha * v
    x, r, omega = stabilised(x, s, p, transport(s), alpha)
    return x, r, p, v, rho, alpha, omega


def step_dense(matrix, shadow, x, r, p, v, rho, alpha, omega):
    p, rho = direction(shadow, r, p, v, rho, alpha, omega)
    v = matrix @ p
    alpha = rho / np.sum(shadow * v)
    s = r - alpha * v
    x, r, omega = stabilised(x, s, p, matrix @ s, alpha)
    return x, r, p, v, rho, alpha, omega


if __name__ == "__main__":
    from common import main

    raise SystemExit(main(globals()))

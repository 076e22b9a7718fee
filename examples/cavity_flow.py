"""Flow in a cavity whose lid moves: the incompressible Navier–Stokes equations, explicit in time, with a pressure equation each step.

The finite differences of the well-known "12 steps to Navier–Stokes": upwind convection, central diffusion, and the pressure by a number
of Jacobi sweeps.
"""

from math import isqrt

import numpy as np

DENSITY, VISCOSITY, LID = 1.0, 0.1, 1.0
SWEEPS = 20
RETURNS = ("u", "v", "p")
EXACT = True


def setup(size):
    n = max(5, isqrt(size))
    u = np.zeros((n, n))
    u[-1, :] = LID
    return {"u": u, "v": np.zeros((n, n)), "p": np.zeros((n, n))}


def pressure_source(u, v, h, dt):
    """The right side of the pressure equation at inner points: what makes the next velocities free of divergence."""
    du_dx = (u[1:-1, 2:] - u[1:-1, :-2]) / (2.0 * h)
    dv_dy = (v[2:, 1:-1] - v[:-2, 1:-1]) / (2.0 * h)
    du_dy = (u[2:, 1:-1] - u[:-2, 1:-1]) / (2.0 * h)
    dv_dx = (v[1:-1, 2:] - v[1:-1, :-2]) / (2.0 * h)
    return DENSITY * ((du_dx + dv_dy) / dt - du_dx**2 - 2.0 * du_dy * dv_dx - dv_dy**2)


def solve_pressure(p, source, h):
    for _ in range(SWEEPS):
        pn = p.copy()
        around = pn[1:-1, 2:] + pn[1:-1, :-2] + pn[2:, 1:-1] + pn[:-2, 1:-1]
        p[1:-1, 1:-1] = 0.25 * (around - h * h * source)
        p[:, -1] = p[:, -2]
        p[0, :] = p[1, :]
        p[:, 0] = p[:, 1]
        p[-1, :] = 0.0
    return p


def moved(q, u, v, h, dt):
    """A velocity at inner points after convection and diffusion."""
    centre, west, south = q[1:-1, 1:-1], q[1:-1, :-2], q[:-2, 1:-1]
    convection = u[1:-1, 1:-1] * (centre - west) + v[1:-1, 1:-1] * (centre - south)
    diffusion = q[1:-1, 2:] + q[2:, 1:-1] + west + south - 4.0 * centre
    return centre - dt / h * convection + VISCOSITY * dt / (h * h) * diffusion


def at_rest(q, lid):
    """A velocity that is zero at the walls, and the lid's at the lid."""
    q[0, :] = 0.0
    q[:, 0] = 0.0
    q[:, -1] = 0.0
    q[-1, :] = lid
    return q


def step(u, v, p):
    h = 2.0 / (u.shape[0] - 1)
    dt = 0.2 * min(h * h / VISCOSITY, h / LID)
    p = solve_pressure(p, pressure_source(u, v, h, dt), h)
    un, vn = u.copy(), v.copy()
    push = dt / (2.0 * DENSITY * h)
    u[1:-1, 1:-1] = moved(un, un, vn, h, dt) - push * (p[1:-1, 2:] - p[1:-1, :-2])
    v[1:-1, 1:-1] = moved(vn, un, vn, h, dt) - push * (p[2:, 1:-1] - p[:-2, 1:-1])
    return at_rest(u, LID), at_rest(v, 0.0), p


if __name__ == "__main__":
    from common import main

    raise SystemExit(main(globals()))

"""Flow through a channel that is driven by a constant force, periodic along it: the last of the "12 steps to Navier–Stokes".

Columns wrap around: the inner columns, the first and the last are written apart, as the slices ask for.
"""

from math import isqrt

import numpy as np

DENSITY, VISCOSITY, FORCE = 1.0, 0.1, 1.0
SWEEPS = 20
RETURNS = ("u", "v", "p")
EXACT = True


def setup(size):
    n = max(5, isqrt(size))
    y = np.linspace(0.0, 2.0, n)
    u = np.zeros((n, n))
    u[:, :] = (0.5 * y * (2.0 - y))[:, None]
    v = np.zeros((n, n))
    v[1:-1, n // 3 : n // 2] = 0.05
    return {"u": u, "v": v, "p": np.zeros((n, n))}


def neighbours(q):
    """Centre, west, east, south and north of the inner rows, of all columns: the ends meet."""
    west = np.concatenate((q[1:-1, -1:], q[1:-1, :-1]), axis=1)
    east = np.concatenate((q[1:-1, 1:], q[1:-1, :1]), axis=1)
    return q[1:-1, :], west, east, q[:-2, :], q[2:, :]


def pressure_source(u, v, h, dt):
    _, u_west, u_east, u_south, u_north = neighbours(u)
    _, v_west, v_east, v_south, v_north = neighbours(v)
    du_dx, dv_dy = (u_east - u_west) / (2.0 * h), (v_north - v_south) / (2.0 * h)
    du_dy, dv_dx = (u_north - u_south) / (2.0 * h), (v_east - v_west) / (2.0 * h)
    return DENSITY * ((du_dx + dv_dy) / dt - du_dx**2 - 2.0 * du_dy * dv_dx - dv_dy**2)


def solve_pressure(p, source, h):
    for _ in range(SWEEPS):
        pn = p.copy()
        p[1:-1, 1:-1] = 0.25 * (pn[1:-1, 2:] + pn[1:-1, :-2] + pn[2:, 1:-1] + pn[:-2, 1:-1] - h * h * source[:, 1:-1])
        p[1:-1, -1] = 0.25 * (pn[1:-1, 0] + pn[1:-1, -2] + pn[2:, -1] + pn[:-2, -1] - h * h * source[:, -1])
        p[1:-1, 0] = 0.25 * (pn[1:-1, 1] + pn[1:-1, -1] + pn[2:, 0] + pn[:-2, 0] - h * h * source[:, 0])
        p[-1, :] = p[-2, :]
        p[0, :] = p[1, :]
    return p


def moved(q, u, v, h, dt):
    centre, west, east, south, north = neighbours(q)
    convection = u[1:-1, :] * (centre - west) + v[1:-1, :] * (centre - south)
    return centre - dt / h * convection + VISCOSITY * dt / (h * h) * (east + north + west + south - 4.0 * centre)


def at_rest(q):
    """A velocity that is zero at both walls."""
    q[0, :] = 0.0
    q[-1, :] = 0.0
    return q


def step(u, v, p):
    h = 2.0 / (u.shape[0] - 1)
    dt = 0.2 * min(h * h / VISCOSITY, h)
    p = solve_pressure(p, pressure_source(u, v, h, dt), h)
    un, vn = u.copy(), v.copy()
    _, p_west, p_east, p_south, p_north = neighbours(p)
    push = dt / (2.0 * DENSITY * h)
    u[1:-1, :] = moved(un, un, vn, h, dt) - push * (p_east - p_west) + dt * FORCE
    v[1:-1, :] = moved(vn, un, vn, h, dt) - push * (p_north - p_south)
    return at_rest(u), at_rest(v), p


if __name__ == "__main__":
    from common import main

    raise SystemExit(main(globals()))

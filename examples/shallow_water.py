"""The shallow water equations over uneven ground: a dam breaks, and water floods dry land.

Second order in space and time: MUSCL reconstruction with the minmod limiter, hydrostatic reconstruction at the edges of cells (Audusse et
al. 2004), HLLC fluxes (Toro, Shock-Capturing Methods for Free-Surface Shallow Flows, 2001, chapter 10), and Heun's two stages. Cells with
hardly any water are dry. Walls reflect: two rows of cells beyond each border mirror the inner ones.
"""

from math import isqrt

import numpy as np

GRAVITY, COURANT, DRY = 9.81, 0.4, 1e-4
RETURNS = ("h", "hu", "hv")
EXACT = True


def setup(size):
    n = max(9, isqrt(size))
    x = (np.arange(n) + 0.5) / n
    ground = 0.3 * x[None, :] + np.maximum(0.0, 0.8 - 12.0 * ((x[:, None] - 0.4) ** 2 + (x[None, :] - 0.6) ** 2))
    surface = np.where((x < 0.35)[None, :], 2.0 - 0.2 * x[:, None], 0.5)
    return {"h": np.maximum(surface - ground, 0.0), "hu": np.zeros((n, n)), "hv": np.zeros((n, n)), "ground": ground}


def with_walls(q, sign_x, sign_y):
    """The cells with two mirrored ones beyond each wall; a velocity across a wall changes its sign."""
    ny, nx = q.shape
    wide = np.empty((ny + 4, nx + 4))
    wide[2:-2, 2:-2] = q
    wide[2:-2, 0] = sign_x * q[:, 1]
    wide[2:-2, 1] = sign_x * q[:, 0]
    wide[2:-2, -2] = sign_x * q[:, -1]
    wide[2:-2, -1] = sign_x * q[:, -2]
    wide[0, :] = sign_y * wide[3, :]
    wide[1, :] = sign_y * wide[2, :]
    wide[-2, :] = sign_y * wide[-3, :]
    wide[-1, :] = sign_y * wide[-4, :]
    return wide


def minmod(a, b):
    smaller = np.where(np.abs(a) < np.abs(b), a, b)
    return np.where(a * b > 0.0, smaller, 0.0)


def edges_x(q):
    """The values on both sides of the edges between columns, from limited slopes."""
    cells = q[2:-2, :]
    slope = 0.5 * minmod(cells[:, 1:-1] - cells[:, :-2], cells[:, 2:] - cells[:, 1:-1])
    return (cells[:, 1:-1] + slope)[:, :-1], (cells[:, 1:-1] - slope)[:, 1:]


def edges_y(q):
    """The same between rows."""
    cells = q[:, 2:-2]
    slope = 0.5 * minmod(cells[1:-1, :] - cells[:-2, :], cells[2:, :] - cells[1:-1, :])
    return (cells[1:-1, :] + slope)[:-1, :], (cells[1:-1, :] - slope)[1:, :]


def hllc(h_l, un_l, ut_l, h_r, un_r, ut_r):
    """Fluxes of water, and of momentum across and along an edge, from the states on its left and right."""
    c_l, c_r = np.sqrt(GRAVITY * h_l), np.sqrt(GRAVITY * h_r)
    dry_l, dry_r = h_l <= DRY, h_r <= DRY
    middle_c = 0.5 * (c_l + c_r) + 0.25 * (un_l - un_r)
    middle_u = 0.5 * (un_l + un_r) + c_l - c_r
    speed_l = np.where(dry_l, un_r - 2.0 * c_r, np.minimum(un_l - c_l, middle_u - middle_c))
    speed_r = np.where(dry_r, un_l + 2.0 * c_l, np.maximum(un_r + c_r, middle_u + middle_c))
    speed_l = np.where(dry_r & ~dry_l, un_l - c_l, speed_l)
    speed_r = np.where(dry_l & ~dry_r, un_r + c_r, speed_r)

    q_l, q_r = h_l * un_l, h_r * un_r
    momentum_l = q_l * un_l + 0.5 * GRAVITY * h_l * h_l
    momentum_r = q_r * un_r + 0.5 * GRAVITY * h_r * h_r
    width = speed_r - speed_l
    width = np.where(np.abs(width) > 1e-12, width, 1.0)
    water = (speed_r * q_l - speed_l * q_r + speed_l * speed_r * (h_r - h_l)) / width
    momentum = (speed_r * momentum_l - speed_l * momentum_r + speed_l * speed_r * (q_r - q_l)) / width
    water = np.where(speed_l >= 0.0, q_l, np.where(speed_r <= 0.0, q_r, water))
    momentum = np.where(speed_l >= 0.0, momentum_l, np.where(speed_r <= 0.0, momentum_r, momentum))

    # The wave between the two others carries what moves along the edge.
    against = h_r * (un_r - speed_r) - h_l * (un_l - speed_l)
    contact = speed_l * h_r * (un_r - speed_r) - speed_r * h_l * (un_l - speed_l)
    contact = contact / np.where(np.abs(against) > 1e-12, against, 1.0)
    along = water * np.where(contact >= 0.0, ut_l, ut_r)
    nothing = dry_l & dry_r
    return np.where(nothing, 0.0, water), np.where(nothing, 0.0, momentum), np.where(nothing, 0.0, along)


def edge_fluxes(edges, h, un, ut, ground):
    """Fluxes through all edges of a direction; those of momentum across them for the cell before, and for the cell behind."""
    (surface_l, surface_r), (h_l, h_r) = edges(h + ground), edges(h)
    (un_l, un_r), (ut_l, ut_r) = edges(un), edges(ut)
    h_l, h_r = np.maximum(h_l, 0.0), np.maximum(h_r, 0.0)
    higher = np.maximum(surface_l - h_l, surface_r - h_r)
    below_l, below_r = np.maximum(surface_l - higher, 0.0), np.maximum(surface_r - higher, 0.0)
    water, momentum, along = hllc(below_l, un_l, ut_l, below_r, un_r, ut_r)
    before = momentum + 0.5 * GRAVITY * (h_l * h_l - below_l * below_l)
    behind = momentum + 0.5 * GRAVITY * (h_r * h_r - below_r * below_r)
    return water, before, behind, along, (surface_l - h_l, surface_r - h_r, h_l, h_r)


def slope_force_x(inside):
    """The ground's push within the cells of a row."""
    ground_l, ground_r, h_l, h_r = inside
    return 0.5 * GRAVITY * (h_r[:, :-1] + h_l[:, 1:]) * (ground_l[:, 1:] - ground_r[:, :-1])


def slope_force_y(inside):
    ground_l, ground_r, h_l, h_r = inside
    return 0.5 * GRAVITY * (h_r[:-1, :] + h_l[1:, :]) * (ground_l[1:, :] - ground_r[:-1, :])


def velocities(h, hu, hv):
    wet = h > DRY
    depth = np.where(wet, h, 1.0)
    return np.where(wet, hu / depth, 0.0), np.where(wet, hv / depth, 0.0)


def rates(h, hu, hv, ground):
    """Changes of water and momentum a unit of time and of a cell's side."""
    u, v = velocities(h, hu, hv)
    h, ground = with_walls(h, 1.0, 1.0), with_walls(ground, 1.0, 1.0)
    u, v = with_walls(u, -1.0, 1.0), with_walls(v, 1.0, -1.0)
    water_x, before_x, behind_x, along_x, inside_x = edge_fluxes(edges_x, h, u, v, ground)
    water_y, before_y, behind_y, along_y, inside_y = edge_fluxes(edges_y, h, v, u, ground)
    h_rate = water_x[:, :-1] - water_x[:, 1:] + water_y[:-1, :] - water_y[1:, :]
    hu_rate = behind_x[:, :-1] - before_x[:, 1:] + along_y[:-1, :] - along_y[1:, :] - slope_force_x(inside_x)
    hv_rate = along_x[:, :-1] - along_x[:, 1:] + behind_y[:-1, :] - before_y[1:, :] - slope_force_y(inside_y)
    return h_rate, hu_rate, hv_rate


def step(h, hu, hv, ground):
    u, v = velocities(h, hu, hv)
    fastest = np.max(np.maximum(np.abs(u), np.abs(v)) + np.sqrt(GRAVITY * h))
    dt = COURANT / fastest  # of a cell of side 1

    h_rate, hu_rate, hv_rate = rates(h, hu, hv, ground)
    h1 = np.maximum(h + dt * h_rate, 0.0)
    hu1, hv1 = hu + dt * hu_rate, hv + dt * hv_rate
    h_rate, hu_rate, hv_rate = rates(h1, hu1, hv1, ground)
    h = np.maximum(0.5 * (h + h1 + dt * h_rate), 0.0)
    hu = 0.5 * (hu + hu1 + dt * hu_rate)
    hv = 0.5 * (hv + hv1 + dt * hv_rate)
    wet = h > DRY
    return h, np.where(wet, hu, 0.0), np.where(wet, hv, 0.0)


if __name__ == "__main__":
    from common import main

    raise SystemExit(main(globals()))

"""The Gray–Scott model: two substances diffuse and react, on a torus; patterns grow."""

from math import isqrt

import numpy as np

DIFFUSION_U, DIFFUSION_V, FEED, KILL = 0.16, 0.08, 0.035, 0.065
RETURNS = ("u", "v")
EXACT = True


def setup(size):
    n = max(4, isqrt(size))
    u, v = np.ones((n, n)), np.zeros((n, n))
    middle = slice(n // 2 - n // 8 - 1, n // 2 + n // 8 + 1)
    u[middle, middle] = 0.5
    v[middle, middle] = 0.25
    return {"u": u, "v": v}


def laplacian(q):
    return np.roll(q, 1, axis=0) + np.roll(q, -1, axis=0) + np.roll(q, 1, axis=1) + np.roll(q, -1, axis=1) - 4.0 * q


def step(u, v):
    reaction = u * v * v
    du = DIFFUSION_U * laplacian(u) - reaction + FEED * (1.0 - u)
    dv = DIFFUSION_V * laplacian(v) + reaction - (FEED + KILL) * v
    u += du
    v += dv
    return u, v


if __name__ == "__main__":
    from common import main

    raise SystemExit(main(globals()))

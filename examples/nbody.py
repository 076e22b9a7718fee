"""Bodies that attract each other, all pairs: leapfrog steps, with gravity softened at short distances."""

from math import isqrt

import numpy as np

DT, SOFTENING = 1e-3, 1e-2
RETURNS = ("position", "velocity")
EXACT = False


def setup(size):
    n = max(2, isqrt(size))
    random = np.random.default_rng(1)
    return {
        "mass": random.uniform(0.5, 1.5, n) / n,
        "position": random.uniform(-1.0, 1.0, (3, n)),
        "velocity": random.uniform(-0.1, 0.1, (3, n)),
    }


def acceleration(mass, position):
    x, y, z = position[0], position[1], position[2]
    dx = x[None, :] - x[:, None]
    dy = y[None, :] - y[:, None]
    dz = z[None, :] - z[:, None]
    squared = dx * dx + dy * dy + dz * dz + SOFTENING**2
    pull = mass / (squared * np.sqrt(squared))
    return np.stack((np.sum(pull * dx, axis=1), np.sum(pull * dy, axis=1), np.sum(pull * dz, axis=1)))


def step(mass, position, velocity):
    velocity += DT * acceleration(mass, position)
    position += DT * velocity
    return position, velocity


if __name__ == "__main__":
    from common import main

    raise SystemExit(main(globals()))

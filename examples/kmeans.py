"""k-means clustering: Lloyd's algorithm."""

import numpy as np

FEATURES, CLUSTERS = 8, 8
RETURNS = ("centres", "labels")
EXACT = False


def setup(size):
    n = max(2 * CLUSTERS, size // FEATURES)
    random = np.random.default_rng(1)
    middles = random.uniform(-10.0, 10.0, (CLUSTERS, FEATURES))
    points = random.standard_normal((n, FEATURES)) + middles[np.arange(n) % CLUSTERS]
    return {"points": points, "centres": points[:CLUSTERS].copy()}


def step(points, centres):
    distances = np.sum((points[:, None, :] - centres[None, :, :]) ** 2, axis=2)
    labels = np.argmin(distances, axis=1)
    member = (labels[:, None] == np.arange(CLUSTERS)).astype(points.dtype)
    counts = np.sum(member, axis=0)
    centres = (member.T @ points) / np.maximum(counts, 1.0)[:, None]
    return centres, labels


if __name__ == "__main__":
    from common import main

    raise SystemExit(main(globals()))

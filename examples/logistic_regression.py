"""Logistic regression by gradient descent on all samples."""

import numpy as np

FEATURES, RATE, PENALTY = 16, 0.5, 1e-3
RETURNS = ("weights", "loss")
EXACT = False


def setup(size):
    n = max(2, size // FEATURES)
    random = np.random.default_rng(1)
    x = random.standard_normal((n, FEATURES))
    hidden = random.standard_normal(FEATURES)
    y = np.where(x @ hidden + 0.3 * random.standard_normal(n) > 0.0, 1.0, 0.0)
    return {"x": x, "y": y, "weights": np.zeros(FEATURES)}


def step(x, y, weights):
    z = x @ weights
    probability = 1.0 / (1.0 + np.exp(-z))
    gradient = x.T @ (probability - y) / len(y) + PENALTY * weights
    loss = np.mean(np.maximum(z, 0.0) - z * y + np.log1p(np.exp(-np.abs(z))))
    weights = weights - RATE * gradient
    return weights, loss


if __name__ == "__main__":
    from common import main

    raise SystemExit(main(globals()))

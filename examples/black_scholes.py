"""Black–Scholes: prices of European calls and puts. One large expression, element by element.

The normal distribution's CDF is the approximation by Abramowitz and Stegun, 26.2.17: NumPy has none.
"""

import numpy as np

RATE, VOLATILITY = 0.02, 0.30
RETURNS = ("call", "put")
EXACT = False


def setup(size):
    random = np.random.default_rng(1)
    return {
        "price": random.uniform(5.0, 30.0, size),
        "strike": random.uniform(1.0, 100.0, size),
        "years": random.uniform(0.25, 10.0, size),
    }


def normal_cdf(d):
    k = 1.0 / (1.0 + 0.2316419 * np.abs(d))
    polynomial = k * (0.319381530 + k * (-0.356563782 + k * (1.781477937 + k * (-1.821255978 + k * 1.330274429))))
    tail = 0.3989422804014327 * np.exp(-0.5 * d * d) * polynomial
    return np.where(d > 0.0, 1.0 - tail, tail)


def step(price, strike, years):
    deviation = VOLATILITY * np.sqrt(years)
    d1 = (np.log(price / strike) + (RATE + 0.5 * VOLATILITY**2) * years) / deviation
    d2 = d1 - deviation
    cdf1, cdf2 = normal_cdf(d1), normal_cdf(d2)
    discounted = strike * np.exp(-RATE * years)
    call = price * cdf1 - discounted * cdf2
    put = discounted * (1.0 - cdf2) - price * (1.0 - cdf1)
    return call, put


if __name__ == "__main__":
    from common import main

    raise SystemExit(main(globals()))

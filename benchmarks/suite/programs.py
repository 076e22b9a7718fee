"""The programs, written once as array code, and their inputs.

The same text runs on NumPy, on FuseIR (through ``fuseir_arrays.py``: one task an operation, as an array library would launch them), on
JAX and on torch. ``ops`` has what operators do not say: ``exp log sqrt absolute where sum max assign columns value``. ``a`` holds the
arguments by name; a program returns its results by name. Names in ``Program.state`` are changed in place, and are results.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import isqrt
from typing import Any

import numpy as np

Arrays = dict[str, Any]

RATE, VOLATILITY = 0.02, 0.30
STENCIL_STEPS, HEAT_STEPS, MANDELBROT_STEPS = 4, 2, 16
POLYNOMIAL = [(-1.0) ** k / (k + 1.5) for k in range(20)]
HASH_FACTOR, HASH_MASK = 0x45D9F3B, 0xFFFFFFFF


@dataclass(frozen=True)
class Program:
    """A program: how its arguments are made for about ``n`` elements, what it computes, and how its results are judged.

    ``streams`` is how many numbers of eight bytes an element have to go through memory in a call if nothing is read or written twice in
    a loop, written numbers counted once: what the bandwidth in the report is of. It is 0 for programs that compute rather than move.
    ``tolerance`` is the largest error allowed, relative to the largest result; 0 asks for equal values.
    ``share`` is how large a part of the elements may be further off: decisions on rounded numbers can go either way.
    ``steps`` is how often it is run in a call. ``example`` names the NumPy program that it is, if it is one (``examples.py``).
    """

    name: str
    inputs: Callable[[int, np.random.Generator], Arrays]
    run: Callable[[Any, Arrays], Arrays]
    state: tuple[str, ...] = ()
    streams: int = 0
    tolerance: float = 1e-11
    share: float = 0.0
    steps: int = 1
    example: str = ""


def _normal_cdf(ops: Any, d: Any) -> Any:
    """Abramowitz and Stegun 26.2.17."""
    k = 1.0 / (ops.absolute(d) * 0.2316419 + 1.0)
    polynomial = k * 1.330274429
    for coefficient in (-1.821255978, 1.781477937, -0.356563782, 0.319381530):
        polynomial = (polynomial + coefficient) * k
    tail = ops.exp(d * d * -0.5) * 0.3989422804014327 * polynomial
    return ops.where(d > 0.0, 1.0 - tail, tail)


def black_scholes(ops: Any, a: Arrays) -> Arrays:
    """European calls and puts."""
    price, strike, years = a["price"], a["strike"], a["years"]
    deviation = ops.sqrt(years) * VOLATILITY
    d1 = (ops.log(price / strike) + years * (RATE + 0.5 * VOLATILITY * VOLATILITY)) / deviation
    d2 = d1 - deviation
    cdf1, cdf2 = _normal_cdf(ops, d1), _normal_cdf(ops, d2)
    discounted = strike * ops.exp(years * -RATE)
    call = price * cdf1 - discounted * cdf2
    put = discounted * (1.0 - cdf2) - price * (1.0 - cdf1)
    return {"call": call, "put": put}


def stencil(ops: Any, a: Arrays) -> Arrays:
    """The five-point stencil of the Diffuse paper: a sum of slices, and a copy back, several times."""
    grid = a["grid"]
    inner = (slice(1, -1), slice(1, -1))
    for _ in range(STENCIL_STEPS):
        work = grid[1:-1, 1:-1] + grid[:-2, 1:-1] + grid[2:, 1:-1] + grid[1:-1, :-2] + grid[1:-1, 2:]
        grid = ops.assign(grid, inner, work * 0.2)
    return {"grid": grid}


def heat(ops: Any, a: Arrays) -> Arrays:
    """The heat equation in three dimensions, explicit steps."""
    u = a["u"]
    inner = (slice(1, -1),) * 3
    for _ in range(HEAT_STEPS):
        centre = u[1:-1, 1:-1, 1:-1]
        around = u[:-2, 1:-1, 1:-1] + u[2:, 1:-1, 1:-1] + u[1:-1, :-2, 1:-1]
        around = around + u[1:-1, 2:, 1:-1] + u[1:-1, 1:-1, :-2] + u[1:-1, 1:-1, 2:]
        u = ops.assign(u, inner, centre + (around - centre * 6.0) * 0.1)
    return {"u": u}


def cg(ops: Any, a: Arrays) -> Arrays:
    """One iteration of the conjugate gradient method, given the matrix's product with ``p`` in ``q``."""
    x, r, p, q, rr = a["x"], a["r"], a["p"], a["q"], a["rr"]
    alpha = rr / ops.sum(p * q)
    x += p * alpha
    r -= q * alpha
    after = ops.sum(r * r)
    p *= after / rr
    p += r
    return {"x": x, "r": r, "p": p, "rr": ops.assign(rr, (), after)}


def bicgstab(ops: Any, a: Arrays) -> Arrays:
    """One iteration of BiCGSTAB, given the matrix's products with ``p`` and ``s`` in ``v`` and ``t``."""
    x, r, p, v, t, shadow = (a[name] for name in ("x", "r", "p", "v", "t", "shadow"))
    rho, alpha, omega = a["rho"], a["alpha"], a["omega"]
    rho_after = ops.sum(shadow * r)
    beta = (rho_after / rho) * (alpha / omega)
    p -= v * omega
    p *= beta
    p += r
    alpha_after = rho_after / ops.sum(shadow * v)
    s = r - v * alpha_after
    omega_after = ops.sum(t * s) / ops.sum(t * t)
    x += p * alpha_after
    x += s * omega_after
    r = ops.assign(r, ..., s - t * omega_after)
    scalars = {"rho": (rho, rho_after), "alpha": (alpha, alpha_after), "omega": (omega, omega_after)}
    return {"x": x, "r": r, "p": p, "s": s} | {name: ops.assign(old, (), new) for name, (old, new) in scalars.items()}


def softmax(ops: Any, a: Arrays) -> Arrays:
    """Softmax over rows."""
    x = a["x"]
    e = ops.exp(x - ops.columns(ops.max(x, 1), x))
    return {"y": e / ops.columns(ops.sum(e, 1), x)}


def polynomial(_ops: Any, a: Arrays) -> Arrays:
    """A polynomial of 20 terms, by Horner's rule."""
    x = a["x"]
    y = x * POLYNOMIAL[-1]
    for coefficient in POLYNOMIAL[-2:0:-1]:
        y = (y + coefficient) * x
    return {"y": y + POLYNOMIAL[0]}


def l2_norm(ops: Any, a: Arrays) -> Arrays:
    """The Euclidean norm, as a number in Python."""
    x = a["x"]
    return {"norm": ops.value(ops.sqrt(ops.sum(x * x)))}


def means(ops: Any, a: Arrays) -> Arrays:
    """Means of columns and of rows."""
    x = a["x"]
    rows, columns = x.shape
    return {"columns": ops.sum(x, 0) * (1.0 / rows), "rows": ops.sum(x, 1) * (1.0 / columns)}


def mandelbrot(ops: Any, a: Arrays) -> Arrays:
    """Iteration counts of the Mandelbrot set, real and imaginary parts apart, a fixed number of steps."""
    cr, ci = a["cr"], a["ci"]
    zr, zi = cr, ci
    count = cr * 0.0
    for _ in range(MANDELBROT_STEPS):
        rr, ii = zr * zr, zi * zi
        inside = rr + ii < 4.0
        count = count + ops.where(inside, 1.0, 0.0)
        zi = ops.where(inside, zr * zi * 2.0 + ci, zi)
        zr = ops.where(inside, rr - ii + cr, zr)
    return {"count": count}


def integer_hash(_ops: Any, a: Arrays) -> Arrays:
    """A hash of 32 bits in 64-bit integers."""
    x = a["x"]
    for _ in range(2):
        x = (((x >> 16) ^ x) * HASH_FACTOR) & HASH_MASK
    return {"y": (x >> 16) ^ x}


def _side(n: int, rank: int) -> int:
    return isqrt(n) if rank == 2 else max(3, round(n ** (1 / 3)))


def _options(n: int, random: np.random.Generator) -> Arrays:
    bounds = {"price": (5, 30), "strike": (1, 100), "years": (0.25, 10)}
    return {name: random.uniform(low, high, n) for name, (low, high) in bounds.items()}


def _cube(name: str, rank: int) -> Callable[[int, np.random.Generator], Arrays]:
    return lambda n, random: {name: random.uniform(0.0, 1.0, (_side(n, rank),) * rank)}


def _line(n: int, random: np.random.Generator) -> Arrays:
    return {"x": random.uniform(-1.0, 1.0, n)}


def _cg_state(n: int, random: np.random.Generator) -> Arrays:
    x, r, p = random.uniform(-1.0, 1.0, (3, n))
    return {"x": x, "r": r, "p": p, "q": p * random.uniform(0.5, 1.5, n), "rr": np.array(r @ r)}


def _bicgstab_state(n: int, random: np.random.Generator) -> Arrays:
    x, r, p = random.uniform(-1.0, 1.0, (3, n))
    scalars = {"rho": np.array(float(n)), "alpha": np.array(0.7), "omega": np.array(0.9)}
    spread = random.uniform(0.5, 1.5, n)
    v, t = r * spread, r * (1.0 - spread) * random.uniform(0.5, 1.5, n)  # so that t·s is not a difference of large sums
    return {"x": x, "r": r, "p": p, "v": v, "t": t, "shadow": r * random.uniform(0.5, 1.5, n)} | scalars


def _plane(n: int, random: np.random.Generator) -> Arrays:
    return {"cr": random.uniform(-2.0, 0.6, n), "ci": random.uniform(-1.2, 1.2, n)}


def _integers(n: int, random: np.random.Generator) -> Arrays:
    return {"x": random.integers(0, 1 << 32, n)}


PROGRAMS: dict[str, Program] = {
    program.name: program
    for program in (
        Program("black_scholes", _options, black_scholes, streams=5),
        Program("stencil", _cube("grid", 2), stencil, ("grid",), streams=2 * STENCIL_STEPS),
        Program("heat", _cube("u", 3), heat, ("u",), streams=2 * HEAT_STEPS),
        Program("cg", _cg_state, cg, ("x", "r", "p", "rr"), streams=11),
        Program("bicgstab", _bicgstab_state, bicgstab, ("x", "r", "p", "rho", "alpha", "omega"), streams=15),
        Program("softmax", _cube("x", 2), softmax, streams=2),
        Program("polynomial", _line, polynomial, streams=2),
        Program("l2_norm", _line, l2_norm, streams=1),
        Program("means", _cube("x", 2), means, streams=1),
        Program("mandelbrot", _plane, mandelbrot, tolerance=0.0, share=1e-3),
        Program("hash", _integers, integer_hash, streams=2, tolerance=0.0),
    )
}


class NumpyOps:
    """What operators do not say, in NumPy; ``package`` is what NumPy programs import."""

    package = "numpy"
    exp, log, sqrt, absolute, where, sum, max, value = (
        staticmethod(f) for f in (np.exp, np.log, np.sqrt, np.absolute, np.where, np.sum, np.max, float)
    )

    @staticmethod
    def assign(target: Any, region: Any, value: Any) -> Any:
        """``target`` with a region replaced; NumPy does it in place."""
        target[region] = value
        return target

    @staticmethod
    def columns(column: Any, _like: Any) -> Any:
        """One value a row, to be used along the row."""
        return column[:, None]


def expected(program: Program, inputs: Arrays) -> Arrays:
    """The results of one call, by NumPy; ``inputs`` stay as they are."""
    arguments = inputs | {name: inputs[name].copy() for name in program.state}
    results: Arrays = {}
    with np.errstate(all="ignore"):
        for _ in range(program.steps):
            results = program.run(NumpyOps, arguments)
            arguments.update((name, results[name]) for name in program.state)
    return {name: np.asarray(value) for name, value in results.items()}


def error(program: Program, results: Arrays, wanted: Arrays) -> float:
    """The largest error relative to the largest wanted value; infinity where names, shapes or finiteness differ.

    Elements of the share that may be off are left out.
    """
    worst = 0.0
    if results.keys() != wanted.keys():
        return float("inf")
    for name, want in wanted.items():
        got = np.asarray(results[name])
        if got.shape != want.shape or not np.isfinite(got).all():
            return float("inf")
        difference = np.abs(got - want).ravel()
        left_out = int(program.share * difference.size)
        if left_out:
            difference = np.partition(difference, -1 - left_out)[: difference.size - left_out]
        scale = float(np.abs(want).max()) if program.tolerance else 1.0
        worst = max(worst, float(difference.max()) / (scale or 1.0))
    return worst

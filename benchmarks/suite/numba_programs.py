"""The programs for Numba: the array programs as loops, whose sums may be reassociated (``reassoc``), as Numba has no other way to fast
ones; NumPy programs as they are.
"""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import Any

import numpy as np

from benchmarks.suite.contenders import ArrayContender, MissingError, Prepared, RefusedError
from benchmarks.suite.programs import HEAT_STEPS, MANDELBROT_STEPS, POLYNOMIAL, STENCIL_STEPS, Arrays, Program
from examples import common

try:
    import numba
    from numba import njit, prange
except ImportError:
    numba = None


def functions(parallel: bool) -> dict[str, Any]:
    """The compiled-on-first-call functions, for one thread or for several."""
    exact = njit(parallel=parallel, error_model="numpy")
    sums = njit(parallel=parallel, error_model="numpy", fastmath={"reassoc"})

    @njit(inline="always")
    def normal_cdf(d: Any) -> Any:
        k = 1.0 / (abs(d) * 0.2316419 + 1.0)
        p = k * 1.330274429
        p = (p + -1.821255978) * k
        p = (p + 1.781477937) * k
        p = (p + -0.356563782) * k
        p = (p + 0.319381530) * k
        tail = np.exp(d * d * -0.5) * 0.3989422804014327 * p
        return 1.0 - tail if d > 0.0 else tail

    @exact
    def black_scholes(price, strike, years):
        call, put = np.empty_like(price), np.empty_like(price)
        for i in prange(price.size):
            deviation = np.sqrt(years[i]) * 0.30
            d1 = (np.log(price[i] / strike[i]) + years[i] * (0.02 + 0.5 * 0.30 * 0.30)) / deviation
            cdf1, cdf2 = normal_cdf(d1), normal_cdf(d1 - deviation)
            discounted = strike[i] * np.exp(years[i] * -0.02)
            call[i] = price[i] * cdf1 - discounted * cdf2
            put[i] = discounted * (1.0 - cdf2) - price[i] * (1.0 - cdf1)
        return call, put

    @exact
    def stencil(grid):
        n, m = grid.shape
        work = np.empty_like(grid)
        for _ in range(STENCIL_STEPS):
            for i in prange(1, n - 1):
                for j in range(1, m - 1):
                    work[i, j] = (grid[i, j] + grid[i - 1, j] + grid[i + 1, j] + grid[i, j - 1] + grid[i, j + 1]) * 0.2
            for i in prange(1, n - 1):
                for j in range(1, m - 1):
                    grid[i, j] = work[i, j]

    @exact
    def heat(u):
        n = len(u)
        work = np.empty_like(u)
        for _ in range(HEAT_STEPS):
            for i in prange(1, n - 1):
                for j in range(1, n - 1):
                    for k in range(1, n - 1):
                        around = u[i - 1, j, k] + u[i + 1, j, k] + u[i, j - 1, k] + u[i, j + 1, k]
                        around = around + u[i, j, k - 1] + u[i, j, k + 1]
                        work[i, j, k] = u[i, j, k] + (around - u[i, j, k] * 6.0) * 0.1
            for i in prange(1, n - 1):
                for j in range(1, n - 1):
                    for k in range(1, n - 1):
                        u[i, j, k] = work[i, j, k]

    @sums
    def cg(x, r, p, q, rr):
        pq = 0.0
        for i in prange(x.size):
            pq += p[i] * q[i]
        alpha = rr / pq
        after = 0.0
        for i in prange(x.size):
            x[i] += p[i] * alpha
            r[i] -= q[i] * alpha
            after += r[i] * r[i]
        beta = after / rr
        for i in prange(x.size):
            p[i] = p[i] * beta + r[i]
        return after

    @sums
    def bicgstab(x, r, p, v, t, shadow, rho, alpha, omega):
        rho_after, sv, tt, ts = 0.0, 0.0, 0.0, 0.0
        for i in prange(x.size):
            rho_after += shadow[i] * r[i]
            sv += shadow[i] * v[i]
            tt += t[i] * t[i]
        beta = (rho_after / rho) * (alpha / omega)
        alpha_after = rho_after / sv
        s = np.empty_like(x)
        for i in prange(x.size):
            p[i] = (p[i] - v[i] * omega) * beta + r[i]
            s[i] = r[i] - v[i] * alpha_after
            ts += t[i] * s[i]
        omega_after = ts / tt
        for i in prange(x.size):
            x[i] += p[i] * alpha_after + s[i] * omega_after
            r[i] = s[i] - t[i] * omega_after
        return s, rho_after, alpha_after, omega_after

    @sums
    def softmax(x):
        n, m = x.shape
        y = np.empty_like(x)
        for i in prange(n):
            largest = -np.inf
            for j in range(m):
                largest = max(largest, x[i, j])
            for j in range(m):
                y[i, j] = np.exp(x[i, j] - largest)
            total = 0.0
            for j in range(m):
                total += y[i, j]
            for j in range(m):
                y[i, j] /= total
        return y

    coefficients = tuple(POLYNOMIAL)

    @exact
    def polynomial(x):
        y = np.empty_like(x)
        for i in prange(x.size):
            value = x[i] * coefficients[19]
            for k in range(18, 0, -1):
                value = (value + coefficients[k]) * x[i]
            y[i] = value + coefficients[0]
        return y

    @sums
    def l2_norm(x):
        total = 0.0
        for i in prange(x.size):
            total += x[i] * x[i]
        return np.sqrt(total)

    @sums
    def means(x):
        n, m = x.shape
        rows, columns = np.empty(n), np.zeros(m)
        for i in prange(n):
            total = 0.0
            for j in range(m):
                total += x[i, j]
            rows[i] = total / m
        for i in range(n):
            for j in range(m):
                columns[j] += x[i, j]
        return columns / n, rows

    @exact
    def mandelbrot(cr, ci):
        count = np.empty_like(cr)
        for i in prange(cr.size):
            zr, zi, times = cr[i], ci[i], 0.0
            for _ in range(MANDELBROT_STEPS):
                rr, ii = zr * zr, zi * zi
                inside = rr + ii < 4.0
                times += 1.0 if inside else 0.0
                zi = zr * zi * 2.0 + ci[i] if inside else zi
                zr = rr - ii + cr[i] if inside else zr
            count[i] = times
        return count

    @exact
    def integer_hash(x):
        y = np.empty_like(x)
        for i in prange(x.size):
            value = x[i]
            value = (((value >> 16) ^ value) * 0x45D9F3B) & 0xFFFFFFFF
            value = (((value >> 16) ^ value) * 0x45D9F3B) & 0xFFFFFFFF
            y[i] = (value >> 16) ^ value
        return y

    found = locals()
    names = (
        "black_scholes",
        "stencil",
        "heat",
        "cg",
        "bicgstab",
        "softmax",
        "polynomial",
        "l2_norm",
        "means",
        "mandelbrot",
    )
    return {name: found[name] for name in names} | {"hash": integer_hash}


class NumbaContender:
    """Numba's loops, parallel if there is more than one thread."""

    def __init__(self, threads: int) -> None:
        if numba is None:
            raise MissingError("numba is not installed")
        numba.set_num_threads(threads)
        self.threads = threads
        self._functions = functions(threads > 1)

    def prepare(self, program: Program, inputs: Arrays) -> Prepared | None:
        """The program with its arguments."""
        if program.example:
            return NumbaExamples(self.threads).prepare(program, inputs)
        a = dict(inputs)
        for name in ("rr", "rho", "alpha", "omega"):
            if name in a:
                a[name] = float(a[name])
        function = self._functions[program.name]
        results: Arrays = {}

        def call() -> None:
            results.clear()
            made = function(*a.values())
            if program.name in ("stencil", "heat"):
                results.update(a)
            elif program.name == "cg":
                results.update({name: a[name] for name in ("x", "r", "p")}, rr=made)
            elif program.name == "bicgstab":
                s, rho, alpha, omega = made
                results.update({name: a[name] for name in ("x", "r", "p")}, s=s, rho=rho, alpha=alpha, omega=omega)
            else:
                names = {"black_scholes": ("call", "put"), "means": ("columns", "rows"), "l2_norm": ("norm",)}
                names["mandelbrot"] = ("count",)
                values = made if isinstance(made, tuple) else (made,)
                results.update(zip(names.get(program.name, ("y",)), values, strict=True))
            a.update((name, results[name]) for name in program.state)

        def reset(fresh: Arrays) -> None:
            results.clear()
            # In the order of the program's arguments, which a keeps.
            a.update((name, fresh[name] if fresh[name].shape else float(fresh[name])) for name in program.state)

        return Prepared(call, reset, lambda: dict(results))


class NumbaExamples(ArrayContender):
    """NumPy programs with ``njit`` before each of their functions."""

    def array(self, value: np.ndarray[Any, Any]) -> Any:
        return value if value.shape else value[()]

    def compiled(self, program: Program) -> Callable[[Arrays], Arrays]:
        name, _, variant = program.example.partition(":")
        found = common.load(name, "numpy", variant)
        step, namespace = found.step, found.step.__globals__
        for key, value in list(namespace.items()):
            if isinstance(value, FunctionType) and value.__globals__ is namespace:
                namespace[key] = njit(parallel=self.threads > 1, error_model="numpy")(value)
        jitted = namespace[step.__name__]

        def run(arguments: Arrays) -> Arrays:
            try:
                return dict(zip(found.returns, jitted(**arguments), strict=True))
            except numba.core.errors.NumbaError as error:
                said = [line for line in str(error).splitlines() if "No implementation" in line or "Cannot" in line]
                raise RefusedError((said or str(error).splitlines())[0].strip()) from error

        return run

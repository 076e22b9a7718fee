"""The programs for numexpr: one expression where one can say it, NumPy for the rest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.suite.contenders import MissingError, Prepared
from benchmarks.suite.programs import (
    HASH_FACTOR,
    HASH_MASK,
    HEAT_STEPS,
    MANDELBROT_STEPS,
    POLYNOMIAL,
    RATE,
    STENCIL_STEPS,
    VOLATILITY,
    Arrays,
    Program,
)


def _normal_cdf(d: str) -> str:
    k = f"(1.0 / (abs({d}) * 0.2316419 + 1.0))"
    polynomial = f"{k} * 1.330274429"
    for coefficient in (-1.821255978, 1.781477937, -0.356563782, 0.319381530):
        polynomial = f"({polynomial} + {coefficient}) * {k}"
    tail = f"(exp({d} * {d} * -0.5) * 0.3989422804014327 * ({polynomial}))"
    return f"where({d} > 0.0, 1.0 - {tail}, {tail})"


def _horner() -> str:
    y = f"x * {POLYNOMIAL[-1]!r}"
    for coefficient in POLYNOMIAL[-2:0:-1]:
        y = f"({y} + {coefficient!r}) * x"
    return f"{y} + {POLYNOMIAL[0]!r}"


_SAME = {"np.black_scholes": "black_scholes", "np.stencil": "stencil", "np.heat3d": "heat"}
"""NumPy programs that compute what an array program computes."""


class NumexprContender:
    """numexpr: expressions in text, compiled for its own machine, on threads of its own."""

    def __init__(self, threads: int) -> None:
        try:
            import numexpr
        except ImportError as error:
            raise MissingError("numexpr is not installed") from error
        numexpr.set_num_threads(threads)
        self._evaluate = numexpr.evaluate

    def prepare(self, program: Program, inputs: Arrays) -> Prepared | None:
        """The program with its arguments; None for those that are no expressions, or reduce along axes: numexpr leaves that to NumPy."""
        own = _SAME.get(program.name, program.name)
        run: Callable[[Arrays], Arrays] | None = getattr(self, f"_{own}", None)
        if run is None:
            return None
        arguments = dict(inputs)
        results: Arrays = {}

        def call() -> None:
            results.clear()
            results.update(run(arguments))
            arguments.update((name, results[name]) for name in program.state)

        def reset(fresh: Arrays) -> None:
            results.clear()
            arguments.update((name, fresh[name]) for name in program.state)

        return Prepared(call, reset, lambda: dict(results))

    def _on(self, text: str, values: Arrays, out: Any = None) -> Any:
        return self._evaluate(text, values, {}, out=out)

    def _black_scholes(self, a: Arrays) -> Arrays:
        text = f"(log(price / strike) + years * {RATE + 0.5 * VOLATILITY * VOLATILITY}) / (sqrt(years) * {VOLATILITY})"
        d1 = self._on(text, a)
        d2 = self._on(f"d1 - sqrt(years) * {VOLATILITY}", {"d1": d1, "years": a["years"]})
        cdf = {"c1": self._on(_normal_cdf("d"), {"d": d1}), "c2": self._on(_normal_cdf("d"), {"d": d2})}
        discounted = f"strike * exp(years * {-RATE})"
        call = self._on(f"price * c1 - {discounted} * c2", a | cdf)
        put = self._on(f"{discounted} * (1.0 - c2) - price * (1.0 - c1)", a | cdf)
        return {"call": call, "put": put}

    def _stencil(self, a: Arrays) -> Arrays:
        grid = a["grid"]
        parts = {
            "c": grid[1:-1, 1:-1],
            "n": grid[:-2, 1:-1],
            "s": grid[2:, 1:-1],
            "w": grid[1:-1, :-2],
            "e": grid[1:-1, 2:],
        }
        for _ in range(STENCIL_STEPS):
            grid[1:-1, 1:-1] = self._on("(c + n + s + w + e) * 0.2", parts)
        return {"grid": grid}

    def _heat(self, a: Arrays) -> Arrays:
        u = a["u"]
        i = slice(1, -1)
        regions = [(slice(None, -2), i, i), (slice(2, None), i, i), (i, slice(None, -2), i), (i, slice(2, None), i)]
        regions += [(i, i, slice(None, -2)), (i, i, slice(2, None))]
        parts = {f"u{k}": u[region] for k, region in enumerate(regions)} | {"c": u[i, i, i]}
        for _ in range(HEAT_STEPS):
            u[i, i, i] = self._on("c + (u0 + u1 + u2 + u3 + u4 + u5 - c * 6.0) * 0.1", parts)
        return {"u": u}

    def _cg(self, a: Arrays) -> Arrays:
        x, r, p, rr = a["x"], a["r"], a["p"], a["rr"]
        alpha = rr / self._on("sum(p * q)", a)
        self._on("x + p * alpha", {"x": x, "p": p, "alpha": alpha}, x)
        self._on("r - q * alpha", {"r": r, "q": a["q"], "alpha": alpha}, r)
        after = self._on("sum(r * r)", {"r": r})
        self._on("p * beta + r", {"p": p, "r": r, "beta": after / rr}, p)
        rr[...] = after
        return {"x": x, "r": r, "p": p, "rr": rr}

    def _bicgstab(self, a: Arrays) -> Arrays:
        x, r, p, v, t = (a[name] for name in ("x", "r", "p", "v", "t"))
        rho = self._on("sum(shadow * r)", a)
        alpha = rho / self._on("sum(shadow * v)", a)
        scalars = {"beta": (rho / a["rho"]) * (a["alpha"] / a["omega"]), "omega": a["omega"]}
        self._on("(p - v * omega) * beta + r", {"p": p, "v": v, "r": r} | scalars, p)
        s = self._on("r - v * alpha", {"r": r, "v": v, "alpha": alpha})
        omega = self._on("sum(t * s)", {"t": t, "s": s}) / self._on("sum(t * t)", {"t": t})
        self._on("x + p * alpha + s * omega", {"x": x, "p": p, "s": s, "alpha": alpha, "omega": omega}, x)
        self._on("s - t * omega", {"s": s, "t": t, "omega": omega}, r)
        return {"x": x, "r": r, "p": p, "s": s, "rho": rho, "alpha": alpha, "omega": omega}

    def _polynomial(self, a: Arrays) -> Arrays:
        return {"y": self._on(_horner(), a)}

    def _l2_norm(self, a: Arrays) -> Arrays:
        return {"norm": float(self._on("sum(x * x)", a)) ** 0.5}

    def _mandelbrot(self, a: Arrays) -> Arrays:
        cr, ci = a["cr"], a["ci"]
        state: Arrays = {"zr": cr, "zi": ci, "cr": cr, "ci": ci, "count": cr * 0.0}
        for _ in range(MANDELBROT_STEPS):
            inside = self._on("zr * zr + zi * zi < 4.0", state)
            state = state | {
                "count": self._on("count + where(i, 1.0, 0.0)", {"count": state["count"], "i": inside}),
                "zi": self._on("where(i, zr * zi * 2.0 + ci, zi)", state | {"i": inside}),
                "zr": self._on("where(i, zr * zr - zi * zi + cr, zr)", state | {"i": inside}),
            }
        return {"count": state["count"]}

    def _hash(self, a: Arrays) -> Arrays:
        step = f"((((x >> 16) ^ x) * {HASH_FACTOR}) & {HASH_MASK})"
        x = self._on(step, a)
        x = self._on(step, {"x": x})
        return {"y": self._on("(x >> 16) ^ x", {"x": x})}

"""Random programs of tasks, run on any session.

A program is a list of steps drawn from a seed alone, so that every session runs the same one: make a store, launch a task on random
stores and views, drop a store, put a fence. Tasks are of two sorts: exact ones, whose results flow on, and transcendental ones,
whose results are only looked at in the end (so that one rounding difference is not amplified).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np

import fuseir

EXACT_FLOAT = [
    "task add(x: read, y: read, z: write) { z = x + y }",
    "task sub(x: read, y: read, z: write) { z = x - y }",
    "task mul(x: read, y: read, z: write) { z = x * y }",
    "task div(x: read, y: read, z: write) { z = x / y }",
    "task axpy(a: scalar, x: read, y: read_write) { y = a * x + y }",
    "task scale(a: scalar, x: read, z: write) { z = a * x }",
    "task root(x: read, z: write) { z = sqrt(abs(x)) }",
    "task least(x: read, y: read, z: write) { z = minimum(x, y) }",
    "task most(x: read, y: read, z: write) { z = maximum(x, y) }",
    "task pick(x: read, y: read, z: write) { z = select(x < y, x, y * y) }",
    "task round(x: read, z: write) { z = rint(x) - floor(x) }",
    "task modulo(x: read, y: read, z: write) { z = x % y }",
    "task two(x: read, y: read, z: write, w: write) { let d = x - y\n z = d * d\n w = x + d }",
    "task fill(a: scalar, z: write) { z = a }",
    "task shift(s: read, x: read, z: write) { z = x - s }",
]
EXACT_INTEGER = [
    "task add(x: read, y: read, z: write) { z = x + y }",
    "task mul(x: read, y: read, z: write) { z = x * y }",
    "task floordiv(x: read, y: read, z: write) { z = x // y }",
    "task modulo(x: read, y: read, z: write) { z = x % y }",
    "task bits(x: read, y: read, z: write) { z = (x & y) ^ (x | ~y) }",
    "task shifts(x: read, y: read, z: write) { z = (x << y) + (x >> y) }",
    "task least(x: read, y: read, z: write) { z = minimum(x, y) }",
    "task pick(x: read, y: read, z: write) { z = select(x < y, x, y) }",
    "task update(x: read, y: read_write) { y = y - x }",
    "task fill(a: scalar, z: write) { z = a }",
]
TRANSCENDENTAL = [
    f"task t_{name}(x: read, z: write) {{ z = {name}(x) }}"
    for name in ("exp", "log", "sin", "cos", "tanh", "log1p", "expm1", "cbrt", "erf", "arctan", "exp2", "log2")
]
REDUCTIONS = {
    "add": "task r_add(x: read, y: read, s: reduce<add>) { s += x * y }",
    "max": "task r_max(x: read, y: read, s: reduce<max>) { s = max(x - y) }",
    "min": "task r_min(x: read, y: read, s: reduce<min>) { s = min(x + y) }",
}


@cache
def task(text: str) -> fuseir.Task:
    return fuseir.task(text)


@dataclass
class Held:
    """A store the program holds, and whether results may flow on from it."""

    store: fuseir.Store
    exact: bool = True
    views: list[fuseir.Store] = field(default_factory=list)


def values(random: np.random.Generator, shape: tuple[int, ...], dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
    """Contents with special values sprinkled in."""
    if dtype.kind == "f":
        array = random.normal(scale=10.0, size=shape).astype(dtype)
        special = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1.0, 5e-324, 1e300]).astype(dtype)
    elif dtype.kind == "b":
        return random.integers(0, 2, shape).astype(dtype)
    else:
        info = np.iinfo(dtype)
        array = random.integers(info.min, info.max, shape, dtype=dtype, endpoint=True)
        special = np.array([0, 1, info.min, info.max], dtype)
    where = random.random(shape) < 0.1
    return np.where(where, random.choice(special, shape), array).astype(dtype)


def _operand(random: np.random.Generator, pool: list[Held], shape: tuple[int, ...]) -> Held | None:
    fitting = [held for held in pool if held.exact and held.store.shape == shape]
    return fitting[random.integers(len(fitting))] if fitting else None


def _view_shapes(random: np.random.Generator, shape: tuple[int, ...]) -> tuple[slice, ...]:
    """A random slice of each dimension; all operands of a launch are sliced to one shape."""
    slices: list[slice] = []
    for extent in shape:
        length = int(random.integers(1, extent + 1)) if extent else 0
        slices.append(slice(length))
    return tuple(slices)


def _sliced(random: np.random.Generator, store: fuseir.Store, lengths: tuple[slice, ...]) -> fuseir.Store:
    """A window of the given lengths at a random place, sometimes reversed."""
    index: list[slice] = []
    for extent, wanted in zip(store.shape, lengths, strict=True):
        length = wanted.stop
        start = int(random.integers(0, extent - length + 1))
        window = slice(start, start + length)
        if length and random.random() < 0.2:
            window = slice(start + length - 1, start - 1 if start else None, -1)
        index.append(window)
    return store[tuple(index)]


def run_program(seed: int, session: fuseir.Session, steps: int = 12) -> list[tuple[np.ndarray[Any, Any], bool]]:
    """Runs the program of a seed; the contents of all stores alive at its end, each with whether it must be exact."""
    random = np.random.default_rng(seed)
    dtype = np.dtype(random.choice(["f8", "f8", "f8", "f4", "f4", "i8", "i4", "i2", "i1", "u8", "u4", "u1"]))
    shape = tuple(int(n) for n in random.choice([1, 2, 5, 17, 33, 64, 100, 257], random.integers(1, 3)))
    texts = EXACT_FLOAT if dtype.kind == "f" else EXACT_INTEGER
    pool: list[Held] = []
    with np.errstate(all="ignore"), session:
        pool.extend(Held(session.from_numpy(values(random, shape, dtype))) for _ in range(3))
        for _ in range(steps):
            _step(random, session, pool, shape, dtype, texts)
        return [(held.store.numpy(), held.exact) for held in pool]


def _step(
    random: np.random.Generator,
    session: fuseir.Session,
    pool: list[Held],
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
    texts: list[str],
) -> None:
    kind = random.random()
    if kind < 0.08 and len(pool) > 3:
        pool.pop(int(random.integers(len(pool))))
        return
    if kind < 0.11:
        session.fence()
        return
    if kind < 0.21:
        x, y = _operand(random, pool, shape), _operand(random, pool, shape)
        if x is not None and y is not None:
            operator = str(random.choice(list(REDUCTIONS)))
            target = session.full((), 0 if operator == "add" else 1, dtype)
            session.launch(task(REDUCTIONS[operator]), x.store, y.store, target)
            pool.append(Held(target))
        return
    if kind < 0.31 and dtype.kind == "f":
        x = _operand(random, pool, shape)
        if x is not None:
            result = session.store(shape, dtype)
            session.launch(task(str(random.choice(TRANSCENDENTAL))), x.store, result)
            pool.append(Held(result, exact=False))
        return
    _launch_exact(random, session, pool, shape, dtype, str(random.choice(texts)))


def _launch_exact(
    random: np.random.Generator,
    session: fuseir.Session,
    pool: list[Held],
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
    text: str,
) -> None:
    made = task(text)
    windows = _view_shapes(random, shape) if random.random() < 0.3 else None
    operands: list[Any] = []
    written: list[Held] = []
    for position, privilege in enumerate(made.parameters):
        if privilege is None:
            operands.append(_scalar(random, dtype))
        elif made.name == "shift" and position == 0:
            scalars = [held for held in pool if held.exact and held.store.shape == ()]
            operands.append(scalars[random.integers(len(scalars))].store if scalars else session.full((), 3, dtype))
        elif privilege.writes and not privilege.reads and windows is None and random.random() < 0.6:
            fresh = Held(session.store(shape, dtype))
            written.append(fresh)
            operands.append(fresh.store)
        else:
            held = _operand(random, pool, shape)
            if held is None:
                return
            operands.append(held.store if windows is None else _sliced(random, held.store, windows))
    try:
        session.launch(made, *operands)
    except fuseir.FuseirError as error:
        # Overlapping arguments are refused at the call, on every executor alike.
        if "overlap" not in str(error):
            raise
        return
    pool.extend(written)


def _scalar(random: np.random.Generator, dtype: np.dtype[Any]) -> Any:
    return float(random.normal()) if dtype.kind == "f" else int(random.integers(0, 100))

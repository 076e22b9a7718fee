"""Arrays on FuseIR: one task an operation, launched as an array library would launch it. Nothing here knows about fusion."""

from __future__ import annotations

from typing import Any

import numpy as np

import fuseir

_OPERATORS = {"add": "+", "sub": "-", "mul": "*", "div": "/", "and": "&", "xor": "^", "shr": ">>", "lt": "<", "gt": ">"}


def _binary(name: str, symbol: str) -> dict[str, Any]:
    texts = {
        f"{name}": f"task op_{name}(x: read, y: read, z: write) {{ z = x {symbol} y }}",
        f"{name}_scalar": f"task op_{name}_scalar(x: read, a: scalar, z: write) {{ z = x {symbol} a }}",
        f"scalar_{name}": f"task op_scalar_{name}(a: scalar, x: read, z: write) {{ z = a {symbol} x }}",
    }
    if name in ("add", "sub", "mul"):
        texts[f"in_place_{name}"] = f"task in_place_{name}(y: read, x: read_write) {{ x {symbol}= y }}"
    return {key: fuseir.task(text) for key, text in texts.items()}


TASKS: dict[str, Any] = {
    key: task for name, symbol in _OPERATORS.items() for key, task in _binary(name, symbol).items()
}
UNARY: dict[str, Any] = {
    name: fuseir.task(f"task {name}(x: read, z: write) {{ z = {name}(x) }}") for name in ("exp", "log", "sqrt", "abs")
}
COPY = fuseir.task("task copy(x: read, z: write) { z = x }")
CHOOSE = fuseir.task("task choose(c: read, x: read, y: read, z: write) { z = select(c, x, y) }")
CHOOSE_SCALARS = fuseir.task("task choose_scalars(c: read, a: scalar, b: scalar, z: write) { z = select(c, a, b) }")
SUM = fuseir.task("task total(x: read, s: reduce<add>) { s = sum(x) }")
SUMS = {k: fuseir.task(f"task total_{k}(x: read, s: reduce<add>) {{ s = sum(x, axis={k}) }}") for k in (0, 1)}
MAXIMA = {k: fuseir.task(f"task largest_{k}(x: read, s: reduce<max>) {{ s = max(x, axis={k}) }}") for k in (0, 1)}


class Array:
    """An array: a store of a session, with operators that launch tasks."""

    __slots__ = ("session", "store")

    def __init__(self, session: Any, store: Any) -> None:
        self.session = session
        self.store = store

    @property
    def shape(self) -> tuple[int, ...]:
        return self.store.shape

    def __getitem__(self, region: Any) -> Array:
        return Array(self.session, self.store[region])

    def launch(self, task: Any, *arguments: Any, dtype: Any = None) -> Array:
        """A new array of this one's shape, or of the first argument's that has dimensions."""
        shape = self.store.shape
        if not shape:
            shape = next((x.shape for x in arguments if type(x) is fuseir.Store and x.shape), shape)
        result = self.session.store(shape, self.store.dtype if dtype is None else dtype)
        self.session.launch(task, *arguments, result)
        return Array(self.session, result)

    def in_place(self, name: str, other: Any) -> Array:
        self.session.launch(TASKS[f"in_place_{name}"], other.store, self.store)
        return self

    def __isub__(self, other: Any) -> Array:
        return self.in_place("sub", other)

    def __iadd__(self, other: Any) -> Array:
        return self.in_place("add", other)

    def __imul__(self, other: Any) -> Array:
        return self.in_place("mul", other)


def _forward(name: str, dtype: Any) -> Any:
    both, scalar = TASKS[name], TASKS[f"{name}_scalar"]

    def method(self: Array, other: Any) -> Array:
        if type(other) is Array:
            return self.launch(both, self.store, other.store, dtype=dtype)
        return self.launch(scalar, self.store, other, dtype=dtype)

    return method


def _reflected(name: str) -> Any:
    task = TASKS[f"scalar_{name}"]
    return lambda self, other: self.launch(task, other, self.store)


for _method, _name in (("add", "add"), ("sub", "sub"), ("mul", "mul"), ("truediv", "div")):
    setattr(Array, f"__{_method}__", _forward(_name, None))
    setattr(Array, f"__r{_method}__", _reflected(_name))
for _method, _name in (("and", "and"), ("xor", "xor"), ("rshift", "shr")):
    setattr(Array, f"__{_method}__", _forward(_name, None))
for _method in ("lt", "gt"):
    setattr(Array, f"__{_method}__", _forward(_method, np.bool_))


class FuseirOps:
    """What operators do not say; see ``programs.py``."""

    package = "fuseir.numpy"

    @staticmethod
    def exp(x: Array) -> Array:
        return x.launch(UNARY["exp"], x.store)

    @staticmethod
    def log(x: Array) -> Array:
        return x.launch(UNARY["log"], x.store)

    @staticmethod
    def sqrt(x: Array) -> Array:
        return x.launch(UNARY["sqrt"], x.store)

    @staticmethod
    def absolute(x: Array) -> Array:
        return x.launch(UNARY["abs"], x.store)

    @staticmethod
    def where(condition: Array, x: Any, y: Any) -> Array:
        if type(x) is not Array:
            return condition.launch(CHOOSE_SCALARS, condition.store, x, y, dtype=np.float64)
        return x.launch(CHOOSE, condition.store, x.store, y.store)

    @staticmethod
    def _reduce(task: Any, x: Array, axis: int | None, start: float) -> Array:
        shape = () if axis is None else x.shape[:axis] + x.shape[axis + 1 :]
        result = x.session.full(shape, start)
        x.session.launch(task, x.store, result)
        return Array(x.session, result)

    @staticmethod
    def sum(x: Array, axis: int | None = None) -> Array:
        return FuseirOps._reduce(SUM if axis is None else SUMS[axis], x, axis, 0.0)

    @staticmethod
    def max(x: Array, axis: int) -> Array:
        return FuseirOps._reduce(MAXIMA[axis], x, axis, -np.inf)

    @staticmethod
    def assign(target: Array, region: Any, value: Array) -> Array:
        target.session.launch(COPY, value.store, target.store[region])
        return target

    @staticmethod
    def columns(column: Array, like: Array) -> Array:
        return Array(column.session, column.store[:, None].broadcast_to(like.shape))

    @staticmethod
    def value(x: Array) -> float:
        return float(x.store)

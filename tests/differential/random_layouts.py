"""Random programs on views of every sort: mixed element types, ranks 0 to 4, axis reductions, explicit layouts, opaque tasks.

A program is a sequence of choices drawn from a seed; ``twist`` changes one of them, which makes windows that differ in one respect
only (what a plan's key must tell apart). Every session that runs the program of a seed makes the same choices, because they depend on
shapes and types alone, never on contents.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, TypeVar

import numpy as np

import fuseir
from fuseir.dialects.dist.index_map import Coordinate, IndexMap
from fuseir.dialects.dist.partition import NonePartition, Partition, Tiling

Array = np.ndarray[Any, np.dtype[Any]]
Shape = tuple[int, ...]

CASTS = {
    "?": "bool",
    **{np.dtype(f"{k}{n}").char: f"{k}{8 * n}" for k in "iu" for n in (1, 2, 4, 8)},
    "f": "f32",
    "d": "f64",
}
DTYPES = [np.dtype(name) for name in ("?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f4", "f8", "f8", "f8")]
EXTENTS = [0, 1, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 37, 64, 101, 1023, 1024, 1025, 1031, 2500]
MOST_ELEMENTS = 6000


T = TypeVar("T")


class Choices:
    """A stream of choices from a seed, of which number ``twist`` comes out differently."""

    def __init__(self, seed: int, twist: int = -1) -> None:
        self._random = np.random.default_rng(seed)
        self._twist = twist
        self.made = 0

    def below(self, count: int) -> int:
        chosen = int(self._random.integers(count))
        if self.made == self._twist:
            chosen = (chosen + 1) % count
        self.made += 1
        return chosen

    def chance(self, percent: int) -> bool:
        return self.below(100) < percent

    def of(self, options: Sequence[T]) -> T:
        return options[self.below(len(options))]


@cache
def task(text: str) -> fuseir.Task:
    return fuseir.task(text)


def contents(random: np.random.Generator, shape: Shape, dtype: np.dtype[Any]) -> Array:
    if dtype.kind == "f":
        array = np.round(random.normal(scale=10.0, size=shape), 2).astype(dtype)
        special = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1.0, 5e-324, 1e300, 1e19, -1e10])
    elif dtype.kind == "b":
        return random.integers(0, 2, shape).astype(bool)
    else:
        info = np.iinfo(dtype)
        array = random.integers(max(info.min, -100), 100, shape).astype(dtype)
        special = np.array([0, 1, info.min, info.max], dtype)
    with np.errstate(all="ignore"):
        return np.where(random.random(shape) < 0.1, random.choice(special.astype(dtype), shape), array)


def view_of(choices: Choices, store: fuseir.Store, shape: Shape, repeats: bool) -> fuseir.Store | None:
    """A random view of ``store`` that has ``shape``; None if this way of trying finds none."""
    view = store
    while view.ndim > len(shape):
        axis = choices.below(view.ndim)
        if view.shape[axis] == 0:
            return None
        index: list[Any] = [slice(None)] * view.ndim
        index[axis] = choices.below(view.shape[axis]) - (view.shape[axis] if choices.chance(30) else 0)
        view = view[tuple(index)]
    if view.ndim > 1 and choices.chance(40):
        order = list(range(view.ndim))
        for k in reversed(range(1, len(order))):
            j = choices.below(k + 1)
            order[k], order[j] = order[j], order[k]
        view = view.transpose(*order)
    wanted = shape[len(shape) - view.ndim :]
    index = []
    for have, want in zip(view.shape, wanted, strict=True):
        if want > have:
            if have != 1 or not repeats:
                return None
            index.append(slice(None))
            continue
        step = choices.below((have - 1) // (want - 1)) + 1 if want > 1 else 1
        start = choices.below(have - max(want - 1, 0) * step) if want else 0
        stop = start + max(want - 1, 0) * step
        if not want:
            index.append(slice(start, start))
        elif choices.chance(25):
            index.append(slice(stop, start - 1 if start else None, -step))
        else:
            index.append(slice(start, stop + 1, step))
    view = view[tuple(index)]
    if view.shape == shape:
        return view
    if not repeats and any(n != 1 for n in shape[: len(shape) - view.ndim]):
        return None
    return view.broadcast_to(shape) if repeats else view[(None,) * (len(shape) - view.ndim)]


class Expression:
    """Random expressions over names with a kind each: f(loat), i(nteger), b(ool)."""

    def __init__(self, choices: Choices, names: dict[str, str]) -> None:
        self.choices = choices
        self.names = names

    def of_kind(self, kind: str, depth: int) -> str:
        choose = self.choices
        if depth <= 0 or choose.chance(15):
            return self._leaf(kind)
        a, b = self.of_kind(kind, depth - 1), self.of_kind(kind, depth - 1)
        if kind == "b":
            if choose.chance(60):
                other = choose.of("fi")
                a, b = self.of_kind(other, depth - 1), self.of_kind(other, depth - 1)
                return f"({a} {choose.of(['<', '<=', '==', '!=', '>', '>='])} {b})"
            return choose.of([f"({a} and {b})", f"({a} or {b})", f"(not {a})", f"({a} ^ {b})", f"({a} & {b})"])
        common = [f"({a} + {b})", f"({a} - {b})", f"({a} * {b})", f"minimum({a}, {b})", f"maximum({a}, {b})"]
        common += [f"({a} // {b})", f"({a} % {b})", f"sign({a})", f"abs({a})", f"(-{a})"]
        if choose.chance(20):
            return f"select({self.of_kind('b', depth - 1)}, {a}, {b})"
        if kind == "f":
            return choose.of(
                [*common, f"({a} / {b})", f"sqrt(abs({a}))", f"floor({a})", f"rint({a})", f"fmod({a}, {b})"]
            )
        return choose.of(
            [*common, f"({a} & {b})", f"({a} | {b})", f"({a} ^ {b})", f"({a} << {b})", f"({a} >> {b})", f"(~{a})"]
        )

    def _leaf(self, kind: str) -> str:
        choose = self.choices
        fitting = [name for name, own in self.names.items() if own == kind]
        if fitting and not choose.chance(25):
            return choose.of(fitting)
        if choose.chance(30):
            return {"f": choose.of(["0.5", "2.0", "-0.0", "1e10"]), "i": choose.of(["1", "3", "7"]), "b": "true"}[kind]
        name = choose.of(list(self.names)) if self.names else "1"
        return f"{ {'f': choose.of(['f64', 'f32']), 'i': choose.of(['i64', 'i32', 'u16', 'i8']), 'b': 'bool'}[kind] }({name})"


def kind_of(dtype: np.dtype[Any]) -> str:
    return {"u": "i"}.get(dtype.kind, dtype.kind)


class Program:
    """One run of a program in one session. ``log`` has all that the outside saw: contents that were read, and errors."""

    def __init__(self, session: fuseir.Session, choices: Choices, data_seed: int) -> None:
        self.session = session
        self.choices = choices
        self.random = np.random.default_rng(data_seed)
        self.pool: list[fuseir.Store] = []
        self.log: list[tuple[str, Any]] = []
        self.texts: list[str] = []
        rank = choices.of([0, 1, 1, 1, 2, 2, 2, 3, 3, 4])
        shape: list[int] = []
        for _ in range(rank):
            room = MOST_ELEMENTS // max(int(np.prod(shape)), 1)
            shape.append(choices.of([n for n in EXTENTS if n <= max(room, 1)]))
        self.shape = tuple(shape)
        self.tight = choices.chance(25)
        self.dtypes = [choices.of(DTYPES) for _ in range(choices.of([1, 2, 2, 3]))]

    def run(self, steps: int) -> list[tuple[str, Any]]:
        with np.errstate(all="ignore"), self.session:
            for _ in range(3):
                self.new(self.variation(self.shape), self.choices.of(self.dtypes))
            for _ in range(steps):
                self.step()
            for store in self.pool:
                self.read(store)
        return self.log

    def step(self) -> None:
        choose = self.choices
        match choose.below(20):
            case 0 | 1 if len(self.pool) > 3:
                self.pool.pop(choose.below(len(self.pool)))
            case 2:
                self.session.fence()
            case 3:
                self.read(choose.of(self.pool))
            case 4:
                store = choose.of(self.pool)
                view = view_of(choose, store, self.slice_shape(store.shape), False)
                if view is not None:
                    place = next(k for k, held in enumerate(self.pool) if held is store)
                    self.pool[place] = view
            case 5:
                self.opaque()
            case 6 | 7 | 8 | 9:
                self.reduce()
            case _:
                self.elementwise()

    def variation(self, shape: Shape) -> Shape:
        """The shape itself, or one that has it as a view."""
        if self.choices.chance(60):
            return shape
        larger = tuple(n * self.choices.of([1, 1, 2]) + self.choices.of([0, 1, 3]) for n in shape)
        return larger if np.prod(larger) <= 3 * MOST_ELEMENTS else shape

    def slice_shape(self, shape: Shape) -> Shape:
        if self.tight:
            # Halves and thirds of few stores: views that interleave, touch, or overlap in part.
            return tuple(n // self.choices.of([2, 2, 3, 4]) if n > 3 else n for n in shape)
        return tuple(self.choices.below(n) + 1 if n and self.choices.chance(30) else n for n in shape)

    def new(self, shape: Shape, dtype: np.dtype[Any]) -> fuseir.Store:
        store = self.session.from_numpy(contents(self.random, shape, dtype))
        self.pool.append(store)
        return store

    def read(self, store: fuseir.Store) -> None:
        self.log.append(("value", store.numpy()))

    def operand(self, shape: Shape, *, written: bool, dtype: np.dtype[Any] | None = None) -> fuseir.Store:
        """A view of shape ``shape`` of some store, which is made if need be."""
        choose = self.choices
        for _ in range(8 if self.tight else 0 if written and choose.chance(30) else 3):
            store = choose.of(self.pool)
            if dtype is None or store.dtype == dtype:
                if store.shape == shape and choose.chance(60):
                    return store
                view = view_of(choose, store, shape, not written)
                if view is not None:
                    return view
        dtype = dtype or choose.of(self.dtypes)
        view = view_of(choose, self.new(self.variation(shape), dtype), shape, False)
        return self.new(shape, dtype) if view is None else view

    def scalar(self) -> Any:
        choose = self.choices
        match choose.below(6):
            case 0:
                return float(np.round(self.random.normal(), 3))
            case 1 | 2:
                return int(self.random.integers(-3, 100))
            case 3:
                return bool(self.random.integers(2))
            case 4:
                return choose.of([0.0, -0.0, float("inf"), float("nan"), 1e300, 127, 2**31 - 1])
            case _:
                return choose.of(DTYPES).type(self.random.integers(0, 100))

    def inputs(self, shape: Shape) -> tuple[list[str], list[Any], dict[str, str]]:
        """Read arguments and scalars: their declarations, the arguments, and the kind of each name."""
        declared: list[str] = []
        arguments: list[Any] = []
        kinds: dict[str, str] = {}
        for k in range(self.choices.below(3) + (0 if self.choices.chance(10) else 1)):
            own = shape
            if self.choices.chance(15) and len(shape) > 1:
                own = shape[1:] if self.choices.chance(70) else ()
            store = self.operand(own, written=False)
            declared.append(f"x{k}: read")
            arguments.append(store)
            kinds[f"x{k}"] = kind_of(store.dtype)
        if self.choices.chance(30):
            value = self.scalar()
            declared.append("a: scalar")
            arguments.append(value)
            kinds["a"] = kind_of(np.asarray(value).dtype)
        return declared, arguments, kinds

    def elementwise(self) -> None:
        choose = self.choices
        shape = self.slice_shape(self.shape) if self.tight or choose.chance(40) else self.shape
        declared, arguments, kinds = self.inputs(shape)
        layout = self.layout(shape) if choose.chance(25) else None
        body: list[str] = []
        fresh: list[fuseir.Store] = []
        for k in range(choose.of([1, 1, 1, 2, 2, 3])):
            updates = choose.chance(30)
            if layout is None and not updates and choose.chance(50):
                store = self.session.store(shape, choose.of(self.dtypes))
                fresh.append(store)
                store = store.transpose().transpose() if choose.chance(10) else store
            elif choose.chance(15) and (same := [a for a in arguments if isinstance(a, fuseir.Store)]):
                store = choose.of(same)
                if store.shape != shape:
                    store = self.operand(shape, written=True)
            else:
                store = self.operand(shape, written=True)
            declared.append(f"z{k}: {'read_write' if updates else 'write'}")
            arguments.append(store)
            kind = kind_of(store.dtype)
            if updates:
                kinds[f"z{k}"] = kind
            body.append(f"z{k} = {CASTS[store.dtype.char]}({Expression(choose, kinds).of_kind(kind, 2)})")
            kinds[f"z{k}"] = kind
        if choose.chance(15):
            op, target, value = self.reduction(kinds, ())
            declared.append(f"s: reduce<{op}>")
            body.append(value)
            arguments.append(target)
        self.launch(f"task e({', '.join(declared)}) {{ {'; '.join(body)} }}", arguments, layout, fresh)

    def reduction(
        self, kinds: dict[str, str], shape: Shape, axes: str = "", name: str = "s"
    ) -> tuple[str, fuseir.Store, str]:
        """Operator, target and statement of a reduction."""
        choose = self.choices
        dtype = choose.of(self.dtypes)
        options = {"b": ["or", "and", "min", "max", "xor"], "f": ["add", "mul", "min", "max"]}
        op = choose.of(options.get(kind_of(dtype), ["add", "mul", "min", "max", "and", "or", "xor"]))
        function = {
            "add": "sum",
            "mul": "prod",
            "min": "min",
            "max": "max",
            "and": "bit_and",
            "or": "bit_or",
            "xor": "bit_xor",
        }[op]
        if dtype.kind == "b" and op in ("or", "and"):
            function = {"or": "any", "and": "all"}[op]
        value = Expression(choose, kinds).of_kind(kind_of(dtype), 1)
        return (
            op,
            self.operand(shape, written=True, dtype=dtype),
            f"{name} = {function}({CASTS[dtype.char]}({value}){axes})",
        )

    def reduce(self) -> None:
        choose = self.choices
        shape = self.slice_shape(self.shape) if choose.chance(30) else self.shape
        declared, arguments, kinds = self.inputs(shape)
        if not any(isinstance(a, fuseir.Store) and a.shape == shape for a in arguments):
            declared.append("y: read")
            arguments.append(self.operand(shape, written=False))
            kinds["y"] = kind_of(arguments[-1].dtype)
        body: list[str] = []
        into_write = choose.chance(30)
        layout = self.layout(shape) if choose.chance(40) else None
        # The dimensions of the iteration space that each store has.
        dims = [tuple(range(len(shape) - a.ndim, len(shape))) for a in arguments if isinstance(a, fuseir.Store)]
        for k in range(choose.of([1, 1, 2])):
            axes = [axis for axis in range(len(shape)) if choose.chance(50)]
            kept = [axis for axis in range(len(shape)) if axis not in axes]
            if not axes and into_write:
                continue
            text = f", axis=({', '.join(map(str, axes))},)" if axes and kept else ""
            op, target, value = self.reduction(kinds, tuple(shape[axis] for axis in kept), text, f"s{k}")
            declared.append(f"s{k}: {'write' if into_write else f'reduce<{op}>'}")
            arguments.append(target)
            dims.append(tuple(kept))
            body.append(value)
        if body:
            self.launch(f"task r({', '.join(declared)}) {{ {'; '.join(body)} }}", arguments, layout, [], dims)

    def layout(self, shape: Shape) -> tuple[Shape, Tiling]:
        """A launch domain and a tiling of ``shape``: clipped, empty, strided, reversed and shared tiles."""
        choose = self.choices
        domain = tuple(choose.of([1, 2, 3, 4, 5]) for _ in range(choose.of([0, 1, 1, 2, 2, 3])))
        free = list(range(len(domain)))
        tile: list[int] = []
        offset: list[int] = []
        results: list[Coordinate] = []
        for extent in shape:
            if free and choose.chance(80):
                j = free.pop(choose.below(len(free)))
                tile.append(choose.of([1, 2, 3, max(1, -(-extent // domain[j])), max(1, -(-extent // domain[j]))]))
                reverse = choose.chance(20)
                results.append(
                    Coordinate(j, -1 if reverse else choose.of([1, 1, 1, 2]), domain[j] - 1 if reverse else 0)
                )
                offset.append(choose.of([0, 0, 0, 1, -1, -3]))
            else:
                tile.append(choose.of([max(extent, 1), max(extent, 1), extent + 3, 2]))
                results.append(Coordinate(None, 0, choose.of([0, 0, 0, 1])))
                offset.append(choose.of([0, 0, -1]))
        return domain, Tiling.of(tile, offset, IndexMap(len(domain), tuple(results)))

    def restricted(self, tiling: Tiling, dims: tuple[int, ...]) -> Partition:
        """The tiling of some dimensions alone."""
        if not dims and self.choices.chance(50):
            return NonePartition()
        results = tuple(tiling.projection.results[d] for d in dims)
        inputs = tiling.projection.inputs
        return Tiling.of([tiling.tile[d] for d in dims], [tiling.offset[d] for d in dims], IndexMap(inputs, results))

    def launch(
        self,
        text: str,
        arguments: list[Any],
        layout: tuple[Shape, Tiling] | None,
        fresh: list[fuseir.Store],
        dims: list[tuple[int, ...]] | None = None,
    ) -> None:
        self.texts.append(text)
        try:
            if layout is None:
                self.session.launch(task(text), *arguments)
            else:
                domain, tiling = layout
                rank = len(tiling.tile)
                stores = [a for a in arguments if isinstance(a, fuseir.Store)]
                dims = dims or [tuple(range(rank - store.ndim, rank)) for store in stores]
                parts = [self.restricted(tiling, kept) for kept in dims]
                self.session.launch(task(text), *arguments, domain=domain, partitions=parts)
        except fuseir.FuseirError as error:
            self.log.append(("error", f"{type(error).__name__}"))
            return
        self.pool.extend(fresh)

    def opaque(self) -> None:
        choose = self.choices
        shape = self.slice_shape(self.shape)
        x, y = self.operand(shape, written=False), self.operand(shape, written=True)
        made = choose.of([OPAQUE_COPY, OPAQUE_PART])
        try:
            self.session.launch(made, x, y, *([3] if made is OPAQUE_PART else []))
        except fuseir.FuseirError as error:
            self.log.append(("error", type(error).__name__))


def _copy(x: Array, y: Array) -> None:
    y[...] = (x == x).astype(y.dtype) + (x != 0).astype(y.dtype)


def _part(x: Array, y: Array, a: int) -> None:
    if y.ndim:
        y[: len(y) // 2] = a if y.dtype.kind != "b" else True
    else:
        y[...] = (x != 0).astype(y.dtype)


OPAQUE_COPY = fuseir.opaque_task(_copy, ["read", "write"])
OPAQUE_PART = fuseir.opaque_task(_part, ["read", "read_write", None])


def run_program(
    session: fuseir.Session, seed: int, twist: int = -1, data: int = 0, steps: int = 12
) -> list[tuple[str, Any]]:
    return Program(session, Choices(seed, twist), seed * 7 + data).run(steps)

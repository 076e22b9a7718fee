"""Random programs of tasks, run by any session and by NumPy alone.

A program is drawn from a seed as a list of steps on numbered stores; its sizes and contents come afterwards, so that programs of one
seed share their kernels, whatever their sizes: that makes thousands of them cheap. Steps: make a store, launch a task on views of
stores (trimmed, reversed, strided, transposed, broadcast; in place too), reduce, drop a store, put a fence.

Results of transcendental functions, and sums of floats, are looked at in the end but not computed with: one difference in rounding
would be amplified, and NumPy adds in another order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import cache
from typing import Any, NamedTuple

import numpy as np

import fuseir
from fuseir import FuseirError

Array = np.ndarray[Any, np.dtype[Any]]
Shape = tuple[int, ...]

DTYPES = [np.dtype(name) for name in ("f8", "f4", "i8", "i4", "i2", "i1", "u8", "u4", "u2", "u1", "?")]
NAMES = {
    "?": "bool",
    "f": "f32",
    "d": "f64",
    **{np.dtype(f"{k}{n}").char: f"{k}{8 * n}" for k in "iu" for n in (1, 2, 4, 8)},
}
LARGEST_EXTENT = 257
MOST_ELEMENTS = 20_000
MOST_STEPS = 64


class Exactness(Enum):
    """What NumPy says about a store: the very bits, up to 4 units in the last place, or the sum in another order."""

    BITS = 0
    ULPS = 1
    SUM = 2


class Operation(NamedTuple):
    """A task and what NumPy computes for it, from its read and read_write arguments and scalars in order. Of each store its type's kind."""

    text: str
    numpy: Callable[..., Any]
    exactness: Exactness = Exactness.BITS


def _two(x: Array, y: Array) -> tuple[Array, Array]:
    d = x - y
    return d * d, x + d * d


X_Z = "x: read, z: write"
X_Y_Z = "x: read, y: read, z: write"
ORDERED = [
    Operation(f"task least({X_Y_Z}) {{ z = minimum(x, y) }}", np.minimum),
    Operation(f"task most({X_Y_Z}) {{ z = maximum(x, y) }}", np.maximum),
    Operation(f"task pick({X_Y_Z}) {{ z = select(x < y, x, y) }}", lambda x, y: np.where(x < y, x, y)),
    Operation("task fill(a: scalar, z: write) { z = a }", lambda a: a),
    Operation(f"task copy({X_Z}) {{ z = x }}", lambda x: x),
]
NUMBERS = [
    *ORDERED,
    Operation(f"task add({X_Y_Z}) {{ z = x + y }}", np.add),
    Operation(f"task sub({X_Y_Z}) {{ z = x - y }}", np.subtract),
    Operation(f"task mul({X_Y_Z}) {{ z = x * y }}", np.multiply),
    Operation(f"task floordiv({X_Y_Z}) {{ z = x // y }}", np.floor_divide),
    Operation(f"task modulo({X_Y_Z}) {{ z = x % y }}", np.remainder),
    Operation("task axpy(a: scalar, x: read, y: read_write) { y = a * x + y }", lambda a, x, y: a * x + y),
    Operation("task update(x: read, y: read_write) { y = y - x }", lambda x, y: y - x),
    Operation("task two(x: read, y: read, z: write, w: write) { let d = x - y\n z = d * d\n w = x + d * d }", _two),
    Operation(f"task square({X_Z}) {{ z = x * x }}", np.square),
    Operation(f"task sign({X_Z}) {{ z = sign(x) }}", np.sign),
]
OPERATIONS: dict[str, list[Operation]] = {
    "f": [
        *NUMBERS,
        Operation(f"task div({X_Y_Z}) {{ z = x / y }}", np.divide),
        Operation(f"task fmod({X_Y_Z}) {{ z = fmod(x, y) }}", np.fmod),
        Operation(f"task root({X_Z}) {{ z = sqrt(abs(x)) }}", lambda x: np.sqrt(np.abs(x))),
        Operation(f"task round({X_Z}) {{ z = rint(x) - floor(x) }}", lambda x: np.rint(x) - np.floor(x)),
        Operation(
            f"task cut({X_Y_Z}) {{ z = copysign(trunc(x), ceil(y)) }}",
            lambda x, y: np.copysign(np.trunc(x), np.ceil(y)),
        ),
    ],
    "i": [
        *NUMBERS,
        Operation(f"task bits({X_Y_Z}) {{ z = (x & y) ^ (x | ~y) }}", lambda x, y: (x & y) ^ (x | ~y)),
        Operation(f"task shifts({X_Y_Z}) {{ z = (x << y) + (x >> y) }}", lambda x, y: (x << y) + (x >> y)),
    ],
    "b": [
        *ORDERED,
        Operation(f"task both({X_Y_Z}) {{ z = x and not y }}", lambda x, y: x & ~y),
        Operation(f"task either({X_Y_Z}) {{ z = (x or y) ^ (x == y) }}", lambda x, y: (x | y) ^ (x == y)),
    ],
}
TRANSCENDENTAL = [
    Operation(f"task t_{name}({X_Z}) {{ z = {name}(x) }}", getattr(np, name), Exactness.ULPS)
    for name in ("exp", "log", "sin", "cos", "tanh", "log1p", "expm1", "cbrt", "arctan", "exp2", "log2", "sinh")
]
REDUCTIONS = {
    "f": ["sum", "min", "max"],
    "i": ["sum", "prod", "min", "max", "bit_and", "bit_or", "bit_xor"],
    "b": ["any", "all"],
}
OPERATORS = {"sum": "add", "prod": "mul", "bit_and": "and", "bit_or": "or", "bit_xor": "xor", "any": "or", "all": "and"}
FOLDS: dict[str, Any] = {
    "sum": np.add,
    "prod": np.multiply,
    "min": np.minimum,
    "max": np.maximum,
    "bit_and": np.bitwise_and,
    "bit_or": np.bitwise_or,
    "bit_xor": np.bitwise_xor,
    "any": np.logical_or,
    "all": np.logical_and,
}


def kind_of(dtype: np.dtype[Any]) -> str:
    return {"u": "i"}.get(dtype.kind, dtype.kind)


@cache
def task(text: str) -> fuseir.Task:
    return fuseir.task(text)


class Dimension(NamedTuple):
    """A dimension of a store: ``factor * n + pad`` elements where the program's own has ``n``; one if ``single``."""

    factor: int = 1
    pad: int = 0
    single: bool = False

    def extent(self, n: int) -> int:
        return 1 if self.single else self.factor * n + self.pad


class Window(NamedTuple):
    """Where in a dimension a view starts, as a share of the places it could, how it steps, and which way."""

    place: float
    step: int
    backwards: bool

    def index(self, extent: int, length: int) -> slice:
        span = (length - 1) * self.step + 1
        if length <= 0:
            return slice(0, 0)
        first = int(self.place * (extent - span + 1))
        if not self.backwards:
            return slice(first, first + span, self.step)
        return slice(first + span - 1, first - 1 if first else None, -self.step)


@dataclass(frozen=True)
class Form:
    """A store: its type, which of the program's dimensions it has, how large each is, and in which order they lie."""

    dtype: np.dtype[Any]
    dims: tuple[int, ...]
    dimensions: tuple[Dimension, ...]
    order: tuple[int, ...]
    exactness: Exactness = Exactness.BITS

    def shape(self, sizes: Shape) -> Shape:
        extents = [each.extent(sizes[d]) for d, each in zip(self.dims, self.dimensions, strict=True)]
        return tuple(extents[k] for k in self.order)


@dataclass(frozen=True)
class Operand:
    """A view of a store, with the dimensions ``dims`` of a launch that leaves ``trims`` elements of each out."""

    store: int
    windows: tuple[Window, ...]


@dataclass(frozen=True)
class Step:
    """One thing that a program does; of ``made`` stores, those it makes."""

    kind: str
    operation: Operation | None = None
    operands: tuple[Operand | None, ...] = ()
    """In order of the task's parameters; None for a scalar."""
    trims: tuple[int, ...] = ()
    fold: str = ""
    axes: tuple[int, ...] = ()
    store: int = -1


@dataclass
class Program:
    """Steps on stores, without sizes and contents."""

    rank: int
    forms: list[Form] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)

    def sizes(self, random: np.random.Generator) -> Shape:
        """Extents, each as likely to be in 1 to 2 as in 128 to 257, so that the whole is not too large."""
        while True:
            sizes = tuple(
                int((LARGEST_EXTENT + 1) ** random.random()) - (random.random() < 0.1) for _ in range(self.rank)
            )
            if np.prod([n + 2 for n in sizes]) <= MOST_ELEMENTS:
                return sizes


class Drawing:
    """Draws a program."""

    def __init__(self, seed: int) -> None:
        self.random = np.random.default_rng(seed)
        self.program = Program(int(self.random.choice([0, 1, 1, 2, 2, 3, 3, 4])))
        count = int(self.random.choice([1, 1, 2, 3]))
        self.dtypes = [DTYPES[0 if self.chance(0.3) else self.below(len(DTYPES))] for _ in range(count)]
        self.alive: list[int] = []

    def below(self, count: int) -> int:
        return int(self.random.integers(count))

    def chance(self, share: float) -> bool:
        return bool(self.random.random() < share)

    def of(self, options: Sequence[Any]) -> Any:
        return options[self.below(len(options))]

    def draw(self) -> Program:
        for _ in range(3):
            self.given(self.of(self.dtypes))
        for _ in range(int(MOST_STEPS ** self.random.random())):
            self.step()
        return self.program

    def add(self, form: Form) -> int:
        self.program.forms.append(form)
        self.alive.append(len(self.program.forms) - 1)
        return self.alive[-1]

    def form(self, dtype: np.dtype[Any], dims: Sequence[int], exactness: Exactness = Exactness.BITS) -> Form:
        """Plain, or larger than what the program works on, or with its dimensions in another order."""
        plain = self.chance(0.5)
        dimensions = [Dimension() if plain else Dimension(self.of([1, 1, 1, 2]), self.below(3)) for _ in dims]
        order = range(len(dims)) if self.chance(0.75) else self.random.permutation(len(dims))
        return Form(dtype, tuple(dims), tuple(dimensions), tuple(int(k) for k in order), exactness)

    def given(self, dtype: np.dtype[Any]) -> int:
        store = self.add(self.form(dtype, range(self.program.rank)))
        self.program.steps.append(Step("given", store=store))
        return store

    def step(self) -> None:
        chosen = self.random.random()
        if chosen < 0.04:
            self.program.steps.append(Step("fence"))
        elif chosen < 0.16:
            self.reduce()
        elif chosen < 0.21:
            self.convert()
        else:
            dtype = self.of(self.dtypes)
            transcendental = dtype.kind == "f" and self.chance(0.1)
            self.launch(self.of(TRANSCENDENTAL if transcendental else OPERATIONS[kind_of(dtype)]), dtype)
        if len(self.alive) > 2 and self.chance(0.55):
            self.program.steps.append(Step("drop", store=self.alive.pop(self.below(len(self.alive)))))

    def launch(self, operation: Operation, dtype: np.dtype[Any]) -> None:
        made = task(operation.text)
        plain = self.chance(0.6)
        trims = tuple(0 if plain else self.below(3) for _ in range(self.program.rank))
        operands: list[Operand | None] = []
        for privilege in made.parameters:
            if privilege is None:
                operands.append(None)
                continue
            if privilege.reads:
                store = self.existing(dtype, written=privilege.writes)
            elif operation.exactness is not Exactness.BITS or self.chance(0.6):
                store = self.written(dtype, plain, operation.exactness)
            else:
                store = self.existing(dtype, written=True)
            operands.append(self.operand(store, plain))
        self.program.steps.append(Step("launch", operation, tuple(operands), trims))

    def written(self, dtype: np.dtype[Any], plain: bool, exactness: Exactness = Exactness.BITS) -> int:
        """A store that a launch is to write first; with contents if the launch may leave some of it out."""
        rank = self.program.rank
        if plain:
            order = tuple(range(rank)) if self.chance(0.8) else tuple(int(k) for k in self.random.permutation(rank))
            form = Form(dtype, tuple(range(rank)), (Dimension(),) * rank, order, exactness)
        else:
            form = self.form(dtype, range(rank), exactness)
        store = self.add(form)
        self.program.steps.append(Step("fresh" if plain else "given", store=store))
        return store

    def existing(self, dtype: np.dtype[Any], *, written: bool) -> int:
        rank = self.program.rank
        fitting = [
            number
            for number in self.alive
            if (form := self.program.forms[number]).dtype == dtype
            and form.exactness is Exactness.BITS
            and (form.dims == tuple(range(rank)) if written else form.dims == tuple(range(rank - len(form.dims), rank)))
            and not (written and any(each.single for each in form.dimensions))
        ]
        if not fitting or (not written and self.chance(0.1)):
            if written or self.chance(0.5) or rank == 0:
                return self.given(dtype)
            # Something that is broadcast: of lower rank, or with an extent of 1.
            dims = range(self.below(rank + 1), rank)
            form = Form(
                dtype, tuple(dims), tuple(Dimension(single=self.chance(0.4)) for _ in dims), tuple(range(len(dims)))
            )
            self.program.steps.append(Step("given", store=self.add(form)))
            return self.alive[-1]
        return self.of(fitting)

    def operand(self, store: int, plain: bool) -> Operand:
        form = self.program.forms[store]
        return Operand(
            store,
            tuple(
                Window(
                    0.0 if plain else self.random.random(),
                    1 if plain else self.below(each.factor) + 1,
                    not plain and self.chance(0.2),
                )
                for each in form.dimensions
            ),
        )

    def convert(self) -> None:
        source, target = self.of(self.dtypes), self.of(DTYPES)
        operation = Operation(f"task cast({X_Z}) {{ z = {NAMES[target.char]}(x) }}", lambda x: converted(x, target))
        x = self.operand(self.existing(source, written=False), True)
        z = self.operand(self.written(target, True), True)
        self.program.steps.append(Step("launch", operation, (x, z), (0,) * self.program.rank))

    def reduce(self) -> None:
        dtype = self.of(self.dtypes)
        rank = self.program.rank
        x = self.existing(dtype, written=False)
        form = self.program.forms[x]
        if len(form.dims) != rank or any(each.single for each in form.dimensions):
            return
        fold = self.of(REDUCTIONS[kind_of(dtype)])
        axes = tuple(d for d in range(rank) if self.chance(0.5)) or tuple(range(rank))
        exactness = Exactness.SUM if fold == "sum" and dtype.kind == "f" else Exactness.BITS
        kept = tuple(d for d in range(rank) if d not in axes)
        target = self.add(Form(dtype, kept, (Dimension(),) * len(kept), tuple(range(len(kept))), exactness))
        self.program.steps.append(Step("given", store=target))
        given = f", axis=({', '.join(map(str, axes))},)" if kept else ""
        text = f"task r(x: read, s: reduce<{OPERATORS.get(fold, fold)}>) {{ s = {fold}(x{given}) }}"
        operands = (self.operand(x, True), self.operand(target, True))
        operation = Operation(text, FOLDS[fold], exactness)
        self.program.steps.append(Step("reduce", operation, operands, (0,) * rank, fold, axes))


def drawn(seed: int) -> Program:
    """The program of a seed."""
    return Drawing(seed).draw()


def converted(x: Array, dtype: np.dtype[Any]) -> Array:
    """A cast as the language defines it: floats beyond an integer's range become its nearest, NaN becomes 0."""
    if x.dtype.kind != "f" or dtype.kind not in "iu":
        return x.astype(dtype)
    info = np.iinfo(dtype)
    # The limits of 64-bit integers are no floats: what is beyond is told first.
    low, high = x <= float(info.min), x >= float(info.max)
    inside = np.where(low | high | np.isnan(x), 0, x).astype(dtype)
    return np.where(low, info.min, np.where(high, info.max, inside)).astype(dtype)


def contents(random: np.random.Generator, shape: Shape, dtype: np.dtype[Any]) -> Array:
    """Contents with special values sprinkled in."""
    if dtype.kind == "f":
        array = random.normal(scale=10.0, size=shape).astype(dtype)
        special = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1.0, 5e-324, 1e300, -1e-310, 2.0**63])
    elif dtype.kind == "b":
        return random.integers(0, 2, shape).astype(dtype)
    else:
        info = np.iinfo(dtype)
        array = random.integers(info.min, info.max, shape, dtype=dtype, endpoint=True)
        special = np.array([0, 1, 2, info.min, info.max, info.max - 1], dtype)
    with np.errstate(all="ignore"):
        return np.where(random.random(shape) < 0.1, random.choice(special.astype(dtype), shape), array).astype(dtype)


# Running them


def view_of(array: Any, form: Form, operand: Operand, shape: Shape) -> Any:
    """The view of a store, or of an array, that a launch over ``shape`` gets; of ``shape``, or of the end of it."""
    array = array.transpose(*(form.order.index(k) for k in range(len(form.order)))) if form.order else array
    index: list[slice] = []
    for d, each, window, extent in zip(form.dims, form.dimensions, operand.windows, array.shape, strict=True):
        index.append(slice(None) if each.single else window.index(extent, shape[d]))
    wanted = tuple(shape[d] for d in form.dims)
    array = array[tuple(index)] if index else array
    if array.shape == wanted:
        return array
    return array.broadcast_to(wanted) if isinstance(array, fuseir.Store) else np.broadcast_to(array, wanted)


class Given(NamedTuple):
    """What one run of a program works on: extents, and where contents and scalars come from."""

    sizes: Shape
    seed: int

    def contents(self, program: Program, store: int) -> Array:
        form = program.forms[store]
        return contents(np.random.default_rng((self.seed, store)), form.shape(self.sizes), form.dtype)

    def scalar(self, step: int, dtype: np.dtype[Any]) -> Any:
        random = np.random.default_rng((self.seed, 1_000_000 + step))
        if dtype.kind == "f":
            return float(
                random.choice([random.normal(), 0.0, -0.0, 2.0, np.inf, np.nan], p=[0.7, 0.06, 0.06, 0.06, 0.06, 0.06])
            )
        return bool(random.integers(2)) if dtype.kind == "b" else int(random.integers(0, 100))


def run_in(session: fuseir.Session, program: Program, given: Given) -> tuple[dict[int, Array], set[int]]:
    """Runs a program in a session: the contents of all stores alive at its end, and which steps were refused as arguments overlap."""
    stores: dict[int, fuseir.Store] = {}
    refused: set[int] = set()
    unwritten: set[int] = set()
    for number, step in enumerate(program.steps):
        if step.kind == "given":
            stores[step.store] = session.from_numpy(given.contents(program, step.store))
        elif step.kind == "fresh":
            form = program.forms[step.store]
            stores[step.store] = session.store(form.shape(given.sizes), form.dtype)
            unwritten.add(step.store)
        elif step.kind == "drop":
            del stores[step.store]
        elif step.kind == "fence":
            session.fence()
        else:
            assert step.operation is not None
            shape = tuple(max(n - trim, 0) for n, trim in zip(given.sizes, step.trims, strict=True))
            arguments = [
                given.scalar(number, _dtype(program, step))
                if operand is None
                else view_of(stores[operand.store], program.forms[operand.store], operand, shape)
                for operand in step.operands
            ]
            try:
                session.launch(task(step.operation.text), *arguments)
            except FuseirError as error:
                # Refused at the call, by every executor alike.
                if "overlap" not in str(error):
                    raise
                refused.add(number)
                for operand in step.operands:
                    if operand is not None and operand.store in unwritten:
                        form = program.forms[operand.store]
                        stores[operand.store] = session.zeros(form.shape(given.sizes), form.dtype)
            unwritten.difference_update(operand.store for operand in step.operands if operand is not None)
            del arguments
    return {number: store.numpy() for number, store in stores.items()}, refused


def run_in_numpy(program: Program, given: Given, refused: set[int]) -> dict[int, Array]:
    """What NumPy makes of a program: the contents of all stores alive at its end. Transcendental functions are more precise."""
    arrays: dict[int, Array] = {}
    with np.errstate(all="ignore"):
        for number, step in enumerate(program.steps):
            if step.kind == "given":
                arrays[step.store] = given.contents(program, step.store)
            elif step.kind == "fresh":
                form = program.forms[step.store]
                arrays[step.store] = np.zeros(form.shape(given.sizes), form.dtype)
            elif step.kind == "drop":
                del arrays[step.store]
            elif step.kind != "fence" and number not in refused:
                _run_step(program, given, number, step, arrays)
    return arrays


def _run_step(program: Program, given: Given, number: int, step: Step, arrays: dict[int, Array]) -> None:
    assert step.operation is not None
    shape = tuple(max(n - trim, 0) for n, trim in zip(given.sizes, step.trims, strict=True))
    views = [
        None if operand is None else view_of(arrays[operand.store], program.forms[operand.store], operand, shape)
        for operand in step.operands
    ]
    if step.kind == "reduce":
        x, target = views
        assert x is not None
        assert target is not None
        function = step.operation.numpy
        reduced = _reduced(step.fold, function, x, step.axes)
        target[...] = _reduced(step.fold, function, np.stack([target, reduced]), (0,))
        return
    privileges = task(step.operation.text).parameters
    inputs = [
        given.scalar(number, _dtype(program, step)) if view is None else _wide(view, step.operation)
        for view, privilege in zip(views, privileges, strict=True)
        if privilege is None or privilege.reads
    ]
    results = step.operation.numpy(*inputs)
    outputs = [
        view for view, privilege in zip(views, privileges, strict=True) if privilege is not None and privilege.writes
    ]
    for output, result in zip(outputs, results if isinstance(results, tuple) else (results,), strict=True):
        assert output is not None
        output[...] = result


def _dtype(program: Program, step: Step) -> np.dtype[Any]:
    """The type that a launch with a scalar works on."""
    return next(program.forms[operand.store].dtype for operand in step.operands if operand is not None)


def _wide(view: Array, operation: Operation) -> Array:
    """What is computed with: more digits where the result is rounded once more."""
    return (
        view
        if operation.exactness is Exactness.BITS
        else view.astype(np.float64 if view.dtype == np.float32 else np.longdouble)
    )


def _reduced(fold: str, function: Any, x: Array, axes: tuple[int, ...]) -> Array:
    if fold not in ("min", "max"):
        return function.reduce(x, axis=axes, dtype=x.dtype)
    if x.dtype.kind != "f":
        info = None if x.dtype.kind == "b" else np.iinfo(x.dtype)
        worst = (fold == "min") if info is None else (info.max if fold == "min" else info.min)
        return function.reduce(x, axis=axes, initial=worst)
    # NumPy leaves open which of two zeros is the less; here -0 is.
    found = function.reduce(x, axis=axes, initial=np.inf if fold == "min" else -np.inf)
    sought = (x == 0) & (np.signbit(x) == (fold == "min"))
    zero = np.where(sought.any(axis=axes), fold == "min", fold == "max")
    return np.where(found == 0, np.where(zero, -0.0, 0.0).astype(x.dtype), found)

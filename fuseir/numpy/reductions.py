"""Reductions along axes: sums, products, extremes and truth, and what is computed from them.

A reduction is a launch that folds into a store which holds the start value; results stay in the stream, as scalars where they have no
dimensions.
"""

from __future__ import annotations

import builtins
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod as product
from typing import Any

import numpy as np

from fuseir.dtypes import ELEMENT_NAMES
from fuseir.errors import FallbackError, UnsupportedError
from fuseir.numpy.array import Scalar, ndarray, normalized_axes
from fuseir.numpy.elementwise import CAST, FILL, as_array, assign, found_by, remember, users_frame
from fuseir.numpy.fallback import through_numpy
from fuseir.numpy.operators import UFUNCS
from fuseir.numpy.ufunc import raise_as_numpy
from fuseir.runtime.forms import Form
from fuseir.runtime.session import Session
from fuseir.runtime.stores import RootStore
from fuseir.runtime.tasks import Task, defined_task


def _widened(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """What NumPy sums a type in: integers in 64 bits."""
    return np.dtype({"b": np.int64, "i": np.int64, "u": np.uint64}.get(dtype.kind, dtype))


def _lowest(dtype: np.dtype[Any]) -> Any:
    return {"f": -np.inf, "b": False}.get(dtype.kind) if dtype.kind in "fb" else np.iinfo(dtype).min


def _highest(dtype: np.dtype[Any]) -> Any:
    return {"f": np.inf, "b": True}.get(dtype.kind) if dtype.kind in "fb" else np.iinfo(dtype).max


@dataclass(frozen=True, eq=False)
class Reduction:
    """How a function folds: the operator of the store, the fold of the task language, the element type it folds in, and what it folds from.

    ``empty`` says whether there is a result for no elements at all.
    """

    name: str
    operator: str
    fold: str
    dtype: Callable[[np.dtype[Any]], np.dtype[Any]]
    identity: Callable[[np.dtype[Any]], Any]
    empty: bool = True


SUM = Reduction("add", "add", "sum", _widened, lambda _: 0)
PRODUCT = Reduction("multiply", "mul", "prod", _widened, lambda _: 1)
MINIMUM = Reduction("minimum", "min", "min", lambda dtype: dtype, _highest, empty=False)
MAXIMUM = Reduction("maximum", "max", "max", lambda dtype: dtype, _lowest, empty=False)
ANY = Reduction("logical_or", "or", "any", lambda _: np.dtype(bool), lambda _: False)
ALL = Reduction("logical_and", "and", "all", lambda _: np.dtype(bool), lambda _: True)

_TASKS: dict[Any, Task] = {}


class Fold:
    """A reduction of arrays of some kind over axes of the first: the form of the launch, and the result's signature and class.

    What is folded into is new: of the contents ``start`` if it is small, else filled with ``value`` by a launch of the form ``fill``.
    """

    __slots__ = ("fill", "form", "kind", "signature", "start", "value")

    def __init__(
        self,
        task: Task,
        arguments: Sequence[ndarray],
        axes: tuple[int, ...],
        keepdims: bool,
        dtype: np.dtype[Any],
        value: Any,
    ) -> None:
        extents, session = arguments[0].shape, arguments[0].session
        kept = tuple([1 if k in axes else extent for k, extent in enumerate(extents)])
        shape = kept if keepdims else tuple([extent for k, extent in enumerate(extents) if k not in axes])
        signature = session.signatures.asked(shape, dtype)
        result = into = ndarray(session, RootStore(signature, None, None), signature)
        if keepdims:
            index = tuple([0 if k in axes else slice(None) for k in range(len(extents))])
            into = result.seen_as(signature.indexed(index))
        self.form = session.form(task, [*arguments, into])
        self.signature = signature
        self.kind: type[ndarray] = ndarray if signature.shape else Scalar
        self.value = value
        self.start: np.ndarray[Any, Any] | None = None
        self.fill: Form | None = None
        if product(signature.shape) <= _FEW and session.options.target != "cuda":
            self.start = np.full(signature.shape, value, signature.dtype)
        else:
            self.fill = session.form(FILL[signature.dtype], [value, result])

    def __call__(self, session: Session, *roots: RootStore) -> ndarray:
        """Captures the reduction of stores."""
        frame, start = users_frame(), self.start
        if start is not None:
            return session.produce(self.kind, self.form, self.signature, roots, (), frame, start.copy())
        assert self.fill is not None
        result = session.produce(self.kind, self.fill, self.signature, (), (self.value,), frame)
        session.capture(self.form, (*roots, result.root), (), frame.f_code, frame.f_lasti)
        return result


_FEW = 64
"""So many elements are faster filled here than by a launch, unless they are to be on a GPU."""


def reduce(
    reduction: Reduction,
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = True,
) -> Any:
    """A reduction, with the arguments that NumPy's have. Raises AxisError, TypeError and ValueError as NumPy does."""
    array = as_array(a)
    plain = out is None and where is True and initial is None
    key = reduction, axis, type(axis), keepdims, dtype
    known: Fold | None = found_by(array, key) if plain else None
    if known is not None:
        return known(array.session, array.root)
    axes = reduced_axes(axis, array.ndim)
    kind = np.dtype(dtype) if dtype is not None else reduction.dtype(array.dtype)
    # The type of `out` is what NumPy folds in.
    odd = isinstance(out, ndarray) and out.dtype != kind and dtype is None
    if odd or kind not in ELEMENT_NAMES or (reduction in (SUM, PRODUCT) and kind.kind == "b"):
        keywords = {"axis": axis, "dtype": dtype, "out": out, "keepdims": keepdims, "where": where}
        if initial is not None:
            keywords["initial"] = initial
        return through_numpy(getattr(np, reduction.name).reduce, (array,), keywords)
    if not reduction.empty and initial is None:
        if 0 in [array.shape[k] for k in axes]:
            raise ValueError(f"zero-size array to reduction operation {reduction.name} which has no identity")
        if where is not True:
            raise ValueError(
                f"reduction operation '{reduction.name}' does not have an identity, so to use a where mask one has to specify 'initial'"
            )
    arguments = [array]
    if where is not True:
        mask = as_array(where)
        arguments.append(mask.seen_as(mask.signature.broadcast_to(array.shape)))
    start = reduction.identity(kind) if initial is None else initial
    task = _task(reduction, array, axes, kind, len(arguments) > 1)
    fold = Fold(task, arguments, axes, keepdims, kind, start)
    result = fold(array.session, *[each.root for each in arguments])
    shape = result.shape
    if out is not None:
        if out.shape != shape:
            raise ValueError(f"output parameter for reduction operation {reduction.name} has the wrong shape")
        if not np.can_cast(kind, out.dtype, "same_kind"):
            raise_as_numpy(np.positive, [result], out)
        assign(out, result)
        return out
    if plain:
        remember(array, key, fold)
    return result


def reduced_axes(axis: Any, rank: int) -> tuple[int, ...]:
    """The axes that a reduction goes over. An array without axes may be reduced along its first or last one, as in NumPy."""
    if axis is None or (not rank and axis in (0, -1)):
        return tuple(range(rank))
    return normalized_axes(axis, rank)


def _task(reduction: Reduction, array: ndarray, axes: tuple[int, ...], kind: np.dtype[Any], masked: bool) -> Task:
    key = reduction, array.dtype, array.ndim, axes, kind, masked
    task = _TASKS.get(key)
    if task is None:
        value = f"{CAST[kind]}(x)" if array.dtype != kind else "x"
        parameters = "x: read, m: read" if masked else "x: read"
        if masked:
            value = f"select(m, {value}, {_literal(reduction.identity(kind), kind)})"
        where = f", axis=({', '.join(map(str, axes))},)" if axes else ", axis=()"
        text = f"task {reduction.fold}_({parameters}, s: reduce<{reduction.operator}>) {{ s = {reduction.fold}({value}{where}) }}"
        task = _TASKS[key] = defined_task(text)
    return task


def _literal(value: Any, kind: np.dtype[Any]) -> str:
    if kind.kind == "f":
        return f"{CAST[kind]}({value!r})"
    return str(bool(value)).lower() if kind.kind == "b" else f"{CAST[kind]}({int(value)})"


def count_of(array: ndarray, axis: Any) -> int:
    """How many elements go into each result."""
    axes = reduced_axes(axis, array.ndim)
    return product([array.shape[k] for k in axes])


def mean(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: bool = False, *, where: Any = True
) -> Any:
    """The mean along axes; integers are summed as f64."""
    array = as_array(a)
    key = mean, axis, type(axis), keepdims, dtype
    if out is None and where is True:
        known: tuple[Fold, float] | None = found_by(array, key)
        if known is not None:
            return UFUNCS["divide"](known[0](array.session, array.root), known[1])
    kind = np.float64 if dtype is None and array.dtype.kind in "biu" else dtype
    total = reduce(SUM, array, axis, kind, None, keepdims, where=where)
    if where is not True:
        return UFUNCS["divide"](total, reduce(SUM, _mask(where, array), axis, None, None, keepdims), out=out)
    # The sum's own type, as in NumPy: an f32 stays one.
    count = float(count_of(array, axis))
    fold: Fold | None = found_by(array, (SUM, axis, type(axis), keepdims, kind))
    if fold is not None:
        remember(array, key, (fold, count))
    return UFUNCS["divide"](total, count, out=out)


def _mask(where: Any, array: ndarray) -> ndarray:
    mask = as_array(where)
    return mask.seen_as(mask.signature.broadcast_to(array.shape))


def var(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    ddof: float = 0,
    keepdims: bool = False,
    *,
    where: Any = True,
    mean: Any = None,
    correction: Any = None,
) -> Any:
    """The variance along axes: the mean of squared differences from the mean, over ``n - ddof``.

    ``correction`` is another name of ``ddof``, ``mean`` the mean along these axes, kept as dimensions, if it is known.
    """
    array = as_array(a)
    if correction is not None:
        if ddof != 0:
            raise ValueError("ddof and correction can't be provided simultaneously.")
        ddof = correction
    centre = _mean(array, axis, dtype, None, True, where=where) if mean is None else mean
    difference = UFUNCS["subtract"](array, centre)
    total = reduce(SUM, UFUNCS["multiply"](difference, difference), axis, dtype, None, keepdims, where=where)
    if where is True:
        return UFUNCS["divide"](total, builtins.max(count_of(array, axis) - ddof, 0), out=out)
    count = reduce(SUM, _mask(where, array), axis, None, None, keepdims)
    return UFUNCS["divide"](total, UFUNCS["maximum"](count - ddof, 0), out=out)


_mean = mean


def std(
    a: Any,
    axis: Any = None,
    dtype: Any = None,
    out: Any = None,
    ddof: float = 0,
    keepdims: bool = False,
    *,
    where: Any = True,
    mean: Any = None,
    correction: Any = None,
) -> Any:
    """The standard deviation along axes, with the arguments of ``var``."""
    found = var(a, axis, dtype, None, ddof, keepdims, where=where, mean=mean, correction=correction)
    return UFUNCS["sqrt"](found, out=out)


def count_nonzero(a: Any, axis: Any = None, *, keepdims: bool = False) -> Any:
    """How many elements are not zero."""
    return reduce(SUM, UFUNCS["not_equal"](as_array(a), 0), axis, np.int64, None, keepdims)


_KEEPDIMS = frozenset({"keepdims"})


def _named(reduction: Reduction, *, typed: bool, start: bool = True) -> Callable[..., Any]:
    """NumPy's function of a reduction: with ``dtype`` if it is one that widens, with ``initial`` if it takes one."""

    numpys = getattr(np, reduction.fold)

    def function(a: Any, axis: Any = None, *args: Any, **keywords: Any) -> Any:
        if not args and isinstance(a, ndarray) and (not keywords or keywords.keys() <= _KEEPDIMS):
            kept = keywords["keepdims"] if keywords else False
            known: Fold | None = found_by(a, (reduction, axis, type(axis), kept, None))
            if known is not None:
                return known(a.session, a.root)
        names = ("dtype", "out", "keepdims") if typed else ("out", "keepdims")
        given = dict(zip(names, args, strict=False)) | keywords
        if given.get("keepdims") is np._NoValue:  # pyright: ignore[reportPrivateUsage, reportAttributeAccessIssue]
            given.pop("keepdims")
        try:
            return reduce(reduction, a, axis, **given)
        except FallbackError:
            raise
        except UnsupportedError:
            return through_numpy(numpys, (a, axis, *args), keywords)

    function.__name__ = function.__qualname__ = reduction.fold
    function.__doc__ = f"NumPy's ``{reduction.fold}``."
    vars(function)["__signature__"] = inspect.signature(getattr(np, reduction.fold))
    return function


sum = _named(SUM, typed=True)
prod = _named(PRODUCT, typed=True)
min = amin = _named(MINIMUM, typed=False)
max = amax = _named(MAXIMUM, typed=False)
any = _named(ANY, typed=False)
all = _named(ALL, typed=False)


def _reduce_method(reduction: Reduction) -> Callable[..., Any]:
    def method(
        array: Any, axis: Any = 0, dtype: Any = None, out: Any = None, keepdims: bool = False, **others: Any
    ) -> Any:
        return reduce(reduction, array, axis, dtype, out, keepdims, **others)

    return method


for _reduction in (SUM, PRODUCT, MINIMUM, MAXIMUM, ANY, ALL):
    UFUNCS[_reduction.name].reduce = _reduce_method(_reduction)

"""Differences, integrals, polynomials and products that are made of element-wise functions and sums."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fuseir.numpy import reductions
from fuseir.numpy.array import ndarray, normalized_axes
from fuseir.numpy.choosing import where
from fuseir.numpy.elementwise import as_array, as_operand, assign, new_array
from fuseir.numpy.joining import diff
from fuseir.numpy.opaque import in_stream
from fuseir.numpy.operators import UFUNCS
from fuseir.numpy.reductions import ALL, MAXIMUM, MINIMUM, SUM, mean, reduce
from fuseir.numpy.reshaping import expand_dims, ravel, reshape


def _along(array: ndarray, axis: int, entry: Any) -> ndarray:
    """The part of an array that an index of one axis selects."""
    return array.seen_as(array.signature.indexed((*[slice(None)] * axis, entry)))


def gradient(f: Any, *varargs: Any, axis: Any = None, edge_order: int = 1) -> Any:
    """Second-order differences inside, of first or second order at the edges, along each axis; for one spacing an axis."""
    array = as_array(f)
    axes = tuple(range(array.ndim)) if axis is None else normalized_axes(axis, array.ndim)
    spacings = list(varargs) if len(varargs) > 1 else list(varargs or (1.0,)) * len(axes)
    plain = len(spacings) == len(axes) and all(not getattr(as_operand(each), "shape", ()) for each in spacings)
    tall = edge_order in (1, 2) and all(array.shape[k] > edge_order for k in axes)
    if not plain or not tall or array.dtype.kind not in "iuf":
        return in_stream(np.gradient, (array, *varargs), {"axis": axis, "edge_order": edge_order})
    if array.dtype.kind != "f":
        array = array.astype(np.float64)
    found = [_gradient(array, k, step, edge_order) for k, step in zip(axes, spacings, strict=True)]
    return found[0] if len(found) == 1 else tuple(found)


def _gradient(array: ndarray, axis: int, step: Any, edge_order: int) -> ndarray:
    def at(entry: Any) -> ndarray:
        return _along(array, axis, entry)

    def beside(k: int) -> ndarray:
        return at(slice(k, k + 1 or None))

    result = new_array(array.shape, array.dtype)
    assign(_along(result, axis, slice(1, -1)), (at(slice(2, None)) - at(slice(None, -2))) / (2.0 * step))
    if edge_order == 1:
        first, last = (beside(1) - beside(0)) / step, (beside(-1) - beside(-2)) / step
    else:
        first = (-1.5 / step) * beside(0) + (2.0 / step) * beside(1) + (-0.5 / step) * beside(2)
        last = (0.5 / step) * beside(-3) + (-2.0 / step) * beside(-2) + (1.5 / step) * beside(-1)
    assign(_along(result, axis, slice(0, 1)), first)
    assign(_along(result, axis, slice(-1, None)), last)
    return result


def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    """The integral along an axis by the trapezoidal rule."""
    array = as_array(y)
    (along,) = normalized_axes(axis, array.ndim)
    if x is None:
        step = dx
    else:
        step = diff(as_array(x), axis=0 if as_array(x).ndim == 1 else axis)
        if step.ndim == 1:
            step = reshape(step, [step.shape[0] if k == along else 1 for k in range(array.ndim)])
    area = step * (_along(array, along, slice(1, None)) + _along(array, along, slice(None, -1))) / 2.0
    return reduce(SUM, area, axis)


def ediff1d(ary: Any, to_end: Any = None, to_begin: Any = None) -> Any:
    """Differences of neighbours of all elements in order."""
    if to_end is not None or to_begin is not None:
        return in_stream(np.ediff1d, (ary, to_end, to_begin), {})
    return diff(ravel(as_array(ary)))


def polyval(p: Any, x: Any) -> Any:
    """A polynomial by Horner's rule; its coefficients begin with the highest power."""
    points = as_operand(x)
    if not isinstance(points, ndarray) or (p if isinstance(p, ndarray) else np.asarray(p)).ndim != 1:
        return in_stream(np.polyval, (p, x), {})
    coefficients = [p[k] for k in range(p.shape[0])] if isinstance(p, ndarray) else list(np.asarray(p))
    result: Any = new_array(points.shape, points.dtype)
    assign(result, 0)
    for each in coefficients:
        result = result * points + each
    return result


def vander(x: Any, N: int | None = None, increasing: bool = False) -> ndarray:  # noqa: N803 (NumPy's name)
    """The matrix of powers of a vector's elements, a column a power."""
    points = as_array(x)
    if points.ndim != 1:
        raise ValueError("x must be a one-dimensional array or sequence.")
    count = points.shape[0] if N is None else N
    kind = np.promote_types(points.dtype, int)
    result = new_array((points.shape[0], count), kind)
    power: Any = None
    for k in range(count):
        column = _along(result, 1, k if increasing else count - 1 - k)
        power = 1 if k == 0 else points.astype(kind) if k == 1 else power * points
        assign(column, power)
    if not count:
        assign(result, 0)
    return result


def kron(a: Any, b: Any) -> Any:
    """The Kronecker product: each element of one array times all of the other."""
    x, y = as_array(a), as_array(b)
    if not x.ndim or not y.ndim:
        return UFUNCS["multiply"](x, y)
    rank = max(x.ndim, y.ndim)
    x = reshape(x, (1,) * (rank - x.ndim) + x.shape)
    y = reshape(y, (1,) * (rank - y.ndim) + y.shape)
    shape = tuple([m * n for m, n in zip(x.shape, y.shape, strict=True)])
    product = expand_dims(x, tuple(range(1, 2 * rank, 2))) * expand_dims(y, tuple(range(0, 2 * rank, 2)))
    return reshape(product, shape)


def ptp(a: Any, axis: Any = None, out: Any = None, keepdims: bool = False) -> Any:
    """The largest element minus the smallest, along axes."""
    array = as_array(a)
    return UFUNCS["subtract"](
        reduce(MAXIMUM, array, axis, keepdims=keepdims), reduce(MINIMUM, array, axis, keepdims=keepdims), out=out
    )


def average(a: Any, axis: Any = None, weights: Any = None, returned: bool = False, *, keepdims: bool = False) -> Any:
    """The mean; with weights NumPy's, which looks whether they sum to zero."""
    if weights is None and not returned:
        return mean(a, axis, keepdims=keepdims)
    return in_stream(np.average, (a, axis, weights, returned), {"keepdims": keepdims} if keepdims else {})


def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """The norm of a vector, or the Frobenius norm; other norms of matrices are NumPy's."""
    array = as_array(x)
    if ord is None and array.signature.dtype.kind == "f" and (axis is None or type(axis) is int):
        return UFUNCS["sqrt"](reduce(SUM, UFUNCS["multiply"](array, array), axis, keepdims=keepdims))
    rank = array.ndim if axis is None else len(normalized_axes(axis, array.ndim))
    vector = (axis is None and ord is None) or rank == 1 or (rank == 2 and ord in (None, "fro", "f"))
    if not vector or array.dtype.kind == "b" or (isinstance(ord, str) and ord not in ("fro", "f")) or _is_odd(ord):
        return in_stream(np.linalg.norm, (array, ord, axis, keepdims), {})
    if array.dtype.kind != "f":
        array = array.astype(np.float64)
    if ord == np.inf:
        return reduce(MAXIMUM, UFUNCS["absolute"](array), axis, keepdims=keepdims)
    if ord == -np.inf:
        return reduce(MINIMUM, UFUNCS["absolute"](array), axis, keepdims=keepdims)
    if ord == 1:
        return reduce(SUM, UFUNCS["absolute"](array), axis, keepdims=keepdims)
    return UFUNCS["sqrt"](reduce(SUM, UFUNCS["multiply"](array, array), axis, keepdims=keepdims))


def _is_odd(order: Any) -> bool:
    return order not in (None, "fro", "f", 1, 2, np.inf, -np.inf)


# Elements that are not a number left out


def _numbers(array: ndarray, value: float) -> Any:
    """The array with a value in place of what is not a number."""
    return where(UFUNCS["isnan"](array), value, array)


def _nan_fold(name: str, value: float) -> Callable[..., Any]:
    def function(a: Any, axis: Any = None, *args: Any, **keywords: Any) -> Any:
        array = as_array(a)
        return getattr(reductions, name)(
            _numbers(array, value) if array.dtype.kind == "f" else array, axis, *args, **keywords
        )

    function.__name__ = function.__qualname__ = f"nan{name}"
    function.__doc__ = f"``{name}`` of the elements that are numbers."
    return function


nansum, nanprod = _nan_fold("sum", 0.0), _nan_fold("prod", 1.0)


def _nan_extreme(reduction: Any, value: float) -> Callable[..., Any]:
    def function(a: Any, axis: Any = None, out: Any = None, keepdims: bool = False, **others: Any) -> Any:
        array = as_array(a)
        if array.dtype.kind != "f" or out is not None or others:
            if array.dtype.kind != "f":
                return reduce(reduction, array, axis, None, out, keepdims, **others)
            return in_stream(numpys, (array,), {"axis": axis, "out": out, "keepdims": keepdims, **others})
        nan = UFUNCS["isnan"](array)
        found = reduce(reduction, where(nan, value, array), axis, keepdims=keepdims)
        return _typed(where(reduce(ALL, nan, axis, keepdims=keepdims), np.nan, found), found)

    numpys: Any = np.nanmin if reduction is MINIMUM else np.nanmax
    function.__name__ = function.__qualname__ = numpys.__name__
    function.__doc__ = "The extreme of the elements that are numbers; NaN where there are none."
    return function


def _typed(result: Any, like: Any) -> Any:
    """A result of rank 0 as the scalar that a reduction returns."""
    return type(like)(result.session, result.root, result.signature, result.first) if not result.shape else result


nanmin, nanmax = _nan_extreme(MINIMUM, np.inf), _nan_extreme(MAXIMUM, -np.inf)


def nanmean(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, keepdims: bool = False, **others: Any) -> Any:
    """The mean of the elements that are numbers."""
    array = as_array(a)
    if array.dtype.kind != "f":
        return mean(array, axis, dtype, out, keepdims, **others)
    if others:
        return in_stream(np.nanmean, (array, axis, dtype, out, keepdims), others)
    numbers = UFUNCS["logical_not"](UFUNCS["isnan"](array))
    total = reduce(SUM, _numbers(array, 0.0), axis, dtype, None, keepdims)
    count = reduce(SUM, numbers, axis, np.int64, None, keepdims)
    return UFUNCS["divide"](total, count.astype(total.dtype), out=out)


def nanvar(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: float = 0, keepdims: bool = False, **others: Any
) -> Any:
    """The variance of the elements that are numbers."""
    array = as_array(a)
    if array.dtype.kind != "f" or dtype is not None or others:
        return in_stream(np.nanvar, (array, axis, dtype, out, ddof, keepdims), others)
    nan = UFUNCS["isnan"](array)
    difference = where(nan, 0.0, UFUNCS["subtract"](array, nanmean(array, axis, keepdims=True)))
    count = reduce(SUM, UFUNCS["logical_not"](nan), axis, np.int64, None, keepdims).astype(array.dtype)
    total = reduce(SUM, UFUNCS["multiply"](difference, difference), axis, None, None, keepdims)
    left = count - ddof
    return UFUNCS["divide"](total, where(left > 0, left, np.nan), out=out)


def nanstd(
    a: Any, axis: Any = None, dtype: Any = None, out: Any = None, ddof: float = 0, keepdims: bool = False, **others: Any
) -> Any:
    """The standard deviation of the elements that are numbers."""
    return UFUNCS["sqrt"](nanvar(a, axis, dtype, None, ddof, keepdims, **others), out=out)

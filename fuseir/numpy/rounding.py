"""Rounding, remainders, and parts of numbers; comparison within a tolerance."""

from __future__ import annotations

from typing import Any

import numpy as np

from fuseir.numpy.array import ndarray
from fuseir.numpy.choosing import where
from fuseir.numpy.elementwise import as_array, as_operand, assign, copied, new_array
from fuseir.numpy.opaque import in_stream
from fuseir.numpy.operators import UFUNCS
from fuseir.numpy.reductions import ALL, reduce


def round(a: Any, decimals: Any = 0, out: Any = None) -> Any:
    """The nearest multiples of a power of ten, computed as NumPy does: scaled, rounded, scaled back."""
    array = as_array(a)
    if array.dtype.kind in "iu" and decimals >= 0 and out is None:
        return copied(array)
    if array.dtype.kind != "f" or not isinstance(decimals, int):
        return in_stream(np.round, (array, decimals), {} if out is None else {"out": out})
    if decimals == 0:
        return UFUNCS["rint"](array, out=out)
    power = 10.0 ** abs(decimals)
    there, back = ("multiply", "divide") if decimals > 0 else ("divide", "multiply")
    return UFUNCS[back](UFUNCS["rint"](UFUNCS[there](array, power)), power, out=out)


around = round


def divmod(x1: Any, x2: Any, **keywords: Any) -> Any:
    """Quotients and remainders of floor division."""
    if keywords:
        return in_stream(np.divmod, (x1, x2), keywords)
    return UFUNCS["floor_divide"](x1, x2), UFUNCS["remainder"](x1, x2)


def nan_to_num(x: Any, copy: bool = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None) -> Any:
    """The array with numbers in place of what is not one, and of what is infinite; in place for ``copy=False``."""
    array = as_array(x)
    result: Any = array
    if array.dtype.kind == "f":
        limits = np.finfo(array.dtype)
        result = where(UFUNCS["isnan"](array), nan, array)
        result = where(UFUNCS["equal"](array, np.inf), float(limits.max) if posinf is None else posinf, result)
        result = where(UFUNCS["equal"](array, -np.inf), float(limits.min) if neginf is None else neginf, result)
    elif copy:
        result = copied(array)
    if copy or result is array:
        return result
    assign(array, result)
    return array


def isclose(a: Any, b: Any, rtol: Any = 1e-05, atol: Any = 1e-08, equal_nan: bool = False) -> Any:
    """Whether elements differ by at most ``atol + rtol * abs(b)``."""
    x, y = as_operand(a), as_operand(b)
    if not (isinstance(x, ndarray) or isinstance(y, ndarray)) or not all(
        isinstance(each, ndarray | bool | int | float | np.generic) for each in (x, y)
    ):
        return in_stream(np.isclose, (a, b, rtol, atol, equal_nan), {})
    x, y = as_array(x), as_array(y)
    kind = np.result_type(y.dtype, 1.0)
    y = y if y.dtype == kind else y.astype(kind)
    near = UFUNCS["less_equal"](UFUNCS["absolute"](x - y), atol + rtol * UFUNCS["absolute"](y))
    result = (near & UFUNCS["isfinite"](y)) | UFUNCS["equal"](x, y)
    return result | (UFUNCS["isnan"](x) & UFUNCS["isnan"](y)) if equal_nan else result


def allclose(a: Any, b: Any, rtol: Any = 1e-05, atol: Any = 1e-08, equal_nan: bool = False) -> bool:
    """Whether all elements are close: a truth value of Python's, so that what was captured runs."""
    return bool(reduce(ALL, isclose(a, b, rtol, atol, equal_nan)))


def array_equal(a1: Any, a2: Any, equal_nan: bool = False) -> bool:
    """Whether two arrays have the same shape and elements: a truth value of Python's, so that what was captured runs."""
    x, y = as_array(a1), as_array(a2)
    if x.shape != y.shape:
        return False
    same = UFUNCS["equal"](x, y)
    if equal_nan and x.dtype.kind == "f" and y.dtype.kind == "f":
        same = same | (UFUNCS["isnan"](x) & UFUNCS["isnan"](y))
    return bool(reduce(ALL, same))


def real(val: Any) -> Any:
    """The array itself: its elements are real numbers."""
    return as_array(val)


def imag(val: Any) -> Any:
    """Zeros: elements are real numbers."""
    array = as_array(val)
    result = new_array(array.shape, array.dtype)
    assign(result, 0)
    return result

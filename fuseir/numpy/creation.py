"""Arrays from nothing, from numbers, and from other arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from fuseir.dtypes import ELEMENT_NAMES
from fuseir.numpy.array import Scalar, ndarray
from fuseir.numpy.elementwise import assign, converted, copied, new_array
from fuseir.numpy.fallback import as_ours
from fuseir.runtime.signatures import checked_shape


def array(
    object: Any,
    dtype: Any = None,
    *,
    copy: bool | None = True,
    order: Any = "K",
    subok: bool = False,
    ndmin: int = 0,
    like: Any = None,
) -> Any:
    """An array with these contents. What has an element type that stores cannot hold stays an array of NumPy's own."""
    if not isinstance(object, ndarray):
        return as_ours(np.array(_plain(object), dtype=dtype, ndmin=ndmin))
    wanted = object.dtype if dtype is None else np.dtype(dtype)
    if wanted not in ELEMENT_NAMES:
        return np.array(object.numpy(), dtype=wanted, ndmin=ndmin)
    result = object
    if wanted != object.dtype:
        if copy is False:
            raise ValueError("Unable to avoid copy while creating an array as requested.")
        result = converted(object, wanted)
    elif copy:
        result = copied(object, ndarray)
    missing = ndmin - result.ndim
    index = (*[None] * missing, ...)
    return result.seen_as(result.signature.indexed(index)) if missing > 0 else result


def cast(a: ndarray, dtype: Any, *, casting: Any = "unsafe", copy: bool = True) -> Any:
    """The array in another element type; itself if it has that type and need not be copied. Raises TypeError as NumPy does."""
    wanted = np.dtype(dtype)
    if not np.can_cast(a.dtype, wanted, casting):
        raise TypeError(f"Cannot cast array data from {a.dtype!r} to {wanted!r} according to the rule '{casting}'")
    if wanted not in ELEMENT_NAMES:
        return a.numpy().astype(wanted)
    if wanted != a.dtype:
        result = converted(a, wanted)
    else:
        result = copied(a, ndarray) if copy else a
    return Scalar(result.session, result.root, result.signature, result.first) if isinstance(a, Scalar) else result


def _plain(value: Any) -> Any:
    """Nested sequences with NumPy's arrays in place of ours."""
    if isinstance(value, ndarray):
        return value.numpy()
    if type(value) in (list, tuple):
        return [_plain(each) for each in value]
    return value


def asarray(
    a: Any, dtype: Any = None, order: Any = None, *, copy: bool | None = None, device: Any = None, like: Any = None
) -> Any:
    """The value as an array: itself if it is one of that element type."""
    return array(a, dtype, copy=copy) if isinstance(a, ndarray) else array(a, dtype)


def _made(shape: Any, dtype: Any, value: Any) -> Any:
    wanted = np.dtype(dtype)
    if wanted not in ELEMENT_NAMES:
        return np.full(shape, value, wanted)
    result = new_array(checked_shape(shape), wanted)
    assign(result, value)
    return result


def zeros(shape: Any, dtype: Any = float, order: str = "C", *, device: Any = None, like: Any = None) -> Any:
    """An array of zeros."""
    return _made(shape, dtype, 0)


def ones(shape: Any, dtype: Any = None, order: str = "C", *, device: Any = None, like: Any = None) -> Any:
    """An array of ones."""
    return _made(shape, float if dtype is None else dtype, 1)


def empty(shape: Any, dtype: Any = float, order: str = "C", *, device: Any = None, like: Any = None) -> Any:
    """An array of anything; of zeros, as reading what was never written is an error in the stream."""
    return _made(shape, dtype, 0)


def full(
    shape: Any, fill_value: Any, dtype: Any = None, order: str = "C", *, device: Any = None, like: Any = None
) -> Any:
    """An array filled with one value, or with an array that broadcasts."""
    if dtype is None:
        dtype = fill_value.dtype if isinstance(fill_value, ndarray) else np.asarray(fill_value).dtype
    return _made(shape, dtype, fill_value)


def _like(make: Any, name: str) -> Any:
    def function(
        a: Any,
        *args: Any,
        dtype: Any = None,
        order: str = "K",
        subok: bool = True,
        shape: Any = None,
        device: Any = None,
    ) -> Any:
        array = a if isinstance(a, ndarray) else np.asarray(a)
        return make(array.shape if shape is None else shape, *args, dtype=array.dtype if dtype is None else dtype)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"``{name.removesuffix('_like')}``, of an array's shape and element type."
    return function


zeros_like, ones_like = _like(zeros, "zeros_like"), _like(ones, "ones_like")
empty_like, full_like = _like(empty, "empty_like"), _like(full, "full_like")


def from_numpy_function(function: Any) -> Any:
    """A function of NumPy that makes arrays of numbers only, with arrays of ours as results."""

    def made(*args: Any, **keywords: Any) -> Any:
        return as_ours(function(*map(_plain, args), **{name: _plain(value) for name, value in keywords.items()}))

    made.__name__ = made.__qualname__ = function.__name__
    made.__doc__ = f"NumPy's ``{function.__name__}``."
    return made


arange = from_numpy_function(np.arange)
eye = from_numpy_function(np.eye)
frombuffer = from_numpy_function(np.frombuffer)
fromfunction = from_numpy_function(np.fromfunction)
fromiter = from_numpy_function(np.fromiter)
geomspace = from_numpy_function(np.geomspace)
identity = from_numpy_function(np.identity)
indices = from_numpy_function(np.indices)
linspace = from_numpy_function(np.linspace)
logspace = from_numpy_function(np.logspace)
tri = from_numpy_function(np.tri)


def copy(a: Any, order: str = "K", subok: bool = False) -> Any:
    """A copy of the array."""
    return array(a)

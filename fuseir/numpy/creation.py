"""Arrays from nothing, from numbers, and from other arrays."""

from __future__ import annotations

from functools import update_wrapper
from typing import Any

import numpy as np

from fuseir.dtypes import ELEMENT_NAMES
from fuseir.errors import FuseirError, ShapeError
from fuseir.numpy.array import Scalar, ndarray
from fuseir.numpy.elementwise import Operation, converted, copied, filled, users_frame, write
from fuseir.numpy.fallback import as_ours
from fuseir.numpy.protocols import check_device
from fuseir.numpy.sharing import taken
from fuseir.runtime.device_sharing import from_device, is_on_gpu
from fuseir.runtime.session import Session, current_session
from fuseir.runtime.signatures import Signature, checked_shape

_NO_COPY = "Unable to avoid copy while creating an array as requested."


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
    """An array with these contents. What has an element type that stores cannot hold stays an array of NumPy's own.

    With ``copy=False``, on the memory of an array of NumPy's (``sharing.taken``); ValueError where that cannot be.
    """
    others = is_on_gpu(object, current_session())
    if others:
        object = from_device(current_session(), object, ndarray)
    if not isinstance(object, ndarray):
        if copy is not False:
            return as_ours(np.array(_plain(object), dtype=dtype, ndmin=ndmin))
        source = np.array(object, dtype=dtype, ndmin=ndmin, copy=False)
        if source.dtype not in ELEMENT_NAMES:
            return source
        result = taken(source)
        if result is None:
            raise ValueError(
                f"{_NO_COPY} It has to be C-contiguous, aligned and writable, and not to overlap what other arrays here share."
            )
        return result
    wanted = object.dtype if dtype is None else np.dtype(dtype)
    if wanted not in ELEMENT_NAMES:
        return np.array(object.numpy(), dtype=wanted, ndmin=ndmin)
    result = object
    if wanted != object.dtype:
        if copy is False:
            raise ValueError(_NO_COPY)
        result = converted(object, wanted)
    elif copy:
        result = copied(object, ndarray)
        if others:
            current_session().flush()  # they may change it as soon as they have this
    missing = ndmin - result.ndim
    index = (*[None] * missing, ...)
    return result.seen_as(result.signature.indexed(index)) if missing > 0 else result


def cast(a: ndarray, dtype: Any, *, casting: Any = "unsafe", copy: bool = True) -> Any:
    """The array in another element type; itself if it has that type and need not be copied. Raises TypeError as NumPy does."""
    named = isinstance(dtype, type | np.dtype)
    known: np.dtype[Any] | None = a.signature.memo.get((cast, dtype, casting)) if named else None
    if known is None:
        known = np.dtype(dtype)
        if not np.can_cast(a.dtype, known, casting):
            raise TypeError(f"Cannot cast array data from {a.dtype!r} to {known!r} according to the rule '{casting}'")
        if known not in ELEMENT_NAMES:
            return a.numpy().astype(known)
        if named:
            a.signature.memo[cast, dtype, casting] = known
    if known != a.signature.dtype:
        return converted(a, known, type(a))
    return copied(a, type(a)) if copy else a


def _plain(value: Any) -> Any:
    """Nested sequences with NumPy's arrays in place of ours."""
    if isinstance(value, ndarray):
        return value.numpy()
    if type(value) in (list, tuple):
        return [_plain(each) for each in value]
    return value


def asarray(
    a: Any, dtype: Any = None, order: Any = None, *, device: Any = None, copy: bool | None = None, like: Any = None
) -> Any:
    """The value as an array: itself if it is one of that element type. ``copy`` as in ``array``, which is for contents of others."""
    check_device(device)
    return array(a, dtype, copy=copy)


def from_dlpack(x: Any, /, *, device: Any = None, copy: bool | None = None) -> Any:
    """The array that another library holds, by DLPack: on its memory, where stores can have that, and else a copy.

    Raises BufferError for ``copy=False`` where that needs a copy, and what NumPy's raises.
    """
    check_device(device)
    if is_on_gpu(x, current_session()):
        x = from_device(current_session(), x, ndarray)
    if isinstance(x, ndarray):
        return copied(x, ndarray) if copy or type(x) is Scalar else x.seen_as(x.signature)
    source = np.from_dlpack(x, device=device, copy=copy)
    result = None if copy or source.dtype not in ELEMENT_NAMES else taken(source)
    if result is not None:
        return result
    if copy is False and source.dtype in ELEMENT_NAMES:
        raise BufferError(
            f"{_NO_COPY} Its memory is read-only, not contiguous or not aligned, or another array has a part of it."
        )
    return as_ours(source)


def _made(shape: Any, dtype: Any, value: Any) -> Any:
    """An array filled with a value. Raises as NumPy does for what is no shape."""
    # Classes are of native byte order; what else may name an element type is asked first.
    if isinstance(dtype, type) or (isinstance(dtype, np.dtype) and dtype.isnative):
        session = current_session()
        try:
            found = _filled(session, session.signatures.asked(shape, dtype), value)
        except FuseirError:
            found = None
        if found is not None:
            return found
    wanted = np.dtype(dtype)
    if wanted not in ELEMENT_NAMES:
        return np.full(shape, value, wanted)
    try:
        extents = checked_shape(shape)
    except ShapeError:
        np.empty(shape, wanted)  # raises what NumPy does
        raise
    return filled(extents, wanted, value)


def _filled(session: Session, signature: Signature, value: Any) -> ndarray | None:
    """An array of a number, if a launch that fills such an array with such a number was met before."""
    kind = type(value)
    operation: Operation | None = signature.memo.get((write, kind))
    if operation is None or (kind is int and not operation.low <= value <= operation.high):
        return None
    return session.produce(ndarray, operation.form, signature, (), (value,), users_frame())


def zeros(shape: Any, dtype: Any = float, order: str = "C", *, device: Any = None, like: Any = None) -> Any:
    """An array of zeros."""
    check_device(device)
    return _made(shape, dtype, 0)


def ones(shape: Any, dtype: Any = None, order: str = "C", *, device: Any = None, like: Any = None) -> Any:
    """An array of ones."""
    check_device(device)
    return _made(shape, float if dtype is None else dtype, 1)


def empty(shape: Any, dtype: Any = float, order: str = "C", *, device: Any = None, like: Any = None) -> Any:
    """An array of anything; of zeros, as reading what was never written is an error in the stream."""
    check_device(device)
    return _made(shape, dtype, 0)


def full(
    shape: Any, fill_value: Any, dtype: Any = None, order: str = "C", *, device: Any = None, like: Any = None
) -> Any:
    """An array filled with one value, or with an array that broadcasts."""
    check_device(device)
    if dtype is None:
        dtype = fill_value.dtype if isinstance(fill_value, ndarray) else np.asarray(fill_value).dtype
    return _made(shape, dtype, fill_value)


def full_like(
    a: Any,
    fill_value: Any,
    dtype: Any = None,
    order: str = "K",
    subok: bool = True,
    shape: Any = None,
    *,
    device: Any = None,
) -> Any:
    """``full``, of an array's shape and element type."""
    check_device(device)
    array = a if isinstance(a, ndarray) else np.asarray(a)
    return _made(array.shape if shape is None else shape, array.dtype if dtype is None else dtype, fill_value)


def _like(value: Any, name: str) -> Any:
    def function(
        a: Any,
        dtype: Any = None,
        order: str = "K",
        subok: bool = True,
        shape: Any = None,
        *,
        device: Any = None,
    ) -> Any:
        plain = dtype is None and shape is None and device is None
        if plain and type(a) is ndarray and a.session is current_session():
            signature: Signature = a.signature.memo.get(_like) or _whole(a)
            found = _filled(a.session, signature, value)
            if found is not None:
                return found
        return full_like(a, value, dtype, order, subok, shape, device=device)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"``{name.removesuffix('_like')}``, of an array's shape and element type."
    return function


def _whole(array: ndarray) -> Signature:
    """The signature of an array like this one, on a store of its own."""
    found = array.signature.memo[_like] = array.session.signatures.whole(array.shape, array.dtype)
    return found


zeros_like, ones_like, empty_like = _like(0, "zeros_like"), _like(1, "ones_like"), _like(0, "empty_like")


def from_numpy_function(function: Any) -> Any:
    """A function of NumPy that makes arrays of numbers only, with arrays of ours as results."""

    def made(*args: Any, **keywords: Any) -> Any:
        return as_ours(function(*map(_plain, args), **{name: _plain(value) for name, value in keywords.items()}))

    # NumPy's documentation and signature, too.
    return update_wrapper(made, function)


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

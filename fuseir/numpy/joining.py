"""Arrays made of several arrays, or of parts of one: copies into the parts of a new array, which fuse with what makes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fuseir.dtypes import ELEMENT_NAMES
from fuseir.numpy.array import ndarray, normalized_axes
from fuseir.numpy.elementwise import as_array, assign, new_array
from fuseir.numpy.fallback import through_numpy
from fuseir.numpy.reshaping import broadcast_to, expand_dims, ravel, reshape


def concatenate(arrays: Any, axis: Any = 0, out: Any = None, *, dtype: Any = None, casting: Any = "same_kind") -> Any:
    """The arrays one behind the other along an axis."""
    parts = [as_array(each) for each in arrays]
    if not parts:
        raise ValueError("need at least one array to concatenate")
    if axis is None:
        parts, axis = [ravel(part) for part in parts], 0
    if not parts[0].ndim:
        raise ValueError("zero-dimensional arrays cannot be concatenated")
    (along,) = normalized_axes(axis, parts[0].ndim)
    for k, part in enumerate(parts):
        if part.ndim != parts[0].ndim:
            raise ValueError(
                "all the input array dimensions except for the concatenation axis must match exactly, but along dimension 0, the array at "
                f"index 0 has {parts[0].ndim} dimension(s) and the array at index {k} has {part.ndim} dimension(s)"
            )
        for d, (have, want) in enumerate(zip(part.shape, parts[0].shape, strict=True)):
            if d != along and have != want:
                raise ValueError(
                    f"all the input array dimensions except for the concatenation axis must match exactly, but along dimension {d}, the "
                    f"array at index 0 has size {want} and the array at index {k} has size {have}"
                )
    kind = np.result_type(*[part.dtype for part in parts]) if dtype is None else np.dtype(dtype)
    if kind not in ELEMENT_NAMES or not all(np.can_cast(part.dtype, kind, casting) for part in parts):
        return through_numpy(np.concatenate, (parts,), {"axis": axis, "out": out, "dtype": dtype, "casting": casting})
    extent = sum(part.shape[along] for part in parts)
    shape = (*parts[0].shape[:along], extent, *parts[0].shape[along + 1 :])
    result = new_array(shape, kind) if out is None else out
    if result.shape != shape:
        raise ValueError("Output array is the wrong shape")
    _fill(result, along, parts)
    return result


def _fill(result: ndarray, along: int, parts: Sequence[ndarray]) -> None:
    """Writes the parts, one behind the other."""
    start = 0
    for part in parts:
        stop = start + part.shape[along]
        if stop > start:
            region = (*[slice(None)] * along, slice(start, stop))
            assign(result.seen_as(result.signature.indexed(region)), part)
        start = stop
    if not result.size:
        assign(result, 0)  # nothing was written, and the result has to have contents


def stack(arrays: Any, axis: int = 0, out: Any = None, *, dtype: Any = None, casting: Any = "same_kind") -> Any:
    """The arrays side by side along a new axis."""
    parts = [as_array(each) for each in arrays]
    if not parts:
        raise ValueError("need at least one array to stack")
    if any(part.shape != parts[0].shape for part in parts):
        raise ValueError("all input arrays must have the same shape")
    (place,) = normalized_axes(axis, parts[0].ndim + 1)
    return concatenate([expand_dims(part, place) for part in parts], place, out, dtype=dtype, casting=casting)


def atleast_1d(*arys: Any) -> Any:
    """Each as an array of one dimension or more."""
    found = tuple([array if array.ndim else reshape(array, 1) for array in map(as_array, arys)])
    return found[0] if len(found) == 1 else found


def atleast_2d(*arys: Any) -> Any:
    """Each as an array of two dimensions or more."""
    found = tuple([a if a.ndim >= 2 else reshape(a, (1, a.size)) for a in map(as_array, arys)])
    return found[0] if len(found) == 1 else found


def vstack(tup: Any, *, dtype: Any = None, casting: Any = "same_kind") -> Any:
    """The arrays one below the other."""
    return concatenate([atleast_2d(each) for each in tup], 0, dtype=dtype, casting=casting)


def hstack(tup: Any, *, dtype: Any = None, casting: Any = "same_kind") -> Any:
    """The arrays side by side."""
    parts = [atleast_1d(each) for each in tup]
    return concatenate(parts, 0 if parts and parts[0].ndim == 1 else 1, dtype=dtype, casting=casting)


def roll(a: Any, shift: Any, axis: Any = None) -> Any:
    """The elements moved along axes; what leaves at one end comes in at the other."""
    array = as_array(a)
    if axis is None:
        return reshape(roll(ravel(array), shift, 0), array.shape)
    if type(shift) is int and type(axis) is int:
        (k,) = normalized_axes(axis, array.ndim)
        return _rolled(array, shift % array.shape[k] if array.shape[k] else 0, k)
    axes = (axis,) if hasattr(axis, "__index__") else tuple(axis)
    shifts, named = np.broadcast_arrays(shift, axes)
    for amount, along in zip(shifts.ravel().tolist(), named.ravel().tolist(), strict=True):
        (k,) = normalized_axes(along, array.ndim)
        array = _rolled(array, amount % array.shape[k] if array.shape[k] else 0, k)
    return array


def _rolled(array: ndarray, amount: int, along: int) -> ndarray:
    at = array.shape[along] - amount
    before = (*[slice(None)] * along, slice(None, at))
    behind = (*[slice(None)] * along, slice(at, None))
    parts = [array.seen_as(array.signature.indexed(region)) for region in (behind, before)]
    result = new_array(array.shape, array.dtype)
    _fill(result, along, parts)
    return result


def diff(a: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Any:
    """Differences of neighbours along an axis, ``n`` times."""
    array = as_array(a)
    (along,) = normalized_axes(axis, array.ndim)
    if n < 0:
        raise ValueError(f"order must be non-negative but got {n}")
    around = [None if each is None else as_array(each) for each in (prepend, array, append)]
    if len([each for each in around if each is not None]) > 1:
        edge = [1 if k == along else extent for k, extent in enumerate(array.shape)]
        parts = [each if each.ndim else broadcast_to(each, edge) for each in around if each is not None]
        array = concatenate(parts, along)
    for _ in range(n):
        upper = array[(*[slice(None)] * along, slice(1, None))]  # pyright: ignore[reportIndexIssue]
        lower = array[(*[slice(None)] * along, slice(None, -1))]  # pyright: ignore[reportIndexIssue]
        array = upper != lower if array.dtype == bool else upper - lower
    return array


def tile(A: Any, reps: Any) -> Any:  # noqa: N803 (NumPy's name)
    """The array, repeated as a whole along each axis."""
    counts = (reps,) if hasattr(reps, "__index__") else tuple(reps)
    array = as_array(A)
    rank = max(array.ndim, len(counts))
    counts = (1,) * (rank - len(counts)) + counts
    array = reshape(array, (1,) * (rank - array.ndim) + array.shape)
    for k, count in enumerate(counts):
        array = concatenate([array] * count, k) if count else array[(*[slice(None)] * k, slice(0))]  # pyright: ignore[reportIndexIssue]
    return array

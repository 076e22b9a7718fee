"""Arrays made of several arrays, or of parts of one: copies into the parts of a new array, which fuse with what makes them."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from fuseir.dialects.dist.partition import Shape
from fuseir.dtypes import ELEMENT_NAMES
from fuseir.numpy.array import ndarray, normalized_axes
from fuseir.numpy.elementwise import (
    as_array,
    copied,
    filled,
    form_of_copy,
    found_by,
    kinds_of,
    new_array,
    remember,
    users_frame,
    write,
)
from fuseir.numpy.fallback import or_numpy, through_numpy
from fuseir.numpy.reshaping import broadcast_to, expand_dims, ravel, reshape
from fuseir.runtime.forms import Form
from fuseir.runtime.session import Session
from fuseir.runtime.stores import RootStore


class Assembly:
    """An array made of copies, one behind the other along an axis: its signature, and the launches that make them."""

    __slots__ = ("_first", "_others", "signature")

    def __init__(self, shape: Shape, dtype: np.dtype[Any], along: int, parts: Sequence[ndarray]) -> None:
        """One part at least has elements: nothing is written otherwise, and the result has to have contents."""
        result = new_array(shape, dtype, parts[0].session)
        forms: list[tuple[Form, int]] = []
        start = 0
        for number, part in enumerate(parts):
            stop = start + part.shape[along]
            if stop > start:
                place = result.seen_as(result.signature.indexed((*[slice(None)] * along, slice(start, stop))))
                forms.append((form_of_copy(part, place), number))
            start = stop
        self.signature = result.signature
        self._first, *self._others = forms

    def __call__(self, session: Session, roots: Sequence[RootStore]) -> ndarray:
        """Captures the copies: the stores of the parts."""
        frame = users_frame()
        form, number = self._first
        result = session.produce(ndarray, form, self.signature, (roots[number],), (), frame)
        for form, number in self._others:
            session.capture(form, (roots[number], result.root), (), frame.f_code, frame.f_lasti)
        return result


def _joined(shape: Shape, dtype: np.dtype[Any], along: int, parts: Sequence[ndarray], of: ndarray, key: Any) -> ndarray:
    """The parts, one behind the other. Remembered by the key for arrays like ``of``, unless that is None."""
    if not prod(shape):
        return filled(shape, dtype, 0)
    assembly = Assembly(shape, dtype, along, parts)
    if key is not None:
        remember(of, key, assembly)
    return assembly(of.session, [part.root for part in parts])


def _as_before(function: Any, arrays: Any, axis: Any) -> ndarray | None:
    """The arrays joined, if arrays like these were before."""
    kind = type(arrays)
    if (kind is tuple or kind is list) and arrays and isinstance(arrays[0], ndarray):
        key, roots, _ = kinds_of(function, arrays)
        known: Assembly | None = found_by(arrays[0], (*key, axis, type(axis)))
        if known is not None:
            return known(arrays[0].session, roots)
    return None


def _key_of(function: Any, arrays: Sequence[Any], parts: Sequence[ndarray], axis: Any) -> Any:
    """What arrays like these are found by; None where the parts are not just other views of them."""
    if all(isinstance(array, ndarray) and array.root is part.root for array, part in zip(arrays, parts, strict=True)):
        return *kinds_of(function, arrays)[0], axis, type(axis)
    return None


def concatenate(arrays: Any, axis: Any = 0, out: Any = None, *, dtype: Any = None, casting: Any = "same_kind") -> Any:
    """The arrays one behind the other along an axis."""
    if out is None and dtype is None and casting == "same_kind":
        found = _as_before(concatenate, arrays, axis)
        if found is not None:
            return found
    return _concatenate(arrays, axis, out, dtype=dtype, casting=casting)


def _concatenate_first(
    arrays: Any, axis: Any = 0, out: Any = None, *, dtype: Any = None, casting: Any = "same_kind"
) -> Any:
    """The same for what was not met before."""
    given, named = list(arrays), axis
    parts = [as_array(each) for each in given]
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
    if out is not None:
        if out.shape != shape:
            raise ValueError("Output array is the wrong shape")
        return _into(out, along, parts)
    plain = dtype is None and casting == "same_kind"
    return _joined(shape, kind, along, parts, parts[0], _key_of(concatenate, given, parts, named) if plain else None)


_concatenate = or_numpy(_concatenate_first, np.concatenate)


def _into(out: ndarray, along: int, parts: Sequence[ndarray]) -> ndarray:
    """Writes the parts, one behind the other, to an array."""
    start = 0
    for part in parts:
        stop = start + part.shape[along]
        if stop > start:
            write(out, out.signature.indexed((*[slice(None)] * along, slice(start, stop))), part)
        start = stop
    return out


def stack(arrays: Any, axis: int = 0, out: Any = None, *, dtype: Any = None, casting: Any = "same_kind") -> Any:
    """The arrays side by side along a new axis."""
    if out is None and dtype is None and casting == "same_kind":
        found = _as_before(stack, arrays, axis)
        if found is not None:
            return found
    return _stack(arrays, axis, out, dtype=dtype, casting=casting)


def _stack_first(arrays: Any, axis: int = 0, out: Any = None, *, dtype: Any = None, casting: Any = "same_kind") -> Any:
    """The same for what was not met before."""
    given = list(arrays)
    parts = [as_array(each) for each in given]
    if not parts:
        raise ValueError("need at least one array to stack")
    if any(part.shape != parts[0].shape for part in parts):
        raise ValueError("all input arrays must have the same shape")
    (place,) = normalized_axes(axis, parts[0].ndim + 1)
    deep = [expand_dims(part, place) for part in parts]
    found = _concatenate_first(deep, place, out, dtype=dtype, casting=casting)
    key = _key_of(stack, given, deep, axis)
    if out is None and dtype is None and casting == "same_kind" and key is not None:
        remember(parts[0], key, found_by(deep[0], _key_of(concatenate, deep, deep, place)))
    return found


_stack = or_numpy(_stack_first, np.stack)


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
    if type(shift) is int and isinstance(a, ndarray):
        shape = a.signature.shape
        along = 0 if axis is None and len(shape) == 1 else axis
        if type(along) is int and -len(shape) <= along < len(shape):
            return _rolled(a, shift, along)
    return _roll(a, shift, axis)


def _roll_several(a: Any, shift: Any, axis: Any = None) -> Any:
    """The same along several axes, or all."""
    array = as_array(a)
    if axis is None:
        return reshape(roll(ravel(array), shift, 0), array.shape)
    axes = (axis,) if hasattr(axis, "__index__") else tuple(axis)
    shifts, named = np.broadcast_arrays(shift, axes)
    for amount, along in zip(shifts.ravel().tolist(), named.ravel().tolist(), strict=True):
        array = _rolled(array, amount, normalized_axes(along, array.ndim)[0])
    return array if axes else copied(array, ndarray)


_roll = or_numpy(_roll_several, np.roll)


def _rolled(array: ndarray, shift: int, along: int) -> ndarray:
    signature = array.signature
    extent = signature.shape[along]
    amount = shift % extent if extent else 0
    key = roll, amount, along
    known: Assembly | None = signature.memo.get(key)
    if known is not None:
        return known(array.session, (array.root, array.root))
    k, at = along % array.ndim, extent - amount
    around = [slice(at, None), slice(None, at)]
    parts = [array.seen_as(signature.indexed((*[slice(None)] * k, part))) for part in around]
    return _joined(array.shape, array.dtype, k, parts, array, key)


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

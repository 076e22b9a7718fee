"""Parts of arrays, and arrays around them: repeated, padded, split, mirrored, triangular."""

from __future__ import annotations

import operator
from itertools import pairwise
from typing import Any

import numpy as np

from fuseir.numpy.array import ndarray, normalized_axes
from fuseir.numpy.choosing import where
from fuseir.numpy.elementwise import as_array, assign, copied, new_array, without_leading_ones
from fuseir.numpy.fallback import through_numpy
from fuseir.numpy.joining import atleast_2d, concatenate
from fuseir.numpy.opaque import in_stream
from fuseir.numpy.reshaping import broadcast_to, expand_dims, flip, ravel, reshape


def _along(array: ndarray, axis: int, entry: Any) -> ndarray:
    return array.seen_as(array.signature.indexed((*[slice(None)] * axis, entry)))


def repeat(a: Any, repeats: Any, axis: Any = None) -> Any:
    """Each element, or each part along an axis, as often as ``repeats`` says."""
    array = as_array(a)
    if isinstance(repeats, ndarray):
        return through_numpy(np.repeat, (array, repeats, axis), {})
    array = array if array.ndim else reshape(array, 1)
    counts = np.asarray(repeats)
    if counts.size != 1 or counts.dtype.kind not in "iu" or counts < 0:
        return in_stream(np.repeat, (array, counts.tolist(), axis), {})
    if axis is None:
        array, axis = ravel(array), 0
    (along,) = normalized_axes(axis, array.ndim)
    count, before, behind = int(counts.ravel()[0]), array.shape[: along + 1], array.shape[along + 1 :]
    wide = broadcast_to(expand_dims(array, along + 1), (*before, count, *behind))
    shape = (*before[:-1], before[-1] * count, *behind)
    return reshape(copied(wide, ndarray), shape)


def pad(array: Any, pad_width: Any, mode: Any = "constant", **keywords: Any) -> Any:
    """The array with edges around it: constant ones and copies of the outermost elements fuse."""
    source = as_array(array)
    plain = (mode == "edge" and not keywords) or (mode == "constant" and not keywords.keys() - {"constant_values"})
    values = keywords.get("constant_values", 0)
    plain = plain and not isinstance(pad_width, dict | ndarray) and not isinstance(values, ndarray)
    if not plain or (mode == "edge" and not source.size):
        return in_stream(np.pad, (source, pad_width, mode), keywords)
    widths = np.asarray(pad_width)
    if widths.dtype.kind not in "iu":
        raise TypeError("`pad_width` must be of integral type.")
    widths = np.broadcast_to(widths, (source.ndim, 2)).tolist()
    if any(low < 0 or high < 0 for low, high in widths):
        raise ValueError("index can't contain negative values")
    shape = tuple([extent + low + high for extent, (low, high) in zip(source.shape, widths, strict=True)])
    result = new_array(shape, source.dtype)
    edges = np.broadcast_to(np.asarray(values), (source.ndim, 2))
    if source.size:
        inner = tuple([slice(low, low + extent) for extent, (low, _) in zip(source.shape, widths, strict=True)])
        assign(result.seen_as(result.signature.indexed(inner)), source)
    # Axis by axis, as NumPy: what an axis adds spans all that the axes before it added.
    for axis, (low, high) in enumerate(widths):
        spans = [slice(None)] * axis
        rest = [slice(a, a + e) for e, (a, _) in zip(source.shape[axis + 1 :], widths[axis + 1 :], strict=True)]
        for side, width in enumerate((low, high)):
            if not width:
                continue
            place = slice(None, width) if side == 0 else slice(shape[axis] - width, None)
            target = result.seen_as(result.signature.indexed((*spans, place, *rest)))
            if mode == "constant":
                assign(target, edges[axis, side].astype(source.dtype)[()])
            else:
                at = low if side == 0 else shape[axis] - high - 1
                assign(target, result.seen_as(result.signature.indexed((*spans, slice(at, at + 1), *rest))))
    if not result.size:
        assign(result, 0)
    return result


def _triangle(m: Any, k: int, lower: bool) -> Any:
    array = as_array(m)
    matrix = array if array.ndim > 1 else broadcast_to(array, (array.shape[0], array.shape[0]))
    mask = np.tri(*matrix.shape[-2:], k=k if lower else k - 1, dtype=bool)
    return where(mask if lower else ~mask, matrix, np.zeros((), array.dtype)[()])


def tril(m: Any, k: int = 0) -> Any:
    """The elements on and below a diagonal; zeros elsewhere."""
    return _triangle(m, k, True)


def triu(m: Any, k: int = 0) -> Any:
    """The elements on and above a diagonal; zeros elsewhere."""
    return _triangle(m, k, False)


def meshgrid(*xi: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> Any:
    """The coordinates of a grid's points, from those along each axis."""
    if indexing not in ("xy", "ij"):
        raise ValueError("Valid values for `indexing` are 'xy' and 'ij'.")
    vectors = [ravel(as_array(x)) for x in xi]
    rank = len(vectors)
    axes = list(range(rank))
    if indexing == "xy" and rank > 1:
        axes[:2] = 1, 0
    grid = [0] * rank
    for axis, vector in zip(axes, vectors, strict=True):
        grid[axis] = vector.shape[0]
    found: list[ndarray] = []
    for axis, vector in zip(axes, vectors, strict=True):
        view = reshape(vector, [vector.shape[0] if k == axis else 1 for k in range(rank)])
        view = view if sparse else broadcast_to(view, tuple(grid))
        found.append(copied(view, ndarray) if copy else view)
    return tuple(found)


def flipud(m: Any) -> ndarray:
    """The view with rows in the other order."""
    array = as_array(m)
    if array.ndim < 1:
        raise ValueError("Input must be >= 1-d.")
    return flip(array, 0)


def fliplr(m: Any) -> ndarray:
    """The view with columns in the other order."""
    array = as_array(m)
    if array.ndim < 2:
        raise ValueError("Input must be >= 2-d.")
    return flip(array, 1)


def rot90(m: Any, k: int = 1, axes: Any = (0, 1)) -> ndarray:
    """The view turned by quarters of a circle in the plane of two axes."""
    array = as_array(m)
    if len(tuple(axes)) != 2:
        raise ValueError("len(axes) must be 2.")
    first, second = normalized_axes(axes[0], array.ndim)[0], normalized_axes(axes[1], array.ndim)[0]
    if first == second:
        raise ValueError("Axes must be different.")
    order = list(range(array.ndim))
    order[first], order[second] = second, first
    turns = k % 4
    if turns == 0:
        return array.seen_as(array.signature)
    if turns == 2:
        return flip(flip(array, first), second)
    return flip(array, second).transpose(order) if turns == 1 else flip(array.transpose(order), second)


def array_split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[ndarray]:
    """Views of parts of nearly equal extent, or of those between positions."""
    array = as_array(ary)
    (along,) = normalized_axes(axis, array.ndim)
    extent = array.shape[along]
    if hasattr(indices_or_sections, "__len__"):
        bounds = [0, *[int(each) for each in indices_or_sections], extent]
    else:
        count = operator.index(indices_or_sections)
        if count <= 0:
            raise ValueError("number sections must be larger than 0.")
        each, extras = divmod(extent, count)
        sizes = [each + 1] * extras + [each] * (count - extras)
        bounds = [0, *np.cumsum(sizes).tolist()]
    return [_along(array, along, slice(low, high)) for low, high in pairwise(bounds)]


def split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[ndarray]:
    """Views of parts of equal extent, or of those between positions."""
    array = as_array(ary)
    (along,) = normalized_axes(axis, array.ndim)
    if not hasattr(indices_or_sections, "__len__") and array.shape[along] % indices_or_sections:
        raise ValueError("array split does not result in an equal division")
    return array_split(array, indices_or_sections, axis)


def hsplit(ary: Any, indices_or_sections: Any) -> list[ndarray]:
    """Views of parts side by side."""
    array = as_array(ary)
    if not array.ndim:
        raise ValueError("hsplit only works on arrays of 1 or more dimensions")
    return split(array, indices_or_sections, 1 if array.ndim > 1 else 0)


def vsplit(ary: Any, indices_or_sections: Any) -> list[ndarray]:
    """Views of parts one below the other."""
    if as_array(ary).ndim < 2:
        raise ValueError("vsplit only works on arrays of 2 or more dimensions")
    return split(ary, indices_or_sections, 0)


def dsplit(ary: Any, indices_or_sections: Any) -> list[ndarray]:
    """Views of parts along the third axis."""
    if as_array(ary).ndim < 3:
        raise ValueError("dsplit only works on arrays of 3 or more dimensions")
    return split(ary, indices_or_sections, 2)


def unstack(x: Any, /, *, axis: int = 0) -> tuple[Any, ...]:
    """Views of the parts along an axis, one a position."""
    array = as_array(x)
    if not array.ndim:
        raise ValueError("Input array must be at least 1-d.")
    (along,) = normalized_axes(axis, array.ndim)
    return tuple([_along(array, along, k) for k in range(array.shape[along])])


def atleast_3d(*arys: Any) -> Any:
    """Each as an array of three dimensions or more."""

    def deep(a: ndarray) -> ndarray:
        if a.ndim >= 3:
            return a
        return reshape(a, (*a.shape, 1)) if a.ndim == 2 else reshape(a, (1, a.size, 1))

    found = tuple([deep(as_array(each)) for each in arys])
    return found[0] if len(found) == 1 else found


def dstack(tup: Any) -> Any:
    """The arrays one behind the other along the third axis."""
    return concatenate([atleast_3d(each) for each in tup], 2)


def column_stack(tup: Any) -> Any:
    """Vectors as columns, and matrices, side by side."""
    columns = [as_array(each) for each in tup]
    return concatenate([each if each.ndim > 1 else atleast_2d(each).T for each in columns], 1)


def append(arr: Any, values: Any, axis: Any = None) -> Any:
    """The array with values behind it."""
    if axis is None:
        return concatenate((ravel(arr), ravel(values)), 0)
    return concatenate((arr, values), axis)


def rollaxis(a: Any, axis: int, start: int = 0) -> ndarray:
    """The view with one axis moved before another."""
    array = as_array(a)
    (along,) = normalized_axes(axis, array.ndim)
    start = start + array.ndim if start < 0 else start
    if not 0 <= start <= array.ndim:
        raise np.exceptions.AxisError(
            f"'start' arg requires {-array.ndim} <= start < {array.ndim + 1}, but {start} was passed in"
        )
    start -= along < start
    order = [k for k in range(array.ndim) if k != along]
    order.insert(start, along)
    return array.transpose(order)


def copyto(dst: Any, src: Any, casting: Any = "same_kind", where: Any = True) -> None:
    """Assigns elements, where a mask is true."""
    if not isinstance(dst, ndarray):
        through_numpy(np.copyto, (dst, src, casting, where), {})
        return
    sample = (
        np.empty(0, src.dtype)
        if isinstance(src, ndarray)
        else src
        if np.isscalar(src)
        else np.empty(0, np.asarray(src).dtype)
    )
    np.copyto(np.empty(0, dst.dtype), sample, casting=casting)  # raises TypeError where types do not fit
    if where is True:
        assign(dst, src)
    else:
        mask, wanted = [without_leading_ones(as_array(each), dst.ndim) for each in (where, src)]
        wanted = broadcast_to(wanted.astype(dst.dtype), dst.shape)
        assign(dst, _chosen(broadcast_to(mask, dst.shape), wanted, dst))


_chosen = where

"""Where the least and the greatest elements are: ``argmin`` and ``argmax``, along an axis or of all elements.

Positions along one axis are a task. Of several axes the last goes first, with its values; what is left are the values' positions along
the others. A long leading axis is cut as element-wise launches cut it, so that points share the work and what makes the elements can be
fused with it: each point finds the first in its part, and the first of those is looked for among the parts.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from fuseir.dialects.dist.index_map import Coordinate, IndexMap
from fuseir.dialects.dist.partition import Tiling
from fuseir.numpy.array import Scalar, ndarray, normalized_axes
from fuseir.numpy.elementwise import Layout, Operation, as_array, assign, launch, new_array
from fuseir.numpy.fallback import through_numpy
from fuseir.numpy.reshaping import expand_dims
from fuseir.runtime.session import current_session
from fuseir.runtime.tasks import Task, defined_task

_LONG = 1 << 15
"""Elements from which on parts are worth the launches that bring them together."""

_POSITION = np.dtype(np.int64)

_TASKS: dict[tuple[str, str], Task] = {}


def argmin(a: Any, axis: Any = None, out: Any = None, *, keepdims: Any = False) -> Any:
    """Where the least element is first, a NaN counting as the least. Raises AxisError and ValueError as NumPy does."""
    return _searched("min", a, axis, out, keepdims)


def argmax(a: Any, axis: Any = None, out: Any = None, *, keepdims: Any = False) -> Any:
    """Where the greatest element is first, a NaN counting as the greatest. Raises AxisError and ValueError as NumPy does."""
    return _searched("max", a, axis, out, keepdims)


def _searched(operator: str, a: Any, axis: Any, out: Any, keepdims: Any) -> Any:
    if out is None and keepdims is False and type(axis) is int and isinstance(a, ndarray) and a.ndim > 1:
        known: Operation | None = a.signature.memo.get((_first, operator, axis + a.ndim if axis < 0 else axis))
        if known is not None:
            return known(a.session, a.root)
    function = getattr(np, f"arg{operator}")
    array = as_array(a)
    kept = False if keepdims is np._NoValue else bool(keepdims)  # pyright: ignore[reportPrivateUsage, reportAttributeAccessIssue]
    if out is not None and not (isinstance(out, ndarray) and out.dtype == _POSITION):
        return through_numpy(function, (a,), {"axis": axis, "out": out, "keepdims": kept})
    along = None if axis is None else normalized_axes(axis, array.ndim or 1)[0]
    if not array.size and (along is None or prod(array.shape[:along] + array.shape[along + 1 :])):
        raise ValueError(f"attempt to get arg{operator} of an empty sequence")
    if not array.ndim:
        result = current_session().wrap(np.zeros((), _POSITION), ndarray)
    elif along is None:
        result = _first_of_all(operator, array)
    else:
        result = _first(operator, array, along)
    if kept and array.ndim:
        result = expand_dims(result, tuple(range(array.ndim)) if along is None else along)
    if out is not None:
        if out.shape != result.shape:
            raise ValueError(f"output array does not match result of np.arg{operator}.")
        assign(out, result)
        return out
    return result if result.shape else Scalar(result.session, result.root, result.signature)


def _first_of_all(operator: str, array: ndarray) -> ndarray:
    """Positions in the list of all elements, in row-major order."""
    positions: ndarray | None = None
    step = 1
    while array.ndim > 1:
        axis = array.ndim - 1
        extent = array.shape[axis]
        values, along = _values_and_positions(operator, array, axis)
        positions = along if positions is None else _chosen(along, positions, axis, step)
        array, step = values, step * extent
    along = _first(operator, array, 0)
    return along if positions is None else _chosen(along, positions, 0, step)


def _first(operator: str, array: ndarray, axis: int) -> ndarray:
    """Positions along one axis."""
    shape = (*array.shape[:axis], *array.shape[axis + 1 :])
    points = current_session().options.procs
    if axis or array.size < _LONG or not 1 < points <= array.shape[0]:
        session, result = array.session, new_array(shape, _POSITION, array.session)
        form = session.form(_task(f"p = arg{operator}(x, axis={axis})", "p: write"), (array, result))
        operation = array.signature.memo[_first, operator, axis] = Operation(form, result.signature, ndarray)
        return operation(session, array.root)
    # The same elements for every row of the view: point number p has row p, and of that its part.
    tile = -(-array.shape[0] // points)
    rows = array.seen_as(array.signature.broadcast_to((points, *array.shape)))
    cut = _along_points([1, tile, *array.shape[1:]], 2)
    row = _along_points([1, *shape], 1)
    values, parts = _values_and_positions(operator, rows, 1, ((points,), (cut, row, row)))
    return _chosen(_first(operator, values, 0), parts, 0, tile)


def _along_points(tile: list[int], dimensions: int) -> Tiling:
    """Tiles that follow the one dimension of the launch along the leading dimensions."""
    moving = tuple(Coordinate(0, 1, 0) if d < dimensions else Coordinate(None, 0, 0) for d in range(len(tile)))
    return Tiling.of([max(extent, 1) for extent in tile], None, IndexMap(1, moving))


def _values_and_positions(
    operator: str, array: ndarray, axis: int, layout: Layout | None = None
) -> tuple[ndarray, ndarray]:
    """The least or greatest elements along an axis, and where they are first."""
    shape = (*array.shape[:axis], *array.shape[axis + 1 :])
    values, positions = new_array(shape, array.dtype), new_array(shape, _POSITION)
    body = f"m = {operator}(x, axis={axis})  p = arg{operator}(x, axis={axis})"
    launch(_task(body, "m: write, p: write"), array, values, positions, layout=layout)
    return values, positions


def _chosen(along: ndarray, positions: ndarray, axis: int, step: int) -> ndarray:
    """``along * step`` and what ``positions`` have there along an axis."""
    result = new_array(along.shape, _POSITION)
    places = expand_dims(current_session().wrap(np.arange(positions.shape[axis]), ndarray), _others(positions, axis))
    arguments = [
        each.seen_as(each.signature.broadcast_to(positions.shape)) for each in (expand_dims(along, axis), places)
    ]
    body = f"p = min(select(k == at, x + at * step, {np.iinfo(_POSITION).max}), axis={axis})"
    launch(_task(body, "k: read, at: read, step: scalar, p: write"), positions, *arguments, step, result)
    return result


def _others(array: ndarray, axis: int) -> tuple[int, ...]:
    return tuple(d for d in range(array.ndim) if d != axis)


def _task(body: str, parameters: str) -> Task:
    key = body, parameters
    task = _TASKS.get(key)
    if task is None:
        task = _TASKS[key] = defined_task(f"task where_first(x: read, {parameters}) {{ {body} }}")
    return task

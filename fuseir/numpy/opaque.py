"""Functions of NumPy in the stream: opaque tasks, ordered among all others, that run when a value is asked for.

The shapes and element types of the results have to be known at the call. NumPy itself says what they are: the function is called on small
arrays that stand for the operands, and what it raises for them is raised at the call. What depends on elements, such as a matrix that
turns out to be singular, is raised when the task runs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import update_wrapper
from typing import Any, NamedTuple

import numpy as np

from fuseir.dialects.dist.partition import Shape
from fuseir.dtypes import ELEMENT_NAMES
from fuseir.numpy.array import Scalar, ndarray
from fuseir.numpy.elementwise import as_array, copied, launch, new_array
from fuseir.numpy.fallback import as_ours, through_numpy
from fuseir.runtime.tasks import Task, opaque_task

HostArray = np.ndarray[Any, Any]


class Operand(NamedTuple):
    """Stands for an array, or a float, among the arguments of a call: by its number."""

    number: int
    is_scalar: bool


class Call:
    """The arguments of a call with its arrays and floats taken out, so that calls of one kind share a task.

    ``arrays`` and ``floats`` are what was taken out; ``key`` is equal for calls that differ in these only. ``key`` is None for arguments
    that cannot be compared: such a call is NumPy's.
    """

    def __init__(self, args: Sequence[Any], keywords: Mapping[str, Any]) -> None:
        self.arrays: list[ndarray] = []
        self.floats: list[float] = []
        self.comparable = True
        self.args = tuple([self._taken_out(each) for each in args])
        self.keywords = {name: self._taken_out(value) for name, value in keywords.items()}
        self.key: Any = (_key(self.args), _key(self.keywords)) if self.comparable else None

    def _taken_out(self, value: Any) -> Any:
        kind = type(value)
        if isinstance(value, ndarray) or (isinstance(value, np.ndarray) and value.dtype in ELEMENT_NAMES):
            self.arrays.append(as_array(value))
            return Operand(len(self.arrays) - 1, False)
        if type(value) is float:
            self.floats.append(value)
            return Operand(len(self.floats) - 1, True)
        if kind in (tuple, list):
            return kind([self._taken_out(each) for each in value])
        if kind is not slice and not _is_plain(value):
            self.comparable = False
        return value


_PLAIN = (bool, int, str, np.generic, np.dtype, type, type(None), type(Ellipsis), type(np._NoValue))  # pyright: ignore


def _is_plain(value: Any) -> bool:
    return isinstance(value, _PLAIN)


def _key(value: Any) -> Any:
    """Something with a hash that is equal for equal arguments of equal types."""
    kind = type(value)
    if kind is tuple or kind is list:
        return kind, *[_key(each) for each in value]
    if kind is dict:
        return tuple([(name, _key(each)) for name, each in value.items()])
    return (kind, value.start, value.stop, value.step) if kind is slice else (kind, value)


def filled(template: Any, arrays: Sequence[Any], floats: Sequence[Any]) -> Any:
    """Arguments with arrays and floats put back in."""
    kind = type(template)
    if kind is Operand:
        return (floats if template.is_scalar else arrays)[template.number]
    if kind is tuple or kind is list:
        return kind([filled(each, arrays, floats) for each in template])
    if kind is dict:
        return {name: filled(each, arrays, floats) for name, each in template.items()}
    return template


class Known(NamedTuple):
    """What is remembered of calls of one kind: their task, the shape, element type and kind of each result, and the class of several."""

    task: Task
    results: tuple[tuple[Shape, np.dtype[Any], bool], ...]
    several: Any


_TASKS: dict[Any, Task] = {}
_MOST = 4096


def in_stream(function: Callable[..., Any], args: Sequence[Any], keywords: Mapping[str, Any]) -> Any:
    """The results of a function of NumPy, computed in the stream; through NumPy at once where results of ours cannot hold them.

    For functions whose results have shapes and types that depend on shapes, types, and arguments that are no arrays. Raises what NumPy
    raises for such arguments.
    """
    call = Call(args, keywords)
    if keywords.get("out") is not None or call.key is None:
        return through_numpy(function, args, keywords)
    if not call.arrays:
        return as_ours(function(*args, **keywords))
    first = call.arrays[0]
    key = function, call.key, tuple([(each.signature, type(each)) for each in call.arrays])
    if key in first.signature.memo:
        known: Known | None = first.signature.memo[key]
    else:
        known = first.signature.memo[key] = _first_met(function, call)
    if known is None:
        return through_numpy(function, args, keywords)
    results: list[Any] = []
    for shape, dtype, is_scalar in known.results:
        made = new_array(shape, dtype)
        results.append(Scalar(made.session, made.root, made.signature) if is_scalar else made)
    launch(known.task, *call.floats, *call.arrays, *results)
    if known.several is None:
        return results[0]
    return tuple(results) if known.several is tuple else known.several(*results)


def change_in_stream(function: Callable[..., Any], args: Sequence[Any], keywords: Mapping[str, Any]) -> None:
    """The same for a function that changes its first argument, an array of ours, and returns nothing."""
    target = args[0]
    others = [
        copied(each, type(each)) if isinstance(each, ndarray) and each.root is target.root else each
        for each in args[1:]
    ]
    call = Call((target, *others), keywords)
    if call.key is None:
        through_numpy(function, args, keywords)
        return
    key = change_in_stream, function, call.key, tuple([(each.signature, type(each)) for each in call.arrays])
    task = target.signature.memo.get(key)
    if task is None:
        _results(_on_a_copy(function), call)
        task = target.signature.memo[key] = _task(function, call, None)
    launch(task, *call.floats, *call.arrays[1:], target)


def _on_a_copy(function: Callable[..., Any]) -> Callable[..., Any]:
    def call(target: HostArray, *args: Any, **keywords: Any) -> HostArray:
        target = target.copy()
        function(target, *args, **keywords)
        return target

    return call


def opaque(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of NumPy as one of ours that stays in the stream."""

    def call(*args: Any, **keywords: Any) -> Any:
        return in_stream(function, args, keywords)

    return update_wrapper(call, function)


def changing(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of NumPy that changes its first argument, as one of ours that stays in the stream."""

    def call(*args: Any, **keywords: Any) -> None:
        if args and isinstance(args[0], ndarray):
            change_in_stream(function, args, keywords)
        else:
            through_numpy(function, args, keywords)

    return update_wrapper(call, function)


# What is not met every time


def _first_met(function: Callable[..., Any], call: Call) -> Known | None:
    """What calls of a kind return; None if that is nothing that stores can hold. Raises what NumPy raises."""
    found = _results(function, call)
    several = isinstance(found, tuple)
    parts: tuple[Any, ...] = found if several else (found,)
    if not parts or not all(
        isinstance(each, np.ndarray | np.generic) and each.dtype in ELEMENT_NAMES for each in parts
    ):
        return None
    results = tuple([(each.shape, each.dtype, isinstance(each, np.generic)) for each in parts])
    return Known(_task(function, call, len(results)), results, type(found) if several else None)


def _task(function: Callable[..., Any], call: Call, results: int | None) -> Task:
    """The task of calls of a kind: floats, arrays, and results; without results, the array that is changed comes last."""
    kinds = tuple([isinstance(each, Scalar) for each in call.arrays])
    key = function, call.key, kinds, results
    task = _TASKS.get(key)
    if task is None:
        args, keywords, floats = call.args, call.keywords, len(call.floats)

        def run(*given: Any) -> None:
            numbers, pieces = [float(each) for each in given[:floats]], given[floats:]
            if results is None:
                pieces = (pieces[-1], *pieces[:-1])
            arrays = [each[()] if scalar else each for each, scalar in zip(pieces, kinds, strict=False)]
            found = function(*filled(args, arrays, numbers), **filled(keywords, arrays, numbers))
            if results is not None:
                for out, value in zip(
                    pieces[len(kinds) :], found if isinstance(found, tuple) else (found,), strict=True
                ):
                    out[...] = value

        if len(_TASKS) >= _MOST:
            _TASKS.clear()
        reads = ["read"] * len(kinds)
        changed = [*reads[1:], "read_write"] if results is None else [*reads, *["write"] * results]
        task = _TASKS[key] = opaque_task(run, [*[None] * floats, *changed], getattr(function, "__name__", "opaque"))
    return task


def _results(function: Callable[..., Any], call: Call) -> Any:
    """Arrays that show the results' shapes and types.

    The function is called twice on stand-ins in which large extents are small ones: in the same order, but at other distances. An extent
    of a result that is the same both times is what it is; one that is an operand's small extent both times is that operand's. Where it
    is neither (a sum of extents, say), or an error comes out, extents are left as they are, which costs a call of the function, on one
    element that is seen everywhere.
    """
    shapes = [each.shape for each in call.arrays]
    large = sorted({extent for shape in shapes for extent in shape if extent > _KEPT})
    if large and len(large) <= len(_SMALL[0]):
        small, other = [dict(zip(large, extents, strict=False)) for extents in _SMALL]
        try:
            found, again = _called(function, call, small), _called(function, call, other)
        except Exception:
            return _called(function, call, {})  # which says what is wrong of the extents that there are
        back, back_again = [{extent: k for k, extent in each.items()} for each in (small, other)]
        joined = _joined(found, _meant(found, back), _meant(again, back_again), again)
        if joined is not None:
            return joined
    return _called(function, call, {})


_KEPT = 8
"""Extents up to this one stay."""

_SMALL = ((9, 12, 17, 25), (11, 16, 21, 32))
"""The small extents. A fixed distance from one of the first row is not the same distance from one of the second."""


def _called(function: Callable[..., Any], call: Call, small: Mapping[int, int]) -> Any:
    arrays = [_stand_in(each, tuple([small.get(extent, extent) for extent in each.shape])) for each in call.arrays]
    with np.errstate(all="ignore"):
        return function(*filled(call.args, arrays, call.floats), **filled(call.keywords, arrays, call.floats))


def _stand_in(array: ndarray, shape: Shape) -> Any:
    """An array that takes little memory: zeros, which are positions of all arrays that have elements; floats are positive definite."""
    if array.dtype.kind == "f":
        if len(shape) >= 2:
            return np.broadcast_to(np.eye(shape[-2], shape[-1], dtype=array.dtype) + array.dtype.type(1), shape)
        one = np.ones((), array.dtype)
    else:
        one = np.zeros((), array.dtype)
    return one[()] if isinstance(array, Scalar) else np.broadcast_to(one, shape)


def _meant(found: Any, large: Mapping[int, int]) -> Any:
    """The shapes of results, with the operands' extents in place of small ones."""
    if isinstance(found, tuple):
        return [_meant(each, large) for each in found]
    return [large.get(extent) for extent in np.shape(found)]


def _joined(found: Any, first: Any, second: Any, other: Any) -> Any:
    """Results that have the extents that two calls agree in; None if they do not agree."""
    if isinstance(found, tuple):
        if not isinstance(other, tuple) or len(found) != len(other):
            return None
        parts = [_joined(a, b, c, d) for a, b, c, d in zip(found, first, second, other, strict=True)]
        if any(part is None for part in parts):
            return None
        return tuple(parts) if type(found) is tuple else type(found)(*parts)
    if not isinstance(found, np.ndarray):
        return found
    extents: list[int] = []
    if not isinstance(other, np.ndarray) or found.ndim != other.ndim or found.dtype != other.dtype:
        return None
    for k, (here, there) in enumerate(zip(found.shape, other.shape, strict=True)):
        if here == there:
            extents.append(here)
        elif first[k] is not None and first[k] == second[k]:
            extents.append(first[k])
        else:
            return None
    return np.broadcast_to(np.zeros((), found.dtype), tuple(extents))

"""Choosing element by element: by a condition, and by limits."""

from __future__ import annotations

from typing import Any

import numpy as np

from fuseir.dtypes import ELEMENT_NAMES
from fuseir.numpy.array import ndarray
from fuseir.numpy.elementwise import (
    CAST,
    Operation,
    as_operand,
    assign,
    broadcast_shape,
    integer_limits,
    kinds_of,
    launch,
    new_array,
    users_frame,
)
from fuseir.numpy.fallback import or_numpy, through_numpy
from fuseir.numpy.opaque import in_stream
from fuseir.numpy.operators import UFUNCS
from fuseir.runtime.tasks import Task, defined_task

_TASKS: dict[Any, Task] = {}


def where(condition: Any, x: Any = None, y: Any = None) -> Any:
    """``x`` where the condition is true, else ``y``; with the condition alone, the places where it is true."""
    given = condition, x, y
    if isinstance(condition, ndarray):
        key, roots, scalars = kinds_of(where, given)
        operation: Operation | None = condition.signature.memo.get(key)
        if operation is not None:
            for each in scalars:
                if type(each) is int and not operation.low <= each <= operation.high:
                    break
            else:
                return condition.session.produce(
                    ndarray, operation.form, operation.signature, tuple(roots), tuple(scalars), users_frame()
                )
    return _where(condition, x, y)


def _where_first(condition: Any, x: Any, y: Any) -> Any:
    """The same for operands that were not met before, or are not ours."""
    if x is None and y is None:
        return through_numpy(np.where, (condition,), {})
    if x is None or y is None:
        raise ValueError("either both or neither of x and y should be given")
    given = condition, x, y
    operands = [as_operand(each) for each in given]
    kinds = [_weak(each) for each in operands[1:]]
    numbers = all(isinstance(each, ndarray | bool | int | float | np.generic) for each in operands)
    ours = any(isinstance(each, ndarray) for each in operands)
    if not ours or not numbers or np.result_type(*kinds) not in ELEMENT_NAMES:
        return in_stream(np.where, (condition, x, y), {})
    kind = np.result_type(*kinds)
    # Integers that the type does not hold wrap, here only.
    operands[1:] = [
        int(np.array(each).astype(kind)) if type(each) is int and kind.kind in "iu" else each for each in operands[1:]
    ]
    shape = broadcast_shape(operands)
    result = new_array(shape, kind)
    arguments = [
        each.seen_as(each.signature.broadcast_to(shape)) if isinstance(each, ndarray) else each for each in operands
    ]
    if not isinstance(arguments[0], ndarray):
        arguments[0] = bool(arguments[0])
    task = _task(tuple([isinstance(each, ndarray) for each in arguments]), kind)
    launch(task, *arguments, result)
    if isinstance(condition, ndarray):
        key, _, _ = kinds_of(where, operands)
        small = [1 if type(each) is int else each for each in arguments]
        form = result.session.form(task, (*small, result))
        condition.signature.memo[key] = Operation(form, result.signature, ndarray, *integer_limits(kind))
    return result


_where = or_numpy(_where_first, np.where)


def _weak(operand: Any) -> Any:
    """What an operand is to ``np.result_type``: Python's numbers are weak."""
    return operand.dtype if isinstance(operand, ndarray | np.generic) else operand


def _task(arrays: tuple[bool, ...], kind: np.dtype[Any]) -> Task:
    task = _TASKS.get((arrays, kind))
    if task is None:
        parameters = ", ".join(
            f"{name}: {'read' if is_array else 'scalar'}" for name, is_array in zip("cxy", arrays, strict=True)
        )
        cast = CAST[kind]
        text = f"task where({parameters}, z: write) {{ z = select(bool(c), {cast}(x), {cast}(y)) }}"
        task = _TASKS[arrays, kind] = defined_task(text)
    return task


def select(condlist: Any, choicelist: Any, default: Any = 0) -> Any:
    """The first choice whose condition is true, element by element; else the default."""
    conditions = [as_operand(each) for each in condlist]
    choices = [as_operand(each) for each in (*choicelist, default)]
    numbers = all(isinstance(each, ndarray | bool | int | float | np.generic) for each in choices)
    ours = any(isinstance(each, ndarray) for each in (*conditions, *choices))
    truths = all(isinstance(each, bool) or getattr(each, "dtype", None) == np.bool_ for each in conditions)
    kind: Any = np.result_type(*map(_weak, choices)) if numbers else None
    if not ours or not truths or not conditions or len(conditions) != len(choices) - 1 or kind not in ELEMENT_NAMES:
        return in_stream(np.select, (condlist, choicelist, default), {})
    shape = broadcast_shape([*conditions, *choices])
    result: Any = new_array(shape, kind)
    assign(result, choices[-1])
    for condition, choice in zip(reversed(conditions), reversed(choices[:-1]), strict=True):
        result = where(
            condition, choice if isinstance(choice, ndarray) else np.asarray(choice).astype(kind)[()], result
        )
    return result


def clip(a: Any, a_min: Any = None, a_max: Any = None, out: Any = None, **keywords: Any) -> Any:
    """The elements, within limits; None for no limit."""
    low, high = keywords.pop("min", a_min), keywords.pop("max", a_max)
    if low is None and high is None:
        return UFUNCS["positive"](a, out=out, **keywords)
    if low is None:
        return UFUNCS["minimum"](a, high, out=out, **keywords)
    if high is None:
        return UFUNCS["maximum"](a, low, out=out, **keywords)
    return UFUNCS["minimum"](UFUNCS["maximum"](a, low, **keywords), high, out=out, **keywords)

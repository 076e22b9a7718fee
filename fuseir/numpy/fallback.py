"""What is not ours to do: NumPy does it, on the arrays' contents as they are now."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from fuseir.dtypes import ELEMENT_NAMES
from fuseir.errors import FallbackWarning
from fuseir.numpy.array import Scalar, ndarray
from fuseir.runtime.session import current_session

calls: Counter[str] = Counter()
"""How often each function of NumPy was called in place of one of ours."""


_CHANGES_FIRST = frozenset(
    {"copyto", "fill_diagonal", "place", "put", "put_along_axis", "putmask", "shuffle", "at", "setfield"}
)
"""Functions that change their first argument."""


def through_numpy(function: Callable[..., Any], args: Sequence[Any], keywords: Mapping[str, Any]) -> Any:
    """Calls a function of NumPy on the contents of arrays, and makes arrays of its results.

    Arrays in ``out``, and those that a function is known to change, are changed. Warns at the first call of each function.
    """
    name = getattr(function, "__name__", str(function))
    if not calls[name]:
        warnings.warn(
            f"NumPy itself runs '{name}' for arguments of these kinds: nothing fuses with it",
            FallbackWarning,
            stacklevel=4,
        )
    calls[name] += 1
    outs = keywords.get("out")
    changed = [each for each in (outs if isinstance(outs, tuple) else (outs,)) if isinstance(each, ndarray)]
    if name in _CHANGES_FIRST and args and isinstance(args[0], ndarray):
        changed.append(args[0])
    contents: dict[int, np.ndarray[Any, Any]] = {}
    given = _contents((*args, dict(keywords)), contents)
    result = function(*given[:-1], **given[-1])
    for array in changed:
        from fuseir.numpy.elementwise import assign

        assign(array, as_ours(contents[id(array)]))
    for array in changed:
        if result is contents[id(array)]:
            return array
    return as_ours(result)


def _contents(value: Any, contents: dict[int, np.ndarray[Any, Any]]) -> Any:
    """The same with NumPy's arrays in place of ours; a scalar in place of a scalar."""
    if isinstance(value, ndarray):
        found = contents.get(id(value))
        if found is None:
            found = contents[id(value)] = value.numpy()
        return found[()] if isinstance(value, Scalar) else found
    kind = type(value)
    if kind is tuple or kind is list:
        return kind([_contents(each, contents) for each in value])
    if kind is dict:
        return {name: _contents(each, contents) for name, each in value.items()}
    return value


def as_ours(value: Any) -> Any:
    """What a function of NumPy returned, with arrays of ours in place of NumPy's where they have an element type of ours."""
    if isinstance(value, np.ndarray):
        if type(value) is not np.ndarray or value.dtype not in ELEMENT_NAMES:
            return value
        return current_session().wrap(np.array(value, order="C", copy=True), ndarray)
    kind = type(value)
    if kind is tuple or kind is list:
        return kind([as_ours(each) for each in value])
    if isinstance(value, tuple) and hasattr(value, "_fields"):  # the results of linalg
        return kind(*[as_ours(each) for each in value])
    return value

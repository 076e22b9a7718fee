"""What is not ours to do: NumPy does it, on the arrays' contents as they are now."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import update_wrapper
from types import ModuleType
from typing import Any

import numpy as np

from fuseir.dtypes import ELEMENT_NAMES
from fuseir.errors import FallbackError, FallbackWarning, UnsupportedError
from fuseir.location import users_site
from fuseir.numpy.array import Scalar, ndarray
from fuseir.runtime.session import current_session
from fuseir.runtime.tasks import opaque_task

_CHANGES_FIRST = frozenset(
    {"copyto", "fill_diagonal", "place", "put", "put_along_axis", "putmask", "shuffle", "at", "setfield"}
)
"""Functions that change their first argument."""


def through_numpy(function: Callable[..., Any], args: Sequence[Any], keywords: Mapping[str, Any]) -> Any:
    """Calls a function of NumPy on the contents of arrays, and makes arrays of its results.

    Arrays in ``out``, and those that a function is known to change, are changed. Warns at the first call of each function.
    """
    name = getattr(function, "__name__", str(function))
    if not _has_arrays(args) and not _has_arrays(tuple(keywords.values())):
        return as_ours(function(*args, **keywords))
    first = current_session().usage.note_fallback(_full_name(function), _instead(_full_name(function)))
    outs = keywords.get("out")
    outs = outs if isinstance(outs, tuple) else (outs,)
    changed = [each for each in outs if isinstance(each, ndarray)]
    if name in _CHANGES_FIRST and args and isinstance(args[0], ndarray):
        changed.append(args[0])
    contents: dict[int, np.ndarray[Any, Any]] = {}
    given = _contents((*args, dict(keywords)), contents)
    result = function(*given[:-1], **given[-1])
    if first and current_session().usage.fallback == "warn":
        _warn(f"NumPy itself runs '{_full_name(function)}' for arguments of these kinds: nothing fuses with it")
    for array in changed:
        replace_contents(array, contents[id(array)])
        if result is contents[id(array)]:
            result = array
    if any(result is each for each in outs):
        return result
    return as_ours(result, contents.values())


def _has_arrays(values: Any) -> bool:
    """Whether there are arrays of ours among arguments."""
    if type(values) in (tuple, list):
        return any(map(_has_arrays, values))
    return isinstance(values, ndarray)


def _full_name(function: Callable[..., Any]) -> str:
    """A function's name, after that of NumPy's module if it is in one."""
    name = getattr(function, "__name__", str(function))
    module = (getattr(function, "__module__", "") or "").partition(".")[2]
    return f"{module}.{name}" if module in ("linalg", "fft", "random") else name


def _instead(name: str) -> str:
    """What a program can do in place of a function that has to look at elements."""
    return _INSTEAD.get(
        name.partition(".")[0], "call NumPy's own on numpy.asarray(x), where the program reads values anyway"
    )


_INSTEAD = dict.fromkeys(
    ("nonzero", "flatnonzero", "argwhere", "extract", "compress", "where"),
    "where(mask, x, y) and reductions with where=mask keep the shape",
) | {
    "unique": "sort(x) and a comparison of neighbours keep the shape",
    "bincount": "histogram(x, bins, range) has a shape that is known",
    "apply_along_axis": "call the function on whole arrays, with axis=",
    "fft": "spectra are complex numbers, which are NumPy's arrays: call numpy.fft on numpy.asarray(x)",
}


def _warn(text: str) -> None:
    """A warning at the user's line."""
    site = users_site()
    place = site.resolve()
    warnings.warn_explicit(text, FallbackWarning, place.file, place.line)


def or_numpy(function: Callable[..., Any], numpys: Callable[..., Any]) -> Callable[..., Any]:
    """A function of ours that leaves element types which stores cannot hold to NumPy's."""

    def call(*args: Any, **keywords: Any) -> Any:
        try:
            return function(*args, **keywords)
        except FallbackError:
            raise
        except UnsupportedError:
            return through_numpy(numpys, args, keywords)

    return update_wrapper(call, function)


def replace_contents(array: ndarray, contents: np.ndarray[Any, Any]) -> None:
    """Gives an array other contents, of its shape and element type."""

    def put(elements: np.ndarray[Any, Any]) -> None:
        elements[...] = contents

    array.session.launch(opaque_task(put, ["write"], "replace_contents"), array)


def _contents(value: Any, contents: dict[int, np.ndarray[Any, Any]]) -> Any:
    """The same with NumPy's arrays in place of ours; a scalar in place of a scalar."""
    if isinstance(value, ndarray):
        found = contents.get(id(value))
        if found is None:
            found = contents[id(value)] = value.numpy()
        return found[()] if isinstance(value, Scalar) else found
    kind = type(value)
    if kind is np.ndarray:
        contents[id(value)] = value  # somebody else's: results must not take its memory
    if kind is tuple or kind is list:
        return kind([_contents(each, contents) for each in value])
    if kind is dict:
        return {name: _contents(each, contents) for name, each in value.items()}
    return value


def as_ours(value: Any, taken: Iterable[np.ndarray[Any, Any]] = ()) -> Any:
    """What a function of NumPy returned, with arrays of ours in place of NumPy's where they have an element type of ours.

    Memory that only the result has becomes ours; ``taken`` are arrays that somebody else has.
    """
    if isinstance(value, np.ndarray):
        if type(value) is not np.ndarray or value.dtype not in ELEMENT_NAMES:
            return value
        flags = value.flags
        own = flags.owndata and flags.c_contiguous and flags.writeable and not any(value is each for each in taken)
        return current_session().wrap(value if own else np.array(value, order="C", copy=True), ndarray)
    kind = type(value)
    if kind is tuple or kind is list:
        return kind([as_ours(each, taken) for each in value])
    if isinstance(value, tuple) and hasattr(value, "_fields"):  # the results of linalg
        return kind(*[as_ours(each, taken) for each in value])
    return value


def seen_from_here(found: Any) -> Any:
    """A member of NumPy or of one of its modules, as a program sees it here: functions take our arrays and return them."""
    if isinstance(found, ModuleType):
        return Namespace(found)
    if isinstance(found, type) or not callable(found):
        return found

    def call(*args: Any, **keywords: Any) -> Any:
        return through_numpy(found, args, keywords)

    return update_wrapper(call, found)


class Namespace(ModuleType):
    """A module of NumPy (``linalg``, ``fft``, ``random``) whose functions take our arrays and return them."""

    def __init__(self, module: ModuleType, own: Mapping[str, Any] | None = None) -> None:
        super().__init__(module.__name__.replace("numpy", "fuseir.numpy", 1), module.__doc__)
        self.__dict__["_module"] = module
        self.__dict__.update(own or {})

    def __getattr__(self, name: str) -> Any:
        found = self.__dict__[name] = seen_from_here(getattr(self.__dict__["_module"], name))
        return found

    def __dir__(self) -> list[str]:
        return dir(self.__dict__["_module"])

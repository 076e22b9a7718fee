"""What is known of arrays without their elements: shapes and element types."""

from __future__ import annotations

from typing import Any

import numpy as np

from fuseir.numpy.array import Scalar, ndarray
from fuseir.numpy.elementwise import as_array, assign, new_array


def shape(a: Any) -> Any:
    """The extents."""
    return a.shape if isinstance(a, ndarray) else np.shape(a)


def ndim(a: Any) -> int:
    """The number of dimensions."""
    return a.ndim if isinstance(a, ndarray) else np.ndim(a)


def size(a: Any, axis: Any = None) -> int:
    """The number of elements, or the extent of a dimension."""
    if not isinstance(a, ndarray):
        return np.size(a, axis)
    return a.size if axis is None else a.shape[axis]


def _types(values: Any) -> list[Any]:
    return [each.dtype if isinstance(each, ndarray) else each for each in values]


def result_type(*arrays_and_dtypes: Any) -> np.dtype[Any]:
    """The element type of an operation's result."""
    return np.result_type(*_types(arrays_and_dtypes))


def can_cast(from_: Any, to: Any, casting: Any = "safe") -> bool:
    """Whether elements can be converted by a rule."""
    return np.can_cast(*_types([from_, to]), casting=casting)


def iscomplexobj(x: Any) -> bool:
    """Whether the element type is complex."""
    return not isinstance(x, ndarray) and np.iscomplexobj(x)


def isrealobj(x: Any) -> bool:
    """Whether the element type is not complex."""
    return not iscomplexobj(x)


def isscalar(element: Any) -> bool:
    """Whether a value is a number, text, or a scalar of NumPy's."""
    return isinstance(element, Scalar) or (not isinstance(element, ndarray) and np.isscalar(element))


def _filled(x: Any, value: bool) -> ndarray:
    array = as_array(x)
    result = new_array(array.shape, np.dtype(bool))
    assign(result, value)
    return result


def isreal(x: Any) -> Any:
    """Whether elements are real: all are."""
    return _filled(x, True)


def iscomplex(x: Any) -> Any:
    """Whether elements have an imaginary part: none has."""
    return _filled(x, False)

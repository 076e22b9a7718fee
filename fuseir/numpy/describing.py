"""What kind of numbers elements are: known without them."""

from __future__ import annotations

from typing import Any

import numpy as np

from fuseir.numpy.array import Scalar, ndarray
from fuseir.numpy.elementwise import as_array, assign, new_array


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

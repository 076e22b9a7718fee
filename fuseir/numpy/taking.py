"""Functions that take positions, or return what depends on more than shapes: what can be looked at is, before NumPy runs them."""

from __future__ import annotations

from typing import Any

import numpy as np

from fuseir.numpy.array import ndarray
from fuseir.numpy.elementwise import as_array
from fuseir.numpy.fallback import through_numpy
from fuseir.numpy.opaque import in_stream


def take(a: Any, indices: Any, axis: Any = None, out: Any = None, mode: str = "raise") -> Any:
    """The elements, or parts along an axis, at these positions. Raises IndexError at the call for positions that are no result of ours."""
    array = as_array(a)
    if not isinstance(indices, ndarray):
        np.take(np.broadcast_to(np.zeros((), np.int8), array.shape), indices, axis, mode=mode)  # pyright: ignore
    return in_stream(np.take, (array, indices, axis), {"mode": mode, **({} if out is None else {"out": out})})


def histogram(a: Any, bins: Any = 10, range: Any = None, density: Any = None, weights: Any = None) -> Any:
    """How many elements lie in each of some intervals; their number is worked out from elements if ``bins`` is a rule's name."""
    if isinstance(bins, str):
        return through_numpy(np.histogram, (a, bins, range, density, weights), {})
    return in_stream(np.histogram, (a, bins, range, density, weights), {})

"""What arrays have from the modules that compute on arrays: operators, indexing, and methods that are functions of the package."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fuseir.numpy import creation, products, reshaping
from fuseir.numpy.array import ndarray
from fuseir.numpy.elementwise import assign, copied
from fuseir.numpy.fallback import through_numpy
from fuseir.numpy.indexing import get_item, set_item
from fuseir.numpy.operators import OPERATORS
from fuseir.numpy.protocols import protocols

_FUNCTIONS = """
    all any argmax argmin argpartition argsort choose clip cumprod cumsum diagonal dot max mean min prod repeat round searchsorted
    squeeze std sum swapaxes take trace var
"""
"""Methods that are functions of the package, with the array as first argument."""


def install(own: dict[str, Any]) -> None:
    """Gives the class its methods; ``own`` are the functions of the package, by name."""
    methods: dict[str, Callable[..., Any]] = dict(OPERATORS)
    methods.update(protocols(own))
    # Functions of Python's are methods as they are.
    methods.update({name: own[name] for name in _FUNCTIONS.split()})
    methods.update(
        compress=_compress,
        conj=_conjugate,
        conjugate=_conjugate,
        fill=_fill,
        flatten=reshaping.flatten,
        nonzero=_nonzero,
        partition=_in_place(own["partition"]),
        put=own["put"],
        ravel=reshaping.ravel,
        reshape=_reshape,
        sort=_in_place(own["sort"]),
        __matmul__=products.matmul,
        __rmatmul__=_rmatmul,
        __getitem__=get_item,
        __setitem__=set_item,
        __deepcopy__=_deepcopy,
        __reduce__=_reduce,
        copy=_copy,
        astype=_astype,
    )
    for name, method in methods.items():
        setattr(ndarray, name, method)


def _in_place(function: Callable[..., Any]) -> Callable[..., None]:
    """A method that puts a function's result in the array's place."""

    def method(self: ndarray, *args: Any, **keywords: Any) -> None:
        if self.size:
            assign(self, function(self, *args, **keywords))

    method.__name__ = method.__qualname__ = function.__name__
    method.__doc__ = function.__doc__
    return method


def _nonzero(self: ndarray) -> Any:
    """The positions of elements that are not zero."""
    return through_numpy(np.nonzero, (self,), {})


def _compress(self: ndarray, condition: Any, axis: Any = None, out: Any = None) -> Any:
    """The parts along an axis for which a condition is true."""
    return through_numpy(np.compress, (condition, self, axis), {} if out is None else {"out": out})


def _fill(self: ndarray, value: Any) -> None:
    """Assigns one value to all elements."""
    assign(self, value)


def _conjugate(self: ndarray) -> ndarray:
    """The array itself: its elements are real numbers."""
    return self


def _astype(
    self: ndarray, dtype: Any, order: str = "K", casting: str = "unsafe", subok: bool = True, copy: bool = True
) -> Any:
    """The array in another element type."""
    return creation.cast(self, dtype, casting=casting, copy=copy)


def _reshape(self: ndarray, *shape: Any, order: str = "C", copy: bool | None = None) -> ndarray:
    """The elements in another shape, given as one tuple or as integers."""
    given = shape[0] if len(shape) == 1 and not hasattr(shape[0], "__index__") else shape
    return reshaping.reshape(self, given, order, copy=copy)


def _rmatmul(self: ndarray, other: Any) -> Any:
    return products.matmul(other, self)


def _deepcopy(self: ndarray, memo: Any) -> ndarray:
    return copied(self)


def _reduce(self: ndarray) -> Any:
    return creation.array, (self.numpy(),)


def _copy(self: ndarray, order: str = "C") -> ndarray:
    """A copy."""
    return copied(self, ndarray)

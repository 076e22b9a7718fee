"""What arrays have from the modules that compute on arrays: operators, indexing, and methods that are functions of the package."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fuseir.numpy import creation, products, reshaping
from fuseir.numpy.array import ndarray
from fuseir.numpy.elementwise import assign, copied
from fuseir.numpy.indexing import get_item, set_item
from fuseir.numpy.operators import OPERATORS
from fuseir.numpy.protocols import protocols

_FUNCTIONS = """
    all any argmax argmin argpartition argsort choose clip cumprod cumsum diagonal dot max mean min nonzero prod repeat round searchsorted
    squeeze std sum swapaxes take trace var
"""
"""Methods that are functions of the package, with the array as first argument."""


def install(own: dict[str, Any]) -> None:
    """Gives the class its methods; ``own`` are the functions of the package, by name."""
    methods: dict[str, Callable[..., Any]] = dict(OPERATORS)
    methods.update(protocols(own))
    methods.update({name: _method(own.get(name, getattr(np, name))) for name in _FUNCTIONS.split()})
    methods.update({name: _method(getattr(reshaping, name)) for name in ("flatten", "ravel")})
    methods.update(
        conj=_conjugate,
        conjugate=_conjugate,
        fill=_fill,
        partition=_in_place(own["partition"]),
        put=_put(own["put"]),
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


def _method(function: Callable[..., Any]) -> Callable[..., Any]:
    def method(self: ndarray, *args: Any, **keywords: Any) -> Any:
        return function(self, *args, **keywords)

    method.__name__ = method.__qualname__ = function.__name__
    method.__doc__ = function.__doc__
    return method


def _in_place(function: Callable[..., Any]) -> Callable[..., None]:
    """A method that puts a function's result in the array's place."""

    def method(self: ndarray, *args: Any, **keywords: Any) -> None:
        if self.size:
            assign(self, function(self, *args, **keywords))

    method.__name__ = method.__qualname__ = function.__name__
    method.__doc__ = function.__doc__
    return method


def _put(function: Callable[..., Any]) -> Callable[..., None]:
    def put(self: ndarray, indices: Any, values: Any, mode: str = "raise") -> None:
        """Assigns to the elements at these positions of the flat array."""
        function(self, indices, values, mode=mode)

    return put


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

"""What arrays have from the modules that compute on arrays: operators, indexing, and methods that are functions of the package."""

from __future__ import annotations

from typing import Any

import numpy as np

from fuseir.numpy import creation, products, reshaping
from fuseir.numpy.array import ndarray
from fuseir.numpy.elementwise import copied
from fuseir.numpy.indexing import get_item, set_item
from fuseir.numpy.members import members
from fuseir.numpy.operators import OPERATORS
from fuseir.numpy.protocols import protocols
from fuseir.runtime.session import current_session

_FUNCTIONS = """
    all any argmax argmin argpartition argsort choose clip cumprod cumsum diagonal dot max mean min prod repeat round searchsorted
    squeeze std sum swapaxes take trace var
"""
"""Methods that are functions of the package, with the array as first argument."""


def install(own: dict[str, Any]) -> None:
    """Gives the class its methods; ``own`` are the functions of the package, by name."""
    methods: dict[str, Any] = dict(OPERATORS)
    methods.update(protocols(own))
    methods.update(members(own))
    # Functions of Python's are methods as they are.
    methods.update({name: own[name] for name in _FUNCTIONS.split()})
    methods.update(
        conj=_conjugate,
        conjugate=_conjugate,
        flatten=reshaping.flatten,
        ravel=reshaping.ravel,
        reshape=_reshape,
        __matmul__=products.matmul,
        __rmatmul__=_rmatmul,
        __getitem__=get_item,
        __setitem__=set_item,
        __copy__=_copy,
        __deepcopy__=_deepcopy,
        __reduce__=_reduce,
        copy=_copy,
        astype=_astype,
    )
    for name, method in methods.items():
        setattr(ndarray, name, method)


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
    return copied(self, type(self))


def _reduce(self: ndarray) -> Any:
    return _unpickled, (type(self), self.numpy())


def _unpickled(kind: type[ndarray], contents: np.ndarray[Any, Any]) -> ndarray:
    """The array that was pickled, in the current session."""
    return current_session().wrap(contents, kind)


def _copy(self: ndarray, order: str = "C") -> ndarray:
    """A copy."""
    return copied(self, type(self))

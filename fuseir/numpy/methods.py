"""What arrays have from the modules that compute on arrays: operators, indexing, and methods that are functions of the package."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fuseir.numpy import choosing, creation, positions, products, reductions, reshaping
from fuseir.numpy.array import ndarray
from fuseir.numpy.elementwise import copied
from fuseir.numpy.indexing import get_item, set_item
from fuseir.numpy.members import members
from fuseir.numpy.operators import OPERATORS
from fuseir.numpy.protocols import protocols
from fuseir.runtime.session import current_session

_REDUCTIONS = ("all", "any", "max", "mean", "min", "prod", "std", "sum", "var")


def install(own: dict[str, Any]) -> None:
    """Gives the class its methods; ``own`` are the functions of the package, by name."""
    methods: dict[str, Any] = dict(OPERATORS)
    methods.update(protocols(own))
    methods.update(members(own))
    methods.update({name: _method(getattr(reductions, name)) for name in _REDUCTIONS})
    methods.update({name: _method(getattr(reshaping, name)) for name in ("flatten", "ravel", "squeeze", "swapaxes")})
    methods.update({name: _method(getattr(positions, name)) for name in ("argmax", "argmin")})
    methods.update(
        clip=_method(choosing.clip),
        reshape=_reshape,
        dot=_method(products.dot),
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


def _method(function: Callable[..., Any]) -> Callable[..., Any]:
    def method(self: ndarray, *args: Any, **keywords: Any) -> Any:
        return function(self, *args, **keywords)

    method.__name__ = method.__qualname__ = function.__name__
    method.__doc__ = function.__doc__
    return method


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

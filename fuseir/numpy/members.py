"""What else NumPy's arrays have: attributes that say how an array lies in memory, and methods that are functions of NumPy's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import GenericAlias
from typing import Any

import numpy as np

from fuseir.errors import UnsupportedError
from fuseir.numpy import products
from fuseir.numpy.array import Scalar, ndarray, repeats_elements
from fuseir.numpy.creation import zeros
from fuseir.numpy.elementwise import assign
from fuseir.numpy.fallback import as_ours, replace_contents, seen_from_here
from fuseir.numpy.reshaping import broadcast_to, ravel, stand_in, view
from fuseir.numpy.sharing import lent

_FUNCTIONS = "nonzero put"
"""Methods that are functions with the array as first argument."""

_READERS = "dump dumps tobytes tofile"
"""Methods that read the contents, and make no array."""

_REFUSED = {
    "getfield": "use view()",
    "resize": "use numpy.resize, which makes another array",
    "setfield": "assign to a view()",
    "setflags": "all arrays are writable, but for broadcast ones",
}
"""Methods that there are none of, and what there is instead."""


def members(own: dict[str, Any]) -> dict[str, Any]:
    """The members of ``ndarray``, by name, with a table of our functions."""
    return {
        **{name: _function(name, own) for name in _FUNCTIONS.split()},
        **{name: _reader(name) for name in _READERS.split()},
        **{name: _refused(name, instead) for name, instead in _REFUSED.items()},
        **{name: _in_place(name, own) for name in ("partition", "sort")},
        "__class_getitem__": classmethod(GenericAlias),
        "__delitem__": _delete,
        "__imatmul__": _multiply_in_place,
        "base": property(_base),
        "byteswap": _byteswap,
        "compress": _compress(own),
        "data": property(_data),
        "dtype": property(_dtype, _cannot_be_set("dtype", "use astype() or view()")),
        "fill": _fill,
        "flags": property(Flags),
        "flat": property(Flat, lambda self, value: Flat(self).__setitem__(slice(None), value)),
        "imag": property(_imaginary, _set_imaginary),
        "real": property(_real, assign),
        "shape": property(_shape, _cannot_be_set("shape", "use reshape()")),
        "strides": property(_strides, _cannot_be_set("strides", "use views")),
        "view": _view,
    }


def _function(name: str, own: dict[str, Any]) -> Callable[..., Any]:
    function = own.get(name) or seen_from_here(getattr(np, name))

    def method(self: ndarray, *args: Any, **keywords: Any) -> Any:
        return function(self, *args, **keywords)

    return _named(method, name)


def _named(method: Callable[..., Any], name: str) -> Callable[..., Any]:
    method.__name__ = method.__qualname__ = name
    method.__doc__ = f"NumPy's ``{name}``."
    return method


def _reader(name: str) -> Callable[..., Any]:
    def method(self: ndarray, *args: Any, **keywords: Any) -> Any:
        return getattr(self.numpy(), name)(*args, **keywords)

    return _named(method, name)


def _refused(name: str, instead: str) -> Callable[..., Any]:
    def method(self: ndarray, *args: Any, **keywords: Any) -> Any:
        raise UnsupportedError(f"arrays of fuseir.numpy have no {name}(): {instead}")

    return _named(method, name)


def _cannot_be_set(name: str, instead: str) -> Callable[[ndarray, Any], None]:
    def refuse(self: ndarray, value: Any) -> None:
        raise UnsupportedError(f"the {name} of an array of fuseir.numpy cannot be set: {instead}")

    return refuse


def _in_place(name: str, own: dict[str, Any]) -> Callable[..., Any]:
    """The method that puts into the array itself what the function of that name makes of it."""
    function = own.get(name) or seen_from_here(getattr(np, name))

    def method(self: ndarray, *args: Any, **keywords: Any) -> None:
        assign(self, function(self, *args, **keywords))

    return _named(method, name)


# Attributes


def _shape(self: ndarray) -> tuple[int, ...]:
    """The extents."""
    return self.signature.shape


def _dtype(self: ndarray) -> np.dtype[Any]:
    """The element type."""
    return self.signature.dtype


def _strides(self: ndarray) -> tuple[int, ...]:
    """How many bytes further the next element is, for each dimension."""
    return stand_in(self).strides


def _base(self: ndarray) -> Any:
    """The array whose memory this is a view of; None if the memory is its own."""
    return None if self.first is self else self.first


def _data(self: ndarray) -> memoryview:
    """The memory, read-only."""
    return lent(self).data


def _real(self: ndarray) -> ndarray:
    """The real part: a view of all."""
    return self.seen_as(self.signature)


def _imaginary(self: ndarray) -> ndarray:
    """The imaginary part of real numbers: zeros, which cannot be written to."""
    return broadcast_to(zeros((1,) * self.ndim, self.dtype), self.shape)


def _set_imaginary(self: ndarray, value: Any) -> None:
    raise TypeError("array does not have imaginary part to set")


class Flags:
    """How an array lies in memory, as NumPy's ``flags`` say it. Cannot be set."""

    __slots__ = ("_flags",)

    def __init__(self, array: ndarray) -> None:
        place = stand_in(array)
        object.__setattr__(
            self,
            "_flags",
            {
                "C_CONTIGUOUS": place.flags.c_contiguous,
                "F_CONTIGUOUS": place.flags.f_contiguous,
                "OWNDATA": array.first is array,
                "WRITEABLE": not repeats_elements(array),
                "ALIGNED": True,
                "WRITEBACKIFCOPY": False,
            },
        )

    def __getitem__(self, name: str) -> bool:
        return self._flags[_FLAGS.get(name, name)]

    def __getattr__(self, name: str) -> bool:
        found = self._flags.get(name.upper())
        if found is None:
            raise AttributeError(f"'Flags' object has no attribute '{name}'")
        return found

    def __setattr__(self, name: str, value: Any) -> None:
        raise UnsupportedError("the flags of an array of fuseir.numpy cannot be set")

    def __repr__(self) -> str:
        return "\n".join(f"  {name} : {value}" for name, value in self._flags.items()) + "\n"


_FLAGS = {
    "C": "C_CONTIGUOUS",
    "F": "F_CONTIGUOUS",
    "O": "OWNDATA",
    "W": "WRITEABLE",
    "A": "ALIGNED",
    "X": "WRITEBACKIFCOPY",
}


class Flat:
    """All elements of an array in one dimension, in C order: iterates, reads and writes as NumPy's ``flat`` does."""

    __slots__ = ("base",)

    def __init__(self, base: ndarray) -> None:
        self.base = base

    def __iter__(self) -> Iterator[Any]:
        return iter(ravel(self.base))

    def __len__(self) -> int:
        return self.base.size

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        return self.base.numpy().reshape(-1).astype(dtype or self.base.dtype, copy=False)

    def __getitem__(self, index: Any) -> Any:
        found = ravel(self.base)[index]
        return found if isinstance(found, Scalar) else found.copy()

    def __setitem__(self, index: Any, value: Any) -> None:
        places = np.arange(self.base.size)[index.numpy() if isinstance(index, ndarray) else index]
        values = np.asarray(value).reshape(-1)
        if places.size and values.size:  # as often as it takes, which is what NumPy does
            self.base[np.unravel_index(places, self.base.shape)] = (
                values[0] if not places.ndim or values.size == 1 else np.resize(values, places.shape)
            )


# Methods


def _view(self: ndarray, dtype: Any = None, type: Any = None) -> ndarray:
    """The same elements; with ``dtype``, the same bytes as elements of another type."""
    if (type is not None and type is not ndarray) or dtype is ndarray:
        raise UnsupportedError("a view of an array of fuseir.numpy is an array of the same class")
    return self.seen_as(self.signature) if dtype is None else view(self, np.dtype(dtype))


def _fill(self: ndarray, value: Any) -> None:
    """Writes one value to all elements."""
    if getattr(value, "ndim", 0) or isinstance(value, list | tuple):
        raise ValueError("setting an array element with a sequence.")
    assign(self, value)


def _byteswap(self: ndarray, inplace: bool = False) -> ndarray:
    """The bytes of each element in reverse order."""
    swapped = self.numpy().byteswap()
    if inplace:
        replace_contents(self, swapped)
        return self
    return as_ours(swapped)


def _compress(own: dict[str, Any]) -> Callable[..., Any]:
    function = own.get("compress") or seen_from_here(np.compress)

    def method(self: ndarray, condition: Any, axis: Any = None, out: Any = None) -> Any:
        return function(condition, self, axis, out)

    return _named(method, "compress")


def _delete(self: ndarray, index: Any) -> None:
    raise ValueError("cannot delete array elements")


def _multiply_in_place(self: ndarray, other: Any) -> ndarray:
    return products.matmul(self, other, out=self)

"""The array: a handle on a store, with NumPy's operators and methods.

Nothing is computed until a value is asked for. This is the class with what needs no other array; ``methods.py`` gives it the rest:
operators, indexing, and the methods that are functions of the package.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from fuseir.runtime.signatures import Signature
from fuseir.runtime.stores import Handle

_new = object.__new__


class ndarray(Handle):  # noqa: N801 (NumPy's name)
    """An array of numbers, as NumPy's. Made by ``fuseir.numpy.array``, ``zeros`` and their like."""

    __slots__ = ()
    __array_priority__ = 1000.0

    # Attributes

    @property
    def T(self) -> ndarray:  # noqa: N802 (NumPy's name)
        """The view with dimensions reversed."""
        return self.seen_as(self.signature.memo.get("T") or self._reversed())

    def _reversed(self) -> Signature:
        found = self.signature.memo["T"] = self.signature.transposed(range(self.ndim - 1, -1, -1))
        return found

    @property
    def mT(self) -> ndarray:  # noqa: N802 (NumPy's name)
        """The view with the last two dimensions exchanged. Raises ValueError if there are fewer."""
        if self.ndim < 2:
            raise ValueError("matrix transpose with ndim < 2 is undefined")
        return self.transpose((*range(self.ndim - 2), self.ndim - 1, self.ndim - 2))

    @property
    def itemsize(self) -> int:
        """Bytes of an element."""
        return self.dtype.itemsize

    @property
    def nbytes(self) -> int:
        """Bytes of all elements."""
        return self.size * self.dtype.itemsize

    def seen_as(self, signature: Signature) -> ndarray:
        """Another array on the same store, with the signature of another view of it."""
        # Made without ``__init__``, whose call would be most of what slicing costs.
        view = _new(ndarray)
        view.session = self.session
        view.root = self.root
        view.signature = signature
        view._base = self if self._base is None else self._base
        return view

    # Indexing

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of unsized object")
        return self.shape[0]

    def __iter__(self) -> Iterator[ndarray]:
        if not self.shape:
            raise TypeError("iteration over a 0-d array")
        return map(self.__getitem__, range(self.shape[0]))

    def transpose(self, *axes: Any) -> ndarray:
        """The view with permuted dimensions; all reversed if no axes are given."""
        given = axes[0] if len(axes) == 1 and not hasattr(axes[0], "__index__") else axes
        if given is None or not len(given):
            order = tuple(reversed(range(self.ndim)))
        else:
            order = normalized_axes(given, self.ndim)
        if len(order) != self.ndim:
            raise ValueError("axes don't match array")
        return self.seen_as(self.signature.transposed(order))

    if TYPE_CHECKING:  # installed by methods.py

        def __getitem__(self, index: Any) -> Any: ...
        def __setitem__(self, index: Any, value: Any) -> None: ...
        def __add__(self, other: Any) -> Any: ...
        def __radd__(self, other: Any) -> Any: ...
        def __sub__(self, other: Any) -> Any: ...
        def __rsub__(self, other: Any) -> Any: ...
        def __mul__(self, other: Any) -> Any: ...
        def __rmul__(self, other: Any) -> Any: ...
        def __truediv__(self, other: Any) -> Any: ...
        def __rtruediv__(self, other: Any) -> Any: ...
        def __floordiv__(self, other: Any) -> Any: ...
        def __rfloordiv__(self, other: Any) -> Any: ...
        def __mod__(self, other: Any) -> Any: ...
        def __rmod__(self, other: Any) -> Any: ...
        def __pow__(self, other: Any) -> Any: ...
        def __rpow__(self, other: Any) -> Any: ...
        def __matmul__(self, other: Any) -> Any: ...
        def __rmatmul__(self, other: Any) -> Any: ...
        def __and__(self, other: Any) -> Any: ...
        def __rand__(self, other: Any) -> Any: ...
        def __or__(self, other: Any) -> Any: ...
        def __ror__(self, other: Any) -> Any: ...
        def __xor__(self, other: Any) -> Any: ...
        def __rxor__(self, other: Any) -> Any: ...
        def __lshift__(self, other: Any) -> Any: ...
        def __rlshift__(self, other: Any) -> Any: ...
        def __rshift__(self, other: Any) -> Any: ...
        def __rrshift__(self, other: Any) -> Any: ...
        def __lt__(self, other: Any) -> Any: ...
        def __le__(self, other: Any) -> Any: ...
        def __gt__(self, other: Any) -> Any: ...
        def __ge__(self, other: Any) -> Any: ...
        def __neg__(self) -> Any: ...
        def __pos__(self) -> Any: ...
        def __abs__(self) -> Any: ...
        def __invert__(self) -> Any: ...

        __array__: Callable[..., np.ndarray[Any, Any]]
        __array_interface__: dict[str, Any]
        __dlpack__: Callable[..., Any]
        __dlpack_device__: Callable[..., tuple[int, int]]
        data: memoryview
        flat: Any
        real: Any
        imag: Any
        fill: Callable[..., None]
        view: Callable[..., ndarray]

        all: Callable[..., Any]
        any: Callable[..., Any]
        argmax: Callable[..., Any]
        argmin: Callable[..., Any]
        max: Callable[..., Any]
        mean: Callable[..., Any]
        min: Callable[..., Any]
        prod: Callable[..., Any]
        std: Callable[..., Any]
        sum: Callable[..., Any]
        var: Callable[..., Any]
        clip: Callable[..., Any]
        copy: Callable[..., Any]
        astype: Callable[..., Any]
        dot: Callable[..., Any]
        reshape: Callable[..., Any]
        ravel: Callable[..., Any]
        flatten: Callable[..., Any]
        squeeze: Callable[..., Any]
        swapaxes: Callable[..., Any]

    # Values

    def item(self, *index: Any) -> Any:
        """An element as a Python number: the only one, or the one at an index."""
        return self.numpy().item(*index)

    def tolist(self) -> Any:
        """The elements as nested lists."""
        return self.numpy().tolist()

    def _only(self) -> Any:
        if self.signature.shape and self.size != 1:
            raise TypeError("only length-1 arrays can be converted to Python scalars")
        return self.session.item(self.root, self.signature.view)

    def __bool__(self) -> bool:
        if self.size != 1:
            raise ValueError(
                "The truth value of an array with more than one element is ambiguous. Use a.any() or a.all()"
                if self.size
                else "The truth value of an empty array is ambiguous. Use `array.size > 0` to check that an array is not empty."
            )
        return bool(self._only())

    def __int__(self) -> int:
        return int(self._only())

    def __float__(self) -> float:
        return float(self._only())

    def __complex__(self) -> complex:
        return complex(self._only())

    def __index__(self) -> int:
        if self.shape or self.dtype.kind not in "iu":
            raise TypeError("only integer scalar arrays can be converted to a scalar index")
        return operator.index(self._only())

    def __contains__(self, value: Any) -> bool:
        return bool((self == value).any())

    def __repr__(self) -> str:
        return repr(self.numpy())

    def __str__(self) -> str:
        return str(self.numpy())

    def __format__(self, specification: str) -> str:
        return format(self.numpy()[()] if not self.shape else self.numpy(), specification)

    __hash__ = None  # pyright: ignore[reportAssignmentType]


class Scalar(ndarray):
    """What NumPy returns as a scalar: the result of a reduction, or an element. Deferred as all arrays, and never changed in place."""

    __slots__ = ()

    def __repr__(self) -> str:
        return repr(self.numpy()[()])

    def __str__(self) -> str:
        return str(self.numpy()[()])

    def __setitem__(self, index: Any, value: Any) -> None:
        raise TypeError(f"'{self.dtype.name}' scalar does not support item assignment")

    def __hash__(self) -> int:  # pyright: ignore[reportIncompatibleVariableOverride]
        return hash(self.numpy()[()])


def repeats_elements(array: ndarray) -> bool:
    """Whether an array shows elements more than once, and so cannot be written to."""
    signature = array.signature
    found = signature.memo.get(repeats_elements)
    if found is None:
        shown = {each.dim for each in signature.view.map().results}
        found = array.size > 0 and any(extent > 1 and k not in shown for k, extent in enumerate(signature.shape))
        signature.memo[repeats_elements] = found
    return found


def normalized_axes(axes: Any, rank: int) -> tuple[int, ...]:
    """Axes counted from the front, as a tuple. Raises NumPy's AxisError, and ValueError for one that is named twice."""
    given = (axes,) if hasattr(axes, "__index__") else tuple(axes)
    found: list[int] = []
    for axis in map(operator.index, given):
        if not -rank <= axis < rank:
            raise np.exceptions.AxisError(axis, rank)
        found.append(axis % rank)
    if len(set(found)) < len(found):
        raise ValueError("repeated axis")
    return tuple(found)

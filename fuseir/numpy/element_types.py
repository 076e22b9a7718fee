"""What functions say of arrays without their contents: element types, shapes. Nothing runs for these."""

from __future__ import annotations

from typing import Any

import numpy as np

from fuseir.numpy.array import ndarray
from fuseir.numpy.creation import asarray, cast
from fuseir.numpy.protocols import check_device


def _typed(value: Any) -> Any:
    """What stands for a value where its element type matters only."""
    return value.dtype if isinstance(value, ndarray) else value


def result_type(*arrays_and_dtypes: Any) -> np.dtype[Any]:
    """The element type that arrays and types have in common. Python's numbers are weak."""
    return np.result_type(*map(_typed, arrays_and_dtypes))


def can_cast(from_: Any, to: Any, casting: Any = "safe") -> bool:
    """Whether an array's element type, or a type, may be cast to another one by a rule."""
    return np.can_cast(_typed(from_), to, casting)


def common_type(*arrays: Any) -> Any:
    """The floating type that arrays have in common."""
    return np.common_type(*[np.empty(0, each.dtype) if isinstance(each, ndarray) else each for each in arrays])


def astype(x: Any, dtype: Any, /, *, copy: bool = True, device: Any = None) -> Any:
    """The array in another element type; itself if it has that type and need not be copied."""
    check_device(device)
    if not isinstance(x, ndarray):
        return asarray(np.astype(x, dtype, copy=copy))
    return cast(x, dtype, copy=copy)


def shape(a: Any) -> tuple[int, ...]:
    """The extents."""
    return a.shape if isinstance(a, ndarray) else np.shape(a)


def ndim(a: Any) -> int:
    """The number of dimensions."""
    return a.ndim if isinstance(a, ndarray) else np.ndim(a)


def size(a: Any, axis: Any = None) -> int:
    """The number of elements, or of those along axes."""
    return np.size(np.broadcast_to(np.empty((), bool), a.shape) if isinstance(a, ndarray) else a, axis)


def iscomplexobj(x: Any) -> bool:
    """Whether the element type is complex; arrays of ours have none of those."""
    return not isinstance(x, ndarray) and np.iscomplexobj(x)


def isrealobj(x: Any) -> bool:
    """Whether the element type is not complex."""
    return not iscomplexobj(x)

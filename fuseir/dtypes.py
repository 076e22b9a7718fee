"""Element types: NumPy's dtypes and the IR's names for them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from fuseir.errors import DTypeError, UnsupportedError

ELEMENT_NAMES: dict[np.dtype[Any], str] = {
    np.dtype(np.bool_): "i1",
    np.dtype(np.int8): "i8",
    np.dtype(np.int16): "i16",
    np.dtype(np.int32): "i32",
    np.dtype(np.int64): "i64",
    np.dtype(np.uint8): "ui8",
    np.dtype(np.uint16): "ui16",
    np.dtype(np.uint32): "ui32",
    np.dtype(np.uint64): "ui64",
    np.dtype(np.float32): "f32",
    np.dtype(np.float64): "f64",
}
"""The dtypes stores can hold, and how the IR writes them."""

DTYPES: dict[str, np.dtype[Any]] = {name: dtype for dtype, name in ELEMENT_NAMES.items()}


class LargeInteger:
    """Stands for ``int`` as the type of a weak scalar of 2^63 and more: an unsigned one."""


def element_dtype(dtype: DTypeLike) -> np.dtype[Any]:
    """The dtype, in native byte order. Raises DTypeError, or UnsupportedError for those FuseIR knows it does not do."""
    try:
        found = np.dtype(dtype)
    except TypeError:
        raise DTypeError(f"{dtype!r} is no element type") from None
    native = found.newbyteorder("=")
    if native not in ELEMENT_NAMES:
        raise UnsupportedError(
            f"element type {found} is not supported; supported are {', '.join(map(str, ELEMENT_NAMES))}"
        )
    return native


def kernel_element_name(dtype: np.dtype[Any]) -> str:
    """The name of the element type inside kernels, where integers have no sign."""
    return ELEMENT_NAMES[dtype].removeprefix("u")

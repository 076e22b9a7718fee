"""Element types, and NumPy's rules for which of them an operation computes in.

Types are NumPy dtypes here, because the rules are NumPy's and depend on signedness, which kernels do not carry: the
function that chooses an operation's loop is NumPy's own. A value is *weak* (NEP 50) if it comes from literals or from
Python scalars alone: it takes the type of what it meets.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
from xdsl.dialects.builtin import Float32Type, Float64Type, IntegerType

from fuseir.dtypes import ELEMENT_NAMES
from fuseir.errors import SourceLocation, UnsupportedError

BOOL = np.dtype(np.bool_)
INT64 = np.dtype(np.int64)
UINT64 = np.dtype(np.uint64)
UINT8 = np.dtype(np.uint8)
FLOAT32 = np.dtype(np.float32)
FLOAT64 = np.dtype(np.float64)
# What NumPy computes in, and FuseIR lacks: the type it takes instead.
_REPLACED = {np.dtype(np.float16): FLOAT32, np.dtype(object): INT64}

# Functions that NumPy lacks have the types of one that it has.
_TYPED_LIKE = {"erf": "exp", "erfc": "exp"}


@dataclass(frozen=True, slots=True)
class Kind:
    """An operand's type; a weak one's ``dtype`` (int64, uint64 or float64) says only how it is held."""

    dtype: np.dtype
    weak: bool = False


def element_type(dtype: npt.DTypeLike, what: str, location: SourceLocation | None = None) -> np.dtype:
    """The element type that ``dtype`` names. Raises UnsupportedError, saying ``what`` has it."""
    try:
        found = np.dtype(dtype)
    except TypeError:
        raise UnsupportedError(f"{what} has an unknown element type {dtype!r}", location=location) from None
    for known in ELEMENT_NAMES:
        if found == known:
            return known
    raise UnsupportedError(
        f"{what} has element type {found}, which FuseIR does not compute with",
        location=location,
        notes=(f"element types: {', '.join(map(str, ELEMENT_NAMES))}",),
    )


def kernel_type(dtype: np.dtype) -> IntegerType | Float32Type | Float64Type:
    """The signless type that an element has in a kernel."""
    if dtype == FLOAT64:
        return Float64Type()
    if dtype == FLOAT32:
        return Float32Type()
    return IntegerType(width(dtype))


def width(dtype: np.dtype) -> int:
    """Bits of an element's value: 1 for a boolean."""
    return 1 if dtype == BOOL else 8 * dtype.itemsize


def is_float(dtype: np.dtype) -> bool:
    """Whether the type is f32 or f64."""
    return dtype.kind == "f"


def is_signed(dtype: np.dtype) -> bool:
    """Whether the type is an integer with a sign."""
    return dtype.kind == "i"


def integer_range(dtype: np.dtype) -> tuple[int, int]:
    """The least and the greatest value of an integer type or the booleans."""
    if dtype == BOOL:
        return 0, 1
    return int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)


def loop_types(function: str, operands: Sequence[Kind]) -> tuple[np.dtype, ...]:
    """The types in which NumPy's ufunc takes its operands and gives its result.

    Where NumPy computes in float16, which FuseIR lacks, it is float32; where it would compare Python's integers, they are int64. Raises
    TypeError, with NumPy's reason.
    """
    return _loop_types(function, tuple(operands))


@cache
def _loop_types(function: str, operands: tuple[Kind, ...]) -> tuple[np.dtype, ...]:
    ufunc = getattr(np, _TYPED_LIKE.get(function, function))
    described = [(float if is_float(kind.dtype) else int) if kind.weak else kind.dtype for kind in operands]
    resolved: tuple[np.dtype, ...] = ufunc.resolve_dtypes((*described, None))
    return tuple(_REPLACED.get(dtype, dtype) for dtype in resolved)


def common_type(operands: Sequence[Kind]) -> np.dtype:
    """The type to which operands that are chosen between, not computed with, are converted."""
    # Zeros stand for weak operands: their kind decides, not their value.
    described = [(0.0 if is_float(kind.dtype) else 0) if kind.weak else kind.dtype for kind in operands]
    return np.result_type(*described)


def assignable(source: Kind, target: np.dtype) -> bool:
    """Whether NumPy's ``out[...] = value`` would convert (``casting="same_kind"``)."""
    if source.weak and not is_float(source.dtype):
        return target != BOOL
    return np.can_cast(source.dtype, target, "same_kind")

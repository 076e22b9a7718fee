"""The reduction tree T of docs/kernels.md §2, in NumPy: the one order in which every backend folds values.

The reference executor uses it for everything; the CPU executor folds the partials of its points with it. Operators are named by the words
of the privilege ``reduce<op>``: add, mul, min, max, and, or, xor. Signedness is that of the array's dtype.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import DTypeLike, NDArray

from fuseir.errors import DTypeError, UnsupportedError

Array: TypeAlias = NDArray[Any]

LANES = 32
STEPS = 32


def float_min(a: Array, b: Array) -> Array:
    """The lesser of two floats; NaN where either is NaN, and -0 below +0, whichever comes first."""
    # np.minimum propagates NaN but keeps either of two zeros. Where the two compare equal, only the signs of zeros can differ.
    return np.where(a == b, np.where(np.signbit(a), a, b), np.minimum(a, b))


def float_max(a: Array, b: Array) -> Array:
    """The greater of two floats; NaN where either is NaN, and -0 below +0, whichever comes first."""
    return np.where(a == b, np.where(np.signbit(a), b, a), np.maximum(a, b))


_ANY_TYPE: dict[str, Callable[[Array, Array], Array]] = {
    "add": np.add,
    "mul": np.multiply,
    "min": np.minimum,
    "max": np.maximum,
}
_INTEGER_ONLY: dict[str, Callable[[Array, Array], Array]] = {
    "and": np.bitwise_and,
    "or": np.bitwise_or,
    "xor": np.bitwise_xor,
}
_FLOAT = _ANY_TYPE | {"min": float_min, "max": float_max}
OPERATORS = (*_ANY_TYPE, *_INTEGER_ONLY)


def _function(operator: str, dtype: np.dtype[Any]) -> Callable[[Array, Array], Array]:
    if operator not in OPERATORS:
        raise UnsupportedError(f"'{operator}' is no reduction operator: expected one of {', '.join(OPERATORS)}")
    if dtype.kind == "f" and operator in _FLOAT:
        return _FLOAT[operator]
    if dtype.kind == "b" and operator == "add":
        raise DTypeError("'add' does not exist on booleans: use 'or'")
    if dtype.kind not in "biu":
        raise DTypeError(f"'{operator}' does not reduce elements of type {dtype}")
    return (_ANY_TYPE | _INTEGER_ONLY)[operator]


def combine(operator: str, a: Array, b: Array) -> Array:
    """``a ⊕ b`` element by element, ``a`` being what is accumulated. Shapes broadcast; both have one dtype, the result's.

    Integers wrap; float min and max propagate NaN and order -0 below +0. Raises UnsupportedError for an unknown operator and DTypeError for
    one that the dtype does not have.
    """
    a, b = np.asarray(a), np.asarray(b)
    if a.dtype != b.dtype:
        raise DTypeError(f"'{operator}' of {a.dtype} and {b.dtype}: one type is needed")
    function = _function(operator, a.dtype)
    with np.errstate(all="ignore"):
        return np.asarray(function(a, b))


def identity(operator: str, dtype: DTypeLike) -> np.generic:
    """The value ``e`` with ``x ⊕ e == x`` to the bit for every ``x``: -0.0 for float add. Raises as ``combine`` does."""
    dtype = np.dtype(dtype)
    _function(operator, dtype)
    number = dtype.type
    if operator == "add":
        return number(-0.0) if dtype.kind == "f" else number(0)
    if operator == "mul":
        return number(1)
    if operator in ("or", "xor"):
        return number(0)
    if operator == "and":
        return ~number(0)
    if dtype.kind == "f":
        return number(np.inf if operator == "min" else -np.inf)
    if dtype.kind == "b":
        return number(operator == "min")
    limits = np.iinfo(dtype)
    return number(limits.max if operator == "min" else limits.min)


def tree_reduce(operator: str, values: Array, axis: int) -> Array:
    """T along ``axis``: an array of the same dtype without that axis. An empty axis gives the identity.

    Raises as ``combine`` does.
    """
    values = np.moveaxis(np.asarray(values), axis, -1)
    neutral = identity(operator, values.dtype)
    rows, n = values.shape[:-1], values.shape[-1]
    if n == 0:
        return np.full(rows, neutral, values.dtype)
    blocks, steps, lanes = _tree_shape(n)
    padded = np.full((*rows, blocks * steps * lanes), neutral, values.dtype)
    padded[..., :n] = values
    x = padded.reshape(*rows, blocks, steps, lanes)

    folded = x[..., 0, :]
    for step in range(1, steps):
        folded = combine(operator, folded, x[..., step, :])
    while (count := folded.shape[-2]) > 1:
        pairs = combine(operator, folded[..., 0 : count - 1 : 2, :], folded[..., 1::2, :])
        folded = np.concatenate([pairs, folded[..., count - 1 :, :]], axis=-2) if count % 2 else pairs
    folded = folded[..., 0, :]
    while (half := folded.shape[-1] // 2) > 0:
        folded = combine(operator, folded[..., :half], folded[..., half:])
    return folded[..., 0]


def _tree_shape(n: int) -> tuple[int, int, int]:
    """Blocks, steps and lanes for ``n ≥ 1`` values.

    The contract pads to whole blocks of 1024. Combining with the identity changes no bit, so steps and upper lanes that would hold padding
    alone are left out: that keeps many short rows from taking a thousand times their memory.
    """
    if n > LANES * STEPS:
        return -(-n // (LANES * STEPS)), STEPS, LANES
    if n > LANES:
        return 1, -(-n // LANES), LANES
    return 1, 1, 1 << (n - 1).bit_length()

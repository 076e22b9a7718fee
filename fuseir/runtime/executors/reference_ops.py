"""The scalar operations of kernels for the reference executor: ``evaluate`` applies one to whole arrays of values.

A table from operation to NumPy function; see reference_integers and reference_floats for the functions, and docs/kernels.md §2 for
what they must compute. Values of ``i1`` are bool arrays, of ``iN`` intN arrays (kernels are signless), of ``index`` int64 arrays.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from xdsl.dialects import arith
from xdsl.dialects.builtin import FloatAttr, IndexType, IntegerAttr
from xdsl.ir import Attribute, Operation

from fuseir.dtypes import DTYPES
from fuseir.errors import UnsupportedError
from fuseir.runtime.executors import reference_floats as floats
from fuseir.runtime.executors import reference_integers as integers

Array: TypeAlias = NDArray[Any]


def dtype_of(element_type: Attribute) -> np.dtype[Any]:
    """The dtype that holds elements of a store's or a kernel's element type. Raises UnsupportedError for any other type."""
    dtype = np.dtype(np.int64) if isinstance(element_type, IndexType) else DTYPES.get(str(element_type))
    if dtype is None:
        raise UnsupportedError(f"no arrays hold elements of type {element_type}")
    return dtype


def constant(attribute: Attribute) -> Array:
    """The number an attribute stands for, as an array of rank 0. Integers of either reading are taken by their bits."""
    if isinstance(attribute, FloatAttr):
        # A constant beyond the range of f32 is infinite, and no reason to warn.
        with np.errstate(all="ignore"):
            return np.asarray(attribute.value.data, dtype_of(attribute.type))
    if isinstance(attribute, IntegerAttr):
        dtype = dtype_of(attribute.type)
        width = integers.bits(dtype)
        pattern = np.asarray(attribute.value.data & (2**width - 1), np.uint64)
        return integers.wrap(pattern, dtype)
    raise UnsupportedError(f"a kernel's constants are numbers, not {attribute}")


def evaluate(op: Operation, operands: Sequence[Array]) -> Array:
    """The value of a scalar operation, element by element; operands broadcast against each other.

    Never warns, whatever the values. Raises UnsupportedError for an operation that kernels do not have.
    """
    compute = _OPERATIONS.get(op.name)
    if compute is None or len(op.results) != 1:
        raise UnsupportedError(f"the reference executor does not know the operation '{op.name}'")
    with np.errstate(all="ignore"):
        return np.asarray(compute(op, *operands))


def _constant(op: Operation) -> Array:
    assert isinstance(op, arith.ConstantOp)
    return constant(op.value)


def _result_dtype(op: Operation) -> np.dtype[Any]:
    return dtype_of(op.results[0].type)


def _compare_integers(op: Operation, a: Array, b: Array) -> Array:
    assert isinstance(op, arith.CmpiOp)
    compare, reading = integers.COMPARISONS[op.predicate.value.data]
    return compare(reading(a), reading(b))


def _compare_floats(op: Operation, a: Array, b: Array) -> Array:
    assert isinstance(op, arith.CmpfOp)
    return floats.COMPARISONS[op.predicate.value.data](a, b)


def _select(op: Operation, condition: Array, a: Array, b: Array) -> Array:
    return np.where(condition, a, b)


def _saturate(a: Array, low: int, high: int, dtype: np.dtype[Any]) -> Array:
    """``a`` truncated towards zero and clamped to ``[low, high]``; 0 where it is NaN. ``dtype`` holds both bounds."""
    whole = np.trunc(a.astype(np.float64))
    # As floats, the bounds of 64 bits round away from zero: whatever reaches them is out of range, or is the bound.
    too_low, too_high = whole <= float(low), whole >= float(high)
    inside = np.where(too_low | too_high | np.isnan(whole), 0.0, whole).astype(dtype)
    return np.where(too_low, dtype.type(low), np.where(too_high, dtype.type(high), inside))


def _float_to_signed(op: Operation, a: Array) -> Array:
    dtype = _result_dtype(op)
    half = 2 ** (integers.bits(dtype) - 1)
    return integers.wrap(_saturate(a, -half, half - 1, np.dtype(np.int64)), dtype)


def _float_to_unsigned(op: Operation, a: Array) -> Array:
    dtype = _result_dtype(op)
    return integers.wrap(_saturate(a, 0, 2 ** integers.bits(dtype) - 1, np.dtype(np.uint64)), dtype)


def _bitcast(op: Operation, a: Array) -> Array:
    return a.view(_result_dtype(op))


def _convert(op: Operation, a: Array) -> Array:
    return a.astype(_result_dtype(op))


def _convert_signed(op: Operation, a: Array) -> Array:
    return integers.signed(a).astype(_result_dtype(op))


def _convert_unsigned(op: Operation, a: Array) -> Array:
    return integers.unsigned(a).astype(_result_dtype(op))


def _low_bits(op: Operation, a: Array) -> Array:
    return integers.wrap(integers.signed(a), _result_dtype(op))


_Compute: TypeAlias = Callable[..., Array]


def _apply(function: _Compute) -> _Compute:
    def compute(op: Operation, *operands: Array) -> Array:
        return function(*operands)

    return compute


_OPERATIONS: dict[str, _Compute] = {
    **{
        name: _apply(function)
        for table in (integers.UNARY, integers.BINARY, floats.UNARY, floats.BINARY, floats.TERNARY)
        for name, function in table.items()
    },
    "arith.constant": _constant,
    "arith.cmpi": _compare_integers,
    "arith.cmpf": _compare_floats,
    "arith.select": _select,
    "arith.extf": _convert,
    "arith.truncf": _convert,
    "arith.trunci": _low_bits,
    "arith.extsi": _convert_signed,
    "arith.extui": _convert_unsigned,
    "arith.sitofp": _convert_signed,
    "arith.uitofp": _convert_unsigned,
    "arith.fptosi": _float_to_signed,
    "arith.fptoui": _float_to_unsigned,
    "arith.bitcast": _bitcast,
    "arith.index_cast": _low_bits,
}

"""Products of vectors and matrices.

With a vector, a product is a sum of products, which fuses with what is around it. Products of matrices are BLAS's, as an opaque task.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fuseir.dtypes import ELEMENT_NAMES
from fuseir.numpy.array import ndarray
from fuseir.numpy.elementwise import as_array, as_operand, assign, launch, new_array
from fuseir.numpy.opaque import in_stream
from fuseir.numpy.operators import UFUNCS
from fuseir.numpy.reductions import SUM, reduce
from fuseir.numpy.reshaping import ravel, reshape
from fuseir.runtime.tasks import opaque_task


def _matmul(a: np.ndarray[Any, Any], b: np.ndarray[Any, Any], out: np.ndarray[Any, Any]) -> None:
    np.matmul(a, b, out=out)


_MATMUL = opaque_task(_matmul, ["read", "read", "write"], "matmul")


def matmul(x1: Any, x2: Any, out: Any = None, **keywords: Any) -> Any:
    """The matrix product, over stacks of matrices where there are more dimensions. Raises ValueError for shapes that do not fit."""
    found = _both(np.matmul, x1, x2, out, keywords)
    if not isinstance(found, tuple):
        return found
    a, b, kind = found
    if not a.ndim or not b.ndim:
        raise ValueError(
            "matmul: Input operand does not have enough dimensions (has 0, gufunc core with signature (n?,k),(k,m?)->(n?,m?) requires 1)"
        )
    inner = b.shape[0] if b.ndim == 1 else b.shape[-2]
    if a.shape[-1] != inner:
        raise ValueError(
            "matmul: Input operand 1 has a mismatch in its core dimension 0, with gufunc signature (n?,k),(k,m?)->(n?,m?) "
            f"(size {inner} is different from {a.shape[-1]})"
        )
    if (a.ndim == 1 and b.ndim == 1) or b.ndim == 1:
        result = _summed(a, b, -1, kind)
    elif a.ndim == 1:
        result = _summed(reshape(a, (*a.shape, 1)), b, -2, kind)
    else:
        shape = (*np.broadcast_shapes(a.shape[:-2], b.shape[:-2]), a.shape[-2], b.shape[-1])
        result = new_array(shape, kind)
        launch(_MATMUL, a, b, result)
    return _into(out, result)


def _both(
    function: Callable[..., Any], x1: Any, x2: Any, out: Any, keywords: dict[str, Any]
) -> tuple[ndarray, ndarray, np.dtype[Any]] | Any:
    """The operands as arrays and the type of the product; else what NumPy makes of them."""
    operands = [as_operand(each) for each in (x1, x2)]
    numbers = all(isinstance(each, ndarray | np.generic | bool | int | float) for each in operands)
    if numbers and any(isinstance(each, ndarray) for each in operands) and not keywords:
        a, b = map(as_array, operands)
        kind = np.result_type(a.dtype, b.dtype)
        if kind in ELEMENT_NAMES and kind.kind in "iuf":
            return a, b, kind
    return in_stream(function, (x1, x2), {**keywords, **({} if out is None else {"out": out})})


def _summed(a: ndarray, b: ndarray, axis: int, kind: np.dtype[Any]) -> Any:
    """The sum of products of elements along an axis."""
    return reduce(SUM, UFUNCS["multiply"](a, b), axis, kind)


def _into(out: Any, result: Any) -> Any:
    if out is None:
        return result
    if out.shape != result.shape or out.dtype != result.dtype:
        raise ValueError(
            "output array is not acceptable (must have the right datatype, number of dimensions, and be a C-Array)"
        )
    assign(out, result)
    return out


def dot(a: Any, b: Any, out: Any = None) -> Any:
    """The product of vectors or matrices; with a scalar, element by element."""
    found = _both(np.dot, a, b, out, {})
    if not isinstance(found, tuple):
        return found
    x, y, _ = found
    if not x.ndim or not y.ndim:
        return UFUNCS["multiply"](x, y, out=out)
    if y.ndim > 2 or (x.ndim > 2 and y.ndim == 2):
        return in_stream(np.dot, (x, y), {} if out is None else {"out": out})
    inner, along = (y.shape[0], 0) if y.ndim == 1 else (y.shape[-2], y.ndim - 2)
    if x.shape[-1] != inner:
        shapes = f"{x.shape} and {y.shape}".replace(", ", ",")
        raise ValueError(f"shapes {shapes} not aligned: {x.shape[-1]} (dim {x.ndim - 1}) != {inner} (dim {along})")
    return matmul(x, y, out)


def vdot(a: Any, b: Any) -> Any:
    """The sum of products of all elements."""
    return dot(ravel(a), ravel(b))


def inner(a: Any, b: Any) -> Any:
    """The sum of products along the last axes."""
    x, y = as_array(a), as_array(b)
    if x.ndim == 1 and y.ndim == 1:
        return dot(x, y)
    return in_stream(np.inner, (x, y), {})


def outer(a: Any, b: Any, out: Any = None) -> Any:
    """All products of an element of one and an element of the other."""
    x, y = ravel(a), ravel(b)
    return UFUNCS["multiply"](reshape(x, (x.size, 1)), reshape(y, (1, y.size)), out=out)

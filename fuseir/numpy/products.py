"""Products of vectors and matrices.

With a vector, a product is a sum of products, which fuses with what is around it. Products of matrices are BLAS's, as an opaque task.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fuseir.dtypes import ELEMENT_NAMES
from fuseir.numpy.array import ndarray
from fuseir.numpy.elementwise import CAST, Operation, as_array, as_operand, assign, new_array
from fuseir.numpy.fallback import or_numpy
from fuseir.numpy.opaque import in_stream
from fuseir.numpy.operators import UFUNCS
from fuseir.numpy.reductions import Fold
from fuseir.numpy.reshaping import ravel, reshape
from fuseir.runtime.tasks import Task, defined_task, opaque_task


def _matmul(a: np.ndarray[Any, Any], b: np.ndarray[Any, Any], out: np.ndarray[Any, Any]) -> None:
    np.matmul(a, b, out=out)  # CuPy's, on a GPU: its arrays see to that


_MATMUL = opaque_task(_matmul, ["read", "read", "write"], "matmul", arrays="any")


def matmul(x1: Any, x2: Any, out: Any = None, **keywords: Any) -> Any:
    """The matrix product, over stacks of matrices where there are more dimensions. Raises ValueError for shapes that do not fit."""
    if out is None and not keywords:
        known = _known(x1, x2)
        if known is not None:
            return known(x1.session, x1.root, x2.root)
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
    if b.ndim == 1:
        result = _summed(a, b, a.ndim - 1, kind)
    elif a.ndim == 1:
        result = _summed(a, b, b.ndim - 2, kind)
    else:
        shape = (*np.broadcast_shapes(a.shape[:-2], b.shape[:-2]), a.shape[-2], b.shape[-1])
        result = new_array(shape, kind, a.session)
        known = Operation(a.session.form(_MATMUL, (a, b, result)), result.signature)
        a.signature.memo[_summed, b.signature] = known
        result = known(a.session, a.root, b.root)
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


def _known(x1: Any, x2: Any) -> Fold | Operation | None:
    """What the product does with arrays like these, if any was met."""
    if isinstance(x1, ndarray) and isinstance(x2, ndarray):
        return x1.signature.memo.get((_summed, x2.signature))
    return None


_TASKS: dict[Any, Task] = {}


def _summed(a: ndarray, b: ndarray, axis: int, kind: np.dtype[Any]) -> Any:
    """The sum of products of elements along an axis of their common shape; one of them is a vector, along that axis."""
    key = a.dtype, b.dtype, a.ndim, b.ndim, axis, kind
    task = _TASKS.get(key)
    if task is None:
        cast = CAST[kind]
        text = f"task dot(x: read, y: read, s: reduce<add>) {{ s = sum({cast}(x) * {cast}(y), axis=({axis},)) }}"
        task = _TASKS[key] = defined_task(text)
    shape = a.shape if a.ndim >= b.ndim else b.shape
    views = [a, b]
    if a.ndim < b.ndim:
        views[0] = a.seen_as(a.signature.indexed((slice(None), None)).broadcast_to(shape))
    elif b.ndim < a.ndim:
        views[1] = b.seen_as(b.signature.broadcast_to(shape))
    fold = Fold(task, views, (axis,), False, kind, 0)
    a.signature.memo[_summed, b.signature] = fold
    return fold(a.session, a.root, b.root)


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
    known = _known(a, b) if out is None else None
    # With more dimensions it is not what ``matmul`` computes.
    if known is not None and len(b.signature.shape) <= 2 and len(known.signature.shape) <= 2:
        return known(a.session, a.root, b.root)
    return _dot(a, b, out)


def _dot_first(a: Any, b: Any, out: Any) -> Any:
    """The same for what was not met before."""
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


_dot = or_numpy(_dot_first, np.dot)


def vdot(a: Any, b: Any) -> Any:
    """The sum of products of all elements."""
    known = _known(a, b)
    if known is not None and len(a.signature.shape) == len(b.signature.shape) == 1:
        return known(a.session, a.root, b.root)
    return _vdot(a, b)


def _vdot_first(a: Any, b: Any) -> Any:
    """The same for what was not met before, or has more dimensions."""
    return dot(ravel(a), ravel(b))


_vdot = or_numpy(_vdot_first, np.vdot)


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

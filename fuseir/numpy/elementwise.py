"""Arrays and launches: what everything that computes on arrays is made of."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from fuseir.dialects.dist.partition import Partition, Shape
from fuseir.dialects.dist.view import views_meet
from fuseir.dtypes import ELEMENT_NAMES, element_dtype
from fuseir.errors import LegalityError
from fuseir.numpy.array import Scalar, ndarray
from fuseir.runtime.forms import Form
from fuseir.runtime.session import Session, current_session
from fuseir.runtime.stores import RootStore
from fuseir.runtime.tasks import Task, defined_task

_frame = sys._getframe  # pyright: ignore[reportPrivateUsage]

CAST = {dtype: "bool" if dtype.kind == "b" else f"{dtype.kind}{8 * dtype.itemsize}" for dtype in ELEMENT_NAMES}
"""How the task language casts to an element type."""


def as_operand(value: Any) -> Any:
    """A value as element-wise functions take it: an array of ours, or a number. What is neither stays as it is."""
    if isinstance(value, ndarray | bool | int | float | np.generic):
        return value
    if isinstance(value, np.ndarray | list | tuple):
        found = np.asarray(value)
        return as_array(found) if found.dtype in ELEMENT_NAMES else value
    return value


def as_array(value: Any) -> ndarray:
    """A value as an array of ours: itself if it is one, else a copy. Raises UnsupportedError for other element types."""
    if isinstance(value, ndarray):
        return value
    session = current_session()
    source = np.asarray(value)
    return session.wrap(np.array(source, dtype=element_dtype(source.dtype), order="C", copy=True), ndarray)


Layout = tuple[Shape, tuple[Partition, ...]]
"""A launch's domain, and a partition for each array."""


def launch(task: Task, *arguments: Any, layout: Layout | None = None) -> None:
    """Launches a task; the last argument is an array. The launch's line is the nearest one that is not in this package.

    Raises ValueError, as NumPy does, where that array cannot be written to because it repeats elements.
    """
    session = arguments[-1].session
    try:
        form = session.form(task, arguments, *(layout or ()))
    except LegalityError as error:
        raise ValueError("assignment destination is read-only") from error
    if form.scalars:
        roots = tuple([arguments[k].root for k in form.stores])
        capture(session, form, roots, tuple([arguments[k] for k in form.scalars]))
    else:
        capture(session, form, tuple([each.root for each in arguments]), ())


def capture(session: Session, form: Form, roots: tuple[RootStore, ...], scalars: tuple[Any, ...]) -> None:
    """Captures a launch of a known form. Its line is the nearest one that is not in this package."""
    frame = _frame(1)
    while frame.f_globals.get("__name__", "").startswith("fuseir.numpy") and frame.f_back is not None:
        frame = frame.f_back
    session.capture(form, roots, scalars, frame.f_code, frame.f_lasti)


def new_array(shape: Shape, dtype: np.dtype[Any]) -> ndarray:
    """An array without contents, for a launch that writes it."""
    session = current_session()
    signature = session.signatures.asked(shape, dtype)
    root = RootStore(signature, None, None)
    if session.made is not None:
        session.made.append(root)
    return ndarray(session, root, signature)


def readable_beside(operand: Any, out: ndarray, shape: Shape) -> Any:
    """An operand in the result's shape; a copy of it if it overlaps the result otherwise than element by element."""
    if not isinstance(operand, ndarray):
        return operand
    signature = operand.signature.broadcast_to(shape)
    if operand.root is out.root and signature is not out.signature and views_meet(signature.view, out.signature.view):
        operand = copied(operand)
        signature = operand.signature.broadcast_to(shape)
    return operand.seen_as(signature)


_COPY = defined_task("task copy(x: read, z: write) { z = x }")
_ASSIGN = {dtype: defined_task(f"task assign(x: read, z: write) {{ z = {cast}(x) }}") for dtype, cast in CAST.items()}
FILL = {dtype: defined_task(f"task fill(a: scalar, z: write) {{ z = {cast}(a) }}") for dtype, cast in CAST.items()}


def copied(array: ndarray, kind: type[ndarray] | None = None) -> ndarray:
    """A new array with the same elements; a scalar if it has no dimensions, unless ``kind`` says otherwise."""
    result = new_array(array.shape, array.dtype)
    launch(_COPY, array, result)
    kind = kind or (ndarray if array.shape else Scalar)
    return result if kind is ndarray else kind(result.session, result.root, result.signature)


def converted(array: ndarray, dtype: np.dtype[Any]) -> ndarray:
    """A new array with the elements cast."""
    result = new_array(array.shape, dtype)
    launch(_ASSIGN[dtype], array, result)
    return result


def assign(target: ndarray, value: Any) -> None:
    """Writes a value to all of an array, cast to its element type and broadcast, as ``target[...] = value``."""
    kind = type(value)
    ours = kind is ndarray or kind is Scalar
    if ours and value.root is target.root and value.signature is target.signature:
        return  # the last part of `a[…] += b`, which has changed the elements already
    # Two views of one store are a case of their own: whether they overlap is known by the two.
    key = assign, value.signature if ours else kind, ours and value.root is target.root
    form: Form | None = target.signature.memo.get(key)
    if form is not None:
        # Kept for arrays and floats that need nothing but the launch.
        if ours:
            capture(target.session, form, (value.root, target.root), ())
        else:
            capture(target.session, form, (target.root,), (value,))
        return
    given = value
    value = as_operand(value)
    if not isinstance(value, ndarray):
        if type(value) is int and target.dtype.kind in "iu":
            target.dtype.type(value)  # raises OverflowError, as NumPy does
        if isinstance(value, bool | int | float | np.generic) and (
            not isinstance(value, np.generic) or value.dtype in ELEMENT_NAMES
        ):
            launch(FILL[target.dtype], value, target)
            if kind is float:
                target.signature.memo[key] = target.session.form(FILL[target.dtype], (value, target))
            return
        value = as_array(np.asarray(value).astype(target.dtype))
    value = without_leading_ones(value, target.ndim)
    if value.ndim > target.ndim or any(
        have not in (1, want) for have, want in zip(value.shape, target.shape[target.ndim - value.ndim :], strict=True)
    ):
        raise ValueError(f"could not broadcast input array from shape {value.shape} into shape {target.shape}")
    value = readable_beside(value, target, target.shape)
    launch(_ASSIGN[target.dtype], value, target)
    if ours and value.root is given.root:  # else it was copied first
        target.signature.memo[key] = target.session.form(_ASSIGN[target.dtype], (value, target))


def without_leading_ones(array: ndarray, rank: int) -> ndarray:
    """The array with as many dimensions as ``rank``, where those that it has more are in front and of extent 1."""
    while array.ndim > rank and array.shape[0] == 1:
        array = array.seen_as(array.signature.indexed(0))
    return array


def broadcast_shape(operands: Sequence[Any]) -> Shape:
    """The common shape of operands. Raises ValueError in NumPy's words."""
    shapes = [operand.shape for operand in operands if isinstance(operand, ndarray)]
    if all(shape == shapes[0] for shape in shapes):
        return shapes[0]
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        listed = " ".join(str(shape).replace(" ", "") for shape in shapes)
        raise ValueError(f"operands could not be broadcast together with shapes {listed} ") from None

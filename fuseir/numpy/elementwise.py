"""Arrays and launches: what everything that computes on arrays is made of."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import suppress
from types import FrameType
from typing import Any

import numpy as np

from fuseir.dialects.dist.partition import Partition, Shape
from fuseir.dialects.dist.view import views_meet
from fuseir.dtypes import ELEMENT_NAMES, element_dtype
from fuseir.errors import LegalityError
from fuseir.numpy.array import Scalar, ndarray
from fuseir.runtime.forms import Form, scalar_kind
from fuseir.runtime.session import Session, current_session
from fuseir.runtime.signatures import Signature
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
    frame = users_frame()
    session.capture(form, roots, scalars, frame.f_code, frame.f_lasti)


def users_frame() -> FrameType:
    """The frame of the nearest line that is not in this package; the caller is in it."""
    frame = _frame(2)
    while frame.f_globals.get("__package__") == __package__ and frame.f_back is not None:
        frame = frame.f_back
    return frame


class Operation:
    """A function on operands of some kinds that is one launch: its form, and the signature and class of what it makes.

    Kept in ``memo`` of the first array's signature, by the function and the kinds of operands (``kinds_of``). Integers that are Python's
    have to be between ``low`` and ``high``, the limits of the type they are computed in.
    """

    __slots__ = ("form", "high", "kind", "low", "signature")

    def __init__(
        self,
        form: Form,
        signature: Signature,
        kind: type[ndarray] | None = None,
        low: float = -(2**63),
        high: float = 2**63 - 1,
    ) -> None:
        self.form = form
        self.signature = signature
        self.kind: type[ndarray] = kind or (ndarray if signature.shape else Scalar)
        self.low = low
        self.high = high

    def __call__(self, session: Session, *roots: RootStore) -> ndarray:
        """Captures the function of arrays: the stores they are on."""
        return session.produce(self.kind, self.form, self.signature, roots, (), users_frame())


def kinds_of(
    function: Any, operands: Sequence[Any], out: ndarray | None = None
) -> tuple[tuple[Any, ...], list[RootStore], list[Any]]:
    """What a function on operands is found by: the function, then each array's signature, or a number's type; the roots, and the numbers.

    With ``out``, which is written to, also whether arrays are on the same store: it depends on that whether they are copied first.
    """
    key: list[Any] = [function]
    roots: list[RootStore] = []
    scalars: list[Any] = []
    for operand in operands:
        if isinstance(operand, ndarray):
            key.append(operand.signature)
            roots.append(operand.root)
            if out is not None:
                key.append(operand.root is out.root)
        else:
            key.append(type(operand))
            scalars.append(operand)
    return tuple(key), roots, scalars


def found_by(array: ndarray, key: Any) -> Any:
    """What is remembered of arrays of this kind; None if it is nothing, or the key has no hash."""
    try:
        return array.signature.memo.get(key)
    except TypeError:
        return None


def remember(array: ndarray, key: Any, value: Any) -> None:
    """Keeps what is to be found with arrays of this kind, if the key has a hash."""
    with suppress(TypeError):
        array.signature.memo[key] = value


def new_array(shape: Shape, dtype: np.dtype[Any], session: Session | None = None) -> ndarray:
    """An array without contents, for a launch that writes it."""
    session = session or current_session()
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
    return _made_of(array, array.signature.dtype, _COPY, kind)


def converted(array: ndarray, dtype: np.dtype[Any], kind: type[ndarray] | None = ndarray) -> ndarray:
    """A new array with the elements cast."""
    return _made_of(array, dtype, _ASSIGN[dtype], kind)


def _made_of(array: ndarray, dtype: np.dtype[Any], task: Task, kind: type[ndarray] | None) -> ndarray:
    session, signature = array.session, array.signature
    operation: Operation | None = signature.memo.get(task)
    if operation is None:
        result = new_array(signature.shape, dtype, session)
        operation = signature.memo[task] = Operation(session.form(task, [array, result]), result.signature)
    made = kind or operation.kind
    return session.produce(made, operation.form, operation.signature, (array.root,), (), users_frame())


def form_of_copy(source: ndarray, target: ndarray) -> Form:
    """The form of launches that write an array's elements, cast, to all of another array of this shape."""
    return target.session.form(_ASSIGN[target.dtype], (source, target))


def filled(shape: Shape, dtype: np.dtype[Any], value: Any) -> ndarray:
    """A new array with one number, cast, as all elements."""
    result = new_array(shape, dtype)
    assign(result, value)
    return result


def assign(target: ndarray, value: Any) -> None:
    """Writes a value to all of an array, cast to its element type and broadcast, as ``target[...] = value``."""
    write(target, target.signature, value)


def write(array: ndarray, part: Signature, value: Any) -> None:
    """Writes a value to what a signature shows of an array's store, as ``assign``."""
    kind = type(value)
    root = array.root
    if kind is ndarray or kind is Scalar:
        form: Form | None
        if value.root is not root:
            form = part.memo.get((write, value.signature))
        elif value.signature is part:
            return  # the last part of `a[…] += b`, which has changed the elements already
        else:
            # Two views of one store are a case of their own: whether they overlap is known by the two.
            form = part.memo.get((write, value.signature, True))
        if form is not None:
            frame = users_frame()
            array.session.capture(form, (value.root, root), (), frame.f_code, frame.f_lasti)
            return
    else:
        operation: Operation | None = part.memo.get((write, kind))
        if operation is not None and (kind is not int or operation.low <= value <= operation.high):
            frame = users_frame()
            array.session.capture(operation.form, (root,), (value,), frame.f_code, frame.f_lasti)
            return
    _write_first(array.seen_as(part), value)


def _write_first(target: ndarray, value: Any) -> None:
    """The same for what was not met before, or needs more than a launch: a copy first, or a check."""
    given = value
    value = as_operand(value)
    memo = target.signature.memo
    if not isinstance(value, ndarray):
        if type(value) is int and target.dtype.kind in "iu":
            target.dtype.type(value)  # raises OverflowError, as NumPy does
        if isinstance(value, bool | int | float | np.generic) and (
            not isinstance(value, np.generic) or value.dtype in ELEMENT_NAMES
        ):
            launch(FILL[target.dtype], value, target)
            if scalar_kind(value) is type(value):
                form = target.session.form(FILL[target.dtype], (value, target))
                memo[write, type(value)] = Operation(form, target.signature, None, *integer_limits(target.dtype))
            return
        value = as_array(np.asarray(value).astype(target.dtype))
    value = without_leading_ones(value, target.ndim)
    if value.ndim > target.ndim or any(
        have not in (1, want) for have, want in zip(value.shape, target.shape[target.ndim - value.ndim :], strict=True)
    ):
        raise ValueError(f"could not broadcast input array from shape {value.shape} into shape {target.shape}")
    value = readable_beside(value, target, target.shape)
    launch(_ASSIGN[target.dtype], value, target)
    if isinstance(given, ndarray) and value.root is given.root:  # else it was copied first
        key = (write, given.signature, True) if given.root is target.root else (write, given.signature)
        memo[key] = form_of_copy(value, target)


def integer_limits(dtype: np.dtype[Any]) -> tuple[float, float]:
    """Which integers of Python's a launch takes that computes in this type: those that it holds, and 64 bits with sign do."""
    if dtype.kind not in "iu":
        return -(2**63), 2**63 - 1
    limits = np.iinfo(dtype)
    return limits.min, min(limits.max, 2**63 - 1)


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

"""Element-wise functions: NumPy's ufuncs as tasks.

What a function does with operands of some kinds (element types, shapes, views; Python's numbers by type) is worked out when they are first
met, and remembered with the first array operand's signature. From then on a call is one look-up, the result's handle, and the captured
launch: this is the hot path of a NumPy program, and looks as it does for that reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fuseir.dtypes import ELEMENT_NAMES
from fuseir.numpy.array import Scalar, ndarray
from fuseir.numpy.elementwise import (
    CAST,
    Operation,
    as_array,
    as_operand,
    assign,
    broadcast_shape,
    capture,
    kinds_of,
    launch,
    new_array,
    readable_beside,
    users_frame,
)
from fuseir.numpy.fallback import through_numpy
from fuseir.numpy.opaque import change_in_stream, in_stream
from fuseir.runtime.session import Session
from fuseir.runtime.stores import RootStore
from fuseir.runtime.tasks import Task, defined_task


class ufunc:  # noqa: N801 (NumPy's name)
    """An element-wise function with NumPy's name, types and values; one task for each pattern of arrays and scalars."""

    def __init__(self, name: str, *, is_ours: bool = True) -> None:
        self.numpy: np.ufunc = getattr(np, name)
        self.__name__ = name
        self.__doc__ = f"NumPy's ``{name}``, element by element."
        self.nin: int = self.numpy.nin
        self.nout: int = self.numpy.nout
        self.nargs = self.nin + self.nout
        self.identity = self.numpy.identity
        self.types = self.numpy.types
        self.ntypes = self.numpy.ntypes
        self.signature = self.numpy.signature
        self._is_ours = is_ours
        self._tasks: dict[Any, Task] = {}

    def __repr__(self) -> str:
        return f"<ufunc '{self.__name__}'>"

    def __call__(self, *operands: Any, **keywords: Any) -> Any:
        """The function of the operands; ``out``, ``where``, ``dtype`` and ``casting`` as in NumPy."""
        out = keywords.pop("out", None) if keywords else None
        if not keywords:
            if out is None:
                count = len(operands)
                result = (
                    self._of_two(*operands) if count == 2 else self._of_one(*operands) if count == 1 else NotImplemented
                )
                if result is not NotImplemented:
                    return result
            elif type(out) is ndarray and self._known_into(operands, out):
                return out
        return self._general(operands, out, **keywords)

    def _of_one(self, x: Any) -> Any:
        """The function of an array of ours, else NotImplemented."""
        kind = type(x)
        if kind is ndarray or kind is Scalar:
            operation: Operation | None = x.signature.memo.get((self, x.signature))
            if operation is not None:
                return x.session.produce(
                    operation.kind, operation.form, operation.signature, (x.root,), (), users_frame()
                )
        return self.apply((x,))

    def _of_two(self, x: Any, y: Any) -> Any:
        """The same of two operands: what ``apply`` does where the first is an array, spelt out, as most are."""
        kind, other = type(x), type(y)
        if kind is ndarray or kind is Scalar:
            if other is ndarray or other is Scalar:
                operation: Operation | None = x.signature.memo.get((self, x.signature, y.signature))
                if operation is not None:
                    return x.session.produce(
                        operation.kind, operation.form, operation.signature, (x.root, y.root), (), users_frame()
                    )
            else:
                operation = x.signature.memo.get((self, x.signature, other))
                if operation is not None and (other is not int or operation.low <= y <= operation.high):
                    return x.session.produce(
                        operation.kind, operation.form, operation.signature, (x.root,), (y,), users_frame()
                    )
        return self.apply((x, y))

    def _known_into(self, operands: tuple[Any, ...], out: ndarray) -> bool:
        """Captures the function of operands into an array, if this was met before and takes a launch only; returns whether it did."""
        key, roots, scalars = kinds_of(self, operands, out)
        operation: Operation | None = out.signature.memo.get(("out", *key))
        if operation is None:
            return False
        for scalar in scalars:
            if type(scalar) is int and not operation.low <= scalar <= operation.high:
                return False
        capture(out.session, operation.form, (*roots, out.root), tuple(scalars))
        return True

    def outer(self, a: Any, b: Any, **keywords: Any) -> Any:
        """The function of each element of one operand with each of the other."""
        first, second = as_array(a), as_array(b)
        index = (..., *[None] * second.ndim)
        return self(first.seen_as(first.signature.indexed(index)), second, **keywords)

    def reduce(self, *args: Any, **keywords: Any) -> Any:
        """Folds an array along axes: the functions of ``reductions.py`` for those that have one, which put theirs in this one's place."""
        return through_numpy(self.numpy.reduce, args, keywords)

    def accumulate(self, *args: Any, **keywords: Any) -> Any:
        """NumPy's ``accumulate``."""
        return in_stream(self.numpy.accumulate, args, keywords)

    def reduceat(self, *args: Any, **keywords: Any) -> Any:
        """NumPy's ``reduceat``."""
        return through_numpy(self.numpy.reduceat, args, keywords)

    def at(self, *args: Any) -> None:
        """NumPy's ``at``: changes its first argument."""
        if isinstance(args[0], ndarray):
            change_in_stream(self.numpy.at, args, {})
        else:
            through_numpy(self.numpy.at, args, {})

    def apply(self, operands: tuple[Any, ...]) -> Any:
        """The function of operands, of which one at least is an array of ours; else NotImplemented."""
        key, roots, scalars = kinds_of(self, operands)
        first = next((operand for operand in operands if isinstance(operand, ndarray)), None)
        if first is None or len(operands) != self.nin:
            return NotImplemented
        session, memo = first.session, first.signature.memo
        operation: Operation | None = memo.get(key)
        if operation is None:
            operation = self._first_met(session, operands)
            if operation is None:
                return NotImplemented
            memo[key] = operation
        for scalar in scalars:
            if type(scalar) is int and not operation.low <= scalar <= operation.high:
                return NotImplemented
        return session.produce(
            operation.kind, operation.form, operation.signature, tuple(roots), tuple(scalars), users_frame()
        )

    # What is not met every time

    def _first_met(self, session: Session, operands: tuple[Any, ...]) -> Operation | None:
        """What the function does with operands of these kinds; None if it is not ours to do.

        Raises as NumPy does: TypeError where the function is not defined, ValueError for shapes that do not fit.
        """
        kinds = [_kind(operand) for operand in operands]
        if any(kind is None for kind in kinds) or not self._is_ours:
            return None
        loop = self.numpy.resolve_dtypes((*kinds, None))  # pyright: ignore[reportArgumentType]
        if any(dtype not in ELEMENT_NAMES for dtype in loop) or self._depends_on_values(operands, loop):
            return None
        # The form is that of small integers: others are met one by one.
        operands = tuple([1 if type(operand) is int else operand for operand in operands])
        shape = broadcast_shape(operands)
        arguments = [
            operand.seen_as(operand.signature.broadcast_to(shape)) if isinstance(operand, ndarray) else operand
            for operand in operands
        ]
        signature = session.signatures.whole(shape, loop[-1])
        result = ndarray(session, RootStore(signature, None, None), signature)
        pattern = "".join("a" if isinstance(operand, ndarray) else "s" for operand in operands)
        form = session.form(self._task(pattern), [*arguments, result])
        return Operation(form, signature, None, *self._limits(loop, operands))

    def _depends_on_values(self, operands: Sequence[Any], loop: Sequence[np.dtype[Any]]) -> bool:
        """Whether NumPy looks at elements before it computes: integers cannot be raised to negative powers."""
        return self.__name__ == "power" and loop[-1].kind == "i" and type(operands[-1]) is not int

    def _limits(
        self, loop: Sequence[np.dtype[Any]], operands: Sequence[Any], most: int = 2**63 - 1
    ) -> tuple[float, float]:
        """Which of Python's integers the loop takes: up to ``most``, where launches take 64 bits with sign, or without."""
        low, high = -(2**63), most
        for dtype, operand in zip(loop, operands, strict=False):
            if type(operand) is int and dtype.kind in "iu":
                limits = np.iinfo(dtype)
                low, high = max(low, int(limits.min)), min(high, int(limits.max))
        return (max(low, 0) if self.__name__ == "power" and loop[-1].kind == "i" else low), high

    def _task(self, pattern: str) -> Task:
        """The task for operands that are arrays ('a') and scalars ('s')."""
        task = self._tasks.get(pattern)
        if task is None:
            names = "xy"[: self.nin]
            value = f"{self.__name__}({', '.join(names)})"
            text = f"task {self.__name__}({_parameters(pattern)}, z: write) {{ z = {value} }}"
            task = self._tasks[pattern] = defined_task(text)
        return task

    def _general(self, operands: tuple[Any, ...], out: Any, *, where: Any = True, **keywords: Any) -> Any:
        """Calls with anything unusual: operands of other kinds, ``out``, ``where``, ``dtype``, ``casting``."""
        if len(operands) > self.nargs:
            raise TypeError(
                f"{self.__name__}() takes from {self.nin} to {self.nargs} positional arguments but {len(operands)} were given"
            )
        if len(operands) > self.nin and out is not None:
            raise TypeError("cannot specify 'out' as both a positional and keyword argument")
        outs = operands[self.nin :] if len(operands) > self.nin else out if isinstance(out, tuple) else (out,)
        inputs = tuple([as_operand(operand) for operand in operands[: self.nin]])
        target = outs[0] if len(outs) == 1 else None
        dtype, casting = keywords.pop("dtype", None), keywords.pop("casting", "same_kind")
        ours = any(isinstance(operand, ndarray) for operand in (*inputs, target, where))
        plain = not keywords and self._is_ours and (target is None or isinstance(target, ndarray))
        if not ours or not plain or len(inputs) != self.nin or any(_kind(operand) is None for operand in inputs):
            extra = {"dtype": dtype} if dtype is not None else {}
            if casting != "same_kind":
                extra["casting"] = casting
            if where is not True:
                extra["where"] = where
            if out is not None:
                extra["out"] = out
            return in_stream(self.numpy, operands, {**keywords, **extra})
        kinds = tuple([_kind(operand) for operand in inputs])
        wanted = (*[None] * self.nin, None if dtype is None else np.dtype(dtype))
        loop = self.numpy.resolve_dtypes((*kinds, None), signature=wanted, casting=casting)  # pyright: ignore[reportArgumentType, reportCallIssue]
        low, high = self._limits(loop[:-1], inputs, 2**64 - 1)
        fits = all(type(operand) is not int or low <= operand <= high for operand in inputs)
        if self._depends_on_values(inputs, loop):
            return through_numpy(self.numpy, operands, {"dtype": dtype, "out": out, "where": where, "casting": casting})
        if not fits or any(each not in ELEMENT_NAMES for each in loop):
            return in_stream(self.numpy, operands, {"dtype": dtype, "out": out, "where": where, "casting": casting})
        return self._into(inputs, loop, target, where, casting, dtype is not None)

    def _into(
        self,
        inputs: tuple[Any, ...],
        loop: Sequence[np.dtype[Any]],
        out: ndarray | None,
        where: Any,
        casting: Any,
        dtype_given: bool,
    ) -> ndarray:
        """The function, cast to the type of ``out`` and written to it where ``where`` is true."""
        mask = None if where is True else as_array(where)
        masks = [] if mask is None else [mask]
        if out is None:
            shape = broadcast_shape([*inputs, *masks])
            out = new_array(shape, loop[-1])
            if mask is not None:
                assign(out, 0)  # NumPy leaves what it finds there
        else:
            shape = broadcast_shape([*inputs, *masks, out])
            if shape != out.shape:
                raise ValueError(
                    f"non-broadcastable output operand with shape {out.shape} doesn't match the broadcast shape {shape}"
                )
            if not np.can_cast(loop[-1], out.dtype, casting):
                raise_as_numpy(self.numpy, inputs, out)
        arguments = [readable_beside(operand, out, shape) for operand in inputs]
        # Operands of the loop's own types: as NumPy casts them before it computes.
        casts = [CAST[want] for want in loop[:-1]]
        task = self._task_into("".join(map(_letter, arguments)), tuple(casts), CAST[out.dtype], mask is not None)
        arguments += [readable_beside(mask, out, shape) for mask in masks]
        launch(task, *arguments, out)
        if mask is None and casting == "same_kind" and not dtype_given:
            self._remember_into(task, inputs, arguments, loop, out)
        return out

    def _remember_into(
        self, task: Task, inputs: Sequence[Any], arguments: Sequence[Any], loop: Sequence[np.dtype[Any]], out: ndarray
    ) -> None:
        """Notes what the function does with operands like these, unless one had to be copied."""
        for given, argument in zip(inputs, arguments, strict=True):
            if isinstance(given, ndarray) and argument.root is not given.root:
                return
        small = [1 if type(each) is int else each for each in arguments]
        key, _, _ = kinds_of(self, inputs, out)
        form = out.session.form(task, [*small, out])
        out.signature.memo["out", *key] = Operation(form, out.signature, None, *self._limits(loop, inputs))

    def _task_into(self, pattern: str, casts: tuple[str, ...], cast: str, masked: bool) -> Task:
        key = pattern, casts, cast, masked
        task = self._tasks.get(key)
        if task is None:
            names = "xy"[: self.nin]
            parameters = [_parameters(pattern)]
            value = f"{cast}({self.__name__}({', '.join(f'{c}({n})' for n, c in zip(names, casts, strict=True))}))"
            if masked:
                parameters.append("m: read")
                value = f"select(m, {value}, z)"
            kind = "read_write" if masked else "write"
            text = f"task {self.__name__}({', '.join(parameters)}, z: {kind}) {{ z = {value} }}"
            task = self._tasks[key] = defined_task(text)
        return task


def _parameters(pattern: str) -> str:
    """The parameters of a task's operands."""
    return ", ".join(
        f"{name}: {'read' if kind == 'a' else 'scalar'}" for name, kind in zip("xy", pattern, strict=False)
    )


def _letter(operand: Any) -> str:
    return "a" if isinstance(operand, ndarray) else "s"


def _kind(operand: Any) -> Any:
    """What an operand is to NumPy's promotion: a dtype, or a Python type that is weak. None if it is neither."""
    if isinstance(operand, ndarray | np.generic):
        return operand.dtype
    kind = type(operand)
    if kind is bool:
        return np.dtype(bool)
    return kind if kind in (int, float) else None


def raise_as_numpy(function: np.ufunc, inputs: Sequence[Any], out: ndarray) -> None:
    """Raises what NumPy raises for operands and a result of these types."""
    samples = [np.empty(0, each.dtype) if isinstance(each, ndarray) else each for each in inputs]
    function(*samples, out=np.empty(0, out.dtype))

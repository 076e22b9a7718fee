"""NumPy's element-wise functions by name, and the operators that they are."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from fuseir.numpy.array import Scalar, ndarray
from fuseir.numpy.ufunc import ufunc

_NAMES = """
    absolute add arccos arccosh arcsin arcsinh arctan arctan2 arctanh bitwise_and bitwise_count bitwise_or bitwise_xor cbrt ceil
    conjugate copysign cos cosh deg2rad degrees divide divmod equal exp exp2 expm1 fabs float_power floor floor_divide fmax fmin fmod
    frexp gcd greater greater_equal heaviside hypot invert isfinite isinf isnan lcm ldexp left_shift less less_equal log log10 log1p
    log2 logaddexp logaddexp2 logical_and logical_not logical_or logical_xor maximum minimum modf multiply negative nextafter not_equal
    positive power rad2deg radians reciprocal remainder right_shift rint sign signbit sin sinh spacing sqrt square subtract tan tanh
    trunc
"""

NOT_OURS = frozenset({"conjugate", "divmod", "frexp", "gcd", "lcm", "ldexp", "modf", "spacing"})
"""What the task language has no function for: NumPy runs them, in the stream."""

UFUNCS: dict[str, ufunc] = {name: ufunc(name, is_ours=name not in NOT_OURS) for name in _NAMES.split()}

_frame = sys._getframe  # pyright: ignore[reportPrivateUsage]


_NUMBERS = frozenset({int, float, bool})
_OPERANDS = (ndarray, np.generic)


def _binary(function: ufunc, *, reflected: bool = False, depth: int = 1) -> Callable[[Any, Any], Any]:
    """An operator's method, called ``depth`` frames below the program's.

    For arrays and numbers: what ``ufunc.apply`` does, spelt out, as this is where programs spend their calls.
    """

    def method(self: ndarray, other: Any) -> Any:
        kind = type(other)
        if kind is ndarray or kind is Scalar:
            operation = self.signature.memo.get((function, self.signature, other.signature))
            if operation is not None:
                return self.session.produce(
                    operation.kind, operation.form, operation.signature, (self.root, other.root), (), _frame(depth)
                )
        elif kind is float or kind is int:
            key = (function, kind, self.signature) if reflected else (function, self.signature, kind)
            operation = self.signature.memo.get(key)
            if operation is not None and (kind is float or operation.low <= other <= operation.high):
                return self.session.produce(
                    operation.kind, operation.form, operation.signature, (self.root,), (other,), _frame(depth)
                )
        operands = (other, self) if reflected else (self, other)
        if kind in _NUMBERS or isinstance(other, _OPERANDS):
            result = function.apply(operands)
            if result is not NotImplemented:
                return result
        return NotImplemented if _defers(other) else function(*operands)

    return method


def _defers(other: Any) -> bool:
    """Whether an operand's class does not want to be taken for an array."""
    return getattr(type(other), "__array_ufunc__", True) is None or isinstance(other, str | bytes | dict | set)


def _power(self: ndarray, other: Any) -> Any:
    """``**``. Some exponents that are Python's numbers stand for other functions, as in NumPy."""
    kind = type(other)
    if kind is float or kind is int:
        simple = _POWERS.get(other)
        if simple is not None:
            family = self.signature.dtype.kind
            if family == "f" or (family in "iu" and kind is int and other == 2):
                return simple(self)
    return _plain_power(self, other)


_plain_power = _binary(UFUNCS["power"], depth=2)
_POWERS = {2: UFUNCS["square"], 0.5: UFUNCS["sqrt"], -1: UFUNCS["reciprocal"], 1: UFUNCS["positive"]}


def _divmod(self: ndarray, other: Any) -> Any:
    return self // other, self % other


def _rdivmod(self: ndarray, other: Any) -> Any:
    return other // self, other % self


def _unary(function: ufunc) -> Callable[[Any], Any]:
    def method(self: ndarray) -> Any:
        operation = self.signature.memo.get((function, self.signature))
        if operation is None:
            return function(self)
        return self.session.produce(operation.kind, operation.form, operation.signature, (self.root,), (), _frame(1))

    return method


def _in_place(function: ufunc) -> Callable[[Any, Any], Any]:
    """An assignment operator's method: the function, written to the array itself. What ``out=self`` does, spelt out as in ``_binary``."""
    plain = _binary(function, depth=2)

    def method(self: ndarray, other: Any) -> Any:
        if type(self) is Scalar:
            return plain(self, other)  # a name gets another scalar
        signature, root, kind = self.signature, self.root, type(other)
        if kind is ndarray or kind is Scalar:
            operation = signature.memo.get(("out", function, signature, True, other.signature, other.root is root))
            if operation is not None:
                frame = _frame(1)
                self.session.capture(operation.form, (root, other.root, root), (), frame.f_code, frame.f_lasti)
                return self
        elif kind is float or kind is int:
            operation = signature.memo.get(("out", function, signature, True, kind))
            if operation is not None and (kind is float or operation.low <= other <= operation.high):
                frame = _frame(1)
                self.session.capture(operation.form, (root, root), (other,), frame.f_code, frame.f_lasti)
                return self
        function(self, other, out=self)
        return self

    return method


_BINARY = {
    "add": "add",
    "sub": "subtract",
    "mul": "multiply",
    "truediv": "divide",
    "floordiv": "floor_divide",
    "mod": "remainder",
    "pow": "power",
    "lshift": "left_shift",
    "rshift": "right_shift",
    "and": "bitwise_and",
    "or": "bitwise_or",
    "xor": "bitwise_xor",
}
_COMPARISONS = {
    "eq": "equal",
    "ne": "not_equal",
    "lt": "less",
    "le": "less_equal",
    "gt": "greater",
    "ge": "greater_equal",
}
_UNARY = {"neg": "negative", "pos": "positive", "abs": "absolute", "invert": "invert"}


def _operators() -> dict[str, Callable[..., Any]]:
    methods: dict[str, Callable[..., Any]] = {}
    for operator, name in _BINARY.items():
        methods[f"__{operator}__"] = _binary(UFUNCS[name])
        methods[f"__r{operator}__"] = _binary(UFUNCS[name], reflected=True)
        methods[f"__i{operator}__"] = _in_place(UFUNCS[name])
    methods.update({f"__{operator}__": _binary(UFUNCS[name]) for operator, name in _COMPARISONS.items()})
    methods.update({f"__{operator}__": _unary(UFUNCS[name]) for operator, name in _UNARY.items()})
    methods["__pow__"] = _power
    methods["__divmod__"] = _divmod
    methods["__rdivmod__"] = _rdivmod
    return methods


OPERATORS = _operators()
"""The methods of all operators, by name."""

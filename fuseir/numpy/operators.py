"""NumPy's element-wise functions by name, and the operators that they are."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from fuseir.errors import LegalityError
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

    For arrays and floats: what ``ufunc.apply`` does, spelt out, as this is where programs spend their calls.
    """

    def method(self: ndarray, other: Any) -> Any:
        kind = type(other)
        if kind is ndarray or kind is Scalar:
            operation = self.signature.memo.get((function, self.signature, other.signature))
            if operation is not None:
                return self.session.produce(
                    operation.kind, operation.form, operation.signature, (self.root, other.root), (), _frame(depth)
                )
        elif kind is float:
            key = (function, kind, self.signature) if reflected else (function, self.signature, kind)
            operation = self.signature.memo.get(key)
            if operation is not None:
                return self.session.produce(
                    operation.kind, operation.form, operation.signature, (self.root,), (other,), _frame(depth)
                )
        operands = (other, self) if reflected else (self, other)
        if kind in _NUMBERS or isinstance(other, _OPERANDS):
            result = function.apply(operands, 1 + depth)
            if result is not NotImplemented:
                return result
        return NotImplemented if _defers(other) else function(*operands)

    return method


def _defers(other: Any) -> bool:
    """Whether an operand's class does not want to be taken for an array."""
    return getattr(type(other), "__array_ufunc__", True) is None or isinstance(other, str | bytes | dict | set)


def _power(self: ndarray, other: Any) -> Any:
    """``**``. Some exponents that are Python's numbers stand for other functions, as in NumPy."""
    if type(other) in (int, float) and self.dtype.kind == "f":
        simple = _POWERS.get(other)
        if simple is not None:
            result = simple.apply((self,), 2)
            if result is not NotImplemented:
                return result
    elif type(other) is int and other == 2 and self.dtype.kind in "iu":
        return UFUNCS["square"](self)
    return _plain_power(self, other)


_plain_power = _binary(UFUNCS["power"], depth=2)
_POWERS = {2: UFUNCS["square"], 0.5: UFUNCS["sqrt"], -1: UFUNCS["reciprocal"], 1: UFUNCS["positive"]}


def _divmod(self: ndarray, other: Any) -> Any:
    return self // other, self % other


def _rdivmod(self: ndarray, other: Any) -> Any:
    return other // self, other % self


def _unary(function: ufunc) -> Callable[[Any], Any]:
    def method(self: ndarray) -> Any:
        result = function.apply((self,), 2)
        return function(self) if result is NotImplemented else result

    return method


def _in_place(function: ufunc) -> Callable[[Any, Any], Any]:
    """An assignment operator's method. It writes what the operator computes, to the array itself."""
    plain = _binary(function)

    def method(self: ndarray, other: Any) -> Any:
        if type(self) is Scalar:
            return plain(self, other)  # a name gets another scalar
        ours = isinstance(other, ndarray)
        key = (function, method, self.signature, other.signature if ours else type(other))
        form = self.signature.memo.get(key)
        try:
            if form is None and (ours or type(other) is float) and not (ours and other.root is self.root):
                form = function.form_in_place(self, other)
                if form is not None:
                    self.signature.memo[key] = form
            if form is not None:
                roots = (self.root, other.root, self.root) if ours else (self.root, self.root)
                frame = _frame(1)
                self.session.capture(form, roots, () if ours else (other,), frame.f_code, frame.f_lasti)
                return self
        except LegalityError:
            pass  # the operand is another view of the same elements, and is copied first; or the array is read-only
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

"""The names and signs of the task language, and what they stand for. Tables only.

A function is called what NumPy calls it. ``canonical`` maps every accepted spelling to one name: that of the NumPy ufunc
whose types and values the function has. The emitters are tables under the same names.
"""

from __future__ import annotations

import math
from typing import Literal

BINARY_SIGNS = {
    "+": "add",
    "-": "subtract",
    "*": "multiply",
    "/": "divide",
    "//": "floor_divide",
    "%": "remainder",
    "**": "power",
    "&": "bitwise_and",
    "|": "bitwise_or",
    "^": "bitwise_xor",
    "<<": "left_shift",
    ">>": "right_shift",
    "==": "equal",
    "!=": "not_equal",
    "<": "less",
    "<=": "less_equal",
    ">": "greater",
    ">=": "greater_equal",
    "and": "logical_and",
    "or": "logical_or",
}

UNARY_SIGNS = {"-": "negative", "+": "positive", "~": "invert", "not": "logical_not"}

COMPARISONS: dict[str, Literal["eq", "ne", "lt", "le", "gt", "ge"]] = {
    "equal": "eq",
    "not_equal": "ne",
    "less": "lt",
    "less_equal": "le",
    "greater": "gt",
    "greater_equal": "ge",
}

_UNARY = """
    absolute arccos arccosh arcsin arcsinh arctan arctanh bitwise_count cbrt ceil cos cosh degrees erf erfc exp exp2
    expm1 fabs floor invert isfinite isinf isnan log log10 log1p log2 logical_not negative positive radians reciprocal
    rint sign signbit sin sinh sqrt square tan tanh trunc
"""

_BINARY = """
    add arctan2 bitwise_and bitwise_or bitwise_xor copysign divide equal float_power floor_divide fmax fmin fmod greater
    greater_equal heaviside hypot left_shift less less_equal logaddexp logaddexp2 logical_and logical_or logical_xor
    maximum minimum multiply nextafter not_equal power remainder right_shift subtract
"""

ARITY = {**dict.fromkeys(_UNARY.split(), 1), **dict.fromkeys(_BINARY.split(), 2), "select": 3, "clip": 3}

_ALIASES = {
    "abs": "absolute",
    "acos": "arccos",
    "acosh": "arccosh",
    "asin": "arcsin",
    "asinh": "arcsinh",
    "atan": "arctan",
    "atan2": "arctan2",
    "atanh": "arctanh",
    "bitwise_invert": "invert",
    "bitwise_left_shift": "left_shift",
    "bitwise_not": "invert",
    "bitwise_right_shift": "right_shift",
    "deg2rad": "radians",
    "mod": "remainder",
    "pow": "power",
    "rad2deg": "degrees",
    "true_divide": "divide",
    "where": "select",
}

CASTS = {
    "bool": "bool",
    "i8": "int8",
    "i16": "int16",
    "i32": "int32",
    "i64": "int64",
    "u8": "uint8",
    "u16": "uint16",
    "u32": "uint32",
    "u64": "uint64",
    "f32": "float32",
    "f64": "float64",
}
"""Casts, by NumPy's names for the element types."""

REDUCTIONS = {
    "sum": "add",
    "prod": "mul",
    "min": "min",
    "max": "max",
    "all": "and",
    "any": "or",
    "bit_and": "and",
    "bit_or": "or",
    "bit_xor": "xor",
}
"""Reductions, by the operators of ``reduce<…>``."""

POSITIONS = {"argmin": "min", "argmax": "max"}
"""Reductions to where a value is first along an axis, by the operator that finds the value."""

FOLD_SIGNS = {"+=": "sum", "*=": "prod", "&=": "bit_and", "|=": "bit_or", "^=": "bit_xor"}
"""What a compound assignment to a reduction is short for."""

TRUTH_REDUCTIONS = frozenset({"any", "all"})

OPERATORS = ("add", "mul", "min", "max", "and", "or", "xor")

PRIVILEGES = ("read", "write", "read_write", "reduce")

CONSTANTS: dict[str, int | float | bool] = {
    "pi": math.pi,
    "e": math.e,
    "inf": math.inf,
    "nan": math.nan,
    "true": True,
    "false": False,
}

FIXED_CONSTANTS = frozenset({"true", "false"})
"""Predefined names that a task cannot give another meaning."""


def canonical(function: str) -> str:
    """The one name of a function that may have several."""
    return _ALIASES.get(function, function)


def function_names() -> list[str]:
    """Everything that can be called, for suggestions."""
    return [*ARITY, *_ALIASES, *CASTS, *REDUCTIONS, *POSITIONS]


def is_reduction(function: str) -> bool:
    """Whether a function reduces: then its call is a whole statement."""
    return function in REDUCTIONS or function in POSITIONS

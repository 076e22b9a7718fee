"""Emitters of the mathematical functions. Operands are floats, except where NumPy has loops for integers too."""

from __future__ import annotations

import math as python_math
from collections.abc import Callable

import numpy as np
from xdsl.dialects import arith, math
from xdsl.ir import Operation, SSAValue

from fuseir.dialects import ufunc
from fuseir.lang.arithmetic import Emitter, Operands, Types
from fuseir.lang.elements import Elements
from fuseir.lang.types import BOOL, is_float, kernel_type, width


def _direct(make: Callable[..., Operation]) -> Emitter:
    """A function that is one operation."""

    def emit(to: Elements, operands: Operands, types: Types) -> SSAValue:
        return to.add(make(*operands))

    return emit


def _rounding(make: Callable[[SSAValue], Operation]) -> Emitter:
    """NumPy's floor, ceil and trunc leave integers as they are."""

    def emit(to: Elements, operands: Operands, types: Types) -> SSAValue:
        return to.add(make(operands[0])) if is_float(types[0]) else operands[0]

    return emit


def _isnan(to: Elements, operands: Operands, types: Types) -> SSAValue:
    return to.is_nan(operands[0]) if is_float(types[0]) else to.constant(0, BOOL)


def _isinf(to: Elements, operands: Operands, types: Types) -> SSAValue:
    if not is_float(types[0]):
        return to.constant(0, BOOL)
    magnitude = to.add(math.AbsFOp(operands[0]))
    return to.compare("eq", magnitude, to.constant(python_math.inf, types[0]), types[0])


def _isfinite(to: Elements, operands: Operands, types: Types) -> SSAValue:
    if not is_float(types[0]):
        return to.constant(1, BOOL)
    magnitude = to.add(math.AbsFOp(operands[0]))
    return to.compare("lt", magnitude, to.constant(python_math.inf, types[0]), types[0])


def _signbit(to: Elements, operands: Operands, types: Types) -> SSAValue:
    bits = np.dtype(f"i{width(types[0]) // 8}")
    pattern = to.add(arith.BitcastOp(operands[0], kernel_type(bits)))
    return to.compare("lt", pattern, to.constant(0, bits), bits)


def _heaviside(to: Elements, operands: Operands, types: Types) -> SSAValue:
    (x, at_zero), dtype = operands, types[0]
    zero = to.constant(0.0, dtype)
    result = to.select(to.compare("gt", x, zero, dtype), to.constant(1.0, dtype), x)
    result = to.select(to.compare("lt", x, zero, dtype), zero, result)
    return to.select(to.compare("eq", x, zero, dtype), at_zero, result)


def _scaled(numerator: float, denominator: float) -> Emitter:
    """Multiplication by a quotient of constants, which NumPy rounds in the element type."""

    def emit(to: Elements, operands: Operands, types: Types) -> SSAValue:
        element = types[0].type
        factor = float(element(numerator) / element(denominator))
        return to.add(arith.MulfOp(operands[0], to.constant(factor, types[0])))

    return emit


def _log_add_exp(exponential: Callable[[SSAValue], Operation], at_equal: float, scale: float | None) -> Emitter:
    """``log(exp(x) + exp(y))`` as the larger plus a correction, ``at_equal`` being the correction where x is y."""

    def emit(to: Elements, operands: Operands, types: Types) -> SSAValue:
        (x, y), dtype = operands, types[0]
        zero = to.constant(0.0, dtype)
        difference = to.add(arith.SubfOp(x, y))
        positive = to.compare("gt", difference, zero, dtype)
        negative = to.compare("le", difference, zero, dtype)
        below = to.add(arith.NegfOp(to.add(math.AbsFOp(difference))))
        correction = to.add(math.Log1pOp(to.add(exponential(below))))
        if scale is not None:
            correction = to.add(arith.MulfOp(to.constant(scale, dtype), correction))
        larger = to.select(positive, x, y)
        result = to.add(arith.AddfOp(larger, correction))
        # Neither positive nor negative: NaN. And infinities of one sign, whose difference is NaN, are equal.
        result = to.select(to.either(positive, negative), result, difference)
        doubled = to.add(arith.AddfOp(x, to.constant(at_equal, dtype)))
        return to.select(to.compare("eq", x, y, dtype), doubled, result)

    return emit


EMITTERS: dict[str, Emitter] = {
    "sqrt": _direct(math.SqrtOp),
    "cbrt": _direct(math.CbrtOp),
    "exp": _direct(math.ExpOp),
    "exp2": _direct(math.Exp2Op),
    "expm1": _direct(math.ExpM1Op),
    "log": _direct(math.LogOp),
    "log2": _direct(math.Log2Op),
    "log10": _direct(math.Log10Op),
    "log1p": _direct(math.Log1pOp),
    "sin": _direct(math.SinOp),
    "cos": _direct(math.CosOp),
    "tan": _direct(math.TanOp),
    "arcsin": _direct(math.AsinOp),
    "arccos": _direct(math.AcosOp),
    "arctan": _direct(math.AtanOp),
    "arctan2": _direct(math.Atan2Op),
    "sinh": _direct(math.SinhOp),
    "cosh": _direct(math.CoshOp),
    "tanh": _direct(math.TanhOp),
    "arcsinh": _direct(math.AsinhOp),
    "arccosh": _direct(math.AcoshOp),
    "arctanh": _direct(math.AtanhOp),
    "hypot": _direct(ufunc.HypotOp),
    "erf": _direct(math.ErfOp),
    "erfc": _direct(ufunc.ErfcOp),
    "fabs": _direct(math.AbsFOp),
    "rint": _direct(math.RoundEvenOp),
    "copysign": _direct(math.CopySignOp),
    "nextafter": _direct(ufunc.NextAfterOp),
    "floor": _rounding(math.FloorOp),
    "ceil": _rounding(math.CeilOp),
    "trunc": _rounding(math.TruncOp),
    "isnan": _isnan,
    "isinf": _isinf,
    "isfinite": _isfinite,
    "signbit": _signbit,
    "heaviside": _heaviside,
    "degrees": _scaled(180.0, python_math.pi),
    "radians": _scaled(python_math.pi, 180.0),
    "logaddexp": _log_add_exp(math.ExpOp, python_math.log(2.0), None),
    "logaddexp2": _log_add_exp(math.Exp2Op, 1.0, 1.0 / python_math.log(2.0)),
}

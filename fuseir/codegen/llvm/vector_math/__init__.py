"""Math functions as vector instructions, written where they are used: no call, and nothing to save around one.

The methods are published ones, the coefficients our own (``benchmarks/minimax.py``). The bodies need a fused multiply-add; given
one, a result has the same bits on every processor, at every vector width and as a scalar. Special values are those of C's
Annex F. Largest errors are in ``docs/accuracy.md``.
"""

from __future__ import annotations

from collections.abc import Mapping

from fuseir.codegen.llvm.vector_math import error_functions, exponentials, logarithms, powers, trigonometric
from fuseir.codegen.llvm.vector_math.body import Body
from fuseir.codegen.llvm.vector_math.values import Form, Real

BODIES: Mapping[str, Body] = {
    **{
        function.__name__: Body(function)
        for function in (
            *(exponentials.exp, exponentials.exp2, exponentials.expm1),
            *(exponentials.sinh, exponentials.cosh, exponentials.tanh),
            error_functions.erf,
            *(trigonometric.asin, trigonometric.acos, trigonometric.atan),
        )
    },
    "erfc": error_functions.erfc,
    "pow": powers.power,
    **{name: getattr(logarithms, name) for name in ("log", "log2", "log10", "log1p")},
    **{name: getattr(trigonometric, name) for name in ("sin", "cos", "tan")},
}
"""What is written here, by the name of the C function."""

__all__ = ["BODIES", "Body", "Form", "Real"]

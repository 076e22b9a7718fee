"""The math functions that kernels call on a GPU: CUDA's own, where they are within the contract's 4 ulp.

The figures are those of the CUDA C++ programming guide, "Standard Functions" (17.1 in CUDA 12 and 13), tables 17 and 18: the largest
difference from the correctly rounded result, in ulp, with the full range of arguments. NVIDIA has them from extensive tests, not from
proofs. One function is worse than the contract allows and is written out here. Where the figure is 4, in f32, the distance from the exact
value may be half an ulp more, as the distance from the correctly rounded one always is.
"""

from __future__ import annotations

from fuseir.codegen.elements import ElementType
from fuseir.codegen.llvm.math_functions import MathFunction

STATED_ERRORS: dict[str, tuple[int, int]] = {
    "acos": (2, 2),
    "acosh": (4, 3),
    "asin": (2, 2),
    "asinh": (3, 3),
    "atan": (2, 2),
    "atan2": (3, 2),
    "atanh": (3, 2),
    "cbrt": (1, 1),
    "cos": (2, 2),
    "cosh": (2, 1),
    "erf": (2, 2),
    "erfc": (4, 5),
    "exp": (2, 1),
    "exp2": (2, 1),
    "expm1": (1, 1),
    "fmod": (0, 0),
    "hypot": (3, 2),
    "log": (1, 1),
    "log10": (2, 1),
    "log1p": (1, 1),
    "log2": (1, 1),
    "nextafter": (0, 0),
    "pow": (4, 2),
    "sin": (2, 2),
    "sinh": (3, 2),
    "tan": (4, 2),
    "tanh": (2, 1),
}
"""By C name: the errors for f32 and f64. The tables do not have ``nextafter``, whose result is exact."""

OWN_FUNCTIONS = {"erfc": "complement_of_erf"}
"""By C name for f64: the helper that stands for a function."""


def function_name(function: MathFunction, element: ElementType) -> str:
    """What a math function is called on elements of a type: by CUDA's name, or a helper's, as :data:`OWN_FUNCTIONS` says."""
    own = OWN_FUNCTIONS.get(function.name) if element.bits == 64 else None
    return own or function.scalar_symbol(element)

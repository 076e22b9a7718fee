"""The table of math functions that kernels call, and where their machine code is.

Most functions are written out in kernels (:mod:`vector_math`), given a fused multiply-add; the others are glibc's libmvec, and where
that lacks one, or there is no libmvec, the C library's scalar functions. Errors, measured: ``docs/accuracy.md``. Special values come out
as C defines them, and a lane's bits depend on that lane's operands alone. ``fmod`` and ``nextafter`` have no vector form, and are exact.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from functools import cache

from fuseir.codegen.elements import F32, F64, ElementType
from fuseir.errors import BackendUnavailableError

VECTOR_MATH_LIBRARY = "libmvec.so.1"
SCALAR_MATH_LIBRARY = "libm.so.6"

ALLOCATION_FUNCTIONS = ("free", "malloc")
"""External functions that scratch tiles need."""


@dataclass(frozen=True, slots=True)
class MathFunction:
    """One function of the C library: its name for f64, its number of operands, and whether libmvec may have it."""

    name: str
    operands: int = 1
    has_vector: bool = True

    def scalar_symbol(self, element: ElementType) -> str:
        """The C function for one element."""
        return self.name if element.bits == 64 else f"{self.name}f"

    def vector_symbol(self, element: ElementType, variant: str, vector_bytes: int) -> str:
        """The vector function's name in the x86-64 vector function ABI, for a full register."""
        lanes = vector_bytes // element.bytes
        return f"_ZGV{variant}N{lanes}{'v' * self.operands}_{self.scalar_symbol(element)}"


MATH_FUNCTIONS: dict[str, MathFunction] = {
    **{
        f"math.{name}": MathFunction(name)
        for name in (
            *("acos", "acosh", "asin", "asinh", "atan", "atanh", "cbrt", "cos", "cosh", "erf", "exp", "exp2", "expm1"),
            *("log", "log10", "log1p", "log2", "sin", "sinh", "tan", "tanh"),
        )
    },
    "math.atan2": MathFunction("atan2", 2),
    "math.powf": MathFunction("pow", 2),
    "ufunc.erfc": MathFunction("erfc"),
    "ufunc.fmod": MathFunction("fmod", 2, has_vector=False),
    "ufunc.hypot": MathFunction("hypot", 2),
    "ufunc.nextafter": MathFunction("nextafter", 2, has_vector=False),
}
"""The C function that each operation stands for."""


def vector_symbols(element: ElementType, variant: str, vector_bytes: int) -> list[str]:
    """All vector functions that the table can ask for."""
    functions = MATH_FUNCTIONS.values()
    return [f.vector_symbol(element, variant, vector_bytes) for f in functions if f.has_vector]


def extern_address(symbol: str) -> int:
    """Where an external function of the table is; :class:`BackendUnavailableError` if this system lacks it."""
    for library in (vector_library() if symbol.startswith("_ZGV") else scalar_library(), ctypes.CDLL(None)):
        if library is not None and hasattr(library, symbol):
            address = ctypes.cast(getattr(library, symbol), ctypes.c_void_p).value
            if address:
                return address
    raise BackendUnavailableError(f"the C library of this system has no function {symbol}")


@cache
def vector_library() -> ctypes.CDLL | None:
    """glibc's vector math library, if this system has it."""
    try:
        return ctypes.CDLL(VECTOR_MATH_LIBRARY)
    except OSError:
        return None


@cache
def scalar_library() -> ctypes.CDLL:
    """The C library's math functions."""
    try:
        return ctypes.CDLL(SCALAR_MATH_LIBRARY)
    except OSError:
        return ctypes.CDLL(None)  # systems whose math functions are in the process already


@cache
def allowed_externs() -> frozenset[str]:
    """Every external function that a compiled module may name, for all targets; anything else is refused."""
    names: set[str] = set(ALLOCATION_FUNCTIONS)
    for function in MATH_FUNCTIONS.values():
        for element in (F32, F64):
            names.add(function.scalar_symbol(element))
            if function.has_vector:
                names |= {function.vector_symbol(element, *variant) for variant in (("e", 64), ("d", 32))}
    return frozenset(names)

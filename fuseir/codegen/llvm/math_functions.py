"""The table of math functions that kernels call, and where their machine code is.

Vector functions are glibc's libmvec. Measured against wider arithmetic (f64: 400,000 points of six distributions and all
pairs of 56 special values; f32 besides: every eleventh float for the six least accurate), glibc 2.36, maximal errors in ulp:

=========  =====================  =====================
function   f64 AVX-512 / AVX2     f32 AVX-512 / AVX2
=========  =====================  =====================
acos       1.7 / 1.6              1.9 / 2.0
acosh      1.0 / 2.1              0.8 / 2.2
asin       2.4 / 2.6              3.1 / 2.5
asinh      1.4 / 2.0              0.8 / 2.0
atan       2.4 / 2.4              1.9 / 2.1
atanh      1.3 / 1.9              1.7 / 2.0
atan2      2.6 / 2.6              2.9 / 2.9
cbrt       1.8 / 2.0              2.0 / 2.9
cos        3.4 / 3.4              1.8 / 1.8
cosh       2.0 / 1.7              2.4 / 2.0
erf        2.3 / 2.3              4.0 / 1.9
erfc       1.5 / 1.5              1.5 / 1.5
exp        2.8 / 2.8              2.5 / 2.5
exp2       1.1 / 1.7              1.0 / 0.8
expm1      2.1 / 3.0              2.2 / 1.6
hypot      1.3 / 1.2              1.2 / 1.2
log        1.5 / 1.5              3.9 / 3.9
log10      1.9 / 1.2              3.5 / 1.6
log1p      1.9 / 1.6              1.9 / 1.9
log2       1.8 / 1.1              1.9 / 1.9
pow        1.0 / 1.0              0.7 / 0.7
sin        3.1 / 3.1              1.8 / 1.8
sinh       1.9 / 1.9              1.9 / 1.9
tan        3.2 / 3.3              3.9 / 3.4
tanh       1.2 / 2.2              1.4 / 1.1
=========  =====================  =====================

Special values come out as C defines them, and a lane's bits depend on that lane's operands alone (checked against the same
functions with one value in all lanes). No function had to be left out; ``fmod`` and ``nextafter`` have no vector form, and they
are exact. Other C libraries' scalar functions, used where a vector function is missing, are within 4 ulp too (glibc: 3.1).
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from functools import cache

from fuseir.codegen.llvm.types import F32, F64, ElementType
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
"""The C function behind each operation that is a library call."""


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

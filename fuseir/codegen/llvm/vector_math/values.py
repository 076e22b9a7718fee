"""Arithmetic on LLVM values that reads like formulas: what the bodies of the vector math functions are written in.

A :class:`Real` is a scalar or a vector of ``f32`` or ``f64``, a :class:`Whole` integers of the same width, lane for lane, a :class:`Mask`
booleans. Operators write one instruction each, with the rounding of IEEE; :func:`fma` rounds once. Plain numbers become constants.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fuseir.codegen.elements import I32, I64, ElementType
from fuseir.codegen.llvm.text import FunctionText, ModuleText
from fuseir.codegen.llvm.types import constant, llvm_type

_ZMM = 64
"""Bytes of a register of AVX-512."""

_ROUND_AS_USUAL = 4
"""The operand of AVX-512 intrinsics that leaves rounding as it is."""

LONG = 16
"""Coefficients from which on a polynomial is worth four chains: two more products, a quarter of the latency."""


@dataclass(frozen=True, slots=True)
class Form:
    """Where instructions go, and the floats they are on: their type, their lanes (0: a scalar), and the binary format."""

    module: ModuleText
    text: FunctionText
    element: ElementType
    lanes: int

    @property
    def fraction_bits(self) -> int:
        """Bits of the significand that are stored."""
        return 52 if self.element.bits == 64 else 23

    @property
    def bias(self) -> int:
        """What is added to an exponent where it is stored; also the largest exponent."""
        return 1023 if self.element.bits == 64 else 127

    @property
    def real(self) -> str:
        """The LLVM type of floats."""
        return llvm_type(self.element, self.lanes)

    @property
    def whole(self) -> str:
        """The LLVM type of integers as wide as the floats."""
        return llvm_type(self.integer, self.lanes)

    @property
    def integer(self) -> ElementType:
        """The integer as wide as the float."""
        return I64 if self.element.bits == 64 else I32

    @property
    def has_scaling(self) -> bool:
        """Whether :meth:`Real.scaled_by` is an instruction here: AVX-512 has it, and vectors are whole registers."""
        return self.module.target.vector_bytes == _ZMM and self.lanes * self.element.bytes % _ZMM == 0 < self.lanes

    def number(self, value: Real | float) -> Real:
        """A constant; a value stays as it is."""
        return value if isinstance(value, Real) else Real(self, constant(self.element, self.lanes, value))

    def integer_number(self, value: Whole | int) -> Whole:
        """An integer constant; a value stays as it is."""
        return value if isinstance(value, Whole) else Whole(self, constant(self.integer, self.lanes, value))

    def call(self, intrinsic: str, *operands: Real | float) -> Real:
        """Call an LLVM intrinsic on floats."""
        callee = self.module.intrinsic(intrinsic, self.real, [self.real] * len(operands))
        listed = ", ".join(f"{self.real} {self.number(operand).ref}" for operand in operands)
        return Real(self, self.text.op(f"call {self.real} {callee}({listed})"))

    def horner(self, coefficients: Sequence[float], t: Real) -> Real:
        """A polynomial, coefficients from the constant one on."""
        total = self.number(coefficients[-1])
        for coefficient in reversed(coefficients[:-1]):
            total = fma(total, t, coefficient)
        return total

    def polynomial(self, coefficients: Sequence[float], t: Real) -> Real:
        """A polynomial, coefficients from the constant one on.

        By Horner's rule in ``t²`` for even and odd coefficients or, if there are many, in ``t⁴``: chains of dependent operations are what
        long loops wait for. (Knuth, "The Art of Computer Programming", volume 2, section 4.6.4.)
        """
        chains = 1 if len(coefficients) < 4 else 2 if len(coefficients) < LONG else 4
        powers = [t]
        while len(powers) < chains.bit_length():
            powers.append(powers[-1] * powers[-1])
        terms = [self._horner(coefficients[first::chains], powers[-1]) for first in range(chains)]
        for power in powers[:-1]:
            terms = [fma(odd, power, even) for even, odd in zip(terms[::2], terms[1::2], strict=True)]
        return terms[0]

    def _horner(self, coefficients: Sequence[float], t: Real) -> Real:
        total = self.number(coefficients[-1])
        for coefficient in reversed(coefficients[:-1]):
            total = fma(total, t, coefficient)
        return total


@dataclass(frozen=True, slots=True)
class Real:
    """Floats."""

    form: Form
    ref: str

    def __add__(self, other: Real | float) -> Real:
        return self._with("fadd", self, other)

    def __radd__(self, other: float) -> Real:
        return self._with("fadd", other, self)

    def __sub__(self, other: Real | float) -> Real:
        return self._with("fsub", self, other)

    def __rsub__(self, other: float) -> Real:
        return self._with("fsub", other, self)

    def __mul__(self, other: Real | float) -> Real:
        return self._with("fmul", self, other)

    def __rmul__(self, other: float) -> Real:
        return self._with("fmul", other, self)

    def __truediv__(self, other: Real | float) -> Real:
        return self._with("fdiv", self, other)

    def __rtruediv__(self, other: float) -> Real:
        return self._with("fdiv", other, self)

    def __neg__(self) -> Real:
        return Real(self.form, self.form.text.op(f"fneg {self.form.real} {self.ref}"))

    def __abs__(self) -> Real:
        return self.form.call("fabs", self)

    def __lt__(self, other: Real | float) -> Mask:
        return self._compared("olt", other)

    def __le__(self, other: Real | float) -> Mask:
        return self._compared("ole", other)

    def __gt__(self, other: Real | float) -> Mask:
        return self._compared("ogt", other)

    def __ge__(self, other: Real | float) -> Mask:
        return self._compared("oge", other)

    def equals(self, other: Real | float) -> Mask:
        """Ordered and equal."""
        return self._compared("oeq", other)

    def sqrt(self) -> Real:
        """The square root."""
        return self.form.call("sqrt", self)

    def with_sign_of(self, other: Real) -> Real:
        """The magnitude of this, the sign of the other."""
        return self.form.call("copysign", self, other)

    def at_most(self, limit: float) -> Real:
        """The lesser of this and a limit; a NaN stays. One instruction of x86, which minimum is not."""
        return where(self > limit, limit, self)

    def at_least(self, limit: float) -> Real:
        """The greater of this and a limit; a NaN stays."""
        return where(self < limit, limit, self)

    def scaled_by(self, n: Real) -> Real:
        """``2^n`` times this, rounded once; n holds integers."""
        form, text = self.form, self.form.text
        lanes = _ZMM // form.element.bytes
        kind, mask, letter = llvm_type(form.element, lanes), f"i{lanes}", "d" if form.element.bits == 64 else "s"
        name = f"llvm.x86.avx512.mask.scalef.p{letter}.512"
        callee = form.module.declare(name, kind, [kind, kind, kind, mask, "i32"])
        pieces: list[str] = []
        for first in range(0, form.lanes, lanes):
            a, b = (text.lanes_of(form.real, value.ref, first, lanes, form.lanes) for value in (self, n))
            operands = f"{kind} {a}, {kind} {b}, {kind} undef, {mask} -1, i32 {_ROUND_AS_USUAL}"
            pieces.append(text.op(f"call {kind} {callee}({operands})"))
        return Real(form, text.join(form.element, pieces, lanes))

    @property
    def bits(self) -> Whole:
        """The encoding."""
        form = self.form
        return Whole(form, form.text.op(f"bitcast {form.real} {self.ref} to {form.whole}"))

    def _with(self, instruction: str, left: Real | float, right: Real | float) -> Real:
        form = self.form
        operands = f"{form.number(left).ref}, {form.number(right).ref}"
        return Real(form, form.text.op(f"{instruction} {form.real} {operands}"))

    def _compared(self, predicate: str, other: Real | float) -> Mask:
        form = self.form
        return Mask(form, form.text.op(f"fcmp {predicate} {form.real} {self.ref}, {form.number(other).ref}"))


@dataclass(frozen=True, slots=True)
class Whole:
    """Integers as wide as the floats; they wrap."""

    form: Form
    ref: str

    def __add__(self, other: Whole | int) -> Whole:
        return self._with("add", other)

    def __sub__(self, other: Whole | int) -> Whole:
        return self._with("sub", other)

    def __and__(self, other: Whole | int) -> Whole:
        return self._with("and", other)

    def __xor__(self, other: Whole | int) -> Whole:
        return self._with("xor", other)

    def __lshift__(self, other: int) -> Whole:
        return self._with("shl", other)

    def __rshift__(self, other: int) -> Whole:
        """Shift right with the sign."""
        return self._with("ashr", other)

    def equals(self, other: Whole | int) -> Mask:
        """Equal lanes."""
        form = self.form
        return Mask(form, form.text.op(f"icmp eq {form.whole} {self.ref}, {form.integer_number(other).ref}"))

    def __lt__(self, other: Whole | int) -> Mask:
        form = self.form
        return Mask(form, form.text.op(f"icmp slt {form.whole} {self.ref}, {form.integer_number(other).ref}"))

    def below_unsigned(self, limit: int) -> Mask:
        """Less, both read as unsigned."""
        form = self.form
        return Mask(form, form.text.op(f"icmp ult {form.whole} {self.ref}, {form.integer_number(limit).ref}"))

    @property
    def as_real(self) -> Real:
        """The float with this encoding."""
        form = self.form
        return Real(form, form.text.op(f"bitcast {form.whole} {self.ref} to {form.real}"))

    def _with(self, instruction: str, other: Whole | int) -> Whole:
        form = self.form
        return Whole(form, form.text.op(f"{instruction} {form.whole} {self.ref}, {form.integer_number(other).ref}"))


@dataclass(frozen=True, slots=True)
class Mask:
    """Booleans."""

    form: Form
    ref: str

    def __and__(self, other: Mask) -> Mask:
        return self._with("and", other.ref)

    def __or__(self, other: Mask) -> Mask:
        return self._with("or", other.ref)

    def __invert__(self) -> Mask:
        return self._with("xor", "splat (i1 true)" if self.form.lanes else "true")

    @property
    def llvm(self) -> str:
        """The LLVM type."""
        return f"<{self.form.lanes} x i1>" if self.form.lanes else "i1"

    def any(self) -> str:
        """Whether any lane holds: an ``i1``."""
        text = self.form.text
        if not self.form.lanes:
            return self.ref
        packed = text.op(f"bitcast {self.llvm} {self.ref} to i{self.form.lanes}")
        return text.op(f"icmp ne i{self.form.lanes} {packed}, 0")

    def _with(self, instruction: str, other: str) -> Mask:
        return Mask(self.form, self.form.text.op(f"{instruction} {self.llvm} {self.ref}, {other}"))


def fma(a: Real | float, b: Real | float, c: Real | float) -> Real:
    """``a * b + c``, rounded once; at least one of them is a value."""
    form = next(value.form for value in (a, b, c) if isinstance(value, Real))
    return form.call("fma", a, b, c)


def where(condition: Mask, then: Real | float, otherwise: Real | float) -> Real:
    """Lane by lane, one or the other."""
    form = condition.form
    chosen, other = form.number(then).ref, form.number(otherwise).ref
    return Real(
        form, form.text.op(f"select {condition.llvm} {condition.ref}, {form.real} {chosen}, {form.real} {other}")
    )


def where_whole(condition: Mask, then: Whole | int, otherwise: Whole | int) -> Whole:
    """Lane by lane, one integer or the other."""
    form = condition.form
    chosen, other = form.integer_number(then).ref, form.integer_number(otherwise).ref
    return Whole(
        form, form.text.op(f"select {condition.llvm} {condition.ref}, {form.whole} {chosen}, {form.whole} {other}")
    )

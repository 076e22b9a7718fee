"""Integer operations that LLVM leaves undefined in places, made total as ``docs/kernels.md`` section 2 defines.

Divisors are replaced before a division where it would trap or overflow; a shift beyond the width is poison, but only in the arm
of a ``select`` that is not chosen, which LLVM defines.
"""

from __future__ import annotations

from xdsl.ir import Operation

from fuseir.codegen.elements import I1, ElementType
from fuseir.codegen.llvm.site import Emit, Site
from fuseir.codegen.llvm.text import FunctionText, ModuleText
from fuseir.codegen.llvm.types import constant, llvm_type, mangled


def _operands(site: Site) -> tuple[str, str]:
    return site.operand(0), site.operand(1)


def _test(site: Site, predicate: str, left: str, right: str) -> str:
    return site.text.op(f"icmp {predicate} {site.type} {left}, {right}")


def _choose(site: Site, condition: str, then: str, otherwise: str) -> str:
    flag = "i1" if not site.lanes else f"<{site.lanes} x i1>"
    return site.text.op(f"select {flag} {condition}, {site.type} {then}, {site.type} {otherwise}")


def _flag(site: Site, instruction: str, left: str, right: str) -> str:
    flag = "i1" if not site.lanes else f"<{site.lanes} x i1>"
    return site.text.op(f"{instruction} {flag} {left}, {right}")


def _arithmetic(site: Site, instruction: str, left: str, right: str) -> str:
    return site.text.op(f"{instruction} {site.type} {left}, {right}")


def _safe_divisor(site: Site, signed: bool) -> tuple[str, str]:
    """A divisor for which the division is defined, and the flag that says the given one is zero.

    ``INT_MIN / -1`` becomes ``INT_MIN / 1``, whose quotient and remainder are the ones wanted.
    """
    left, right = _operands(site)
    is_zero = _test(site, "eq", right, site.constant(0))
    replace = is_zero
    if signed:
        lowest = _test(site, "eq", left, site.constant(site.result.signed_range[0]))
        overflows = _flag(site, "and", lowest, _test(site, "eq", right, site.constant(-1)))
        replace = _flag(site, "or", is_zero, overflows)
    return _choose(site, replace, site.constant(1), right), is_zero


def _quotient(signed: bool) -> Emit:
    def emit(site: Site, op: Operation) -> str:
        if site.result == I1:  # 1 is also -1 there: the only quotients are 0/1, 1/1 and those by zero
            return _arithmetic(site, "and", *_operands(site))
        divisor, is_zero = _safe_divisor(site, signed)
        quotient = _arithmetic(site, "sdiv" if signed else "udiv", site.operand(0), divisor)
        return _choose(site, is_zero, site.constant(0), quotient)

    return emit


def _remainder(signed: bool) -> Emit:
    def emit(site: Site, op: Operation) -> str:
        if site.result == I1:
            return site.constant(0)
        divisor, _ = _safe_divisor(site, signed)
        return _arithmetic(site, "srem" if signed else "urem", site.operand(0), divisor)  # x rem 1 = 0: for zero, too

    return emit


def _rounded_quotient(up: bool) -> Emit:
    """Signed division rounded down or up: the truncated quotient, corrected where the remainder says so."""

    def emit(site: Site, op: Operation) -> str:
        if site.result == I1:
            return _arithmetic(site, "and", *_operands(site))
        divisor, is_zero = _safe_divisor(site, signed=True)
        dividend = site.operand(0)
        quotient = _arithmetic(site, "sdiv", dividend, divisor)
        remainder = _arithmetic(site, "sub", dividend, _arithmetic(site, "mul", quotient, divisor))
        inexact = _test(site, "ne", remainder, site.constant(0))
        signs_differ = _test(site, "slt", _arithmetic(site, "xor", dividend, divisor), site.constant(0))
        if up:
            signs_differ = _flag(site, "xor", signs_differ, constant(I1, site.lanes, 1))
        correct = _flag(site, "and", inexact, signs_differ)
        corrected = _arithmetic(
            site, "add", quotient, _choose(site, correct, site.constant(1 if up else -1), site.constant(0))
        )
        return _choose(site, is_zero, site.constant(0), corrected)

    return emit


def _ceiling_unsigned(site: Site, op: Operation) -> str:
    if site.result == I1:
        return _arithmetic(site, "and", *_operands(site))
    divisor, is_zero = _safe_divisor(site, signed=False)
    dividend = site.operand(0)
    quotient = _arithmetic(site, "udiv", dividend, divisor)
    inexact = _test(site, "ne", _arithmetic(site, "mul", quotient, divisor), dividend)
    rounded = _arithmetic(site, "add", quotient, _choose(site, inexact, site.constant(1), site.constant(0)))
    return _choose(site, is_zero, site.constant(0), rounded)


def _shift(instruction: str) -> Emit:
    def emit(site: Site, op: Operation) -> str:
        value, amount = _operands(site)
        if instruction == "ashr":  # beyond the width nothing but the sign is left, as after width - 1
            amount = site.intrinsic("umin", [amount, site.constant(site.result.bits - 1)])
            return _arithmetic(site, "ashr", value, amount)
        shifted = _arithmetic(site, instruction, value, amount)
        # A width that the type cannot hold (i1) is never reached by an amount of that type either, bar for i1: 1 >= 1.
        too_far = amount if site.result == I1 else _test(site, "uge", amount, site.constant(site.result.bits))
        return _choose(site, too_far, site.constant(0), shifted)

    return emit


def _absolute(site: Site, op: Operation) -> str:
    callee = site.module.declare(f"llvm.abs.{mangled(site.type)}", site.type, [site.type, "i1"])
    return site.text.op(f"call {site.type} {callee}({site.type} {site.operand(0)}, i1 false)")  # INT_MIN stays


def _count_zeros(name: str) -> Emit:
    def emit(site: Site, op: Operation) -> str:
        callee = site.module.declare(f"llvm.{name}.{mangled(site.type)}", site.type, [site.type, "i1"])
        return site.text.op(f"call {site.type} {callee}({site.type} {site.operand(0)}, i1 false)")  # of 0: the width

    return emit


def _power(site: Site, op: Operation) -> str:
    helper = site.module.support("ipowi", _power_function, site.result, site.lanes)
    base, exponent = _operands(site)
    return site.text.op(f"call {site.type} {helper}({site.type} {base}, {site.type} {exponent})")


def _power_function(module: ModuleText, element: ElementType, lanes: int) -> FunctionText:
    """``base ** exponent`` by squaring; with a negative exponent, the power of the truncated inverse."""
    vector = llvm_type(element, lanes)
    text = FunctionText([vector, vector], vector)
    inner = Site(module, text, lanes, [], element)
    zero, one = inner.constant(0), inner.constant(1)
    negative = _test(inner, "slt", "%a1", zero)
    start = _choose(inner, negative, zero, "%a1")
    flag = "i1" if not lanes else f"<{lanes} x i1>"
    # Three variables in memory, which LLVM puts into registers.
    exponent, square, power = (text.alloca(vector, 64) for _ in range(3))

    def read(variable: str) -> str:
        return text.op(f"load {vector}, ptr {variable}, align 64")

    def write(variable: str, value: str) -> None:
        text.do(f"store {vector} {value}, ptr {variable}, align 64")

    for variable, value in ((exponent, start), (square, "%a0"), (power, one)):
        write(variable, value)
    header, body, after = text.label(), text.label(), text.label()
    text.branch(header)
    text.place(header)
    more = _test(inner, "ne", read(exponent), zero)
    if lanes:
        any_lane = module.declare(f"llvm.vector.reduce.or.v{lanes}i1", "i1", [flag])
        more = text.op(f"call i1 {any_lane}({flag} {more})")
    text.branch_if(more, body, after)
    text.place(body)
    left, factor = read(exponent), read(square)
    odd = left if element == I1 else text.op(f"trunc {vector} {left} to {flag}")
    write(power, _choose(inner, odd, _arithmetic(inner, "mul", read(power), factor), read(power)))
    write(square, _arithmetic(inner, "mul", factor, factor))
    write(exponent, zero if element == I1 else _arithmetic(inner, "lshr", left, one))
    text.branch(header)
    text.place(after)
    is_one, is_minus_one = _test(inner, "eq", "%a0", one), _test(inner, "eq", "%a0", inner.constant(-1))
    exponent_odd = "%a1" if element == I1 else text.op(f"trunc {vector} %a1 to {flag}")
    signed_one = _choose(inner, exponent_odd, inner.constant(-1), one)
    inverse = _choose(inner, is_one, one, _choose(inner, is_minus_one, signed_one, zero))
    text.do(f"ret {vector} {_choose(inner, negative, inverse, read(power))}")
    return text


INTEGER_OPERATIONS: dict[str, Emit] = {
    "arith.divsi": _quotient(signed=True),
    "arith.divui": _quotient(signed=False),
    "arith.remsi": _remainder(signed=True),
    "arith.remui": _remainder(signed=False),
    "arith.floordivsi": _rounded_quotient(up=False),
    "arith.ceildivsi": _rounded_quotient(up=True),
    "arith.ceildivui": _ceiling_unsigned,
    "arith.shli": _shift("shl"),
    "arith.shrui": _shift("lshr"),
    "arith.shrsi": _shift("ashr"),
    "math.absi": _absolute,
    "math.ctlz": _count_zeros("ctlz"),
    "math.cttz": _count_zeros("cttz"),
    "math.ipowi": _power,
}

"""The scalar operations of kernels: a table from operation to the C++ expression for it.

What ``docs/kernels.md`` section 2 says of each operation holds under ``--fmad=false`` and the compiler's other defaults: no expression is
undefined in C++, none is contracted or reassociated. Values of less than 32 bits are cut off after each operation, since C++ widens them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from xdsl.dialects import arith
from xdsl.ir import Operation

from fuseir.codegen.cuda.functions import function_name
from fuseir.codegen.cuda.helpers import HELPERS
from fuseir.codegen.cuda.types import cpp_type, literal, signed_type
from fuseir.codegen.element_types import element_type
from fuseir.codegen.elements import ElementType
from fuseir.codegen.llvm.math_functions import MATH_FUNCTIONS
from fuseir.errors import UnsupportedError


@dataclass(frozen=True, slots=True)
class Site:
    """One operation: its operands as C++ text that binds like a name, their types, its result's type, the helpers it uses."""

    operands: list[str]
    types: list[ElementType]
    result: ElementType
    helpers: set[str] = field(default_factory=set[str])

    def call(self, helper: str, *arguments: str, template: str = "") -> str:
        """A call of a helper, with the operands if no arguments are given."""
        self.helpers.add(helper)
        return f"{helper}{template}({', '.join(arguments or self.operands)})"

    def cut(self, expression: str) -> str:
        """An expression that C++ may have widened, as a value of the result's type."""
        return expression if self.result.bits >= 32 else f"{cpp_type(self.result)}({expression})"


Emit = Callable[[Site, Operation], str]


def operation_expression(op: Operation, operands: list[str], helpers: set[str]) -> str:
    """The expression for an operation; :class:`UnsupportedError` names one that kernels may not hold."""
    emit = _OPERATIONS.get(op.name)
    if emit is None or len(op.results) != 1:
        raise UnsupportedError(f"'{op.name}' is no operation of lowered kernels")
    types = [element_type(operand.type) for operand in op.operands]
    return emit(Site(operands, types, element_type(op.results[0].type), helpers), op)


def combiner(name: str, element: ElementType) -> str:
    """The helper that folds two values by the combiner called ``name``; :class:`UnsupportedError` if it is none."""
    is_bit = element.bits == 1
    if name in ("arith.addf", "arith.mulf"):
        return "add" if name == "arith.addf" else "multiply"
    if name in _BIT_COMBINERS and is_bit:
        return _BIT_COMBINERS[name]
    helper = _COMBINERS.get(name)
    if helper is None:
        raise UnsupportedError(f"a reduction cannot combine with the operation {name}")
    return helper


_COMBINERS = {
    "arith.addi": "add_bits",
    "arith.muli": "multiply_bits",
    "arith.andi": "and_bits",
    "arith.ori": "or_bits",
    "arith.xori": "xor_bits",
    "arith.minimumf": "minimum",
    "arith.maximumf": "maximum",
    "arith.minsi": "min_signed",
    "arith.minui": "min_unsigned",
    "arith.maxsi": "max_signed",
    "arith.maxui": "max_unsigned",
}
_BIT_COMBINERS = {
    "arith.addi": "xor_bits",
    "arith.muli": "and_bits",
    "arith.minsi": "or_bits",  # true is -1 there
    "arith.maxsi": "and_bits",
    "arith.minui": "and_bits",
    "arith.maxui": "or_bits",
}


def _binary(operator: str) -> Emit:
    return lambda site, op: f"{site.operands[0]} {operator} {site.operands[1]}"


def _integer(operator: str, on_bits: str) -> Emit:
    def emit(site: Site, op: Operation) -> str:
        a, b = site.operands
        if site.result.bits == 1:
            return f"{a} {on_bits} {b}"
        if operator == "*" and site.result.bits == 16:
            a = f"u32({a})"  # C++ would widen to int, which overflows
        return site.cut(f"{a} {operator} {b}")

    return emit


def _helper(name: str, on_bits: str = "") -> Emit:
    """A call of a helper; ``on_bits`` is what it comes to where values are single bits."""

    def emit(site: Site, op: Operation) -> str:
        if site.result.bits == 1 and on_bits:
            return on_bits.format(*site.operands)
        return site.call(name)

    return emit


def _function(name: str) -> Emit:
    function = MATH_FUNCTIONS[name]

    def emit(site: Site, op: Operation) -> str:
        name = function_name(function, site.result)
        return site.call(name) if name in HELPERS else f"{name}({', '.join(site.operands)})"

    return emit


def _c_function(name: str) -> Emit:
    return lambda site, op: f"{name}{'f' if site.result.bits == 32 else ''}({', '.join(site.operands)})"


def _rsqrt(site: Site, op: Operation) -> str:
    return f"{literal(site.result, 1.0)} / {_c_function('sqrt')(site, op)}"


_FLOAT_PREDICATES = [
    "false",
    "{0} == {1}",
    "{0} > {1}",
    "{0} >= {1}",
    "{0} < {1}",
    "{0} <= {1}",
    "{0} < {1} || {0} > {1}",
    "{0} == {0} && {1} == {1}",
    "!({0} < {1} || {0} > {1})",
    "!({0} <= {1})",
    "!({0} < {1})",
    "!({0} >= {1})",
    "!({0} > {1})",
    "{0} != {1}",
    "{0} != {0} || {1} != {1}",
    "true",
]
_INTEGER_PREDICATES = ["==", "!=", "<", "<=", ">", ">=", "<", "<=", ">", ">="]
_SIGNED_PREDICATES = range(2, 6)


def _compare_floats(site: Site, op: Operation) -> str:
    assert isinstance(op, arith.CmpfOp)
    return _FLOAT_PREDICATES[op.predicate.value.data].format(*site.operands)


def _compare_integers(site: Site, op: Operation) -> str:
    assert isinstance(op, arith.CmpiOp)
    number = op.predicate.value.data
    signed = number in _SIGNED_PREDICATES
    a, b = (_as_signed(text, site.types[0]) if signed else text for text in site.operands)
    return f"{a} {_INTEGER_PREDICATES[number]} {b}"


def _as_signed(value: str, element: ElementType) -> str:
    return f"-int({value})" if element.bits == 1 else f"{signed_type(element)}({value})"


def _select(site: Site, op: Operation) -> str:
    condition, then, otherwise = site.operands
    return f"{condition} ? {then} : {otherwise}"


def _extend_signed(site: Site, op: Operation) -> str:
    return f"{cpp_type(site.result)}({_as_signed(site.operands[0], site.types[0])})"


def _convert(site: Site, op: Operation) -> str:
    return f"{cpp_type(site.result)}({site.operands[0]})"


def _truncate(site: Site, op: Operation) -> str:
    return f"({site.operands[0]} & 1) != 0" if site.result.bits == 1 else _convert(site, op)


def _cast_index(site: Site, op: Operation) -> str:
    return (_extend_signed if site.types[0].bits < site.result.bits else _truncate)(site, op)


def _saturate(signed: bool) -> Emit:
    def emit(site: Site, op: Operation) -> str:
        x, source = site.operands[0], site.types[0]
        if site.result.bits == 1:  # the numbers are 0 and -1, or 0 and 1
            return f"{x} <= {literal(source, -1.0)}" if signed else f"{x} >= {literal(source, 1.0)}"
        limit = literal(source, 2.0 ** (site.result.bits - signed))
        helper = "saturate_signed" if signed else "saturate_unsigned"
        return site.call(helper, x, limit, template=f"<{cpp_type(site.result)}>")

    return emit


_BITCASTS = {
    ("f64", "i64"): "u64(__double_as_longlong({}))",
    ("i64", "f64"): "__longlong_as_double(s64({}))",
    ("f32", "i32"): "u32(__float_as_int({}))",
    ("i32", "f32"): "__int_as_float(s32({}))",
}


def _bitcast(site: Site, op: Operation) -> str:
    source, target = site.types[0].name, site.result.name
    return f"{site.operands[0]}" if source == target else _BITCASTS[source, target].format(site.operands[0])


def _count_ones(site: Site, op: Operation) -> str:
    return site.operands[0] if site.result.bits == 1 else f"{cpp_type(site.result)}(__popcll({site.operands[0]}))"


_OPERATIONS: dict[str, Emit] = {
    **{
        f"arith.{name}": _binary(operator)
        for name, operator in zip(("addf", "subf", "mulf", "divf"), "+-*/", strict=True)
    },
    "arith.addi": _integer("+", "!="),
    "arith.subi": _integer("-", "!="),
    "arith.muli": _integer("*", "&&"),
    "arith.andi": _integer("&", "&&"),
    "arith.ori": _integer("|", "||"),
    "arith.xori": _integer("^", "!="),
    "arith.divsi": _helper("divide_signed", "{0} && {1}"),  # 1 is also -1: the quotients are 0/1, 1/1 and those by zero
    "arith.divui": _helper("divide_unsigned", "{0} && {1}"),
    "arith.remsi": _helper("remainder_signed", "false"),
    "arith.remui": _helper("remainder_unsigned", "false"),
    "arith.floordivsi": _helper("divide_floor", "{0} && {1}"),
    "arith.ceildivsi": _helper("divide_ceiling", "{0} && {1}"),
    "arith.ceildivui": _helper("divide_ceiling_unsigned", "{0} && {1}"),
    "arith.shli": _helper("shift_left", "{0} && !{1}"),
    "arith.shrui": _helper("shift_right_unsigned", "{0} && !{1}"),
    "arith.shrsi": _helper("shift_right_signed", "{0}"),
    "arith.minsi": _helper("min_signed", "{0} || {1}"),
    "arith.maxsi": _helper("max_signed", "{0} && {1}"),
    "arith.minui": _helper("min_unsigned", "{0} && {1}"),
    "arith.maxui": _helper("max_unsigned", "{0} || {1}"),
    "math.absi": _helper("absolute", "{0}"),
    "math.ctlz": _helper("leading_zeros", "!{0}"),
    "math.cttz": _helper("trailing_zeros", "!{0}"),
    "math.ctpop": _count_ones,
    "math.ipowi": _helper("power", "{0} || !{1}"),
    "arith.minimumf": _helper("minimum"),
    "arith.maximumf": _helper("maximum"),
    "arith.minnumf": _helper("minimum_number"),
    "arith.maxnumf": _helper("maximum_number"),
    "arith.negf": lambda site, op: f"-{site.operands[0]}",
    "arith.cmpf": _compare_floats,
    "arith.cmpi": _compare_integers,
    "arith.select": _select,
    "arith.extf": _convert,
    "arith.truncf": _convert,
    "arith.extsi": _extend_signed,
    "arith.extui": _convert,
    "arith.trunci": _truncate,
    "arith.sitofp": _extend_signed,
    "arith.uitofp": _convert,
    "arith.fptosi": _saturate(signed=True),
    "arith.fptoui": _saturate(signed=False),
    "arith.bitcast": _bitcast,
    "arith.index_cast": _cast_index,
    "math.absf": _c_function("fabs"),
    "math.ceil": _c_function("ceil"),
    "math.floor": _c_function("floor"),
    "math.trunc": _c_function("trunc"),
    "math.round": _c_function("round"),
    "math.roundeven": _c_function("rint"),
    "math.copysign": _c_function("copysign"),
    "math.sqrt": _c_function("sqrt"),
    "math.fma": _c_function("fma"),
    "math.rsqrt": _rsqrt,
    **{name: _function(name) for name in MATH_FUNCTIONS},
}

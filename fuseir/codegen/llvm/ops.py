"""The scalar operations of kernels: a table from operation to what LLVM computes for it.

Integer operations are total, as ``docs/kernels.md`` section 2 defines: no emitted instruction can trap, and poison never
reaches a result. Floats carry no fast-math flags, so LLVM neither contracts nor reassociates.
"""

from __future__ import annotations

from xdsl.dialects import arith, math
from xdsl.ir import Operation

from fuseir.codegen.element_types import element_type
from fuseir.codegen.elements import ElementType
from fuseir.codegen.llvm.calls import call_math
from fuseir.codegen.llvm.integers import INTEGER_OPERATIONS
from fuseir.codegen.llvm.math_functions import MATH_FUNCTIONS
from fuseir.codegen.llvm.site import Emit, Site
from fuseir.codegen.llvm.text import FunctionText, ModuleText
from fuseir.codegen.llvm.types import Value, mangled
from fuseir.errors import UnsupportedError


def emit_operation(
    module: ModuleText, text: FunctionText, op: Operation, operands: list[Value], lanes: int, inline: bool = False
) -> Value:
    """Emit a scalar operation on ``lanes`` lanes; :class:`UnsupportedError` names one that kernels may not hold.

    ``inline`` is for code that runs often: it may be longer for being faster.
    """
    emit = _OPERATIONS.get(op.name)
    if emit is None or len(op.results) != 1:
        raise UnsupportedError(f"'{op.name}' is no operation of lowered kernels")
    result = element_type(op.results[0].type)
    ref = emit(Site(module, text, lanes, operands, result, inline), op)
    return Value(ref, result, lanes)


def combine(module: ModuleText, text: FunctionText, name: str, element: ElementType, lanes: int, a: str, b: str) -> str:
    """Emit the combiner called ``name`` on two values of one type: ``name(a, b)``."""
    operands = [Value(a, element, lanes), Value(b, element, lanes)]
    site = Site(module, text, lanes, operands, element)
    instruction = _COMBINING_INSTRUCTIONS.get(name)
    if instruction is not None:
        return text.op(f"{instruction} {site.type} {a}, {b}")
    return site.intrinsic(_COMBINING_INTRINSICS[name], [a, b])


_COMBINING_INSTRUCTIONS = {
    "arith.addf": "fadd",
    "arith.mulf": "fmul",
    "arith.addi": "add",
    "arith.muli": "mul",
    "arith.andi": "and",
    "arith.ori": "or",
    "arith.xori": "xor",
}
_COMBINING_INTRINSICS = {
    "arith.minimumf": "minimum",
    "arith.maximumf": "maximum",
    "arith.minsi": "smin",
    "arith.minui": "umin",
    "arith.maxsi": "smax",
    "arith.maxui": "umax",
}


def _binary(instruction: str) -> Emit:
    return lambda site, op: site.text.op(f"{instruction} {site.type} {site.operand(0)}, {site.operand(1)}")


def _intrinsic(name: str) -> Emit:
    return lambda site, op: site.intrinsic(name, [site.operand(place) for place in range(len(site.operands))])


def _conversion(instruction: str) -> Emit:
    return lambda site, op: site.text.op(f"{instruction} {site.operand_type(0)} {site.operand(0)} to {site.type}")


def _saturating(name: str) -> Emit:
    def emit(site: Site, op: Operation) -> str:
        source = site.operand_type(0)
        intrinsic = f"llvm.{name}.sat.{mangled(site.type)}.{mangled(source)}"
        callee = site.module.declare(intrinsic, site.type, [source])
        return site.text.op(f"call {site.type} {callee}({source} {site.operand(0)})")

    return emit


def _library_call(name: str) -> Emit:
    function = MATH_FUNCTIONS[name]
    return lambda site, op: call_math(site.module, site.text, function, site.operands, site.lanes, site.inline)


_FLOAT_PREDICATES = [
    "false",
    "oeq",
    "ogt",
    "oge",
    "olt",
    "ole",
    "one",
    "ord",
    "ueq",
    "ugt",
    "uge",
    "ult",
    "ule",
    "une",
    "uno",
    "true",
]
_INTEGER_PREDICATES = ["eq", "ne", "slt", "sle", "sgt", "sge", "ult", "ule", "ugt", "uge"]


def _compare_floats(site: Site, op: Operation) -> str:
    assert isinstance(op, arith.CmpfOp)
    predicate = _FLOAT_PREDICATES[op.predicate.value.data]
    return site.text.op(f"fcmp {predicate} {site.operand_type(0)} {site.operand(0)}, {site.operand(1)}")


def _compare_integers(site: Site, op: Operation) -> str:
    assert isinstance(op, arith.CmpiOp)
    predicate = _INTEGER_PREDICATES[op.predicate.value.data]
    return site.text.op(f"icmp {predicate} {site.operand_type(0)} {site.operand(0)}, {site.operand(1)}")


def _select(site: Site, op: Operation) -> str:
    condition = f"{site.operand_type(0)} {site.operand(0)}"
    return site.text.op(f"select {condition}, {site.type} {site.operand(1)}, {site.type} {site.operand(2)}")


def _rsqrt(site: Site, op: Operation) -> str:
    root = site.intrinsic("sqrt", [site.operand(0)])
    return site.text.op(f"fdiv {site.type} {site.constant(1.0)}, {root}")


def _negate(site: Site, op: Operation) -> str:
    return site.text.op(f"fneg {site.type} {site.operand(0)}")


def _cast_index(site: Site, op: Operation) -> str:
    source = site.operands[0].element
    if source.bits == site.result.bits:
        return site.operand(0)
    return _conversion("sext" if source.bits < site.result.bits else "trunc")(site, op)


_OPERATIONS: dict[str, Emit] = {
    **{
        f"arith.{name}": _binary(instruction)
        for name, instruction in {
            **{name: name[:-1] for name in ("addi", "subi", "muli", "andi", "ori", "xori")},
            **{f"{name}f": f"f{name}" for name in ("add", "sub", "mul", "div")},
        }.items()
    },
    **{
        op.name: _intrinsic(name)
        for op, name in {
            arith.MaximumfOp: "maximum",
            arith.MinimumfOp: "minimum",
            # The 2019 standard's maximumNumber: a NaN loses, and -0 is below +0, so the order of operands is all the same.
            arith.MaxnumfOp: "maximumnum",
            arith.MinnumfOp: "minimumnum",
            arith.MinSIOp: "smin",
            arith.MinUIOp: "umin",
            arith.MaxSIOp: "smax",
            arith.MaxUIOp: "umax",
            math.AbsFOp: "fabs",
            math.CeilOp: "ceil",
            math.FloorOp: "floor",
            math.TruncOp: "trunc",
            math.RoundOp: "round",
            math.RoundEvenOp: "roundeven",
            math.CopySignOp: "copysign",
            math.SqrtOp: "sqrt",
            math.FmaOp: "fma",
            math.CtPopOp: "ctpop",
        }.items()
    },
    **{
        op.name: _conversion(instruction)
        for op, instruction in {
            arith.ExtFOp: "fpext",
            arith.TruncFOp: "fptrunc",
            arith.ExtSIOp: "sext",
            arith.ExtUIOp: "zext",
            arith.TruncIOp: "trunc",
            arith.SIToFPOp: "sitofp",
            arith.UIToFPOp: "uitofp",
            arith.BitcastOp: "bitcast",
        }.items()
    },
    **{name: _library_call(name) for name in MATH_FUNCTIONS},
    arith.NegfOp.name: _negate,
    arith.CmpfOp.name: _compare_floats,
    arith.CmpiOp.name: _compare_integers,
    arith.SelectOp.name: _select,
    arith.FPToSIOp.name: _saturating("fptosi"),
    arith.FPToUIOp.name: _saturating("fptoui"),
    arith.IndexCastOp.name: _cast_index,
    math.RsqrtOp.name: _rsqrt,
    **INTEGER_OPERATIONS,
}

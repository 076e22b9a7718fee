"""Calls of math functions from scalar and vector code.

A function has one implementation a target: where the vector library has it, single elements go through it as well (in
all lanes of one register), and where it has not, vectors go lane by lane through the scalar one. So a result's bits do not
depend on where in a loop an element sits.
"""

from __future__ import annotations

from fuseir.codegen.llvm.math_functions import MathFunction
from fuseir.codegen.llvm.text import FunctionText, ModuleText
from fuseir.codegen.llvm.types import ElementType, Value, llvm_type

_PURE = "nounwind willreturn memory(none)"
"""Errno and floating-point flags are not part of what kernels compute, so calls may be merged and moved out of loops."""


def call_math(
    module: ModuleText, text: FunctionText, function: MathFunction, arguments: list[Value], lanes: int
) -> str:
    """Emit ``function`` of ``arguments``, all of them with ``lanes`` lanes (0: scalars)."""
    element = arguments[0].element
    target = module.target
    if function.has_vector and target.mvec_variant is not None:
        symbol = function.vector_symbol(element, target.mvec_variant, target.vector_bytes)
        if symbol not in target.missing_math:
            return _vector_call(module, text, symbol, arguments, lanes)
    scalar = element.llvm
    if lanes:
        helper = module.support("lanes", _lane_by_lane, function, element, lanes)
        vector = llvm_type(element, lanes)
        operands = ", ".join(f"{vector} {text.splat(argument, lanes)}" for argument in arguments)
        return text.op(f"call {vector} {helper}({operands})")
    callee = _declare_scalar(module, function, element)
    operands = ", ".join(f"{scalar} {argument.ref}" for argument in arguments)
    # nobuiltin: LLVM must neither fold nor rewrite the call (pow(x, 0.5) as sqrt), the bits would differ.
    return text.op(f"call {scalar} {callee}({operands}) nobuiltin")


def _declare_scalar(module: ModuleText, function: MathFunction, element: ElementType) -> str:
    return module.declare(function.scalar_symbol(element), element.llvm, [element.llvm] * function.operands, _PURE)


def _vector_call(module: ModuleText, text: FunctionText, symbol: str, arguments: list[Value], lanes: int) -> str:
    element = arguments[0].element
    native = module.target.vector_bytes // element.bytes
    register = llvm_type(element, native)
    callee = module.declare(symbol, register, [register] * len(arguments), _PURE)
    wide = max(lanes, native)
    vector = llvm_type(element, wide)
    # Vectors narrower than a register repeat nothing useful in the rest: any value will do, one without traps is there.
    operands = [_widened(text, argument, lanes, wide) for argument in arguments]
    parts: list[str] = []
    for first in range(0, wide, native):
        chunk = [_lanes_of(text, vector, operand, first, native, wide) for operand in operands]
        parts.append(
            text.op(f"call {register} {callee}({', '.join(f'{register} {part}' for part in chunk)}) nobuiltin")
        )
    joined = _join(text, element, parts, native)
    if not lanes:
        return text.op(f"extractelement {vector} {joined}, i64 0")
    return joined if wide == lanes else _lanes_of(text, vector, joined, 0, lanes, wide)


def _widened(text: FunctionText, argument: Value, lanes: int, wide: int) -> str:
    if argument.lanes == 0:
        return text.splat(argument, wide)
    if lanes == wide:
        return argument.ref
    indices = ", ".join(f"i32 {lane % lanes}" for lane in range(wide))
    return text.op(f"shufflevector {argument.llvm} {argument.ref}, {argument.llvm} poison, <{wide} x i32> <{indices}>")


def _lanes_of(text: FunctionText, vector: str, value: str, first: int, count: int, total: int) -> str:
    if count == total:
        return value
    indices = ", ".join(f"i32 {lane}" for lane in range(first, first + count))
    return text.op(f"shufflevector {vector} {value}, {vector} poison, <{count} x i32> <{indices}>")


def _join(text: FunctionText, element: ElementType, parts: list[str], lanes: int) -> str:
    """Concatenate vectors pairwise; their number is a power of two."""
    while len(parts) > 1:
        vector = llvm_type(element, lanes)
        indices = ", ".join(f"i32 {lane}" for lane in range(2 * lanes))
        parts = [
            text.op(f"shufflevector {vector} {low}, {vector} {high}, <{2 * lanes} x i32> <{indices}>")
            for low, high in zip(parts[::2], parts[1::2], strict=True)
        ]
        lanes *= 2
    return parts[0]


def _lane_by_lane(module: ModuleText, function: MathFunction, element: ElementType, lanes: int) -> FunctionText:
    """A function on vectors that calls a scalar one for each lane; a loop, since unrolled calls would be long."""
    callee = _declare_scalar(module, function, element)
    vector, scalar = llvm_type(element, lanes), element.llvm
    text = FunctionText([vector] * function.operands, vector)
    places = [text.alloca(vector, 64) for _ in range(function.operands)]
    for position, place in enumerate(places):
        text.do(f"store {vector} %a{position}, ptr {place}, align 64")
    with text.loop("0", str(lanes), 1) as lane:
        addresses = [text.op(f"getelementptr {scalar}, ptr {place}, i64 {lane}") for place in places]
        values = [text.op(f"load {scalar}, ptr {address}, align {element.bytes}") for address in addresses]
        result = text.op(f"call {scalar} {callee}({', '.join(f'{scalar} {value}' for value in values)}) nobuiltin")
        text.do(f"store {scalar} {result}, ptr {addresses[0]}, align {element.bytes}")
    text.do(f"ret {vector} {text.op(f'load {vector}, ptr {places[0]}, align 64')}")
    return text

"""Math functions in scalar and vector code.

A function has one implementation a target. Where it is written out (:mod:`vector_math`), so it is in the loops that do most of the work;
elsewhere the same instructions are a function that is called. Otherwise, where the vector library has it, single elements go through
that as well (in all lanes of one register), and where it has not, vectors go lane by lane through the scalar one. So a result's
bits do not depend on where in a loop an element sits.
"""

from __future__ import annotations

from fuseir.codegen.elements import ElementType
from fuseir.codegen.llvm.math_functions import MathFunction
from fuseir.codegen.llvm.text import FunctionText, ModuleText
from fuseir.codegen.llvm.types import Value, llvm_type
from fuseir.codegen.llvm.vector_math import BODIES, Form, Real

_PURE = "nounwind willreturn memory(none)"
"""Errno and floating-point flags are not part of what kernels compute, so calls may be merged and moved out of loops."""

_MOST_WRITTEN_OUT = 16
"""Functions that one kernel may have written out, at about a millisecond of LLVM's time each; it calls the rest."""

_REGISTERS, _AVX2_REGISTERS = 4, 2
"""Registers that a function's argument may fill where it is written out: of 32, and of the 16 that AVX2 has."""


def call_math(
    module: ModuleText,
    text: FunctionText,
    function: MathFunction,
    arguments: list[Value],
    lanes: int,
    inline: bool,
) -> str:
    """Emit ``function`` of ``arguments``, all of them with ``lanes`` lanes (0: scalars).

    ``inline`` says that this is where time goes: a function that is written in LLVM is written out, and not called.
    """
    element = arguments[0].element
    target = module.target
    body = BODIES.get(function.name)
    if target.has_fma and body is not None and element.bits in body.widths:
        if inline and module.written_out < _MOST_WRITTEN_OUT:
            module.written_out += 1
            return _write_out(module, text, function, arguments, lanes)
        operands = [text.splat(argument, lanes) for argument in arguments]
        return _call_own(Form(module, text, element, lanes), function, operands)
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


def _write_out(
    module: ModuleText, text: FunctionText, function: MathFunction, arguments: list[Value], lanes: int
) -> str:
    """A function's instructions, for as many registers at a time as leave some for what the function computes with."""
    element, vector_bytes = arguments[0].element, module.target.vector_bytes
    count = min(lanes, (_AVX2_REGISTERS if vector_bytes == 32 else _REGISTERS) * vector_bytes // element.bytes)
    vector, whole = llvm_type(element, lanes), [text.splat(argument, lanes) for argument in arguments]
    form = Form(module, text, element, count)
    parts: list[str] = []
    for first in range(0, lanes, count):
        operands = [text.lanes_of(vector, operand, first, count, lanes) for operand in whole]
        parts.append(_write_out_part(form, function, operands))
    return text.join(element, parts, count)


def _write_out_part(form: Form, function: MathFunction, operands: list[str]) -> str:
    """The instructions. Where one lane's arguments are rare ones, all lanes are computed again by a call."""
    body, values = BODIES[function.name], [Real(form, operand) for operand in operands]
    if body.short is None or body.reach is None:
        return body.complete(*values).ref
    text = form.text
    place = text.alloca(form.real, 64)
    text.do(f"store {form.real} {body.short(*values).ref}, ptr {place}, align 64")
    with text.when((~body.reach(*values)).any()):
        text.do(f"store {form.real} {_call_own(form, function, operands, 'cold')}, ptr {place}, align 64")
    return text.op(f"load {form.real}, ptr {place}, align 64")


def _call_own(form: Form, function: MathFunction, operands: list[str], attribute: str = "") -> str:
    helper = form.module.support("math", _own_function, function, form.element, form.lanes)
    listed = ", ".join(f"{form.real} {operand}" for operand in operands)
    return form.text.op(f"call {form.real} {helper}({listed}) {attribute}".rstrip())


def _own_function(module: ModuleText, function: MathFunction, element: ElementType, lanes: int) -> FunctionText:
    """A function that is written in LLVM, as one to call; what it leaves to the C library is called lane by lane."""
    vector, scalar = llvm_type(element, lanes), element.llvm
    text = FunctionText([vector] * function.operands, vector)
    body, form = BODIES[function.name], Form(module, text, element, lanes)
    result = body.complete(*(Real(form, f"%a{position}") for position in range(function.operands))).ref
    if body.limits is None:
        text.do(f"ret {vector} {result}")
        return text
    limit = body.limits[element.bits]
    arguments, results = text.alloca(vector, 64), text.alloca(vector, 64)
    text.do(f"store {vector} %a0, ptr {arguments}, align 64")
    text.do(f"store {vector} {result}, ptr {results}, align 64")
    callee = _declare_scalar(module, function, element)
    one = Form(module, text, element, 0)
    with text.loop("0", str(max(lanes, 1)), 1) as lane:
        source, destination = (
            text.op(f"getelementptr {scalar}, ptr {each}, i64 {lane}") for each in (arguments, results)
        )
        x = Real(one, text.op(f"load {scalar}, ptr {source}, align {element.bytes}"))
        with text.when((abs(x) > limit).ref):
            value = text.op(f"call {scalar} {callee}({scalar} {x.ref}) nobuiltin")
            text.do(f"store {scalar} {value}, ptr {destination}, align {element.bytes}")
    text.do(f"ret {vector} {text.op(f'load {vector}, ptr {results}, align 64')}")
    return text


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
        chunk = [text.lanes_of(vector, operand, first, native, wide) for operand in operands]
        parts.append(
            text.op(f"call {register} {callee}({', '.join(f'{register} {part}' for part in chunk)}) nobuiltin")
        )
    joined = text.join(element, parts, native)
    if not lanes:
        return text.op(f"extractelement {vector} {joined}, i64 0")
    return joined if wide == lanes else text.lanes_of(vector, joined, 0, lanes, wide)


def _widened(text: FunctionText, argument: Value, lanes: int, wide: int) -> str:
    if argument.lanes == 0:
        return text.splat(argument, wide)
    if lanes == wide:
        return argument.ref
    indices = ", ".join(f"i32 {lane % lanes}" for lane in range(wide))
    return text.op(f"shufflevector {argument.llvm} {argument.ref}, {argument.llvm} poison, <{wide} x i32> <{indices}>")


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

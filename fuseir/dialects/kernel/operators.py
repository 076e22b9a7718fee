"""The reduction operators as kernels spell them: combiners, their identities, and the shape of a fold."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf

from xdsl.dialects import arith, func
from xdsl.dialects.builtin import AnyFloat, Float32Type, Float64Type, FloatAttr, IntegerAttr, IntegerType
from xdsl.dialects.linalg import ops as linalg
from xdsl.ir import Attribute, Operation, SSAValue

from fuseir.dialects.dist.privilege import Operator
from fuseir.dialects.kernel.privileges import destination_root

_COMBINERS: dict[str, Operator] = {
    arith.AddfOp.name: Operator.ADD,
    arith.AddiOp.name: Operator.ADD,
    arith.MulfOp.name: Operator.MUL,
    arith.MuliOp.name: Operator.MUL,
    arith.MinimumfOp.name: Operator.MIN,
    arith.MinSIOp.name: Operator.MIN,
    arith.MinUIOp.name: Operator.MIN,
    arith.MaximumfOp.name: Operator.MAX,
    arith.MaxSIOp.name: Operator.MAX,
    arith.MaxUIOp.name: Operator.MAX,
    arith.AndIOp.name: Operator.AND,
    arith.OrIOp.name: Operator.OR,
    arith.XOrIOp.name: Operator.XOR,
}

_NOT_ON_BOOLEANS = (arith.AddiOp.name, arith.MinSIOp.name, arith.MaxSIOp.name)


def combiner_operator(op: Operation) -> Operator | None:
    """The operator that ``op`` combines with: ``add`` for ``arith.addf``; None if it is no combiner.

    On ``i1``, ``arith.addi`` is none: it wraps at 2, and what users mean by adding booleans is ``or``. Nor are the signed
    ``minsi`` and ``maxsi``, to which true is -1.
    """
    operator = _COMBINERS.get(op.name)
    if op.name in _NOT_ON_BOOLEANS and any(result.type == IntegerType(1) for result in op.results):
        return None
    return operator


def compares_unsigned(combiner: Operation) -> bool | None:
    """Whether a combiner of integers reads them unsigned; None where it makes no difference."""
    if combiner.name in (arith.MinUIOp.name, arith.MaxUIOp.name):
        return True
    return False if combiner.name in (arith.MinSIOp.name, arith.MaxSIOp.name) else None


def identity_constant(
    operator: Operator | str, element_type: Attribute, *, unsigned: bool = False
) -> FloatAttr[AnyFloat] | IntegerAttr[IntegerType]:
    """The identity of ``operator``: what combined with ``x`` gives ``x``, to the bit.

    ``unsigned`` says that integers are compared unsigned; it matters to ``min`` and ``max`` alone.
    Raises ValueError if the operator does not exist on the type.
    """
    operator = Operator(operator)
    if isinstance(element_type, Float32Type | Float64Type):
        # -0.0 and not 0.0: the latter would turn a sum of negative zeros into a positive one.
        floats = {Operator.ADD: -0.0, Operator.MUL: 1.0, Operator.MIN: inf, Operator.MAX: -inf}
        if operator not in floats:
            raise ValueError(f"there is no '{operator}' on {element_type}")
        return FloatAttr(floats[operator], element_type)
    if not isinstance(element_type, IntegerType) or (operator is Operator.ADD and element_type.width.data == 1):
        raise ValueError(f"there is no '{operator}' on {element_type}")
    width = element_type.width.data
    all_ones = -1 if width > 1 else 1
    match operator:
        case Operator.ADD | Operator.OR | Operator.XOR:
            value = 0
        case Operator.MUL:
            value = 1
        case Operator.AND:
            value = all_ones
        case Operator.MIN:
            value = all_ones if unsigned else 2 ** (width - 1) - 1
        case Operator.MAX:
            value = 0 if unsigned else -(2 ** (width - 1))
    return IntegerAttr(value, element_type)


def identity_of(combiner: Operation) -> FloatAttr[AnyFloat] | IntegerAttr[IntegerType]:
    """The identity of the operator that the operation ``combiner`` applies. Raises ValueError if it is no combiner."""
    operator = combiner_operator(combiner)
    if operator is None:
        raise ValueError(f"'{combiner.name}' is no combiner")
    return identity_constant(operator, combiner.results[0].type, unsigned=compares_unsigned(combiner) is True)


def fold_of(generic: linalg.GenericOp, output: int) -> tuple[Operation, ...]:
    """The combiners, first to last, that fold into output number ``output``; empty if the output is no fold.

    A fold uses the output's block argument once, as the left operand of a combiner, whose result is used once: by the
    yield for this output, or as the left operand of another combiner with the same operator::

        ^bb0(%x: f64, %y: f64, %acc: f64):
          %0 = arith.addf %acc, %x : f64
          %1 = arith.addf %0, %y : f64
          linalg.yield %1 : f64
    """
    block = generic.body.blocks[0]
    value = block.args[len(generic.inputs) + output]
    combiners: list[Operation] = []
    while (use := value.first_use) is not None and value.has_one_use():
        user = use.operation
        if user is block.last_op:
            return tuple(combiners) if use.index == output else ()
        operator = combiner_operator(user)
        different = combiners and combiner_operator(combiners[0]) is not operator
        if operator is None or different or use.index != 0 or user.parent is not block or user in combiners:
            return ()
        combiners.append(user)
        value = user.results[0]
    return ()


def folds_into(function: func.FuncOp, parameter: SSAValue) -> Iterator[Operation]:
    """Every combiner of a kernel that folds into ``parameter``."""
    for op in function.body.block.ops:
        if isinstance(op, linalg.GenericOp):
            for number, output in enumerate(op.outputs):
                if destination_root(output) is parameter:
                    yield from fold_of(op, number)

"""Expressions to scalar operations: each node's type by NumPy's rules, its value by the emitters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from xdsl.ir import SSAValue

from fuseir.errors import DTypeError, LimitError
from fuseir.lang import arithmetic, mathematics
from fuseir.lang.arithmetic import Emitter
from fuseir.lang.elements import Elements
from fuseir.lang.functions import (
    BINARY_SIGNS,
    CASTS,
    COMPARISONS,
    CONSTANTS,
    TRUTH_REDUCTIONS,
    UNARY_SIGNS,
    canonical,
    is_reduction,
)
from fuseir.lang.literals import LiteralError, fold, parse_number
from fuseir.lang.syntax import Node, Position, SourceText
from fuseir.lang.types import (
    BOOL,
    FLOAT64,
    INT64,
    Kind,
    assignable,
    common_type,
    integer_range,
    is_float,
    loop_types,
)

_EMITTERS: dict[str, Emitter] = {**arithmetic.EMITTERS, **mathematics.EMITTERS}


@dataclass(frozen=True, slots=True)
class Value:
    """An expression's value: an SSA value of type ``kind.dtype``, or a literal; ``rank`` is that of what it was made of."""

    kind: Kind
    rank: int = 0
    ssa: SSAValue | None = None
    literal: int | float | bool | None = None

    @property
    def weak_literal(self) -> int | float | None:
        """The literal, where it takes the type of what it meets."""
        return self.literal if self.kind.weak else None


def literal_value(literal: int | float | bool) -> Value:
    """A literal's value: numbers are weak, truth values are not."""
    if isinstance(literal, bool):
        return Value(Kind(BOOL), literal=literal)
    return Value(Kind(INT64 if isinstance(literal, int) else FLOAT64, weak=True), literal=literal)


class Evaluator:
    """Evaluates nodes in order, appending to one block. ``names`` says what names mean; statements change it."""

    def __init__(self, source: SourceText, nodes: Sequence[Node], to: Elements, names: dict[str, Value]) -> None:
        self.source = source
        self.nodes = nodes
        self.to = to
        self.names = names
        self._values: dict[int, Value] = {}

    def evaluate(self, first: int, last: int) -> Value:
        """The value of node ``last``, whose operands are among ``first`` … ``last``. Raises DTypeError, LimitError."""
        for index in range(first, last + 1):
            node = self.nodes[index]
            operands = [self._values[operand] for operand in node.operands]
            try:
                self._values[index] = self._node(node, operands)
            except LiteralError as problem:
                raise self.source.error(LimitError, node.position, str(problem)) from None
        return self._values[last]

    def combine(self, sign: str, left: Value, right: Value, position: Position) -> Value:
        """``left sign right``, for compound assignments."""
        return self._operator(Node("operator", sign, position), [left, right])

    def convert(self, value: Value, target: np.dtype, position: Position) -> SSAValue:
        """The value as an element of type ``target``. Raises DTypeError for an integer literal that does not fit."""
        literal = value.literal
        if literal is None:
            assert value.ssa is not None  # a value is one or the other
            return self.to.cast(value.ssa, value.kind.dtype, target)
        if is_float(target):
            return self.to.constant(float(literal), target)
        if isinstance(literal, float):
            return self.to.cast(self.to.constant(literal, FLOAT64), FLOAT64, target)
        if target == BOOL:
            return self.to.constant(int(bool(literal)), BOOL)
        least, greatest = integer_range(target)
        if not least <= literal <= greatest:
            raise self.source.error(DTypeError, position, f"the literal {literal} does not fit {target}")
        return self.to.constant(int(literal), target)

    def assign(self, value: Value, target: np.dtype, name: str, position: Position) -> SSAValue:
        """The value converted for an argument. Raises DTypeError where NumPy's assignment would."""
        if not assignable(value.kind, target):
            cast = next(cast for cast, dtype in CASTS.items() if dtype == str(target))
            message = f"cannot assign {_described(value)} to `{name}`, which is {target}"
            raise self.source.error(DTypeError, position, message, (f"convert it: `{name} = {cast}(…)`",))
        return self.convert(value, target, position)

    def truth(self, value: Value, position: Position) -> Value:
        """Whether the value is not zero."""
        return Value(Kind(BOOL), value.rank, self.convert(value, BOOL, position))

    def _node(self, node: Node, operands: list[Value]) -> Value:
        if node.kind == "number":
            return literal_value(parse_number(node.name))
        if node.kind == "name":
            return self.names[node.name] if node.name in self.names else literal_value(CONSTANTS[node.name])
        if node.kind == "operator":
            return self._operator(node, operands)
        if is_reduction(node.name):
            return self.truth(operands[0], node.position) if node.name in TRUTH_REDUCTIONS else operands[0]
        if node.name in CASTS:
            target = np.dtype(CASTS[node.name])
            return Value(Kind(target), operands[0].rank, self.convert(operands[0], target, node.position))
        function = canonical(node.name)
        if function == "select":
            return self._select(node, operands)
        if function == "clip":
            return self._clip(node, operands)
        return self._function(function, node, operands)

    def _operator(self, node: Node, operands: list[Value]) -> Value:
        """An operator: like the function it stands for, but weak operands make a weak result, as in Python."""
        literals = [value.weak_literal for value in operands]
        known = [literal for literal in literals if literal is not None]
        if len(known) == len(operands):
            return literal_value(fold(node.name, known))
        function = BINARY_SIGNS[node.name] if len(operands) == 2 else UNARY_SIGNS[node.name]
        result = self._function(function, node, operands)
        if all(value.kind.weak for value in operands) and result.kind.dtype != BOOL:
            return Value(Kind(result.kind.dtype, weak=True), result.rank, result.ssa)
        return result

    def _function(self, function: str, node: Node, operands: list[Value]) -> Value:
        try:
            types = loop_types(function, [value.kind for value in operands])
        except TypeError:
            described = " and ".join(_described(value) for value in operands)
            message = f"`{node.name}` is not defined for {described}"
            raise self.source.error(DTypeError, node.position, message, _advice(function, operands)) from None
        rank = max((value.rank for value in operands), default=0)
        if function in COMPARISONS and (decided := _decided(node.name, operands, types)) is not None:
            return Value(Kind(BOOL), rank, self.to.constant(int(decided), BOOL))
        if function in ("power", "float_power"):
            shortcut = self._power(node, operands, types, rank)
            if shortcut is not None:
                return shortcut
        converted = [self.convert(value, types[i], node.position) for i, value in enumerate(operands)]
        return Value(Kind(types[-1]), rank, _EMITTERS[function](self.to, converted, types))

    def _power(self, node: Node, operands: list[Value], types: Sequence[np.dtype], rank: int) -> Value | None:
        """Powers by the literals that NumPy computes more exactly than by ``pow``."""
        exponent, dtype = operands[1].weak_literal, types[0]
        if exponent is None:
            return None
        if not is_float(dtype) and exponent < 0:
            message = "integers to negative integer powers are not defined"
            raise self.source.error(DTypeError, node.position, message, ("make the base a float: `f64(x)`",))
        shortcuts: dict[float, str] = {1: "positive", 2: "square"}
        if is_float(dtype):
            shortcuts |= {0.5: "sqrt", -1: "reciprocal"}
        function = shortcuts.get(exponent)
        if function is None:
            return None
        base = self.convert(operands[0], dtype, node.position)
        return Value(Kind(types[-1]), rank, _EMITTERS[function](self.to, [base], (dtype, types[-1])))

    def _select(self, node: Node, operands: list[Value]) -> Value:
        condition, if_true, if_false = operands
        target = common_type([if_true.kind, if_false.kind])
        chosen = self.to.select(
            self.convert(condition, BOOL, node.position),
            self.convert(if_true, target, node.position),
            self.convert(if_false, target, node.position),
        )
        return Value(Kind(target), max(value.rank for value in operands), chosen)

    def _clip(self, node: Node, operands: list[Value]) -> Value:
        target = common_type([value.kind for value in operands])
        value, least, greatest = [self.convert(operand, target, node.position) for operand in operands]
        types = (target, target, target)
        raised = _EMITTERS["maximum"](self.to, [value, least], types)
        clipped = _EMITTERS["minimum"](self.to, [raised, greatest], types)
        return Value(Kind(target), max(operand.rank for operand in operands), clipped)


def _decided(sign: str, operands: list[Value], types: Sequence[np.dtype]) -> bool | None:
    """The answer of a comparison with an integer literal beyond the other operand's type, or None."""
    if is_float(types[0]):
        return None
    for position, value in enumerate(operands):
        literal = value.weak_literal
        if literal is None:
            continue
        least, greatest = integer_range(types[position])
        if not least <= literal <= greatest:
            # Beyond every value of the type, so on the same side of all of them: 0 stands for any.
            pair = [0, literal] if position == 1 else [literal, 0]
            return bool(fold(_COMPARISON_SIGNS.get(sign, sign), pair))
    return None


_COMPARISON_SIGNS = {function: sign for sign, function in BINARY_SIGNS.items() if function in COMPARISONS}


def _described(value: Value) -> str:
    """A value's type, for messages."""
    if not value.kind.weak:
        return str(value.kind.dtype)
    kind = "float" if is_float(value.kind.dtype) else "integer"
    return f"{'a' if kind == 'float' else 'an'} {kind} {'literal' if value.literal is not None else 'scalar'}"


def _advice(function: str, operands: list[Value]) -> tuple[str, ...]:
    """What to write instead of an operation that NumPy refuses."""
    if any(is_float(value.kind.dtype) for value in operands):
        return ("bit operations are defined for integers and booleans; convert: `i64(x)`",)
    if all(value.kind.dtype == BOOL for value in operands):
        other = {"subtract": "`^` tells whether booleans differ", "negative": "`not x` is the opposite of a boolean"}
        return (other.get(function, "convert the boolean to a number: `i64(x)`"),)
    return ("int64 and uint64 have no common integer type; convert one of them: `i64(x)`",)

"""The types that expressions have, against the types of the same expressions in NumPy."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from fuseir.errors import DTypeError, UnsupportedError
from fuseir.lang import TaskDefinition, task
from fuseir.lang.expressions import Evaluator, Value

ALL = [np.dtype(name) for name in ["?", "b", "h", "i", "q", "B", "H", "I", "Q", "f", "d"]]

OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
    "**": operator.pow,
    "&": operator.and_,
    "|": operator.or_,
    "^": operator.xor,
    "<<": operator.lshift,
    ">>": operator.rshift,
    "<": operator.lt,
    "==": operator.eq,
}


def result_type(definition: TaskDefinition, types: list[np.dtype], scalars: list[Any] | None = None) -> np.dtype | None:
    """The type of the value that the task assigns to its last argument; None if it has none."""
    seen: list[np.dtype] = []

    def assign(self: Evaluator, value: Value, target: np.dtype, *place: Any) -> Any:
        seen.append(value.kind.dtype)
        return convert(self, value, target, place[-1])

    convert = Evaluator.convert
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Evaluator, "assign", assign)
        try:
            definition.instantiate("k", [*((t, 1) for t in types), (np.float64, 1)], scalars or [])
        except DTypeError:
            assert not seen
            return None
    return seen[-1]


def numpy_type(function: Callable[..., Any], *operands: Any) -> np.dtype | None:
    with np.errstate(all="ignore"):
        try:
            found = np.asarray(function(*operands)).dtype
        except TypeError:
            return None
    return np.dtype("f4") if found == np.float16 else found


@pytest.mark.parametrize("sign", OPERATORS)
def test_operators_on_every_pair_of_types(sign: str) -> None:
    definition = task(f"task f(x: read, y: read, out: write) {{ out = x {sign} y }}")
    for left in ALL:
        for right in ALL:
            expected = numpy_type(OPERATORS[sign], np.ones(1, left), np.ones(1, right))
            assert result_type(definition, [left, right]) == expected, (left, right)


@pytest.mark.parametrize("sign", OPERATORS)
@pytest.mark.parametrize("literal", ["1", "1.0"])
def test_operators_with_literals_and_weak_scalars(sign: str, literal: str) -> None:
    weak = float if "." in literal else int
    for left in ALL:
        array = np.ones(1, left)
        for text, compute in [
            (f"x {sign} {literal}", lambda a: OPERATORS[sign](a, weak(1))),
            (f"{literal} {sign} x", lambda a: OPERATORS[sign](weak(1), a)),
        ]:
            expected = numpy_type(compute, array)
            assert result_type(task(f"task f(x: read, out: write) {{ out = {text} }}"), [left]) == expected
            scalar = task(f"task f(a: scalar, x: read, out: write) {{ out = {text.replace(literal, 'a')} }}")
            assert result_type(scalar, [left], [weak]) == expected


@pytest.mark.parametrize("sign", OPERATORS)
def test_strong_scalars_promote_like_arrays(sign: str) -> None:
    definition = task(f"task f(a: scalar, x: read, out: write) {{ out = x {sign} a }}")
    for left in ALL:
        for right in ALL:
            expected = numpy_type(OPERATORS[sign], np.ones(1, left), right.type(1))
            assert result_type(definition, [left], [right]) == expected, (left, right)


@pytest.mark.parametrize("name", ["sqrt", "floor", "rint", "sign", "absolute", "square", "isnan", "exp", "reciprocal"])
def test_functions_of_one_operand(name: str) -> None:
    definition = task(f"task f(x: read, out: write) {{ out = {name}(x) }}")
    for dtype in ALL:
        assert result_type(definition, [dtype]) == numpy_type(getattr(np, name), np.ones(1, dtype)), dtype


@pytest.mark.parametrize("name", ["hypot", "minimum", "arctan2", "logical_and", "float_power", "copysign", "power"])
def test_functions_of_two_operands(name: str) -> None:
    definition = task(f"task f(x: read, y: read, out: write) {{ out = {name}(x, y) }}")
    for left in ALL:
        for right in ALL:
            expected = numpy_type(getattr(np, name), np.ones(1, left), np.ones(1, right))
            assert result_type(definition, [left, right]) == expected, (left, right)


def test_select_promotes_like_where() -> None:
    definition = task("task f(x: read, y: read, out: write) { out = select(x > y, x, y) }")
    literal = task("task f(x: read, out: write) { out = select(x > 0, x, 0) }")
    for left in ALL:
        assert result_type(literal, [left]) == np.where(True, np.ones(1, left), 0).dtype
        for right in ALL:
            expected = np.where(True, np.ones(1, left), np.ones(1, right)).dtype
            assert result_type(definition, [left, right]) == expected, (left, right)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("x * (1 / 3)", "f4"),
        ("x * pi", "f4"),
        ("x * sqrt(2)", "f8"),  # as in NumPy: np.sqrt(2) is a float64, no literal
        ("x * f32(sqrt(2))", "f4"),
        ("x + true", "f4"),
        ("x * select(x > 0, 1, 2)", "f8"),
        ("x > 1 and x", "?"),
        ("i8(x) + 1", "i1"),
        ("i8(x) * 1.5", "f8"),
        ("bool(x) + 1", "i8"),
    ],
)
def test_literals_are_weak_and_function_results_are_not(expression: str, expected: str) -> None:
    definition = task(f"task f(x: read, out: write) {{ out = {expression} }}")
    assert result_type(definition, [np.dtype("f4")]) == np.dtype(expected)


def test_local_names_keep_literals_weak() -> None:
    definition = task("task f(x: read, out: write) { let half = 0.5; out = half * x }")
    assert result_type(definition, [np.dtype("f4")]) == np.dtype("f4")


def test_weak_scalars_compute_among_themselves_as_python_does() -> None:
    definition = task("task f(a: scalar, b: scalar, x: read, out: write) { out = a / b * x }")
    assert result_type(definition, [np.dtype("f4")], [int, int]) == np.dtype("f4")
    assert result_type(definition, [np.dtype("f4")], [np.int64, np.int64]) == np.dtype("f8")


@pytest.mark.parametrize("target", ALL, ids=str)
def test_assignment_converts_as_numpys_same_kind_does(target: np.dtype) -> None:
    definition = task("task f(x: read, out: write) { out = x }")
    for source in ALL:
        arguments = [(source, 1), (target, 1)]
        if np.can_cast(source, target, "same_kind"):
            definition.instantiate("k", arguments)
        else:
            with pytest.raises(DTypeError, match="cannot assign"):
                definition.instantiate("k", arguments)


@pytest.mark.parametrize("dtype", ["c8", "c16", "f2", "M8[s]", "S4", "O", ">f8"])
def test_other_element_types_are_unsupported(dtype: str) -> None:
    definition = task("task f(x: read, out: write) { out = x }")
    with pytest.raises(UnsupportedError, match="`x` has element type"):
        definition.instantiate("k", [(dtype, 1), ("f8", 1)])

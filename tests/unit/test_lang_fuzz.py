"""Random texts: whatever parses computes what NumPy computes for the same text; whatever does not says so."""

from __future__ import annotations

import random
import re
from collections.abc import Callable

import numpy as np
import pytest
from lang_kernels import run

from fuseir.errors import DTypeError, FuseirError, LimitError
from fuseir.lang import parse_tasks, task

OPERATORS = ["+", "-", "*", "/", "//", "%", "&", "|", "^", "<<", ">>", "<", "<=", "==", "!=", ">", ">="]
UNARY = ["-", "~", "+"]
FUNCTIONS = {"absolute": 1, "sign": 1, "square": 1, "floor": 1, "rint": 1, "sqrt": 1, "minimum": 2, "maximum": 2}
FUNCTIONS |= {"hypot": 2, "logical_and": 2, "isnan": 1, "copysign": 2, "fmod": 2, "where": 3}
LITERALS = ["0", "1", "2", "3", "7", "-1", "0.5", "1.5", "100", "300", "70000", "1e10"]
TYPES = ["?", "b", "h", "i", "q", "B", "H", "I", "Q", "f", "d"]


def expression(rng: random.Random, depth: int) -> str:
    """A random expression; its operators have an array on one side, as Python's own differ where they compare literals."""
    text = _any_expression(rng, depth)
    return text if re.search(r"\b[xyz]\b", text) else rng.choice(LITERALS)


def _any_expression(rng: random.Random, depth: int) -> str:
    choice = rng.random()
    if depth == 0 or choice < 0.15:
        return rng.choice([*"xyz", *"xyz", *LITERALS])
    if choice < 0.65:
        return f"({expression(rng, depth - 1)} {rng.choice(OPERATORS)} {expression(rng, depth - 1)})"
    if choice < 0.75:
        return f"({rng.choice(UNARY)}{expression(rng, depth - 1)})"
    name = rng.choice(list(FUNCTIONS))
    return f"{name}({', '.join(expression(rng, depth - 1) for _ in range(FUNCTIONS[name]))})"


def numpy_value(text: str, names: dict[str, np.ndarray]) -> np.ndarray | None:
    """NumPy's value, None where it refuses; f16 is avoided by the caller."""
    scope = {name: getattr(np, name) for name in FUNCTIONS} | names
    with np.errstate(all="ignore"):
        try:
            return np.broadcast_to(np.asarray(eval(text, scope)), names["x"].shape)
        except (TypeError, OverflowError, ZeroDivisionError, ValueError):
            return None


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("seed", range(8))
def test_random_expressions_compute_what_numpy_computes(seed: int) -> None:
    rng = random.Random(seed)
    values = np.array([0, 1, 2, 3, 5, 100, -1, -3])
    compared = 0
    for _ in range(120):
        text = expression(rng, 3)
        names = {name: np.roll(values, i * 3).astype(rng.choice(TYPES)) for i, name in enumerate("xyz")}
        expected = numpy_value(text, names)
        result = np.dtype("f8") if expected is None else expected.dtype
        if result == np.float16 or result.kind == "O":
            continue
        try:
            program = f"task f(x: read, y: read, z: read, out: write) {{ out = {text} }}"
            (got,) = run(program, [*names.values(), np.zeros(8, result)])
        except (DTypeError, LimitError):
            # f16 may make other types; NumPy's where wraps literals that do not fit. Otherwise both refuse, or neither.
            assert expected is None or _has_f16(text, names) or "where" in text, text
            continue
        if expected is None or _has_f16(text, names):
            continue
        compared += 1
        assert got.dtype == expected.dtype
        equal = (got == expected) | (got != got) & (expected != expected)
        # hypot is not exact in either
        assert equal.all() or ("hypot" in text and np.allclose(got, expected, equal_nan=True)), (
            text,
            names,
            got,
            expected,
        )
    assert compared > 15


def _has_f16(text: str, names: dict[str, np.ndarray]) -> bool:
    """Whether NumPy may compute a part of the expression in f16."""
    halving = ("sqrt", "rint", "hypot", "copysign")
    return any(name in text for name in halving) and any(a.itemsize == 1 for a in names.values())


TOKENS = [
    "task", "f", "(", ")", "{", "}", ":", ",", ";", "=", "+=", "let", "x", "y", "read", "write", "reduce", "<", ">", "add", "sum",
    "axis", "1", "0.5", "+", "-", "*", "**", "//", "and", "not", "select", "\n", "#", "true", "inf", "&", "<<", "==", "é", "'",
]  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
def test_random_texts_parse_or_are_refused_with_a_place(seed: int) -> None:
    rng = random.Random(seed)
    valid = "task f ( x : read , y : read_write , s : reduce < add > ) { let z = x + 1 ; y = select ( x < z , y , 2 ) s += x }"
    for _ in range(300):
        tokens = valid.split(" ")
        for _ in range(rng.randint(1, 3)):
            position = rng.randrange(len(tokens))
            change = rng.random()
            if change < 0.4:
                tokens[position] = rng.choice(TOKENS)
            elif change < 0.7:
                tokens.insert(position, rng.choice(TOKENS))
            else:
                del tokens[position]
        text = " ".join(tokens)
        error = refusal(lambda text=text: parse_tasks(text))
        assert error is None or (error.location and error.diagnostic())


def refusal(action: Callable[[], object]) -> FuseirError | None:
    """The error that an action ends in, if any."""
    try:
        action()
    except FuseirError as error:
        return error
    return None


def test_a_fuzz_of_types_never_breaks_the_contract() -> None:
    rng = random.Random(5)
    definition = task(
        "task f(a: scalar, x: read, y: read_write, s: reduce<max>) { y = select(x > a, x, y)  s = max(x) }"
    )
    for _ in range(150):
        arguments = [(rng.choice(TYPES), rng.randint(0, 2)) for _ in range(3)]
        scalar = rng.choice([int, float, *map(np.dtype, TYPES)])
        error = refusal(lambda a=arguments, s=scalar: definition.instantiate("k", a, [s]))
        assert error is None or (error.code in ("FIR-E006", "FIR-E007") and error.location)

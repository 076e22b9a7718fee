"""The page on the task language says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from fuseir.lang import functions, parse_tasks, syntax, task

PAGE = (Path(__file__).parents[2] / "docs" / "task-language.md").read_text(encoding="utf-8")
EXAMPLES = [line for line in re.findall(r"task \w+\([^)]*\)\s*\{[^}]*\}", PAGE) if "…" not in line]


@pytest.mark.parametrize("text", EXAMPLES)
def test_examples_are_tasks(text: str) -> None:
    (definition,) = parse_tasks(text)
    ranks = {"s": 1 if "axis" in text or "merge" in text else 0, "lo": 0, "hi": 0, "n": 0, "p": 1}
    arguments = [("f8" if a.name not in ("n", "p") else "i8", ranks.get(a.name, 2)) for a in definition.arguments]
    if "faces" in text:
        arguments[0] = ("f8", 3)
    if "merge" in text:
        arguments[0] = ("f8", 1)
    definition.instantiate("k", arguments, [float] * len(definition.scalars))


def test_there_are_examples() -> None:
    assert len(EXAMPLES) >= 8


def test_every_function_and_limit_is_on_the_page() -> None:
    words = set(re.findall(r"\w+", PAGE))
    assert not [name for name in functions.function_names() if name not in words]
    assert f"{syntax.MAX_TEXT:,} characters" in PAGE
    assert f"{syntax.MAX_PARAMETERS:,} parameters and {syntax.MAX_NODES:,} operators" in PAGE


def test_the_python_example() -> None:
    definition = task("task axpy(a: scalar, x: read, y: read_write) { y = a * x + y }")
    kernel = definition.instantiate("axpy_f32", [("f4", 2), ("f4", 2)], [float])
    assert kernel.argument_types == ((np.dtype("f4"), 2),) * 2

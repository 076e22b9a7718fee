"""What the task language says about mistakes: the kind of error, the place, and the words."""

from __future__ import annotations

import pytest

from fuseir.errors import (
    DTypeError,
    FuseirError,
    LimitError,
    ParseError,
    ShapeError,
    UnsupportedError,
    UsageError,
    VerifyError,
)
from fuseir.lang import parse_tasks, task
from fuseir.lang.syntax import MAX_NODES, MAX_TEXT


def error_of(text: str, kind: type[FuseirError]) -> FuseirError:
    """The error that a text with a ``»`` in front of the mistake makes; checks that it points there."""
    before, mark, after = text.partition("»")
    assert mark
    with pytest.raises(kind) as caught:
        parse_tasks(before + after, "file.task")
    check_place(caught.value, before, after)
    return caught.value


def check_place(error: FuseirError, before: str, after: str) -> None:
    location = error.location
    assert location is not None
    line, column = before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1
    assert (location.file, location.line, location.column) == ("file.task", line, column), error.diagnostic()
    assert location.text == (before + after).split("\n")[line - 1]
    assert error.diagnostic().splitlines()[2] == "  " + " " * (column - 1) + "^"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("task f(x: read, y: write) { y = 2 x »}", "unexpected `}`, expected `=` after `x`"),
        ("task f(x: read, y: write) { y = x < 1 »< 2 }", "comparisons do not chain"),
        ("task f(x: read, y: write) { y = x &»& x }", "unexpected `&`, expected an expression"),
        ("task f(x: read, y: write) { y = x |»| x }", "unexpected `|`, expected an expression"),
        ("task f(x: read, y: write) { y = »!x }", "unexpected character '!'"),
        ("task f(x: read, y: write) { y = x »? 1 : 2 }", "unexpected character '?'"),
        ("task f(x: read, y: write) { y = x»[0] }", "unexpected character '['"),
        ("task f(x: read, y: write) { y = x »@ x }", "unexpected character '@'"),
        ("task f(x: read, y: write) { y = µ }".replace("µ", "»µ"), "unexpected character 'µ'"),
        ("task f(x: read, y: write) { y = (x + 1 »}", "unexpected `}`"),
        ("task f(x: read, y: write) { y = x + »}", "unexpected `}`, expected an expression"),
        ("task f(x: read, y: write) { y = select(x »= 1, 2, 3) }".replace("»= 1", "= »y"), "unexpected `y`"),
        ("task f(x: read, y: write) { y »== x }", "unexpected `==`"),
        ("task f(x: read, y: write) {\n  »// a comment\n  y = x\n}", "unexpected `//`"),
        ("task f(x: read, y: write) { if »x > 0 { y = x } }", "unexpected `x`"),
        ("task f(x: read, y: write) { y = x", None),
        ("task f(x: read, »let: write) { y = x }", "`let` is a keyword and cannot be a name"),
        ("task »and(x: read, y: write) { y = x }", "`and` is a keyword"),
        ("task f(x »read, y: write) { y = x }", "unexpected `read`, expected `:`"),
        ("task f(x: read, y: reduce<add») { y += x }", "unexpected `)`, expected `>`"),
        ("»tsk f(x: read, y: write) { y = x }", "unexpected `tsk`, expected `task`"),
        ("task f(x: read, y: write) { y = x } »}", "unexpected `}`"),
        ("task f(x: read, s: reduce<add>) { s = sum(x, »axes=0) }", "there is no keyword argument `axes`"),
        ("task f(x: read, s: reduce<add>) { s = sum(x, axis=»1.5) }", "an axis is a whole number"),
        ("task f(x: read, s: reduce<add>) { s = sum(x, axis=0, »axis=1) }", "`axis` is given twice"),
        ("task f(x: read, s: reduce<add>) { s = »sum(axis=0, x) }", "`axis=` comes last"),
        ("task f(x: read, y: write) { y = 1 »2 }", "unexpected `2`, expected an operator"),
        ("task f(x: read, y: write) { y = x +\n\n  »let z = 1 }", "`let` is a keyword"),
    ],
)
def test_syntax_errors(text: str, message: str | None) -> None:
    if message is None:
        error, message = error_of(text + "»", ParseError), "the text ends where an operator"
    else:
        error = error_of(text, ParseError)
    assert error.message.startswith(message)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("task f(x: read, »x: write) { x = 1 }", "there is a parameter `x` already"),
        ("task f(x: »raed, y: write) { y = x }", "`raed` is not a privilege (did you mean `read`?)"),
        ("task f(x: read, s: »reduce) { s += x }", "a reduction needs an operator: reduce<add>"),
        ("task f(x: read, s: »reduce<sub>) { s += x }", "`sub` is not a reduction operator"),
        ("task f(x: »read<add>, y: write) { y = x }", "`read` takes no operator"),
        ("task f(»true: read, y: write) { y = 1 }", "`true` is a constant and cannot be a parameter"),
        ("task »f(x: read) { }", "task `f` writes nothing"),
        ("task »f(a: scalar) { }", "task `f` writes nothing"),
        (
            "task f(x: read, y: write) { y = x }\ntask »f(x: read, y: write) { y = x }",
            "there is a task `f` already, on line 1",
        ),
        ("task f(x: read, y: write) { y = »z }", "unknown name `z`"),
        ("task f(value: read, y: write) { y = »valeu }", "unknown name `valeu` (did you mean `value`?)"),
        ("task f(x: read, y: write) { y = »sqrt }", "`sqrt` is a function: call it, as in `sqrt(x)`"),
        ("task f(x: read, y: write) { y = »sqr(x) }", "unknown function `sqr` (did you mean `sqrt`?)"),
        ("task f(x: read, y: write) { y = »x(1) }", "`x` is a value and cannot be called"),
        ("task f(x: read, y: write) { y = »hypot(x) }", "`hypot` takes 2 arguments, not 1"),
        ("task f(x: read, y: write) { y = »sqrt() }", "`sqrt` takes 1 argument, not 0"),
        ("task f(x: read, y: write) { y = »f32(x, x) }", "`f32` takes 1 argument, not 2"),
        ("task f(x: read, y: write) { y = »max(x, 0) }", "`max` takes 1 argument, not 2"),
        ("task f(x: read, y: write) { y = 1 + »sum(x) }", "the reduction `sum` cannot be part of an expression"),
        ("task f(x: read, y: write) { let m = »max(x)  y = x - m }", "the reduction `max` cannot be a local value"),
        ("task f(x: read, y: write) { y = »sqrt(x, axis=0) }", "`sqrt` is not a reduction and takes no `axis`"),
        ("task f(x: read, s: reduce<add>) { s = »sum(x, axis=(0, 0)) }", "an axis is named twice"),
        ("task f(x: read, y: write) { »x = 1  y = x }", "`x` is a read argument and cannot be assigned"),
        ("task f(a: scalar, y: write) { »a = 1  y = a }", "`a` is a scalar and cannot be assigned"),
        ("task f(x: read, y: write) { »z = x  y = z }", "`z` is not an argument of the task"),
        ("task f(x: read, y: write) { let t = x  »t = 1  y = t }", "`t` is a local name and keeps its value"),
        ("task f(x: read, y: write) { let »x = 1  y = x }", "`x` is a parameter of the task already"),
        ("task f(x: read, y: write) { let t = x  let »t = x  y = t }", "there is a local name `t` already"),
        ("task f(x: read, y: write) { let »true = x  y = true }", "`true` is a constant"),
        ("task f(x: read, y: write) { y = »y + x }", "`y` is a write argument: it cannot be read before"),
        ("task f(x: read, y: write) { »y += x }", "`y` is a write argument: it cannot be read before"),
        ("task f(x: read, »y: write) { let z = x }", "`y` is a write argument, but the task never assigns it"),
        ("task f(x: read, »y: read_write, z: write) { z = y }", "`y` is a read_write argument, but the task never"),
        ("task f(x: read, »s: reduce<add>, z: write) { z = x }", "`s` is reduce<add>, but the task never assigns it"),
        ("task f(x: read, s: reduce<add>) { s »= x }".replace("s »=", "»s ="), "`s` is reduce<add>: it is folded into"),
        ("task f(x: read, s: reduce<max>) { s »+= x }", "`s` is reduce<max>, which `+=` is not: write `s = max(…)`"),
        ("task f(x: read, s: reduce<add>) { »s = max(x) }", "`s` is reduce<add>, which `max` is not: write `s += …`"),
        ("task f(x: read, s: reduce<add>) { s »-= x }", "`s` is reduce<add>: it is folded into"),
        ("task f(x: read, s: reduce<add>) { s »+= sum(x) }", "`+=` and `sum` both reduce: write `s = sum(…)`"),
        ("task f(x: read, s: reduce<add>) { s += x  »s += x }", "`s` is reduced into already"),
        ("task f(x: read, s: reduce<add>, y: write) { s += x  y = »s }", "`s` is the result of a reduction"),
        ("task f(x: read, s: reduce<add>, y: write) { y = »s  s += x }", "`s` is reduce<add>: it can be folded into"),
        ("task f(x: read, s: write, y: write) { s = sum(x)  y = x / »s }", "`s` is the result of a reduction"),
        (
            "task f(x: read, p: reduce<min>) { »p = argmin(x, axis=0) }",
            "`p` is reduce<min>: where a value is goes into",
        ),
        ("task f(x: read, y: write) { y = x + »argmax(x) }", "the reduction `argmax` cannot be part of an expression"),
        ("task f(x: read, s: write) { s = x  »s = sum(x) }", "`s` is assigned already and cannot be reduced into"),
        ("task f(x: read, s: read_write) { »s = sum(x) }", "`s` is a read_write argument: a reduction goes into"),
        ("task f(x: read,\n       y: write) {\n  y = x\n    + »zz\n}", "unknown name `zz`"),
    ],
)
def test_tasks_that_make_no_sense_for_any_type(text: str, message: str) -> None:
    assert error_of(text, VerifyError).message.startswith(message)


@pytest.mark.parametrize(
    ("text", "types", "kind", "message"),
    [
        ("task f(x: read, y: write) { y = x »- x }", "??", DTypeError, "`-` is not defined for bool and bool"),
        ("task f(x: read, y: write) { y = »-x }", "??", DTypeError, "`-` is not defined for bool"),
        (
            "task f(x: read, y: write) { y = x »<< 1 }",
            "dd",
            DTypeError,
            "`<<` is not defined for float64 and an integer",
        ),
        (
            "task f(x: read, y: write) { y = x »& 1.5 }",
            "ii",
            DTypeError,
            "`&` is not defined for int32 and a float literal",
        ),
        ("task f(x: read, y: write) { y = »~x }", "ff", DTypeError, "`~` is not defined for float32"),
        ("task f(x: read, y: read_write) { y = x »| y }", "qQ", DTypeError, "`|` is not defined for int64 and uint64"),
        ("task f(x: read, y: write) { »y = x }", "di", DTypeError, "cannot assign float64 to `y`, which is int32"),
        ("task f(x: read, y: write) { »y = x }", "iI", DTypeError, "cannot assign int32 to `y`, which is uint32"),
        ("task f(x: read, y: write) { »y = 1.5 }", "ii", DTypeError, "cannot assign a float literal to `y`"),
        ("task f(x: read, y: write) { »y = 300 }", "bb", DTypeError, "the literal 300 does not fit int8"),
        ("task f(x: read, y: write) { »y = x + 1 }", "??", DTypeError, "cannot assign int64 to `y`, which is bool"),
        ("task f(x: read, y: write) { y = x »+ 1000 }", "bb", DTypeError, "the literal 1000 does not fit int8"),
        ("task f(x: read, y: write) { y = x »* -1 }", "BB", DTypeError, "the literal -1 does not fit uint8"),
        ("task f(x: read, y: write) { y = x »** -1 }", "ii", DTypeError, "integers to negative integer powers"),
        ("task f(x: read, y: write) { y = »i8(200) + x }", "bb", DTypeError, "the literal 200 does not fit int8"),
        ("task f(x: read, y: write) { y = x + 1 »/ 0 }", "dd", LimitError, "division by zero between literals"),
        (
            "task f(x: read, y: write) { y = x + 9 »** 9 ** 9 }",
            "dd",
            LimitError,
            "an int",
        ),
        (
            "task f(x: read, y: write) { y = x * »99999999999999999999 }",
            "dd",
            LimitError,
            "an integer literal is between",
        ),
        ("task f(x: read, y: write) { y = x + (1 »<< 99999999) }", "dd", LimitError, "an integer literal is between"),
        ("task f(x: read, y: write) { y = x * (1e300 »* 1e300) }", "dd", None, ""),
        ("task f(x: read, y: write) { y = x + (-8.0) »** 0.5 }", "dd", LimitError, "this power is a complex number"),
        (
            "task f(x: read, y: write) { y = x + (1.5 »<< 2) }",
            "dd",
            LimitError,
            "`<<` is not defined for float literals",
        ),
        ("task f(»x: read, y: write) { y = x }", "Dd", UnsupportedError, "`x` has element type complex128"),
    ],
)
def test_tasks_that_make_no_sense_for_some_types(
    text: str, types: str, kind: type[FuseirError] | None, message: str
) -> None:
    before, _, after = text.partition("»")
    (definition,) = parse_tasks(before + after, "file.task")
    arguments = [(dtype, 1) for dtype in types]
    if kind is None:
        definition.instantiate("k", arguments)
        return
    with pytest.raises(kind) as caught:
        definition.instantiate("k", arguments)
    check_place(caught.value, before, after)
    assert caught.value.message.startswith(message)


@pytest.mark.parametrize(
    ("text", "ranks", "message"),
    [
        ("task f(x: read, y: write) { »y = x }", [2, 1], "`y` has rank 1, but the task runs over rank 2"),
        (
            "task f(x: read, s: reduce<add>) { s »+= x }".replace("s »+=", "»s +="),
            [2, 1],
            "`s` has rank 1, but 2 of the",
        ),
        ("task f(x: read, s: reduce<add>) { »s = sum(x, axis=0) }", [3, 1], "`s` has rank 1, but 2 of the task's 3"),
        ("task f(x: read, s: reduce<add>) { s = »sum(x, axis=2) }", [2, 1], "axis 2 is out of range"),
        ("task f(x: read, s: reduce<add>) { s = »sum(x, axis=(0, -2)) }", [2, 0], "an axis is named twice"),
        (
            "task f(x: read, y: read, »s: reduce<add>) { s += y }".replace("»", "").replace("s +=", "»s +="),
            [2, 1, 0],
            "the value",
        ),
    ],
)
def test_ranks_that_do_not_fit(text: str, ranks: list[int], message: str) -> None:
    before, _, after = text.partition("»")
    (definition,) = parse_tasks(before + after, "file.task")
    with pytest.raises(ShapeError) as caught:
        definition.instantiate("k", [("f8", rank) for rank in ranks])
    check_place(caught.value, before, after)
    assert caught.value.message.startswith(message)


@pytest.mark.parametrize(
    ("operator", "dtype", "statement"),
    [("add", "?", "s += x"), ("and", "f8", "s &= i64(x)"), ("or", "f4", "s = any(x)"), ("xor", "f8", "s ^= i64(x)")],
)
def test_reductions_that_a_type_does_not_have(operator: str, dtype: str, statement: str) -> None:
    definition = task(f"task f(x: read, s: reduce<{operator}>) {{ {statement} }}")
    with pytest.raises(DTypeError, match=f"cannot be reduced by `{operator}`"):
        definition.instantiate("k", [("?", 1), (dtype, 0)])


def test_an_error_shows_line_caret_and_note() -> None:
    with pytest.raises(VerifyError) as caught:
        parse_tasks("task f(x: read, y: write) {\n  y = x\n  x = y\n}", "file.task")
    assert caught.value.diagnostic() == (
        "file.task:3:3: error: `x` is a read argument and cannot be assigned [FIR-E002]\n"
        "    x = y\n"
        "    ^\n"
        "note: declare it `write`, or `read_write` if it is read as well"
    )


def test_windows_line_ends_and_tabs_leave_places_right() -> None:
    with pytest.raises(VerifyError) as caught:
        parse_tasks("task f(x: read, y: write) {\r\n\ty = zz\r\n}", "file.task")
    assert caught.value.diagnostic().splitlines()[:3] == [
        "file.task:2:6: error: unknown name `zz` [FIR-E002]",
        "  \ty = zz",
        "  \t    ^",
    ]


def test_wrong_uses_of_the_api() -> None:
    text = "task f(a: scalar, x: read, y: write) { y = a * x }"
    with pytest.raises(UsageError, match="2 arguments, but 1 types"):
        task(text).instantiate("k", [("f8", 1)], ["f8"])
    with pytest.raises(UsageError, match="1 scalar, but 0 types"):
        task(text).instantiate("k", [("f8", 1), ("f8", 1)])
    with pytest.raises(ShapeError, match="rank -1"):
        task(text).instantiate("k", [("f8", -1), ("f8", 1)], ["f8"])
    with pytest.raises(UsageError, match="one task, not of 2"):
        task(text + text.replace("f(", "g("))
    with pytest.raises(UsageError, match="one task, not of 0"):
        task("# nothing\n")
    with pytest.raises(UsageError, match="signature already"):
        task(text, "task f(x: read)")


def test_limits() -> None:
    with pytest.raises(LimitError, match=f"at most {MAX_TEXT} characters"):
        parse_tasks("#" * (MAX_TEXT + 1))
    with pytest.raises(LimitError, match=f"more than {MAX_NODES}"):
        parse_tasks("task f(x: read, y: write) { y = " + " + ".join(["x"] * MAX_NODES) + " }")
    with pytest.raises(LimitError, match="at most 400 characters"):
        task("task f(x: read, y: write) { y = " + "9" * 500 + " }").instantiate("k", [("f8", 1)] * 2)
    with pytest.raises(LimitError, match="at most 1000 parameters"):
        parse_tasks("task f(" + ", ".join(f"x{i}: read" for i in range(1001)) + ") { }")


@pytest.mark.parametrize(
    "expression",
    [
        "+".join(["x"] * 9000),
        "-" * 10_000 + "x",
        "(" * 20_000 + "x" + ")" * 20_000,
        "sqrt(" * 5000 + "x" + ")" * 5000,
        "**".join(["x"] * 5000),
        "1" + "+1" * 9000,
        "not " * 9001 + "x",
    ],
    ids=["sum", "signs", "parentheses", "calls", "powers", "literals", "nots"],
)
def test_long_and_deep_expressions_work(expression: str) -> None:
    definition = task(f"task f(x: read, y: read_write) {{ y = {expression} }}")
    definition.instantiate("k", [("f8", 1), ("f8", 1)])


def test_hostile_texts_fail_fast() -> None:
    for text in [
        "(" * 500_000,
        "x" * 900_000,
        "9" * 900_000,
        "task " * 100_000,
        "#" * 900_000 + "\n@",
        "\n" * 900_000 + "@",
    ]:
        with pytest.raises(FuseirError):
            parse_tasks(text)

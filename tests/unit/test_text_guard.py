"""The look at untrusted text before xDSL reads it: what it refuses, where, and that it takes linear time."""

import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuseir.dialects.text_guard import MAX_INPUT_BYTES, MAX_LIST_LENGTH, MAX_NESTING, check_text, decode
from fuseir.errors import FuseirError, LimitError, ParseError


def refusal(text: str) -> tuple[type[FuseirError], int, int, str]:
    with pytest.raises(FuseirError) as caught:
        check_text(text, "f.mlir")
    location = caught.value.location
    assert location is not None
    return type(caught.value), location.line, location.column, caught.value.message


def test_accepts_what_only_looks_deep() -> None:
    # Arrows and comparisons close nothing; brackets in strings and comments open nothing.
    check_text("%0 = a.b -> c >= d <= e\n" * 500, "f")
    check_text('"' + "(" * 100 + '" // ' + "[" * 100 + "\n", "f")
    check_text("(" * MAX_NESTING + ")" * MAX_NESTING, "f")
    check_text("({<[" * (MAX_NESTING // 4) + "]>})" * (MAX_NESTING // 4) + "({})" * 100, "f")
    # A bracket left open inside a pair is closed with it.
    check_text("(<)" * 100 + "{[}" * 100, "f")


def test_lists_are_bounded_per_operation_only() -> None:
    values = ", ".join(["%0"] * MAX_LIST_LENGTH)
    check_text(f'"a.b"({values})\n"a.b"({values})\nreturn {values}\nreturn {values}\n', "f")
    check_text("[" + "1, " * (2 * MAX_LIST_LENGTH) + "]", "f")
    assert refusal(f"\n  return {values}, %last")[:3] == (LimitError, 2, 10 + 4 * MAX_LIST_LENGTH)
    assert refusal(f"f({values}, %last)")[0] is LimitError
    assert refusal(f"load %m[{values}, %last]")[0] is LimitError


@pytest.mark.parametrize(
    ("text", "kind", "line", "column"),
    [
        ('ok\n  "abc', ParseError, 2, 3),
        ('"abc\\', ParseError, 1, 1),
        ('x "a\\q"', ParseError, 1, 5),
        ('"a\\0"', ParseError, 1, 3),
        ("\n" + "(" * 65, LimitError, 2, 65),
        ("a\x00b", ParseError, 1, 2),
        ("a\n\ud800", ParseError, 2, 1),
        ("1" * 21, LimitError, 1, 1),
        ("-123456789012345678901", LimitError, 1, 2),
        ("0x" + "f" * 33, LimitError, 1, 1),
        ("x" * 1025, LimitError, 1, 1),
        ("%" + "1" * 1025, LimitError, 1, 1),
        ("\té", ParseError, 1, 2),
    ],
)
def test_refuses_with_the_place(text: str, kind: type[FuseirError], line: int, column: int) -> None:
    assert refusal(text)[:3] == (kind, line, column)


def test_decoding() -> None:
    assert decode(b"\xef\xbb\xbfabc", "f") == "abc"
    with pytest.raises(ParseError, match="byte offset 5") as caught:
        decode(b"ab\n\xc3\xa9\xff", "f")
    assert caught.value.location is not None
    assert (caught.value.location.line, caught.value.location.column) == (2, 2)
    with pytest.raises(LimitError):
        decode(bytes(MAX_INPUT_BYTES + 1), "f")


@pytest.mark.parametrize("unit", ['"a\\n', '"', "(", "<", "a", "1", "1.", "//", "%a,", "-", "\\", "[>", "({})"])
def test_time_is_linear(unit: str) -> None:
    start = time.process_time()
    text = unit * (1_000_000 // len(unit))
    with suppress(FuseirError):
        check_text(text, "f")
    assert time.process_time() - start < 2.0


@given(st.text(alphabet='"\\%@#!^ab01.x,-+*<>()[]{}=:/ \n\té\x00', max_size=200))
def test_never_raises_anything_else(text: str) -> None:
    error = None
    try:
        check_text(text, "f")
    except FuseirError as caught:
        error = caught
    assert error is None or error.location is not None

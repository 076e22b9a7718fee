"""A look at untrusted IR text before xDSL reads it.

xDSL's lexer and parser are written for text that people wrote: an unterminated string takes exponential time, deep nesting
overflows the stack, a long operand list takes quadratic time. ``check_text`` refuses such text in one linear pass, with the
place of the fault. It knows tokens and brackets and nothing of the grammar: whatever it lets through may still be wrong, but
is safe to parse.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NoReturn

from fuseir.errors import FuseirError, LimitError, ParseError, SourceLocation

MAX_INPUT_BYTES = 64 * 2**20
MAX_NESTING = 64
MAX_INTEGER_DIGITS = 20
MAX_HEX_DIGITS = 32
MAX_FLOAT_CHARACTERS = 1024
# xDSL splits `1x1x1…` off identifiers one character at a time, which is quadratic in the identifier.
MAX_IDENTIFIER_CHARACTERS = 1024
MAX_LIST_LENGTH = 4096
# Affine expressions become trees as deep as the chain is long, and everything that walks them is recursive.
MAX_OPERATOR_CHAIN = 64

_CLOSERS = {")": "(", "]": "[", "}": "{", ">": "<"}

# Possessive quantifiers keep this linear where the text is not a string after all.
STRING_PATTERN = r'"[^"\\\n\v\f]*+(?:\\(?:["nt\\]|[0-9A-Fa-f]{2})[^"\\\n\v\f]*+)*+"'

_TOKEN = re.compile(
    rf"""
      (?P<comment>//[^\n]*+)
    | (?P<string>{STRING_PATTERN})
    | (?P<quote>")
    | (?P<symbol>@|[\#!^][A-Za-z0-9$._-]++)
    | (?P<value>%[A-Za-z0-9$._-]++)
    | (?P<word>[A-Za-z_][A-Za-z0-9_$.]*+)
    | (?P<number>0x[0-9a-fA-F]++|[0-9]++(?:\.[0-9]*+(?:[eE][+-]?[0-9]++)?)?)
    | (?P<neutral>->|[<>]=|=|:)
    | (?P<comma>,)
    | (?P<open>[(\[{{<])
    | (?P<close>[)\]}}>])
    | (?P<operator>[-+*])
    | (?P<foreign>[^\x00-\x7f])
    """,
    re.VERBOSE,
)
_WORD_OPERATORS = frozenset({"floordiv", "ceildiv", "mod"})
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")


def location_at(text: str, offset: int, filename: str) -> SourceLocation:
    """The line and column (both from 1, columns in characters) of a position in ``text``."""
    start = text.rfind("\n", 0, offset) + 1
    end = text.find("\n", offset)
    # Diagnostics are printed on terminals, which obey control characters.
    line_text = _CONTROL.sub("\ufffd", text[start : end if end >= 0 else len(text)].rstrip("\r"))
    return SourceLocation(filename, text.count("\n", 0, start) + 1, offset - start + 1, line_text)


def decode(data: bytes, filename: str) -> str:
    """UTF-8 bytes as text, without a leading byte order mark; ParseError names the byte that is not UTF-8."""
    if len(data) > MAX_INPUT_BYTES:
        raise LimitError(f"{filename}: input of {len(data)} bytes (limit {MAX_INPUT_BYTES})")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        readable = data.decode("utf-8", "replace")
        # Characters before the fault decode to themselves, so their number is where the fault is.
        offset = len(data[: error.start].decode("utf-8"))
        message = f"not UTF-8: byte 0x{data[error.start]:02x} at byte offset {error.start}"
        raise ParseError(message, location=location_at(readable, offset, filename)) from None
    return text.removeprefix("\ufeff")


def check_text(text: str, filename: str) -> None:
    """Refuse text that xDSL would take too long, too much memory or too deep a stack to read.

    Raises ParseError for what no IR file may contain, and LimitError for what is too large; both are located.
    """
    if len(text) > MAX_INPUT_BYTES:
        raise LimitError(f"{filename}: input of {len(text)} characters (limit {MAX_INPUT_BYTES})")
    if bad := _CONTROL.search(text):
        _refuse(ParseError, f"control character U+{ord(bad[0]):04X}", text, bad.start(), filename)
    if bad := _SURROGATE.search(text):
        _refuse(ParseError, f"lone surrogate U+{ord(bad[0]):04X}", text, bad.start(), filename)
    _Scan(text, filename).run()


def _refuse(kind: type[FuseirError], message: str, text: str, offset: int, filename: str) -> NoReturn:
    raise kind(message, location=location_at(text, offset, filename))


@dataclass
class _Level:
    """One open bracket: what it is, where it stands, and how many items were seen directly inside it."""

    bracket: str
    offset: int
    items: int = 0


class _Scan:
    """The state of one pass over the tokens."""

    def __init__(self, text: str, filename: str) -> None:
        self.text = text
        self.filename = filename
        # The file itself is the outermost level; it is never closed.
        self.levels = [_Level("{", 0)]
        self.operators = 0

    def run(self) -> None:
        previous = ""
        for match in _TOKEN.finditer(self.text):
            kind = match.lastgroup
            if kind == "comment":
                continue
            if kind == "word":
                self._word(match[0], match.start())
            elif kind == "value":
                self._value(match[0], match.start(), previous)
            elif kind == "open":
                self._open(match[0], match.start())
            elif kind == "close":
                self._close(match[0])
            elif kind == "comma":
                self._comma(match.start())
            elif kind == "number":
                self._number(match[0], match.start())
            elif kind == "operator":
                self._operator(match.start())
            elif kind == "symbol":
                self._check_identifier(match[0], match.start())
            elif kind == "neutral":
                self.operators = 0
            elif kind == "quote":
                self._bad_string(match.start())
            elif kind == "foreign":
                character = f"character {match[0]!r} (U+{ord(match[0]):04X}) outside strings and comments"
                _refuse(ParseError, character, self.text, match.start(), self.filename)
            previous = kind or ""

    def _limit(self, message: str, offset: int) -> NoReturn:
        _refuse(LimitError, message, self.text, offset, self.filename)

    def _open(self, bracket: str, offset: int) -> None:
        # The file's own level does not count.
        if len(self.levels) > MAX_NESTING:
            self._limit(f"brackets nested more than {MAX_NESTING} deep", offset)
        self.levels.append(_Level(bracket, offset))

    def _close(self, bracket: str) -> None:
        # Which brackets match is the parser's business; here a stray `>` is ignored, and any other closer also closes
        # what was left open inside its pair.
        opener = _CLOSERS[bracket]
        if len(self.levels) == 1:
            return
        if self.levels[-1].bracket == opener:
            self.levels.pop()
        elif bracket != ">" and any(level.bracket == opener for level in self.levels[1:]):
            while self.levels.pop().bracket != opener:
                pass

    def _word(self, word: str, offset: int) -> None:
        if word in _WORD_OPERATORS:
            self._operator(offset)
        elif "." in word:
            # The name of an operation: a new statement.
            self.operators = 0
        self._check_identifier(word, offset)

    def _check_identifier(self, word: str, offset: int) -> None:
        if len(word) > MAX_IDENTIFIER_CHARACTERS:
            self._limit(f"identifier of {len(word)} characters (limit {MAX_IDENTIFIER_CHARACTERS})", offset)

    def _value(self, name: str, offset: int, previous: str) -> None:
        self._check_identifier(name, offset)
        level = self.levels[-1]
        if level.bracket == "{":
            # Statements follow each other at this level: only an unbroken list of values belongs to one operation.
            level.items = level.items + 1 if previous == "comma" else 1
        elif level.bracket == "[":
            level.items += 1
        self._check_items(level, offset)

    def _comma(self, offset: int) -> None:
        self.operators = 0
        level = self.levels[-1]
        if level.bracket == "(":
            # Operands, types, block arguments and regions all stand in parentheses; one comma separates two.
            level.items = max(level.items, 1) + 1
            self._check_items(level, offset)

    def _check_items(self, level: _Level, offset: int) -> None:
        if level.items > MAX_LIST_LENGTH:
            self._limit(f"list of more than {MAX_LIST_LENGTH} values or types", offset)

    def _number(self, number: str, offset: int) -> None:
        if "." in number:
            if len(number) > MAX_FLOAT_CHARACTERS:
                self._limit(f"float literal of {len(number)} characters (limit {MAX_FLOAT_CHARACTERS})", offset)
        elif number.startswith("0x"):
            if len(number) - 2 > MAX_HEX_DIGITS:
                self._limit(f"integer literal of {len(number) - 2} hex digits (limit {MAX_HEX_DIGITS})", offset)
        elif len(number) > MAX_INTEGER_DIGITS:
            self._limit(f"integer literal of {len(number)} digits (limit {MAX_INTEGER_DIGITS})", offset)

    def _operator(self, offset: int) -> None:
        self.operators += 1
        if self.operators > MAX_OPERATOR_CHAIN:
            self._limit(f"expression of more than {MAX_OPERATOR_CHAIN} operators", offset)

    def _bad_string(self, offset: int) -> NoReturn:
        """A quote that begins no string: say whether an escape or the end of the string is at fault."""
        body = re.compile(STRING_PATTERN[:-1]).match(self.text, offset)
        stop = body.end() if body else offset
        if self.text.startswith("\\", stop) and stop + 1 < len(self.text):
            escape = self.text[stop : stop + 2]
            _refuse(ParseError, f"invalid escape sequence {escape!r} in a string", self.text, stop, self.filename)
        _refuse(ParseError, "unterminated string", self.text, offset, self.filename)

"""Checks diagnostics against ``// expected-error {{text}}`` comments in the input, as mlir-opt does."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from fuseir.dialects.text_guard import location_at
from fuseir.errors import FuseirError, ParseError

_DIRECTIVE = re.compile(r"(?<![\w-])expected-(?P<kind>[a-z]+)(?P<rest>[^\n]*)")
_REST = re.compile(
    r"\s*(?:@(?:(?P<sign>[+-])(?P<lines>\d{1,6})|(?P<word>above|below|unknown)))?\s*\{\{(?P<text>.*?)\}\}.*"
)


@dataclass(frozen=True)
class Expectation:
    """An error that a comment announces; ``line`` is None for an error without a place."""

    line: int | None
    text: str
    comment_line: int

    def matches(self, error: FuseirError) -> bool:
        """Whether this is the error."""
        line = error.location.line if error.location else None
        return line == self.line and self.text in error.message


def find_expectations(text: str, filename: str) -> list[Expectation]:
    """The expectations in a file's comments. Raises ParseError for a comment that looks like one and is none."""
    found: list[Expectation] = []
    for comment in re.finditer(r"//[^\n]*", text):
        for directive in _DIRECTIVE.finditer(text, comment.start(), comment.end()):
            rest = _REST.fullmatch(directive["rest"])
            location = location_at(text, directive.start(), filename)
            if directive["kind"] != "error" or rest is None:
                raise ParseError("expected '// expected-error [@±N] {{text}}'", location=location)
            found.append(Expectation(_target_line(rest, location.line), rest["text"], location.line))
    return found


def _target_line(rest: re.Match[str], line: int) -> int | None:
    if rest["word"] == "unknown":
        return None
    if rest["word"]:
        return line + (1 if rest["word"] == "below" else -1)
    if rest["lines"]:
        return line + int(rest["sign"] + rest["lines"])
    return line


def mismatches(expectations: Sequence[Expectation], errors: Sequence[FuseirError], filename: str) -> list[str]:
    """What differs between the errors expected and those that occurred, a line of text each."""
    remaining = list(expectations)
    complaints: list[str] = []
    for error in errors:
        match = next((expected for expected in remaining if expected.matches(error)), None)
        if match is None:
            complaints.append(f"{error.location or filename}: error: unexpected error: {error.message}")
        else:
            remaining.remove(match)
    complaints += [
        f'{filename}:{missing.comment_line}: error: expected error "{missing.text}" was not produced'
        for missing in remaining
    ]
    return complaints

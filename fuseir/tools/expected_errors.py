"""Checks diagnostics against ``// expected-error {{text}}`` and ``// expected-remark {{text}}`` comments in the input."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from fuseir.dialects.text_guard import location_at
from fuseir.errors import ParseError, SourceLocation

_DIRECTIVE = re.compile(r"(?<![\w-])expected-(?P<kind>[a-z]+)(?P<rest>[^\n]*)")
_REST = re.compile(
    r"\s*(?:@(?:(?P<sign>[+-])(?P<lines>\d{1,6})|(?P<word>above|below|unknown)))?\s*\{\{(?P<text>.*?)\}\}.*"
)


class Finding(NamedTuple):
    """A diagnostic that occurred: ``kind`` is ``error`` or ``remark``."""

    kind: str
    location: SourceLocation | None
    message: str


@dataclass(frozen=True)
class Expectation:
    """A diagnostic that a comment announces; ``line`` is None for one without a place."""

    kind: str
    line: int | None
    text: str
    comment_line: int

    def matches(self, finding: Finding) -> bool:
        """Whether this is the diagnostic."""
        line = finding.location.line if finding.location else None
        return finding.kind == self.kind and line == self.line and self.text in finding.message


def find_expectations(text: str, filename: str) -> list[Expectation]:
    """The expectations in a file's comments. Raises ParseError for a comment that looks like one and is none."""
    found: list[Expectation] = []
    for comment in re.finditer(r"//[^\n]*", text):
        for directive in _DIRECTIVE.finditer(text, comment.start(), comment.end()):
            rest = _REST.fullmatch(directive["rest"])
            location = location_at(text, directive.start(), filename)
            if directive["kind"] not in ("error", "remark") or rest is None:
                raise ParseError(
                    "expected '// expected-error [@±N] {{text}}' or '… expected-remark …'", location=location
                )
            line = _target_line(rest, location.line)
            found.append(Expectation(directive["kind"], line, rest["text"], location.line))
    return found


def _target_line(rest: re.Match[str], line: int) -> int | None:
    if rest["word"] == "unknown":
        return None
    if rest["word"]:
        return line + (1 if rest["word"] == "below" else -1)
    if rest["lines"]:
        return line + int(rest["sign"] + rest["lines"])
    return line


def mismatches(expectations: Sequence[Expectation], findings: Sequence[Finding], filename: str) -> list[str]:
    """What differs between the diagnostics expected and those that occurred, a line of text each."""
    remaining = list(expectations)
    complaints: list[str] = []
    for finding in findings:
        match = next((expected for expected in remaining if expected.matches(finding)), None)
        if match is None:
            place = finding.location or filename
            complaints.append(f"{place}: error: unexpected {finding.kind}: {finding.message}")
        else:
            remaining.remove(match)
    complaints += [
        f'{filename}:{missing.comment_line}: error: expected {missing.kind} "{missing.text}" was not produced'
        for missing in remaining
    ]
    return complaints

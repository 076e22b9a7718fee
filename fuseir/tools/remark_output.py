"""Which remarks a user asked for, and how they are written: as text, JSON, or YAML as LLVM's tools read it."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from fuseir.errors import SourceLocation, UsageError
from fuseir.passes.remarks import Explanation, Remark, RemarkKind

FORMATS = ("text", "json", "yaml")

_FLAG_OF_KIND = {
    RemarkKind.PASSED: "passed",
    RemarkKind.MISSED: "missed",
    RemarkKind.FAILED: "failed",
    RemarkKind.ANALYSIS: "analyse",
}
# JSON strings are YAML strings, except that YAML wants these spelt out.
_UNPRINTABLE_IN_YAML = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


def add_remark_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that ask for remarks; any of them does."""
    group = parser.add_argument_group("remarks: what passes did and did not do, and why (to standard error)")
    group.add_argument("--remarks", action="store_true", help="show remarks; all of them without a filter")
    group.add_argument("--remarks-filter", metavar="REGEX", help="those of passes, or with codes, that match")
    for kind, word in _FLAG_OF_KIND.items():
        group.add_argument(f"--remarks-filter-{word}", metavar="REGEX", help=f"also the matching ones of kind '{kind}'")
    group.add_argument("--remark-format", choices=FORMATS, help="how to write them (default text)")
    group.add_argument("--remarks-output-file", metavar="FILE", help="write them there instead")


@dataclass(frozen=True)
class RemarkRequest:
    """What the command line says about remarks."""

    everywhere: re.Pattern[str] | None
    by_kind: Mapping[RemarkKind, re.Pattern[str]]
    format: str
    output_file: str | None

    def wants(self, remark: Remark) -> bool:
        """Whether a filter lets the remark through; patterns may match anywhere in the pass's name or the code."""
        patterns = (self.everywhere, self.by_kind.get(remark.kind))
        return any(
            pattern is not None and (pattern.search(remark.pass_name) or pattern.search(remark.code))
            for pattern in patterns
        )


def remark_request(args: argparse.Namespace) -> RemarkRequest | None:
    """What the arguments ask for, None if they ask for no remarks. Raises UsageError for a malformed pattern."""
    everywhere = _pattern("--remarks-filter", args.remarks_filter)
    by_kind: dict[RemarkKind, re.Pattern[str]] = {}
    for kind, word in _FLAG_OF_KIND.items():
        pattern = _pattern(f"--remarks-filter-{word}", getattr(args, f"remarks_filter_{word}"))
        if pattern is not None:
            by_kind[kind] = pattern
    filtered = everywhere is not None or bool(by_kind)
    if not (filtered or args.remarks or args.remark_format or args.remarks_output_file):
        return None
    return RemarkRequest(
        everywhere if filtered else re.compile(""), by_kind, args.remark_format or "text", args.remarks_output_file
    )


def _pattern(flag: str, text: str | None) -> re.Pattern[str] | None:
    if text is None:
        return None
    try:
        return re.compile(text)
    except (re.error, RecursionError, OverflowError) as error:
        raise UsageError(f"{flag}: malformed regular expression: {error}") from error


def with_lines_of(remark: Remark, name: str, lines: list[str]) -> Remark:
    """The remark with the text of the lines of the input that it names. Files that the input merely names are not opened."""

    def line_of(location: SourceLocation) -> str | None:
        if location.file != name or not 0 < location.line <= len(lines):
            return None
        return lines[location.line - 1].rstrip("\r")

    return remark.with_lines(line_of)


def format_remarks(remarks: Iterable[Remark], format_name: str) -> str:
    """The remarks in one of ``FORMATS``, ending in a newline unless empty."""
    if format_name == "json":
        return json.dumps([_as_json(remark) for remark in remarks], indent=2) + "\n"
    if format_name == "yaml":
        return "".join(_as_yaml(remark) for remark in remarks)
    explanation = Explanation(remarks)
    return f"{explanation}\n" if explanation else ""


def _as_json(remark: Remark) -> dict[str, Any]:
    return {
        "kind": str(remark.kind),
        "code": remark.code,
        "pass": remark.pass_name,
        "message": remark.message,
        "location": _place(remark.location),
        "tasks": [{"name": task.task, "location": _place(task.location)} for task in remark.tasks],
        "store": remark.store,
        "partitions": list(remark.partitions),
        "suggestion": remark.suggestion,
    }


def _place(location: SourceLocation | None) -> dict[str, Any] | None:
    if location is None:
        return None
    return {"file": location.file, "line": location.line, "column": location.column}


def _as_yaml(remark: Remark) -> str:
    """One document in the form of LLVM's remarks, which its viewers read; ``Function`` is the task the remark is about."""
    lines = [f"--- !{remark.kind.capitalize()}", f"Pass: {_quoted(remark.pass_name)}", f"Name: {_quoted(remark.code)}"]
    if remark.location is not None:
        lines.append(f"DebugLoc: {_debug_location(remark.location)}")
    lines.append(f"Function: {_quoted(remark.tasks[-1].task if remark.tasks else '')}")
    lines += ["Args:", f"  - String: {_quoted(remark.message)}"]
    for task in remark.tasks:
        lines.append(f"  - Task: {_quoted(task.task)}")
        if task.location is not None:
            lines.append(f"    DebugLoc: {_debug_location(task.location)}")
    if remark.store is not None:
        lines.append(f"  - Store: {_quoted(remark.store)}")
    lines += [f"  - Partition: {_quoted(partition)}" for partition in remark.partitions]
    if remark.suggestion is not None:
        lines.append(f"  - Suggestion: {_quoted(remark.suggestion)}")
    return "\n".join([*lines, "...", ""])


def _debug_location(location: SourceLocation) -> str:
    return f"{{ File: {_quoted(location.file)}, Line: {location.line}, Column: {location.column} }}"


def _quoted(text: str) -> str:
    return _UNPRINTABLE_IN_YAML.sub(lambda match: f"\\u{ord(match[0]):04x}", json.dumps(text, ensure_ascii=False))

"""Pass pipelines as users write them: ``a,b{x=1}`` and ``builtin.module(a,b{x=1})``.

xDSL reads the grammar; this module finds the place of what it, or the passes, object to.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from typing import NoReturn

from xdsl.passes import ModulePass
from xdsl.utils.arg_spec import ArgSpec, parse_pipeline
from xdsl.utils.exceptions import ArgSpecParseError

from fuseir.errors import SourceLocation, UsageError

MAX_PIPELINE_CHARACTERS = 2**16
_SOURCE = "<pass pipeline>"
_ANCHOR = re.compile(r"\s*builtin\.module\s*\(\s*(.*)\)\s*", re.DOTALL)

PassTable = Mapping[str, Callable[[], type[ModulePass]]]


def parse_passes(text: str, available: PassTable) -> list[ModulePass]:
    """The passes that a pipeline names, in order, with their options.

    Raises UsageError with the offending part of ``text``.
    """
    if len(text) > MAX_PIPELINE_CHARACTERS:
        raise UsageError(f"pass pipeline of {len(text)} characters (limit {MAX_PIPELINE_CHARACTERS})")
    anchored = _ANCHOR.fullmatch(text)
    body, offset = (anchored[1], anchored.start(1)) if anchored else (text, 0)
    passes: list[ModulePass] = []
    search_from = offset
    for spec in _specs(body, offset, text):
        at = _find(text, spec.name, search_from)
        search_from = at + len(spec.name)
        passes.append(_instantiate(spec, text, at, available))
    return passes


def suggestion(word: str, candidates: Sequence[str]) -> str:
    """``; did you mean 'x'?`` if some candidate is close to ``word``, else nothing."""
    close = get_close_matches(word[:100], candidates, n=1)
    return f"; did you mean '{close[0]}'?" if close else ""


def _specs(body: str, offset: int, text: str) -> list[ArgSpec]:
    try:
        return list(parse_pipeline(body.rstrip()))
    except ArgSpecParseError as error:
        # The exception keeps its place in its message only: `pass-pipeline:1:COLUMN`, then the text, a caret, the reason.
        message = str(error)
        column = re.search(r"pass-pipeline:1:(\d+)", message)
        at = offset + (int(column[1]) - 1 if column else 0)
        if re.compile(r"[.\w]*\(").match(text, at):
            unclosed = text.lstrip().startswith("builtin.module(") and offset == 0
            _refuse(
                "expected ')' at the end" if unclosed else "pipelines do not nest, except in 'builtin.module'", text, at
            )
        _refuse(message.strip().splitlines()[-1].strip(), text, at)
    except Exception as error:  # numbers too long to convert, strings with bad escapes
        _refuse(" ".join(str(error).split()), text, offset)


def _instantiate(spec: ArgSpec, text: str, at: int, available: PassTable) -> ModulePass:
    if spec.name not in available:
        _refuse(f"unknown pass '{spec.name}'{suggestion(spec.name, list(available))}", text, at)
    try:
        pass_type = available[spec.name]()
    except ImportError as error:
        _refuse(f"pass '{spec.name}' cannot be loaded: {error}", text, at)
    options = [field.name.replace("_", "-") for field in dataclasses.fields(pass_type) if field.init]
    for option in spec.parameters:
        if option.replace("_", "-") not in options:
            known = suggestion(option, options) or f" (it has {', '.join(options) or 'none'})"
            _refuse(f"pass '{spec.name}' has no option '{option}'{known}", text, _find(text, option, at))
    try:
        return pass_type.from_pass_spec(spec)
    except Exception as error:
        # Missing options and values of the wrong type; a pass may also check its options as it is made.
        _refuse(f"pass '{spec.name}': {' '.join(str(error).split())}", text, at)


def _find(text: str, word: str, start: int) -> int:
    found = re.compile(rf"(?<![\w-]){re.escape(word)}(?![\w-])").search(text, start)
    return found.start() if found else start


def _refuse(message: str, text: str, at: int) -> NoReturn:
    line_start = text.rfind("\n", 0, at) + 1
    line = text[line_start:].split("\n", 1)[0]
    location = SourceLocation(_SOURCE, text.count("\n", 0, at) + 1, at - line_start + 1, line)
    raise UsageError(message, location=location)

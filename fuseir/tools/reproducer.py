"""Reproducers: a file that holds an input and, in its first line, the passes that failed on it."""

from __future__ import annotations

import os
import re
import tempfile

from fuseir.errors import FuseirError, UsageError
from fuseir.tools.files import write_output

_HEADER = "// fuseir-opt reproducer, passes: "


def write_reproducer(path: str | None, text: str, pipeline: str) -> str:
    """Write a reproducer to ``path`` (None: a new temporary file) and say where it is."""
    body = f"{_HEADER}{pipeline}\n{text.lstrip()}"
    if path is None:
        try:
            descriptor, path = tempfile.mkstemp(prefix="fuseir-opt-", suffix=".mlir")
            os.close(descriptor)
        except OSError as error:
            return f"could not be written: {error.strerror}"
    try:
        write_output(path, body)
    except FuseirError as error:
        return f"could not be written: {error.message}"
    return path


def read_pipeline(text: str) -> str:
    """The passes that a reproducer's first line names."""
    match = re.match(rf"{re.escape(_HEADER)}(.*)", text)
    if match is None:
        raise UsageError(f"--run-reproducer: the input's first line is not '{_HEADER}...'")
    return match[1].strip()

"""How the command-line tools fail: exit codes, and what they print."""

from __future__ import annotations

import os
from typing import IO

from fuseir.errors import FuseirError, LimitError, UsageError

OK = 0
INPUT_ERROR = 1
USAGE_ERROR = 2
LIMIT_EXCEEDED = 3
INTERNAL_ERROR = 70


class InternalError(FuseirError):
    """A fault of FuseIR itself, found while it worked on a legal input."""

    code = "FIR-E070"


def exit_code(error: FuseirError) -> int:
    """The exit code that an error calls for."""
    if isinstance(error, InternalError):
        return INTERNAL_ERROR
    if isinstance(error, LimitError):
        return LIMIT_EXCEEDED
    if isinstance(error, UsageError):
        return USAGE_ERROR
    return INPUT_ERROR


def full_tracebacks() -> bool:
    """Whether the user asked to see Python tracebacks of internal errors."""
    return os.environ.get("FUSEIR_FULL_TRACEBACKS", "") not in ("", "0")


def print_diagnostic(error: FuseirError, stream: IO[str]) -> None:
    """Print an error for people; in colour only on a terminal whose user did not decline it (NO_COLOR)."""
    text = error.diagnostic()
    if stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb":
        text = text.replace("error:", "\x1b[1;31merror:\x1b[0m", 1)
    print(text, file=stream)

"""``fuseir-run``: executes a program of the dist dialect on arrays.

Like fuseir-opt it is made for input that nobody vouches for: it ends with one of the exit codes of ``fuseir.tools.failures`` and one
line on what was wrong, never with a traceback, and leaves no partial outputs.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from importlib.metadata import version


def main(arguments: Sequence[str] | None = None) -> int:
    """The command. Returns its exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if any(argument in ("--version", "-v") for argument in arguments):
        print(f"fuseir-run {version('fuseir')} (xDSL {version('xdsl')})")
        return 0
    for stream in (sys.stdout, sys.stderr):
        # Names in programs are UTF-8 whatever the locale; what cannot be encoded is not worth a crash.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")  # pyright: ignore[reportAttributeAccessIssue]
    try:
        code = _guarded(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader of our output went away (`| head`). Python would complain again when it closes the stream.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130
    return code


def _guarded(arguments: Sequence[str]) -> int:
    """Runs; turns every failure into a line and an exit code."""
    # Loads xDSL and NumPy, which take most of the time of a short run.
    from fuseir.errors import FuseirError, LimitError
    from fuseir.tools.failures import LIMIT_EXCEEDED, OK, InternalError, exit_code, full_tracebacks, print_diagnostic
    from fuseir.tools.run_arguments import parse_arguments
    from fuseir.tools.run_driver import execute

    try:
        execute(parse_arguments(arguments))
    except MemoryError as error:
        # A FuseirError, if it is one, says what for.
        shown = error if isinstance(error, FuseirError) else LimitError("out of memory")
        print_diagnostic(shown, sys.stderr)
        return LIMIT_EXCEEDED
    except FuseirError as error:
        print_diagnostic(error, sys.stderr)
        return exit_code(error)
    except BrokenPipeError:
        raise
    except Exception as error:
        if full_tracebacks():
            traceback.print_exc()
        fault = InternalError(f"{type(error).__name__}: {' '.join(str(error).split())[:500]}")
        print_diagnostic(fault, sys.stderr)
        return exit_code(fault)
    return OK


if __name__ == "__main__":
    sys.exit(main())

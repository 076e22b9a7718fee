"""``fuseir-opt``: reads IR, runs passes on it, prints the result or says what is wrong with it and where.

It is xdsl-opt with FuseIR's dialects and passes, with limits and located diagnostics, made for input that nobody vouches
for: whatever the input, it ends with one of the exit codes of ``fuseir.tools.failures`` and never with a traceback.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib.metadata import version


def main(arguments: Sequence[str] | None = None) -> int:
    """The command. Returns its exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if any(argument in ("--version", "-v") for argument in arguments):
        print(f"fuseir-opt {version('fuseir')} (xDSL {version('xdsl')})")
        return 0
    # Loads xDSL, which takes most of the time of a short run.
    from fuseir.tools.opt_driver import OptDriver

    for stream in (sys.stdout, sys.stderr):
        # The input is UTF-8 whatever the locale; what cannot be encoded is not worth a crash.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")  # pyright: ignore[reportAttributeAccessIssue]
    try:
        code = OptDriver(arguments).run()
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader of our output went away (`| head`). Python would complain again when it closes the stream.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return 130
    return code


if __name__ == "__main__":
    sys.exit(main())

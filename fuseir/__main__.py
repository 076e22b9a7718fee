"""``python -m fuseir``: see ``USAGE``."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import fuseir
from fuseir.tools.numpy_script import run

USAGE = """\
usage: python -m fuseir doctor
       python -m fuseir run [--doctor] script.py [argument ...]

doctor  says what FuseIR runs on here: versions, processors, the cache
run     runs a NumPy program with fuseir.numpy in place of NumPy, as docs/numpy.md says; --doctor adds, at its end,
        which of its lines waited for values, and what NumPy itself ran
"""


def main(arguments: Sequence[str]) -> int:
    """The command. Returns its exit code; what a script raises goes through."""
    match list(arguments):
        case ["doctor"]:
            print(fuseir.doctor())
        case ["run", "--doctor", script, *rest] if not script.startswith("-"):
            try:
                run(script, rest)
            finally:
                print(fuseir.doctor(), file=sys.stderr)
        case ["run", script, *rest] if not script.startswith("-"):
            run(script, rest)
        case ["-h" | "--help"]:
            print(USAGE, end="")
        case _:
            print(USAGE, end="", file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

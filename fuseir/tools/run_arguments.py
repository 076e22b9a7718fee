"""The command line of fuseir-run."""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

from fuseir.errors import UsageError
from fuseir.tools.limits import parse_size

_EPILOG = """\
SOURCE is a .npy file, or a word that fills the store by its declared shape and type: zeros, ones, full:VALUE, arange (0, 1, 2, … in
row-major order), linspace:FIRST:LAST, random:SEED, or random (of --seed and the store's name). Floats are drawn from [0, 1), integers
from their whole range. Write ./ones for a file of that name.

Every named store that is used before the program replaces all of it needs an --in. Outputs are written when the run is over, all or none.

--compare runs the program on both backends, prints one line for each named store, and fails if one differs by more than --ulp
units in the last place. All NaNs are equal; -0 and +0 are 1 ulp apart; integers must be equal.

Exit codes: 0 success, 1 the program or a file is at fault or backends differ, 2 the command line is at fault, 3 a limit was reached,
70 FuseIR is at fault. FUSEIR_FULL_TRACEBACKS=1 shows Python tracebacks of the last kind; NO_COLOR=1 turns colours off.
"""


@dataclass(frozen=True)
class RunOptions:
    """What a run is to do. Stores and scalars are by the names that the program gives them."""

    program: str
    inputs: dict[str, str]
    outputs: dict[str, str]
    prints: tuple[str, ...]
    scalars: dict[str, int | float]
    backend: str
    threads: int | None
    fuse: bool
    compare: bool
    ulp: int
    seed: int
    max_memory: int
    max_seconds: float


class _ArgumentParser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Say what is wrong, without the usage text."""
        self.exit(2, f"fuseir-run: error: {message}\nfuseir-run --help lists the options.\n")


def parse_arguments(arguments: Sequence[str]) -> RunOptions:
    """The options that a command line spells. Raises UsageError; exits as argparse does for --help and unknown flags."""
    found = _parser().parse_args(list(arguments))
    if found.compare and found.backend == "ref":
        raise UsageError("--compare compares a backend with the reference: choose one with --backend")
    return RunOptions(
        program=found.program,
        inputs=_bindings("--in", "SOURCE", found.inputs),
        outputs=_bindings("--out", "FILE", found.outputs),
        prints=tuple(found.prints),
        scalars={name: _scalar(name, text) for name, text in _bindings("--scalar", "VALUE", found.scalars).items()},
        backend=found.backend,
        threads=found.threads,
        fuse=found.fuse,
        compare=found.compare,
        ulp=found.ulp,
        seed=found.seed,
        max_memory=parse_size(found.max_memory),
        max_seconds=found.max_seconds,
    )


def _parser() -> _ArgumentParser:
    parser = _ArgumentParser(
        prog="fuseir-run",
        description="Runs a program of the dist dialect on arrays.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("program", metavar="PROGRAM", help="a file of IR, or - for standard input")
    add(
        "--in",
        dest="inputs",
        action="append",
        default=[],
        metavar="NAME=SOURCE",
        help="contents of a store at the start",
    )
    add(
        "--out",
        dest="outputs",
        action="append",
        default=[],
        metavar="NAME=FILE",
        help="write a store's contents at the end",
    )
    add(
        "--print",
        dest="prints",
        action="append",
        default=[],
        metavar="NAME",
        help="print a store's contents at the end",
    )
    add("--scalar", dest="scalars", action="append", default=[], metavar="NAME=VALUE", help="the value of a scalar")
    add(
        "--backend",
        choices=("ref", "cpu"),
        default="cpu",
        help="what runs it: NumPy, slowly, or compiled code (default)",
    )
    add(
        "--threads",
        "--procs",
        type=_positive,
        metavar="N",
        help="worker threads of the cpu backend, over which the points of each launch are spread (default: all processors)",
    )
    add("--no-fuse", dest="fuse", action="store_false", help="run every launch on its own (cpu backend)")
    add("--compare", action="store_true", help="also run the reference, and compare")
    add("--ulp", type=_natural, default=4, metavar="N", help="how far --compare lets floats differ (default 4)")
    add(
        "--seed",
        type=_natural,
        default=0,
        metavar="N",
        help="seed of random inputs that have none of their own (default 0)",
    )
    add(
        "--max-memory", default="0", metavar="SIZE", help="give up beyond this much memory, as 4GiB (default: no limit)"
    )
    add("--max-seconds", type=_seconds, default=0.0, metavar="S", help="give up after this long (default: no limit)")
    return parser


def _bindings(flag: str, what: str, texts: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not (name and equals and value):
            raise UsageError(f"{flag} takes NAME={what}, got '{text}'")
        if name in found:
            raise UsageError(f"{flag} is given twice for '{name}'")
        found[name] = value
    return found


def _scalar(name: str, text: str) -> int | float:
    """A number, ``true`` or ``false``; whether it fits the scalar's type is the executor's to say."""
    if text in ("true", "false"):
        return int(text == "true")
    # 1e5 is a float in decimal, and would be an integer in hexadecimal: 0x says which.
    integer, fraction = (_hexadecimal, float.fromhex) if "0x" in text.lower() else (int, float)
    for parse in (integer, fraction):
        try:
            return parse(text)
        except (ValueError, OverflowError):
            continue
    raise UsageError(f"scalar '{name}': '{text}' is no number")


def _hexadecimal(text: str) -> int:
    return int(text, 16)


def _natural(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise argparse.ArgumentTypeError(f"'{text}' is no number of at most 18 digits")
    return int(text)


def _positive(text: str) -> int:
    number = _natural(text)
    if not 1 <= number <= 4096:
        raise argparse.ArgumentTypeError(f"{number} is not between 1 and 4096")
    return number


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds <= 1e6:
        raise argparse.ArgumentTypeError(f"'{text}' is no number of seconds up to 1e6")
    return seconds

"""The command line of fuseir-opt.

xdsl-opt's flags keep their spelling; mlir-opt's common ones exist too, also with one dash and with the ``--mlir-`` prefix,
so that RUN lines port both ways.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any, NoReturn

from fuseir.tools.limits import DEFAULT_MEMORY, DEFAULT_SECONDS
from fuseir.tools.pipeline import suggestion
from fuseir.tools.remark_output import add_remark_arguments

_EPILOG = """\
Passes run in the order in which -p, --pass-pipeline and pass flags stand on the command line. A pass flag takes options as
in --fuse-tasks='a=1 b=2'. Every flag may be written with one dash, and with the prefix --mlir-.

--verify-diagnostics=expected checks the diagnostics of the input against comments in it:
  // expected-error {{text}}         an error on this line whose message holds the text
  // expected-error @+2 {{text}}     on the second line after this one (@-1: the line before; @above, @below)
  // expected-error @unknown {{text}}  an error without a place
Every error must be expected and every expected error must occur. The same holds for remarks (expected-remark; the text may be part
of the message or the code) if an option asks for them.

Exit codes: 0 success, 1 the input is at fault, 2 the command line is, 3 a limit was reached, 70 FuseIR is at fault (a
reproducer is written). FUSEIR_FULL_TRACEBACKS=1 shows Python tracebacks of the last kind; NO_COLOR=1 turns colours off.
"""


class ArgumentParser(argparse.ArgumentParser):
    """argparse with short errors and no abbreviations, which would change meaning as flags are added."""

    def __init__(self, pass_flags: Sequence[str]) -> None:
        super().__init__(
            prog="fuseir-opt",
            description="Reads MLIR-like IR, runs passes on it, prints the result.",
            epilog=_EPILOG,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
            # xdsl-opt's -p replaces an earlier -p; ours, added later, adds up and takes its place.
            conflict_handler="resolve",
        )
        self._pass_flags = tuple(pass_flags)

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, without the usage text, which is longer than a screen."""
        for word in message.partition("unrecognized arguments: ")[2].split():
            message += suggestion(word.partition("=")[0], sorted(self.long_options()))
            break
        self.exit(2, f"fuseir-opt: error: {message}\nfuseir-opt --help lists the options.\n")

    def long_options(self) -> set[str]:
        """Every option that starts with two dashes."""
        actions = self._option_string_actions  # pyright: ignore[reportPrivateUsage]
        return {option for option in actions if option.startswith("--")}

    def normalise(self, arguments: Sequence[str]) -> list[str]:
        """The arguments with every spelling that argparse cannot express turned into one that it can."""
        known = self.long_options() | {f"--{name}" for name in self._pass_flags}
        result: list[str] = []
        for position, argument in enumerate(arguments):
            if argument == "--":
                return [*result, *arguments[position:]]
            result += self._spell_out(argument, known)
        return result

    def _spell_out(self, argument: str, known: set[str]) -> list[str]:
        flag, has_value, value = argument.partition("=")
        one_dash = flag.startswith("-") and not flag.startswith("--")
        if one_dash and (f"-{flag}" in known or flag.startswith("-mlir-")):
            flag = f"-{flag}"
        if flag.startswith("--mlir-") and flag not in known:
            flag = f"--{flag.removeprefix('--mlir-')}"
        name = flag.removeprefix("--")
        if flag.startswith("--") and name in self._pass_flags:
            return ["--passes", f"{name}{{{value}}}" if value else name]
        if flag == "--verify-diagnostics" and has_value:
            if value != "expected":
                self.error(f"argument --verify-diagnostics: invalid choice: '{value}' (choose 'expected', or no value)")
            return ["--expected-diagnostics"]
        if flag == "--verify-each" and has_value:
            if value.lower() not in ("true", "false", "1", "0"):
                self.error(f"argument --verify-each: invalid choice: '{value}' (choose 'true' or 'false')")
            return ["--verify-each" if value.lower() in ("true", "1") else "--no-verify-each"]
        return [flag + has_value + value]


class _AppendPipeline(argparse.Action):
    """Collects -p and --pass-pipeline in one list, so that their order is kept."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        namespace.passes = [*namespace.passes, str(values)]


class _Comma(argparse.Action):
    """Collects comma-separated names over repeated uses of a flag."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        setattr(namespace, self.dest, [*getattr(namespace, self.dest), *str(values).split(",")])


def add_fuseir_arguments(parser: ArgumentParser, pass_flags: Sequence[str]) -> None:
    """Add what fuseir-opt has beyond xdsl-opt, whose arguments ``parser`` has already."""
    _add_pipeline_arguments(parser, pass_flags)
    _add_printing_arguments(parser)
    add_remark_arguments(parser)
    _add_checking_arguments(parser)


def _add_pipeline_arguments(parser: ArgumentParser, pass_flags: Sequence[str]) -> None:
    group = parser.add_argument_group("passes")
    group.add_argument(
        "-p", "--passes", action=_AppendPipeline, default=[], metavar="A,B{X=1}", help="run these passes"
    )
    group.add_argument(
        "--pass-pipeline",
        action=_AppendPipeline,
        dest="passes",
        metavar="'builtin.module(A,B{X=1})'",
        help="run these passes, written as mlir-opt wants them",
    )
    group.add_argument("--list-passes", action="store_true", help="print the names of all passes and exit")
    group.add_argument("--show-dialects", action="store_true", help="print the names of all dialects and exit")
    for name in pass_flags:
        # For --help only: `normalise` turns these into --passes, so that their order is kept.
        group.add_argument(f"--{name}", action="store_true", help=argparse.SUPPRESS)
    group.description = "a flag for each of: " + ", ".join(f"--{name}" for name in pass_flags)


def _add_printing_arguments(parser: ArgumentParser) -> None:
    group = parser.add_argument_group("printing the IR between passes (to standard error)")
    for when in ("before", "after"):
        group.add_argument(
            f"--print-ir-{when}",
            action=_Comma,
            default=[],
            metavar="PASS,...",
            help=f"print the IR {when} these passes",
        )
        group.add_argument(f"--print-ir-{when}-all", action="store_true", help=f"print the IR {when} every pass")
    group.add_argument("--print-ir-after-change", action="store_true", help="of those, print only what changed the IR")
    group.add_argument("--print-ir-after-failure", action="store_true", help="print the IR after a pass that failed")
    group.add_argument(
        "--print-ir-tree-dir", metavar="DIR", help="write the IR after each pass to files below DIR instead"
    )
    group.add_argument("--timing", action="store_true", help="print how long each pass took (to standard error)")


def _add_checking_arguments(parser: ArgumentParser) -> None:
    group = parser.add_argument_group("checking")
    group.add_argument(
        "--verify-each",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="verify after each pass, not only the input and the result",
    )
    group.add_argument(
        "--check-legality",
        action="store_true",
        help="check point by point that fused tasks, and what forward-copies, fuse-tasks and eliminate-temporaries make of the "
        "program, do the same as the launches they are made of",
    )
    group.add_argument("--verify-roundtrip", action="store_true", help="check that the input survives print and parse")
    group.add_argument(
        "--expected-diagnostics",
        action="store_true",
        help="check diagnostics against comments in the input (see below); also --verify-diagnostics=expected",
    )
    group.add_argument(
        "--pass-pipeline-crash-reproducer", metavar="FILE", help="write input and passes there if a pass fails"
    )
    group.add_argument(
        "--run-reproducer", action="store_true", help="run the passes that a reproducer's first line names"
    )
    group.add_argument(
        "--max-memory", default=DEFAULT_MEMORY, metavar="SIZE", help=f"0: no limit (default {DEFAULT_MEMORY})"
    )
    group.add_argument(
        "--max-seconds",
        type=_seconds,
        default=DEFAULT_SECONDS,
        metavar="N",
        help=f"wall-clock time; 0: no limit (default {DEFAULT_SECONDS:g})",
    )


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 <= value < 10**9:
        raise ValueError(text)
    return value

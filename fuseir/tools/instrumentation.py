"""Runs passes one by one and shows what happens: IR before and after, times, verification, reproducers."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import IO, TYPE_CHECKING

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation
from xdsl.passes import ModulePass
from xdsl.printer import Printer
from xdsl.utils.exceptions import DiagnosticException, ShrinkException

from fuseir.dialects.parsing import one_line
from fuseir.dialects.verification import verify_module
from fuseir.errors import FuseirError, InputFileError, LegalityError, UnsupportedError
from fuseir.passes.remarks import RemarkingPass, Remarks
from fuseir.tools.failures import InternalError

if TYPE_CHECKING:
    from fuseir.checking import LegalityCheck  # loads NumPy, which most runs do not need


@dataclass(frozen=True)
class Printing:
    """When to print the IR, as the command line says; names are those of passes."""

    before: frozenset[str] = frozenset()
    after: frozenset[str] = frozenset()
    before_all: bool = False
    after_all: bool = False
    only_changes: bool = False
    after_failure: bool = False
    tree_directory: Path | None = None
    between_passes: bool = False
    generic: bool = False
    debuginfo: bool = False

    def wants_after(self, name: str) -> bool:
        """Whether to print after this pass, as far as its name decides."""
        # A directory or "only what changed" without pass names means all passes.
        unnamed = not (self.after or self.before or self.before_all)
        return (
            self.after_all or name in self.after or (unnamed and (self.only_changes or self.tree_directory is not None))
        )


@dataclass
class PassRunner:
    """Applies a list of passes to modules and keeps the times they took."""

    passes: Sequence[ModulePass]
    printing: Printing
    verify_each: bool = True
    verify_result: bool = True
    time_passes: bool = False
    remarks: Remarks | None = None
    """Collects what passes say, if anybody wants to know."""
    legality: LegalityCheck | None = None
    """If given, what the first passes get; what ``fuseir.checking.CHECKED_PASSES`` make of a program is then checked."""
    seconds: list[float] = field(default_factory=list[float])

    def run(self, ctx: Context, module: ModuleOp, chunk: int, out: IO[str], err: IO[str]) -> None:
        """Apply the passes in order. Raises FuseirError if one fails; other exceptions are faults of passes."""
        legality = self.legality
        for index, current in enumerate(self.passes):
            last = index == len(self.passes) - 1
            self._show_before(current, module, err)
            checked = self.legality is not None and self.legality.can_check(current.name)
            if self.legality is not None and checked and legality is not None:
                legality = None if self.legality.compares_with_input(current.name) else legality
            if self.legality is not None and checked and legality is None:
                # What other passes did before this one is not checked, so it is the program to compare with.
                legality = self.legality.anew(module)
            before = self._text(module) if self.printing.only_changes else None
            start = time.perf_counter()
            try:
                _apply(current, ctx, module, self.remarks)
            except Exception:
                if self.printing.after_failure:
                    self._show(f"IR Dump After {current.name} Failed", module, err)
                raise
            self.seconds.append(time.perf_counter() - start)
            if self.time_passes:
                print(f"Pass {current.name} took {self.seconds[-1]} seconds", file=out)
            if self.verify_each or (last and self.verify_result):
                self._verify_after(current, module, err)
            legality = legality if checked else None
            if legality is not None:
                self._check_after(legality, current, module, err)
            self._show_after(current, module, before, (chunk, index), err)
            if self.printing.between_passes and not last:
                print(f"IR after {current.name}:\n{self._text(module)}\n\n\n", file=out)

    def report(self, err: IO[str]) -> None:
        """Print the times of all passes run so far, the way mlir-opt does."""
        names = [current.name for current in self.passes] * (len(self.seconds) // max(len(self.passes), 1) + 1)
        totals: dict[str, float] = {}
        for name, seconds in zip(names, self.seconds, strict=False):
            totals[name] = totals.get(name, 0.0) + seconds
        whole = sum(totals.values()) or 1.0
        print("===- Pass execution timing report -===\n  ---Wall Time---  ----Name----", file=err)
        for name, seconds in totals.items():
            print(f"  {seconds:8.4f} ({100 * seconds / whole:5.1f}%)  {name}", file=err)
        print(f"  {sum(totals.values()):8.4f} (100.0%)  Total", file=err)

    def _verify_after(self, current: ModulePass, module: ModuleOp, err: IO[str]) -> None:
        try:
            verify_module(module)
        except FuseirError as error:
            if self.printing.after_failure:
                self._show(f"IR Dump After {current.name} Failed", module, err)
            message = f"pass '{current.name}' left a module that does not verify: {error.message}"
            raise InternalError(message, location=error.location, notes=error.notes) from error

    def _check_after(self, legality: LegalityCheck, current: ModulePass, module: ModuleOp, err: IO[str]) -> None:
        try:
            legality.check(module, current.name)
        except LegalityError as error:
            if self.printing.after_failure:
                self._show(f"IR Dump After {current.name} Failed", module, err)
            message = f"pass '{current.name}' changed what the program does: {error.message}"
            raise InternalError(message, location=error.location, notes=error.notes) from error

    def _show_before(self, current: ModulePass, module: ModuleOp, err: IO[str]) -> None:
        if self.printing.before_all or current.name in self.printing.before:
            self._show(f"IR Dump Before {current.name}", module, err)

    def _show_after(
        self, current: ModulePass, module: ModuleOp, before: str | None, position: tuple[int, int], err: IO[str]
    ) -> None:
        if not self.printing.wants_after(current.name):
            return
        if before is not None and before == self._text(module):
            return
        if self.printing.tree_directory is None:
            self._show(f"IR Dump After {current.name}", module, err)
            return
        chunk, index = position
        path = self.printing.tree_directory / f"chunk_{chunk}" / f"{index}_{current.name}.mlir"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(self._text(module) + "\n", encoding="utf-8", errors="backslashreplace")
        except OSError as error:
            raise InputFileError(f"cannot write '{path}': {error.strerror}") from error

    def _show(self, title: str, module: ModuleOp, err: IO[str]) -> None:
        print(f"// -----// {title} //----- //\n{self._text(module)}\n", file=err)

    def _text(self, module: ModuleOp) -> str:
        try:
            return print_module(module, generic=self.printing.generic, debuginfo=self.printing.debuginfo)
        except Exception as error:
            # What cannot be printed is often what one wants to look at; nothing may stop the run because of that.
            return f"<not printable: {type(error).__name__}: {one_line(error)}>"


def print_module(module: Operation, *, generic: bool = False, debuginfo: bool = False) -> str:
    """A module, or any operation, as text."""
    stream = StringIO()
    Printer(stream=stream, print_generic_format=generic, print_debuginfo=debuginfo).print_op(module)
    return stream.getvalue()


def _apply(current: ModulePass, ctx: Context, module: ModuleOp, remarks: Remarks | None) -> None:
    try:
        if remarks is not None and isinstance(current, RemarkingPass):
            current.check(module)
            current.run(module, remarks)
        else:
            current.apply(ctx, module)
    except (FuseirError, MemoryError, ShrinkException):
        raise
    except DiagnosticException as error:
        # How xDSL's passes say that they cannot do what they were asked to.
        raise UnsupportedError(f"pass '{current.name}' failed: {one_line(error)}") from error
    except Exception as error:
        reason = f"{type(error).__name__}: {one_line(error)}" if str(error) else type(error).__name__
        raise InternalError(f"pass '{current.name}' failed: {reason}") from error

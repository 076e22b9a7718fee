"""The miss path: a captured window becomes a `dist` module (``captured_module.py``), goes through the passes, and comes back as a plan.

What it does is what ``fuseir-opt`` does with the same module in a file (design rule R1); ``FUSEIR_DUMP_IR`` writes those files.
"""

from __future__ import annotations

import linecache
import warnings
from collections.abc import Callable
from itertools import count
from pathlib import Path

from xdsl.dialects.builtin import (
    ModuleOp,
)

from fuseir.checking import LegalityCheck
from fuseir.errors import FallbackWarning, LimitError, SourceLocation
from fuseir.location import CallSite
from fuseir.options import Options
from fuseir.passes.pipelines import no_garbage_collection, pipeline_of, run_pipeline
from fuseir.passes.remarks import Explanation, Remark, RemarkKind, Remarks
from fuseir.runtime.captured_module import CapturedModule, capture_module
from fuseir.runtime.executors import Executor, Machine, make_executor, make_machine
from fuseir.runtime.first_task import Dump, FirstTaskWatch
from fuseir.runtime.plan import Plan
from fuseir.runtime.planning import Planned
from fuseir.runtime.window import Segment
from fuseir.runtime.write_failures import WriteFailures


class Compiler:
    """Makes plans for a session: holds its executor, which holds the compiled kernels.

    ``fallbacks`` counts windows that could not be compiled as asked; ``remarks`` are about the window that was planned last. A ``silent``
    one keeps no remarks of passes, as ``look_at`` can have them made, and lets passes remember what they made before.
    """

    def __init__(self, options: Options, machine: Machine | None = None, *, silent: bool = False) -> None:
        self.options = options
        self.silent = silent
        self.executor: Executor = make_executor(make_machine(options) if machine is None else machine)
        self.fallbacks = 0
        self.remarks = Remarks()
        self._numbers = count()
        self._dump_failures = WriteFailures("dump_ir, FUSEIR_DUMP_IR")
        self._unchecked = False

    def explain(self) -> Explanation:
        """What the passes said about the window planned last, with the lines of the user's program."""
        return Explanation(remark.with_lines(_line_of) for remark in self.remarks)

    def plan(self, segment: Segment) -> Plan:
        """The plan of a window.

        A window that cannot be compiled as asked still runs: unfused, or else by the reference executor. The first such window is
        warned about (reliability: anything wrong with compilation must not lose results).
        """
        try:
            return self.attempt(segment).plan
        except Exception as error:
            self.note_failure(error)
        return self.plan_slower(segment)

    def plan_first_task(self, segment: Segment) -> Planned:
        """The plan of a full window's first tasks; of the whole window, unfused, if that cannot be compiled."""
        try:
            return self.attempt(segment, first_task=True)
        except Exception as error:
            self.note_failure(error)
        return Planned(self.plan_slower(segment))

    def attempt(self, segment: Segment, *, first_task: bool = False) -> Planned:
        """The plan as asked, of the window or of its first tasks. Raises whatever goes wrong."""
        with no_garbage_collection():
            dump = self._start(segment)
            captured = capture_module(segment)
            if not first_task:
                return Planned(
                    self._prepare(self.executor, captured, fuse=self.options.fuse, dump=dump, silent=self.silent)
                )
            watch = FirstTaskWatch(captured.module, dump)
            plan = self._prepare(self.executor, captured, fuse=True, first_task=True, dump=watch, silent=self.silent)
            return watch.planned(plan, segment)

    def plan_slower(self, segment: Segment, *, silent: bool = False) -> Plan:
        """The plan of a window that cannot be compiled as asked, or has not been yet: unfused, or else by the reference executor."""
        if self.options.fuse:
            try:
                return self._prepare(self.executor, capture_module(segment), fuse=False, silent=silent)
            except Exception as error:
                self.note_failure(error)
        plan = self._prepare(make_executor(None), capture_module(segment), fuse=False)
        if self.options.target == "cuda":
            from fuseir.runtime.executors.cuda.python_steps import plan_on_host

            return plan_on_host(plan)
        return plan

    def _start(self, segment: Segment) -> Dump | None:
        """Forget the window before; dump this one as captured."""
        self.remarks = Remarks()
        if self.options.dump_ir is None:
            return None
        dump = self._dump_to(Path(self.options.dump_ir) / f"window_{next(self._numbers):04d}")
        dump("captured", capture_module(segment).module)
        return dump

    def look_at(self, segment: Segment, *, first_task: bool) -> None:
        """Has ``explain`` tell of a window that was planned silently, or by another process: runs the passes on it, and makes no plan."""
        self.remarks = Remarks()
        try:
            run_pipeline(
                capture_module(segment).module, pipeline_of(self.options.fuse, first_task), remarks=self.remarks
            )
        except Exception as error:
            self.note_failure(error)

    def note_difference(self, text: str, site: CallSite) -> None:
        """Add the remark that says why the window planned last was not known."""
        message = f"the window is planned, as it is like none before. What differs from the nearest known one: {text}"
        remark = Remark(RemarkKind.ANALYSIS, "FIR-N151", "compile", message, site.resolve())
        self.remarks.extend([remark])

    def _prepare(
        self,
        executor: Executor,
        captured: CapturedModule,
        *,
        fuse: bool,
        first_task: bool = False,
        dump: Dump | None = None,
        silent: bool = False,
    ) -> Plan:
        remarks = Remarks()
        if self.options.check and fuse and self.options.target != "reference":  # which fuses nothing
            dump = self._checked(captured.module, dump, remarks)
        plan = executor.prepare(
            captured.module,
            captured.opaque_tasks,
            fuse=fuse,
            first_task=first_task,
            dump=dump,
            remarks=remarks,
            digests=captured.digests if silent else None,
        )
        # Only now: what was said about a module that then could not be compiled is not true of the plan.
        if not silent:
            self.remarks.extend(remarks)
        return plan

    def _checked(self, module: ModuleOp, dump: Dump | None, remarks: Remarks) -> Dump | None:
        """``dump``, which also raises LegalityError if a pass changes what the module does; what is too large is not checked."""
        check = self._check_of(LegalityCheck, module, remarks)
        if check is None:
            return dump

        def after(stage: str, staged: ModuleOp) -> None:
            nonlocal check
            # First, so that a stage that is wrong is among the files.
            if dump is not None:
                dump(stage, staged)
            if check is not None and check.can_check(stage):
                try:
                    check.check(staged, stage)
                except LimitError as error:
                    self._warn_unchecked(error, remarks)
            if check is not None and stage == "fuse-kernels":
                # What reuse-inputs is to be compared with.
                check = self._check_of(check.anew, staged, remarks)

        return after

    def _check_of(
        self, make: Callable[[ModuleOp], LegalityCheck], module: ModuleOp, remarks: Remarks
    ) -> LegalityCheck | None:
        try:
            return make(module)
        except LimitError as error:
            self._warn_unchecked(error, remarks)
            return None

    def _warn_unchecked(self, error: LimitError, remarks: Remarks) -> None:
        message = f"the window is not checked (FUSEIR_CHECK): {error.message}"
        remarks.add(RemarkKind.MISSED, "FIR-N152", "compile", message, suggestion="use smaller stores or fewer pieces")
        if not self._unchecked:
            warnings.warn(message, FallbackWarning, stacklevel=2)
        self._unchecked = True

    def _dump_to(self, folder: Path) -> Dump:
        """A function that writes a module as the folder's next numbered file. Failures are warned about once a session."""
        numbers = count()

        def write(stage: str, module: ModuleOp) -> None:
            path = folder / f"{next(numbers)}_{stage}.mlir"
            try:
                folder.mkdir(parents=True, exist_ok=True)
                path.write_text(str(module) + "\n", encoding="utf-8")
            except OSError as error:
                self._dump_failures.note("IR", path, error)

        return write

    def note_failure(self, error: Exception) -> None:
        """Counts, and the first time warns about, a window that could not be compiled as asked."""
        self.remarks.add(
            RemarkKind.FAILED,
            "FIR-N150",
            "compile",
            f"the window runs a slower way, as it could not be compiled: {type(error).__name__}: {error}",
            suggestion="report this with the files that FUSEIR_DUMP_IR writes",
        )
        self.fallbacks += 1
        if self.fallbacks == 1:
            warnings.warn(
                f"a window could not be compiled and runs a slower way; results are not affected: {type(error).__name__}: {error}",
                FallbackWarning,
                stacklevel=2,
            )


def _line_of(location: SourceLocation) -> str | None:
    return linecache.getline(location.file, location.line).rstrip("\n") or None

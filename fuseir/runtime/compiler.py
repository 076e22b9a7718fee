"""The miss path: a captured window becomes a `dist` module, goes through the passes, and comes back as a plan.

This is the only place in the runtime that builds IR. What it does is what ``fuseir-opt`` does with the same module in a file
(design rule R1); ``FUSEIR_DUMP_IR`` writes those files.
"""

from __future__ import annotations

import linecache
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from xdsl.dialects.builtin import (
    DYNAMIC_INDEX,
    FileLineColLoc,
    Float32Type,
    Float64Type,
    FloatAttr,
    IntAttr,
    IntegerAttr,
    IntegerType,
    ModuleOp,
    Signedness,
    StringAttr,
    TensorType,
    UnitAttr,
)
from xdsl.dialects.func import FuncOp
from xdsl.ir import Attribute, Operation, SSAValue

from fuseir.checking import LegalityCheck
from fuseir.dialects.dist.attributes import StoreType, kernel_element_type, partition_attr
from fuseir.dialects.dist.launch import LaunchOp
from fuseir.dialects.dist.ops import INPUT_ONLY, FenceOp, ReleaseOp, ScalarOp, StoreOp, ViewOp
from fuseir.dialects.dist.view import View
from fuseir.dtypes import ELEMENT_NAMES
from fuseir.errors import FallbackWarning, LimitError, SourceLocation
from fuseir.location import CallSite
from fuseir.options import Options
from fuseir.passes.remarks import Explanation, Remark, RemarkKind, Remarks
from fuseir.runtime.executors import Executor, make_executor
from fuseir.runtime.first_task import Dump, FirstTaskWatch
from fuseir.runtime.plan import Number, Plan
from fuseir.runtime.planning import Planned
from fuseir.runtime.stores import RootStore
from fuseir.runtime.tasks import TaskInstance
from fuseir.runtime.window import Fence, Launch, Life, Record, launches_of, life_of, released_in
from fuseir.runtime.write_failures import WriteFailures


class Compiler:
    """Makes plans for a session: holds its executor, which holds the compiled kernels.

    ``fallbacks`` counts windows that could not be compiled as asked; ``remarks`` are about the window that was planned last.
    """

    def __init__(self, options: Options) -> None:
        self.options = options
        self.executor: Executor = make_executor(options)
        self.fallbacks = 0
        self.remarks = Remarks()
        self._numbers = count()
        self._dump_failures = WriteFailures("dump_ir, FUSEIR_DUMP_IR")
        self._unchecked = False

    def explain(self) -> Explanation:
        """What the passes said about the window planned last, with the lines of the user's program."""
        return Explanation(remark.with_lines(_line_of) for remark in self.remarks)

    @property
    def kernels_compiled(self) -> int:
        """Kernels that went through the code generator so far."""
        return self.executor.kernels_compiled

    @property
    def kernels_loaded(self) -> int:
        """Kernels that were found in the disk cache so far."""
        return self.executor.kernels_loaded

    def plan(self, records: list[Record]) -> Plan:
        """The plan of a window.

        A window that cannot be compiled as asked still runs: unfused, or else by the reference executor. The first such window is
        warned about (reliability: anything wrong with compilation must not lose results).
        """
        dump = self._start(records)
        try:
            return self._prepare(self.executor, capture_module(records), fuse=self.options.fuse, dump=dump)
        except Exception as error:
            self._warn(error)
        return self._plan_slower(records)

    def plan_first_task(self, records: list[Record]) -> Planned:
        """The plan of a full window's first task; of the whole window, unfused, if that cannot be compiled."""
        dump = self._start(records)
        try:
            captured = capture_module(records)
            watch = FirstTaskWatch(captured.module, dump)
            plan = self._prepare(self.executor, captured, fuse=True, first_task=True, dump=watch)
            return watch.planned(plan, records)
        except Exception as error:
            self._warn(error)
        return Planned(self._plan_slower(records))

    def _plan_slower(self, records: list[Record]) -> Plan:
        """The plan of a window that could not be compiled as asked."""
        if self.options.fuse:
            try:
                return self._prepare(self.executor, capture_module(records), fuse=False)
            except Exception as error:
                self._warn(error)
        reference = make_executor(replace(self.options, target="reference"))
        return self._prepare(reference, capture_module(records), fuse=False)

    def _start(self, records: list[Record]) -> Dump | None:
        """Forget the window before; dump this one as captured."""
        self.remarks = Remarks()
        if self.options.dump_ir is None:
            return None
        dump = self._dump_to(Path(self.options.dump_ir) / f"window_{next(self._numbers):04d}")
        dump("captured", capture_module(records).module)
        return dump

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
    ) -> Plan:
        remarks = Remarks()
        if self.options.check and fuse and self.options.target != "reference":  # which fuses nothing
            dump = self._checked(captured.module, dump, remarks)
        plan = executor.prepare(
            captured.module, captured.opaque_tasks, fuse=fuse, first_task=first_task, dump=dump, remarks=remarks
        )
        # Only now: what was said about a module that then could not be compiled is not true of the plan.
        self.remarks.extend(remarks)
        return plan

    def _checked(self, module: ModuleOp, dump: Dump | None, remarks: Remarks) -> Dump | None:
        """``dump``, which also raises LegalityError if a pass changes what the module does; what is too large is not checked."""
        try:
            check = LegalityCheck(module)
        except LimitError as error:
            self._warn_unchecked(error, remarks)
            return dump

        def after(stage: str, staged: ModuleOp) -> None:
            # First, so that a stage that is wrong is among the files.
            if dump is not None:
                dump(stage, staged)
            if check.can_check(stage):
                try:
                    check.check(staged)
                except LimitError as error:
                    self._warn_unchecked(error, remarks)

        return after

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

    def _warn(self, error: Exception) -> None:
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


class CapturedModule:
    """A window as IR, with what the IR cannot hold: the callables of opaque tasks."""

    def __init__(self) -> None:
        self.module = ModuleOp([])
        self.opaque_tasks: dict[str, Callable[..., None]] = {}


def capture_module(records: list[Record]) -> CapturedModule:
    """The `dist` module of a window, stores and scalars in order of first occurrence.

    A store is named unless it comes and goes inside the window: names are what the world outside can see. A release stands behind
    the last launch that uses its store, whenever it came, and a fence between launches only: a window's key leaves open no more
    than names, places and scalars.
    """
    builder = _ModuleBuilder(records)
    remaining = Counter(root for launch in launches_of(records) for root in launch.roots)
    started = fenced = False
    for record in records:
        if isinstance(record, Launch):
            if fenced:
                builder.append(FenceOp.create())
            started, fenced = True, False
            builder.launch(record)
            remaining.subtract(record.roots)
            for root in dict.fromkeys(record.roots):
                if not remaining[root]:
                    builder.release(root)
        elif isinstance(record, Fence):
            fenced = started
    return builder.captured


class _ModuleBuilder:
    def __init__(self, records: list[Record]) -> None:
        self.captured = CapturedModule()
        self.block = self.captured.module.body.block
        self.released = released_in(records)
        self.stores: dict[RootStore, SSAValue] = {}
        self.views: dict[tuple[RootStore, View], SSAValue] = {}
        self.names: set[str] = set()
        self.symbols: dict[TaskInstance, str] = {}
        self.last_function: Operation | None = None
        self.scalar_count = 0

    def append(self, op: Operation) -> None:
        self.block.add_op(op)

    def launch(self, record: Launch) -> None:
        instance = record.instance.first_alike
        arguments = [self.view(root, view) for root, view in zip(record.roots, record.views, strict=True)]
        scalars = [
            self.scalar(value, dtype) for value, dtype in zip(record.scalars, instance.scalar_types, strict=True)
        ]
        op = LaunchOp(
            self.symbol(instance),
            record.domain,
            arguments,
            instance.privileges,
            [partition_attr(partition) for partition in record.partitions],
            scalars,
        )
        op.location = _location(record.site)
        self.append(op)

    def release(self, root: RootStore) -> None:
        if root in self.released:
            self.append(ReleaseOp(self.stores[root]))

    def store(self, root: RootStore) -> SSAValue:
        known = self.stores.get(root)
        if known is None:
            name, life = None, life_of(root, self.released)
            if life is not Life.INTERNAL:
                name = self._fresh(root.name or f"s{len(self.stores)}")
            op = StoreOp(StoreType(root.shape, element_attribute(root.dtype)), name)
            if life is Life.RELEASED:
                op.attributes[INPUT_ONLY] = UnitAttr()
            self.append(op)
            if name is None and SSAValue.is_valid_name(root.name):
                # For people who read remarks and dumps: what is internal to the window has no name in the program.
                op.result.name_hint = root.name
            known = self.stores[root] = op.result
        return known

    def view(self, root: RootStore, view: View) -> SSAValue:
        store = self.store(root)
        if view.index_map is None:
            return store
        known = self.views.get((root, view))
        if known is None:
            op = ViewOp(store, view, element_attribute(root.dtype))
            self.append(op)
            known = self.views[root, view] = op.result
        return known

    def scalar(self, value: Number, dtype: np.dtype[Any]) -> SSAValue:
        scalar_type = kernel_element_type(element_attribute(dtype))
        op = ScalarOp(scalar_type, self._fresh(f"a{self.scalar_count}"), number_attribute(value, scalar_type))
        self.scalar_count += 1
        self.append(op)
        return op.result

    def _fresh(self, name: str) -> str:
        unique, suffixes = name, count(1)
        while unique in self.names:
            unique = f"{name}_{next(suffixes)}"
        self.names.add(unique)
        return unique

    def symbol(self, instance: TaskInstance) -> str:
        known = self.symbols.get(instance)
        if known is None:
            known = self.symbols[instance] = self._fresh(instance.symbol)
            self._declare(instance, known)
        return known

    def _declare(self, instance: TaskInstance, symbol: str) -> None:
        if instance.kernel is not None:
            function = instance.kernel.clone()
            function.sym_name = StringAttr(symbol)
        else:
            tiles = [
                TensorType(kernel_element_type(element_attribute(dtype)), [DYNAMIC_INDEX] * rank)
                for dtype, rank in instance.argument_types
            ]
            inputs = [*tiles, *(kernel_element_type(element_attribute(dtype)) for dtype in instance.scalar_types)]
            outputs = [tile for tile, privilege in zip(tiles, instance.privileges, strict=True) if privilege.returned]
            function = FuncOp.external(symbol, inputs, outputs)
            assert instance.function is not None
            self.captured.opaque_tasks[symbol] = instance.function
        # Functions stand together at the top, in order of first use.
        if self.last_function is not None:
            self.block.insert_op_after(function, self.last_function)
        elif self.block.first_op is not None:
            self.block.insert_op_before(function, self.block.first_op)
        else:
            self.block.add_op(function)
        self.last_function = function


def element_attribute(dtype: np.dtype[Any]) -> Attribute:
    """The IR's element type of a dtype."""
    name = ELEMENT_NAMES[dtype]
    if name == "f32":
        return Float32Type()
    if name == "f64":
        return Float64Type()
    if name.startswith("u"):
        return IntegerType(int(name[2:]), Signedness.UNSIGNED)
    return IntegerType(int(name[1:]))


def number_attribute(value: Number, number_type: Attribute) -> IntegerAttr | FloatAttr:
    """A number as an attribute of a kernel element type; integers wrap to its width."""
    if isinstance(number_type, IntegerType):
        width = number_type.width.data
        wrapped = int(value) & ((1 << width) - 1)
        if width > 1 and wrapped >> (width - 1):
            wrapped -= 1 << width
        return IntegerAttr(wrapped, number_type)
    assert isinstance(number_type, Float32Type | Float64Type)
    return FloatAttr(float(value), number_type)


def _line_of(location: SourceLocation) -> str | None:
    return linecache.getline(location.file, location.line).rstrip("\n") or None


def _location(site: CallSite) -> FileLineColLoc:
    resolved = site.resolve()
    return FileLineColLoc(StringAttr(resolved.file), IntAttr(resolved.line), IntAttr(resolved.column))

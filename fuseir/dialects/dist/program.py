"""Rules that span a whole program: names, lifetimes, definedness."""

from __future__ import annotations

from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation, SSAValue
from xdsl.traits import SymbolOpInterface
from xdsl.utils.exceptions import VerifyException

from fuseir.dialects.dist.launch import FusedTaskOp, LaunchOp
from fuseir.dialects.dist.ops import ReleaseOp, ScalarOp, StoreOp, SwapOp, ViewOp
from fuseir.dialects.dist.task_rules import KernelFacts, verify_task
from fuseir.dialects.dist.trace import ReplayOp, TraceOp
from fuseir.dialects.kernel import KernelError


class ProgramError(VerifyException):
    """A rule of the program broken at ``operation``."""

    def __init__(self, operation: Operation, message: str) -> None:
        super().__init__(message)
        self.operation = operation


def verify_program(module: ModuleOp) -> None:
    """Checks what single operations cannot see. Linear in the program, with each replay as long as its trace; use before definition is the
    SSA check's affair.

    Store and scalar names are unique; a store is released at most once and not used afterwards; a store that has no contents, from outside,
    from a write or from a swap, is not read or reduced into; a temporary holds nothing outside its fused task; tasks exist and fit their
    launches. A replay names a trace and fits it, and does nothing that its operations could not do in its place. Each kernel is checked
    once for all launches that use it alike. Raises ProgramError.
    """
    _verify_names(module)
    program = _Program(module)
    for op in module.ops:
        program.visit(op)


def _verify_names(module: ModuleOp) -> None:
    names: set[str] = set()
    for op in module.ops:
        attribute = op.store_name if isinstance(op, StoreOp) else op.scalar_name if isinstance(op, ScalarOp) else None
        if attribute is None:
            continue
        if attribute.data in names:
            raise ProgramError(op, f'the name "{attribute.data}" is taken by an earlier store or scalar')
        names.add(attribute.data)


class _Program:
    """The state of a program between two operations."""

    def __init__(self, module: ModuleOp) -> None:
        self.symbols: dict[str, Operation] = {}
        self.released: set[SSAValue] = set()
        self.defined: set[SSAValue] = set()
        self.bound: dict[SSAValue, SSAValue] = {}
        """What the parameters of the trace that is being replayed stand for."""
        self.kernels = KernelFacts()
        for op in module.ops:
            if isinstance(op, StoreOp) and op.store_name is not None:
                self.defined.add(op.result)
            trait = op.get_trait(SymbolOpInterface)
            if trait is not None and (name := trait.get_sym_attr_name(op)) is not None:
                self.symbols.setdefault(name.data, op)

    def visit(self, op: Operation) -> None:
        if isinstance(op, ViewOp | ReleaseOp):
            self.visit_store_user(op)
        elif isinstance(op, SwapOp):
            self.visit_swap(op)
        elif isinstance(op, FusedTaskOp):
            self.visit_fused_task(op)
        elif isinstance(op, LaunchOp):
            self.visit_launch(op)
        elif isinstance(op, TraceOp):
            for launch in op.launches:
                self.check_task(launch)
        elif isinstance(op, ReplayOp):
            self.visit_replay(op)

    def actual(self, store: SSAValue) -> SSAValue:
        """The store that a value is, or stands for in the replay that is looked at."""
        return self.bound.get(store, store)

    def require_alive(self, op: Operation, store: SSAValue) -> None:
        if self.actual(store) in self.released:
            raise ProgramError(op, "the store was released before")

    def visit_store_user(self, op: ViewOp | ReleaseOp) -> None:
        self.require_alive(op, op.store)
        if isinstance(op, ReleaseOp):
            self.released.add(self.actual(op.store))

    def visit_swap(self, swap: SwapOp) -> None:
        for store in (swap.first, swap.second):
            self.require_alive(swap, store)
        first, second = self.actual(swap.first), self.actual(swap.second)
        if (first in self.defined) != (second in self.defined):
            self.defined ^= {first, second}

    def visit_fused_task(self, task: FusedTaskOp) -> None:
        # What a temporary held before is not there inside, and what it holds inside is gone afterwards.
        self.defined.difference_update(task.temporaries)
        for member in task.members:
            self.visit_launch(member)
        self.defined.difference_update(task.temporaries)

    def visit_replay(self, replay: ReplayOp) -> None:
        trace = self.symbols.get(replay.trace_name)
        if not isinstance(trace, TraceOp):
            raise ProgramError(replay, f"'@{replay.trace_name}' is no trace")
        types = [parameter.type for parameter in trace.parameters]
        if [argument.type for argument in replay.arguments] != types:
            raise ProgramError(replay, f"'@{replay.trace_name}' takes ({', '.join(map(str, types))})")
        self.bound = dict(zip(trace.parameters, replay.arguments, strict=True))
        try:
            for op in trace.body.block.ops:
                self.visit(op)
        except ProgramError as error:
            raise ProgramError(replay, f"in '@{replay.trace_name}', '{error.operation.name}': {error}") from None
        self.bound = {}

    def check_task(self, launch: LaunchOp) -> None:
        try:
            verify_task(launch, self.symbols.get(launch.task_name), self.kernels)
        except KernelError as error:
            raise ProgramError(error.operation, str(error)) from None
        except VerifyException as error:
            raise ProgramError(launch, str(error)) from None

    def visit_launch(self, launch: LaunchOp) -> None:
        if not self.bound:  # launches of traces were checked where they stand
            self.check_task(launch)
        accesses = launch.accesses
        for access in accesses:
            self.require_alive(launch, access.root)
        # A composed launch may read one part of a store and write another that an earlier member wrote: what a launch writes
        # through views apart from what it reads counts.
        written = [access for access in accesses if access.privilege.writes]
        for k, access in enumerate(accesses):
            root = self.actual(access.root)
            if not (access.privilege.reads or access.privilege.reduces) or root in self.defined:
                continue
            if not any(other.root is access.root and other.apart_from(access) for other in written):
                what = (
                    "an unnamed store that nothing was written to"
                    if isinstance(root.owner, StoreOp) and root.owner.store_name is None
                    else "a store that was left without contents by 'dist.swap'"
                )
                raise ProgramError(launch, f"argument {k}: '{access.privilege}' of {what}")
        self.defined.update(self.actual(access.root) for access in written)

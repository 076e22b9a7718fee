"""What runs plans: the small interface all executors share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from xdsl.dialects.builtin import ModuleOp

    from fuseir.options import Options
    from fuseir.passes.remarks import Remarks
    from fuseir.runtime.executors.native_machine import NativeMachine
    from fuseir.runtime.plan import Plan


class Executor(Protocol):
    """Makes plans of modules."""

    @property
    def kernels_compiled(self) -> int:
        """Kernels that went through a code generator so far."""
        ...

    @property
    def kernels_loaded(self) -> int:
        """Kernels that were found in the disk cache so far."""
        ...

    def prepare(
        self,
        module: ModuleOp,
        opaque_tasks: Mapping[str, Callable[..., None]],
        *,
        fuse: bool,
        first_task: bool = False,
        dump: Callable[[str, ModuleOp], None] | None = None,
        remarks: Remarks | None = None,
        digests: Mapping[str, str] | None = None,
    ) -> Plan:
        """The plan of a verified `dist` module, which may be changed in the process.

        ``opaque_tasks`` gives the callable of each symbol without a body; ``remarks`` collects what the passes say.
        ``digests`` are those of the module's kernels, by symbol: with them, and only then, the passes need not make again, nor remark on,
        what they made before.
        With ``first_task`` the plan may run the first tasks only, fused or single; the stages it dumps tell whether it does.
        Slots are the module's stores, in order; scalars its ``dist.scalar`` operations. Raises CompileError.
        """
        ...


def make_machine(options: Options) -> NativeMachine:
    """The threads and kernels of a session. Raises CompileError."""
    from fuseir.cache import cache_of
    from fuseir.runtime.executors.native_machine import NativeMachine

    return NativeMachine(options.threads, cache_of(options))


def make_executor(options: Options, machine: NativeMachine | None = None) -> Executor:
    """The executor that the options ask for; ``machine`` is the session's, if it has one already."""
    if options.target == "reference":
        from fuseir.runtime.executors.reference import ReferencePlanner

        return ReferencePlanner()
    from fuseir.runtime.executors.cpu import CpuExecutor

    return CpuExecutor(make_machine(options) if machine is None else machine)

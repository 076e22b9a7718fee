"""What runs plans: the small interface all executors share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from xdsl.dialects.builtin import ModuleOp

    from fuseir.options import Options
    from fuseir.passes.remarks import Remarks
    from fuseir.runtime.buffers import BufferPool
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


class Machine(Protocol):
    """What the plans of a session run on, and the kernels that are there."""

    @property
    def kernels_compiled(self) -> int:
        """Kernels of launches that went through a code generator so far."""
        ...

    @property
    def kernels_loaded(self) -> int:
        """Kernels of launches that were found in the disk cache so far."""
        ...

    def executor(self) -> Executor:
        """An executor that runs plans on it; it has the same kernels as all others."""
        ...


def make_machine(options: Options) -> Machine | None:
    """What a session's kernels run on; None if it runs none. Raises CompileError and BackendUnavailableError."""
    from fuseir.cache import cache_of

    if options.target == "reference":
        return None
    if options.target == "cuda":
        from fuseir.runtime.executors.cuda.machine import CudaMachine
        from fuseir.runtime.executors.cuda.platform import current_device

        return CudaMachine(current_device(), cache_of(options))
    from fuseir.runtime.executors.native_machine import NativeMachine

    return NativeMachine(options.threads, cache_of(options))


def make_executor(machine: Machine | None) -> Executor:
    """An executor on a session's machine; the reference executor without one."""
    if machine is not None:
        return machine.executor()
    from fuseir.runtime.executors.reference import ReferencePlanner

    return ReferencePlanner()


def make_buffers(options: Options) -> BufferPool:
    """The memory of a session's stores. Raises BackendUnavailableError if what the options ask for is not there."""
    from fuseir.runtime.buffers import BufferPool

    if options.target == "cuda":
        from fuseir.runtime.executors.cuda.platform import DeviceBuffers, current_device

        return DeviceBuffers(current_device(), options.pool_bytes or 0)
    return BufferPool(options.pool_bytes or 0, options.memory_bytes)

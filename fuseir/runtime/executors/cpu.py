"""The CPU executor: kernels through LLVM, points on threads.

``prepare`` sends a module through the pipeline and turns each launch that is left into a step. Steps without Python code run in
batches, each of which is one native call (``native_plan.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Set

import numpy as np
from xdsl.dialects.builtin import ModuleOp, TensorType
from xdsl.dialects.func import FuncOp
from xdsl.ir import SSAValue

from fuseir.cache.environment import digest_of_text
from fuseir.codegen.llvm.compile import compile_kernels, kernel_text
from fuseir.codegen.llvm.compiled import CompiledKernel
from fuseir.dialects.dist.launch import LaunchOp
from fuseir.dialects.dist.ops import INPUT_ONLY, ReleaseOp, ScalarOp, StoreOp, SwapOp
from fuseir.dialects.kernel import is_kernel, sources_of_results
from fuseir.errors import UnsupportedError, UsageError
from fuseir.passes.known_kernels import KernelMemory, KnownKernels
from fuseir.passes.pipelines import pipeline_of, run_pipeline
from fuseir.passes.remarks import Remarks
from fuseir.resources import available_cpus
from fuseir.runtime.arrays import Array
from fuseir.runtime.executors.kernel_steps import StepMaker
from fuseir.runtime.executors.native_machine import NativeMachine
from fuseir.runtime.executors.native_plan import in_batches
from fuseir.runtime.executors.opaque import OpaqueStep
from fuseir.runtime.executors.private_memory import PrivateStep
from fuseir.runtime.plan import Number, Plan, Release, Slot, Step, Swap
from fuseir.runtime.program_stores import dtype_of_store, fitted_array, launches, scalar_values, shape_of


class CpuExecutor:
    """Compiles and runs plans on this machine's processors."""

    def __init__(self, machine: NativeMachine) -> None:
        self._machine = machine
        self._known = {fuse: KnownKernels() for fuse in (False, True)}

    @property
    def kernels_compiled(self) -> int:
        """Distinct kernels compiled so far."""
        return self._machine.kernels_compiled

    @property
    def kernels_loaded(self) -> int:
        """Distinct kernels found in the disk cache so far."""
        return self._machine.kernels_loaded

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
        """The plan of a module; see ``Executor``. Identical kernels are compiled once, whatever stores they serve."""
        memory = None if digests is None else KernelMemory(self._known[fuse], digests)
        slots = [op.result for op in module.ops if isinstance(op, StoreOp)]
        scalars = [op.result for op in module.ops if isinstance(op, ScalarOp)]
        plan_slots = [_slot(op) for op in module.ops if isinstance(op, StoreOp)]
        before = _touched(module)
        numbers = {launch: number for number, launch in enumerate(launches(module))}
        signatures = Signatures()
        pipeline = pipeline_of(fuse, first_task)
        before_lowering = pipeline[-2].partition("{")[0]

        def after_stage(stage: str, staged: ModuleOp) -> None:
            if stage == "compose-kernels":
                signatures.look_first(staged)
            if stage == before_lowering:
                # At the last kernels that still work on tensors: they have the arguments that the launches end up with.
                signatures.look_last(staged)
            if dump is not None:
                dump(stage, staged)

        run_pipeline(module, pipeline, dump=after_stage, remarks=remarks, memory=memory)
        made = [op for op in module.ops if isinstance(op, StoreOp) and op.result not in {*slots}]
        slots += [op.result for op in made]
        plan_slots += map(_slot, made)
        slot_numbers: dict[SSAValue, int] = {store: number for number, store in enumerate(slots)}
        scalar_numbers: dict[SSAValue, int] = {scalar: number for number, scalar in enumerate(scalars)}
        maker = StepMaker(self._machine.pool, self._machine.cache, slot_numbers, plan_slots, scalar_numbers)
        kernels = self._compiled(module, memory, signatures)
        steps: list[Step | Release | Swap] = []
        after = _touched(module)
        for op in module.ops:
            if isinstance(op, LaunchOp):
                name = op.task_name
                if name in kernels:
                    steps.append(maker.step(op, *kernels[name]))
                else:
                    # No pass replaces an opaque launch.
                    steps.append(OpaqueStep.of(op, slot_numbers, scalar_numbers, opaque_tasks[name], numbers[op]))
            elif isinstance(op, SwapOp):
                steps.append(Swap(slot_numbers[op.first], slot_numbers[op.second]))
            elif isinstance(op, ReleaseOp) and op.store in after and plan_slots[slot_numbers[op.store]].name is None:
                # What has a name was given from outside, or is asked for at the end. What nothing touches has no buffer, or goes without.
                steps.append(Release(slot_numbers[op.store]))
        removed = before - after
        return Plan(
            tuple(plan_slots),
            (
                *(PrivateStep(slot) for slot in _taken_over(module, slot_numbers)),
                *in_batches(steps, self._machine.pool, plan_slots),
            ),
            len(numbers),
            sum(not isinstance(step, Release | Swap) for step in steps),
            tuple(sorted(slot_numbers[root] for root in removed)),
        )

    def _compiled(
        self, module: ModuleOp, memory: KernelMemory | None, signatures: Signatures
    ) -> dict[str, tuple[CompiledKernel, Sequence[Set[int]] | None]]:
        """The compiled form of each launched kernel of a lowered module by symbol, and what its results depend on.

        Equal kernels are compiled once, whatever their names and stores; the new ones of a module are compiled together.
        """
        known = self._machine.kernels
        digests: dict[str, str] = {}
        missing: dict[str, tuple[FuncOp, str]] = {}
        for name in dict.fromkeys(launch.task_name for launch in launches(module)):
            function = signatures.functions.get(name)
            if function is not None:
                text = kernel_text(function)
                digest = digests[name] = digest_of_text(text)
                if digest not in known:
                    missing[digest] = function, text
        if missing:
            functions, texts = zip(*missing.values(), strict=True)
            self._machine.add(compile_kernels(functions, self._machine.cache, texts))
        compiled: dict[str, tuple[CompiledKernel, Sequence[Set[int]] | None]] = {}
        for name, digest in digests.items():
            dependences = signatures.dependences[name]
            compiled[name] = known[digest], dependences
            if memory is not None and not signatures.replaced(name):
                memory.keep(name, digest, signatures.left(name), dependences)
        if memory is not None:
            for name, kernel in memory.found.items():
                compiled[name] = known[kernel.digest], kernel.dependences
        return compiled


class Signatures:
    """What is asked about the kernels of a module while they work on tensors: lowering forgets it."""

    def __init__(self) -> None:
        self.functions: dict[str, FuncOp] = {}
        self._first: dict[str, FuncOp] = {}
        self.dependences: dict[str, list[frozenset[int]]] = {}
        """For each result of a kernel, the parameters it depends on."""
        self._parameters: dict[str, Sequence[SSAValue]] = {}
        self._left: dict[str, Sequence[SSAValue]] = {}

    def look_first(self, module: ModuleOp) -> None:
        """Looks at all kernels of a module when they are made, which decides what counts as their parameters."""
        for name, function in _kernels(module):
            self._first[name] = function
            self._parameters[name] = _tensors(function)

    def look_last(self, module: ModuleOp) -> None:
        """Looks at all kernels of a module before they are lowered; one that was not there first is a new one."""
        for name, function in _kernels(module):
            self.functions[name] = function
            self._parameters.setdefault(name, _tensors(function))
            self._left[name] = _tensors(function)
            self.dependences[name] = [
                frozenset(source for source in sources if isinstance(source, int))
                for sources in sources_of_results(function)
            ]

    def replaced(self, name: str) -> bool:
        """Whether a kernel is another one than at first: it works in place, which its recipe alone does not allow."""
        return self._first.get(name) is not self.functions[name]

    def left(self, name: str) -> list[int]:
        """The numbers of the parameters that a kernel had first and still has."""
        left = set(self._left[name])
        return [k for k, parameter in enumerate(self._parameters[name]) if parameter in left]


def _kernels(module: ModuleOp) -> Iterator[tuple[str, FuncOp]]:
    for op in module.ops:
        if isinstance(op, FuncOp) and is_kernel(op):
            yield op.sym_name.data, op


def _tensors(kernel: FuncOp) -> list[SSAValue]:
    return [argument for argument in kernel.body.block.args if isinstance(argument.type, TensorType)]


def run_module(
    module: ModuleOp,
    stores: Mapping[str, Array],
    scalars: Mapping[str, Number] | None = None,
    opaque_tasks: Mapping[str, Callable[..., None]] | None = None,
    *,
    threads: int | None = None,
    fuse: bool = True,
) -> dict[str, Array]:
    """Compiles and runs a verified module, which is changed in the process: the contents of every named store at its end.

    Arguments and errors are those of ``ReferenceExecutor.run``; also CompileError. Stores given are copied first.
    """
    declared = [op for op in module.ops if isinstance(op, StoreOp)]
    names = [None if op.store_name is None else op.store_name.data for op in declared]
    if unknown := sorted(stores.keys() - {*names}):
        raise UsageError(f"the program has no store '{unknown[0]}'")
    slots: list[Array | None] = [
        None if name is None or name not in stores else np.array(fitted_array(name, stores[name], op), order="C")
        for name, op in zip(names, declared, strict=True)
    ]
    values = list(scalar_values(module, scalars or {}).values())
    check_opaque_tasks(module, opaque_tasks or {})
    plan = CpuExecutor(NativeMachine(threads or available_cpus())).prepare(module, opaque_tasks or {}, fuse=fuse)
    outcome = plan.run(slots, [value.item() for value in values])
    if outcome.failure is not None:
        raise outcome.failure
    return {
        name: np.empty(slot.shape, slot.dtype) if buffer is None else buffer
        # Slots of stores that the passes made come last.
        for name, slot, buffer in zip(names, plan.slots[: len(names)], slots, strict=True)
        if name is not None
    }


def check_opaque_tasks(module: ModuleOp, given: Mapping[str, Callable[..., None]]) -> None:
    """Raises UnsupportedError for a launched task that has neither a body nor a callable."""
    for launch in launches(module):
        if launch.opaque and launch.task_name not in given:
            raise UnsupportedError(f"task '@{launch.task_name}' has no body, and no callable was given for it")


def _slot(op: StoreOp) -> Slot:
    return Slot(None if op.store_name is None else op.store_name.data, shape_of(op.result), dtype_of_store(op.result))


def _taken_over(module: ModuleOp, slots: Mapping[SSAValue, int]) -> list[int]:
    """The slots bound by a run whose memory goes to another store."""
    inputs = {op.result for op in module.ops if isinstance(op, StoreOp) and INPUT_ONLY in op.attributes}
    return sorted({slots[s] for op in module.ops if isinstance(op, SwapOp) for s in op.operands if s in inputs})


def _touched(module: ModuleOp) -> set[SSAValue]:
    """Stores whose contents some launch reads, writes or reduces, or a swap moves."""
    swapped = {store for op in module.ops if isinstance(op, SwapOp) for store in op.operands}
    return swapped | {
        access.root
        for launch in launches(module)
        for access in launch.accesses
        if access.privilege.reads or access.privilege.returned
    }

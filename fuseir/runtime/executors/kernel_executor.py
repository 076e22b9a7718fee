"""What executors of compiled kernels have in common: a module goes through the pipeline, and each launch left becomes a step."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from typing import Any, Generic, TypeVar

from xdsl.dialects.builtin import ModuleOp, TensorType
from xdsl.dialects.func import FuncOp
from xdsl.ir import SSAValue

from fuseir.cache.environment import digest_of_text
from fuseir.codegen.kernel_text import kernel_text
from fuseir.dialects.dist.launch import LaunchOp
from fuseir.dialects.dist.ops import INPUT_ONLY, ReleaseOp, ScalarOp, StoreOp, SwapOp
from fuseir.dialects.kernel import is_kernel, sources_of_results
from fuseir.passes.known_kernels import KernelMemory, KnownKernels
from fuseir.passes.pipelines import pipeline_of, run_pipeline
from fuseir.passes.remarks import Remarks
from fuseir.runtime.executors.kernel_steps import KernelCalls, StepMaker
from fuseir.runtime.executors.opaque import OpaqueStep
from fuseir.runtime.plan import Batch, Plan, Release, Slot, Step, Swap
from fuseir.runtime.program_stores import dtype_of_store, launches, shape_of

Kernel = TypeVar("Kernel")


class KernelExecutor(ABC, Generic[Kernel]):
    """Makes plans whose launches run compiled kernels; how, its subclasses say."""

    def __init__(self) -> None:
        self._known = {fuse: KnownKernels() for fuse in (False, True)}

    @property
    @abstractmethod
    def _known_kernels(self) -> Mapping[str, Kernel]:
        """The compiled kernels so far, by the digest of their text."""

    @abstractmethod
    def _compile(self, functions: Sequence[FuncOp], texts: Sequence[str], remarks: Remarks | None) -> None:
        """Compiles lowered kernels with these texts, and keeps them. Raises CompileError and UnsupportedError."""

    @abstractmethod
    def _backend(self, slots: Sequence[Slot]) -> KernelCalls[Kernel, Any]:
        """How kernels are called in a plan with these slots."""

    @abstractmethod
    def _opaque(self, step: OpaqueStep, slots: Sequence[Slot]) -> Step:
        """How an opaque launch runs in a plan with these slots."""

    @abstractmethod
    def _private(self, slot: int) -> Step:
        """What gives a slot memory that nobody else sees (``private_memory.py``)."""

    @abstractmethod
    def _batches(
        self, steps: Sequence[Step | Release | Swap], slots: Sequence[Slot]
    ) -> Sequence[Step | Release | Swap | Batch]:
        """The steps, in batches where that can be."""

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
        pipeline = pipeline_of(fuse, first_task)
        splits = "split-launches" in pipeline
        memory = None if digests is None else KernelMemory(self._known[fuse], digests, splits=splits)
        slots = [op.result for op in module.ops if isinstance(op, StoreOp)]
        scalars = [op.result for op in module.ops if isinstance(op, ScalarOp)]
        plan_slots = [_slot(op) for op in module.ops if isinstance(op, StoreOp)]
        before = _touched(module)
        numbers = {launch: number for number, launch in enumerate(launches(module))}
        signatures = Signatures()
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
        maker = StepMaker(self._backend(plan_slots), slot_numbers, scalar_numbers)
        kernels = self._compiled(module, memory, signatures, remarks)
        steps: list[Step | Release | Swap] = []
        after = _touched(module)
        for op in module.ops:
            if isinstance(op, LaunchOp):
                name = op.task_name
                if name in kernels:
                    steps.append(maker.step(op, *kernels[name]))
                else:
                    # No pass replaces an opaque launch.
                    step = OpaqueStep.of(op, slot_numbers, scalar_numbers, opaque_tasks[name], numbers[op])
                    steps.append(self._opaque(step, plan_slots))
            elif isinstance(op, SwapOp):
                steps.append(Swap(slot_numbers[op.first], slot_numbers[op.second]))
            elif isinstance(op, ReleaseOp) and op.store in after and plan_slots[slot_numbers[op.store]].name is None:
                # What has a name was given from outside, or is asked for at the end. What nothing touches has no buffer, or goes without.
                steps.append(Release(slot_numbers[op.store]))
        removed = before - after
        return Plan(
            tuple(plan_slots),
            (
                *(self._private(slot) for slot in _taken_over(module, slot_numbers)),
                *self._batches(steps, plan_slots),
            ),
            len(numbers),
            sum(not isinstance(step, Release | Swap) for step in steps),
            tuple(sorted(slot_numbers[root] for root in removed)),
        )

    def _compiled(
        self, module: ModuleOp, memory: KernelMemory | None, signatures: Signatures, remarks: Remarks | None
    ) -> dict[str, tuple[Kernel, Sequence[Set[int]] | None]]:
        """The compiled form of each launched kernel of a lowered module by symbol, and what its results depend on.

        Equal kernels are compiled once, whatever their names and stores; the new ones of a module are compiled together.
        """
        known = self._known_kernels
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
            self._compile(functions, texts, remarks)
        compiled: dict[str, tuple[Kernel, Sequence[Set[int]] | None]] = {}
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

"""Plans as JSON, for the disk cache: all that a native plan is, its kernels by the digests of their texts.

What is read back is believed to be whole, as its checksum says, and checked all the same: machine code is about to work on the addresses
that it gives (``plan_checks.py``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np

from fuseir.codegen.llvm.compiled import CompiledKernel
from fuseir.dialects.dist.partition import Shape
from fuseir.runtime.executors.native_call import Base, NativeCall
from fuseir.runtime.executors.native_plan import KernelStep, NativeBatch
from fuseir.runtime.executors.phases import Phase
from fuseir.runtime.executors.private_memory import PrivateStep
from fuseir.runtime.executors.workers import WorkerPool
from fuseir.runtime.plan import Batch, Plan, Release, Slot, Step, Swap
from fuseir.runtime.planning import Planned

Header = dict[str, Any]


# Writing


def encode_plan(planned: Planned) -> Header | None:
    """What JSON says of a plan; None for one that is not all native, such as one with opaque tasks. Names of stores are left out."""
    plan, kernels = planned.plan, _Kernels()
    for step in plan.steps:
        for launch in step.steps if isinstance(step, Batch) else (step,):
            if isinstance(launch, KernelStep) and isinstance(kernel := launch.calls[0].kernel, CompiledKernel):
                kernels.number(kernel)
    launched = len(kernels.numbers)
    steps = [_encode_step(step, kernels) for step in plan.steps]
    if None in steps:
        return None
    return {
        "slots": [[list(slot.shape), slot.dtype.str] for slot in plan.slots],
        "steps": steps,
        "kernels": list(kernels.numbers)[:launched],
        "other_kernels": list(kernels.numbers)[launched:],
        "tasks": plan.tasks,
        "launches": plan.launches,
        "temporaries": list(plan.temporaries),
        "taken": None if planned.taken is None else sorted(planned.taken),
        "grows": planned.grows,
    }


class _Kernels:
    """Numbers the kernels of a plan."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}

    def number(self, kernel: CompiledKernel) -> int:
        return self.numbers.setdefault(kernel.digest, len(self.numbers))


def _encode_step(step: Step | Release | Swap | Batch, kernels: _Kernels) -> Any:
    if isinstance(step, Release):
        return ["release", step.slot]
    if isinstance(step, Swap):
        return ["swap", step.first, step.second]
    if isinstance(step, PrivateStep):
        return ["private", step.slot]
    if isinstance(step, KernelStep):
        calls = [_encode_call(call, kernels) for call in step.calls]
        return (
            None
            if None in calls
            else {
                "calls": calls,
                "buffers": list(step.buffers),
                "domain": list(step.domain),
                "parallel": step.parallel,
                "size": step.size,
                "needs": [[changed, sorted(needed)] for changed, needed in step.needs.items()],
                "reads": sorted(step.reads),
            }
        )
    if isinstance(step, NativeBatch):
        steps = [_encode_step(each, kernels) for each in step.steps]
        phases = [
            [phase.first, None if phase.domain is None else list(phase.domain), phase.calls] for phase in step.phases
        ]
        return None if None in steps else {"steps": steps, "phases": phases}
    return None


def _encode_call(call: NativeCall, kernels: _Kernels) -> Any:
    if not isinstance(call.kernel, CompiledKernel):
        return None
    bases = [[base.slot, base.offset, base.buffer] for base in call.bases]
    scalars = [[number, name] for number, name in call.scalars]
    return [kernels.number(call.kernel), call.points, list(call.layout), bases, scalars]


# Reading


def kernels_of(header: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """The digests of the kernels that a plan needs: those of its launches, and others. Raises KeyError or TypeError for what is no plan."""
    return list(map(_text, _list(header["kernels"]))), list(map(_text, _list(header["other_kernels"])))


def decode_plan(header: Mapping[str, Any], kernels: Mapping[str, CompiledKernel], pool: WorkerPool) -> Planned:
    """The plan that JSON describes, if it is of the right types; whether it makes sense is another question.

    Raises KeyError, IndexError, TypeError or ValueError for what ``encode_plan`` never made.
    """
    slots = tuple(
        Slot(None, _numbers(shape), np.dtype(_text(dtype))) for shape, dtype in map(_list, _list(header["slots"]))
    )
    launched, others = kernels_of(header)
    reader = _Reader([kernels[digest] for digest in (*launched, *others)], slots, pool)
    plan = Plan(
        slots,
        tuple(map(reader.step, _list(header["steps"]))),
        _number(header["tasks"]),
        _number(header["launches"]),
        _numbers(header["temporaries"]),
    )
    taken = header["taken"]
    return Planned(plan, None if taken is None else frozenset(_numbers(taken)), _truth(header["grows"]))


class _Reader:
    """Reads the steps of one plan."""

    def __init__(self, kernels: Sequence[CompiledKernel], slots: Sequence[Slot], pool: WorkerPool) -> None:
        self.kernels = kernels
        self.slots = slots
        self.pool = pool

    def step(self, value: Any) -> Release | Swap | PrivateStep | NativeBatch:
        if isinstance(value, dict):
            fields = cast("dict[str, Any]", value)
            steps = tuple(map(self.part, _list(fields["steps"])))
            phases = [self.phase(_list(phase)) for phase in _list(fields["phases"])]
            return NativeBatch(self.pool, steps, self.slots, phases)
        match value:
            case ["private", slot]:
                return PrivateStep(_number(slot))
            case _:
                return self.move(_list(value))

    def part(self, value: Any) -> KernelStep | Release | Swap:
        if isinstance(value, dict):
            return self.kernel_step(cast("dict[str, Any]", value))
        return self.move(_list(value))

    def move(self, value: list[Any]) -> Release | Swap:
        match value:
            case ["release", slot]:
                return Release(_number(slot))
            case ["swap", first, second]:
                return Swap(_number(first), _number(second))
            case _:
                raise ValueError("a step of no kind")

    def phase(self, value: list[Any]) -> Phase:
        first, domain, calls = value
        return Phase(_number(first), None if domain is None else _numbers(domain), _number(calls))

    def kernel_step(self, fields: dict[str, Any]) -> KernelStep:
        needs = {
            _number(changed): frozenset(_numbers(needed)) for changed, needed in map(_list, _list(fields["needs"]))
        }
        return KernelStep(
            pool=self.pool,
            plan_slots=self.slots,
            calls=tuple(self.call(_list(call)) for call in _list(fields["calls"])),
            buffers=_numbers(fields["buffers"]),
            domain=_numbers(fields["domain"]),
            parallel=_truth(fields["parallel"]),
            size=_number(fields["size"]),
            uses=(),  # phases are known
            needs=needs,
            reads=frozenset(_numbers(fields["reads"])),
        )

    def call(self, value: list[Any]) -> NativeCall:
        kernel, points, layout, bases, scalars = value
        return NativeCall(
            self.kernels[_number(kernel)],
            _number(points),
            _integers(layout),
            tuple(self.base(_list(base)) for base in _list(bases)),
            tuple((_number(number), _text(name)) for number, name in map(_list, _list(scalars))),
        )

    def base(self, value: list[Any]) -> Base:
        slot, offset, buffer = value
        (offset,) = _integers([offset])
        return Base(None if slot is None else _number(slot), offset, None if buffer is None else _number(buffer))


def _list(value: Any) -> list[Any]:
    if type(value) is not list:
        raise TypeError("no list")
    return cast("list[Any]", value)


def _number(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise TypeError("no count")
    return value


def _numbers(value: Any) -> Shape:
    return tuple(map(_number, _list(value)))


def _integers(value: Any) -> tuple[int, ...]:
    integers = tuple(_list(value))
    if not set(map(type, integers)) <= {int}:
        raise TypeError("no integers")
    return integers


def _text(value: Any) -> str:
    if type(value) is not str:
        raise TypeError("no text")
    return value


def _truth(value: Any) -> bool:
    if type(value) is not bool:
        raise TypeError("neither true nor false")
    return value

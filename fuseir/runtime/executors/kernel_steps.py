"""Launches of compiled kernels as steps of a plan: where arguments lie, what points get of their own, whether threads share the work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from math import prod
from typing import Generic, Protocol, TypeVar

from xdsl.dialects.builtin import IntegerType
from xdsl.ir import SSAValue

from fuseir.codegen import abi
from fuseir.dialects.dist.access import Access
from fuseir.dialects.dist.launch import LaunchOp
from fuseir.dialects.dist.partition import Shape
from fuseir.runtime.arrays import view_strides
from fuseir.runtime.executors.binding import slots_needed, slots_read
from fuseir.runtime.executors.folds import FoldCalls, PointBuffers, copy_call, fold_calls
from fuseir.runtime.executors.native_call import Base, tile_dimension
from fuseir.runtime.executors.phases import Use
from fuseir.runtime.plan import Step
from fuseir.runtime.program_stores import dtype_of_store

_INLINE_BYTES = 1 << 17
"""Below this many bytes of arguments, handing points to threads costs more than it saves."""

_MOST_COPIED_BYTES = 1 << 26
"""Where copies of what all points write would need more memory than this, points run one after another instead."""


Kernel = TypeVar("Kernel")
_Kernel = TypeVar("_Kernel", contravariant=True)
_Call = TypeVar("_Call")


@dataclass(frozen=True)
class LaunchParts(Generic[_Call]):
    """What a launch becomes, for any executor that runs kernels.

    ``calls`` are those of compiled kernels, the launch's own first, then those that fold what its points left in buffers of their own.
    ``parallel``: its points may run side by side, and are worth it. ``size`` is the bytes it goes through, ``buffers`` are the sizes of
    its own buffers, ``uses`` what its points read and write of slots; ``needs`` and ``reads`` are those of ``Step``.
    """

    calls: tuple[_Call, ...]
    buffers: tuple[int, ...]
    domain: Shape
    parallel: bool
    size: int
    uses: tuple[Use, ...]
    needs: dict[int, frozenset[int]]
    reads: frozenset[int]


class KernelCalls(FoldCalls[_Call], Protocol[_Kernel, _Call]):
    """How an executor calls compiled kernels."""

    @property
    def participants(self) -> int:
        """How many may run points of a launch at a time."""
        ...

    def call(
        self,
        kernel: _Kernel,
        domain: Shape,
        arguments: Sequence[tuple[Base, abi.ArgumentLayout]],
        scalars: Sequence[tuple[int, str]],
    ) -> _Call:
        """A call at all points of a domain; ``scalars`` are numbers of the plan's, with the names of their types."""
        ...

    def step(self, parts: LaunchParts[_Call]) -> Step:
        """The step that does this."""
        ...


@dataclass(frozen=True)
class StepMaker(Generic[Kernel, _Call]):
    """Turns the launches of one module into steps: ``slots`` and ``scalars`` are numbers of the plan's."""

    backend: KernelCalls[Kernel, _Call]
    slots: Mapping[SSAValue, int]
    scalars: Mapping[SSAValue, int]

    def step(self, launch: LaunchOp, kernel: Kernel, dependences: Sequence[Set[int]] | None) -> Step:
        """The step of a launch whose kernel was compiled. Raises CompileError, as what folds partials may have to be compiled.

        ``dependences`` are, for each argument that the kernel returns, the arguments it depends on (``slots_needed``).
        """
        accesses = launch.accesses
        size = sum(_bytes(access) for access in accesses if not access.privilege.reduces)
        points = abi.point_count(launch.extents)
        parallel = self.backend.participants > 1 and points > 1 and size >= _INLINE_BYTES
        shared = [access for access in accesses if access.privilege.writes and _replicated(access)]
        if parallel and shared:
            # While a kernel runs its result may hold what is half done: no two threads may share one.
            parallel = points * sum(map(_bytes, shared)) <= _MOST_COPIED_BYTES
        arguments: list[tuple[Base, abi.ArgumentLayout]] = []
        buffers: list[PointBuffers] = []
        uses: list[Use] = []
        folded: list[tuple[Access, PointBuffers]] = []
        for access in accesses:
            own = access.privilege.reduces or (parallel and access in shared)
            if own:
                mine = _buffers(len(buffers), access, launch)
                buffers.append(mine)
                folded.append((access, mine))
                arguments.append((Base(None, 0, mine.number), _layout(access, mine.tile_strides, mine.bytes_each)))
                continue
            slot, (base, strides) = self.slots[access.root], self._view(access)
            # An argument without access is looked at for its shape only, and may have no memory.
            used = access.privilege.reads or access.privilege.writes
            arguments.append((base if used else Base(None, 0), _layout(access, strides, 0)))
            if used:
                uses.append(Use(slot, access.pieces, access.privilege.writes))
        scalars = [(self.scalars[scalar], _scalar_name(scalar)) for scalar in launch.scalars]
        calls = [self.backend.call(kernel, launch.extents, arguments, scalars)]
        sizes = [each.bytes for each in buffers]
        for access, mine in folded if points else ():
            made, scratch = self._after(access, mine, len(sizes))
            calls += made
            sizes += [scratch] if scratch else []
        parts = LaunchParts(
            calls=tuple(calls),
            buffers=tuple(sizes),
            domain=launch.extents,
            parallel=parallel,
            size=size,
            uses=tuple(uses),
            needs=slots_needed(accesses, self.slots, launch.extents, dependences),
            reads=slots_read(accesses, self.slots),
        )
        return self.backend.step(parts)

    def _view(self, access: Access) -> tuple[Base, list[int]]:
        """Where an argument's view starts in its slot's buffer, and its strides in bytes."""
        offset, strides = view_strides(access.view, access.root_shape, dtype_of_store(access.root).itemsize)
        return Base(self.slots[access.root], offset), strides

    def _after(self, access: Access, buffers: PointBuffers, scratch: int) -> tuple[list[_Call], int]:
        """What is done with the buffers of the points, and the bytes of buffer number ``scratch`` that it takes."""
        base, strides = self._view(access)
        if not access.privilege.reduces:
            return [copy_call(buffers, base, strides, self.backend)], 0
        intervals = access.partition.partition.intervals(access.shape)
        return fold_calls(str(access.privilege.operator), buffers, intervals, base, strides, scratch, self.backend)


def _replicated(access: Access) -> bool:
    return access.partition.partition.replicated


def _bytes(access: Access) -> int:
    return prod(access.shape) * dtype_of_store(access.root).itemsize


def _buffers(number: int, access: Access, launch: LaunchOp) -> PointBuffers:
    """What points have of an argument: no point's clipped tile is larger."""
    tile = tuple(min(i.tile, i.extent) for i in access.partition.partition.intervals(access.shape))
    return PointBuffers(number, launch.extents, tile, dtype_of_store(access.root))


def _layout(access: Access, strides: Sequence[int], partial_stride: int) -> abi.ArgumentLayout:
    intervals = access.partition.partition.intervals(access.shape)
    dimensions = (tile_dimension(i, i.launch_dim, stride) for i, stride in zip(intervals, strides, strict=True))
    return abi.ArgumentLayout(tuple(dimensions), partial_stride)


def _scalar_name(scalar: SSAValue) -> str:
    scalar_type = scalar.type
    return f"i{scalar_type.width.data}" if isinstance(scalar_type, IntegerType) else str(scalar_type)

"""Opaque tasks: a Python callable on NumPy views of the sub-stores, point by point."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from xdsl.ir import SSAValue

from fuseir.dialects.dist.access import Access
from fuseir.dialects.dist.launch import LaunchOp
from fuseir.dialects.dist.partition import Shape
from fuseir.runtime.arrays import Array, array_of_view
from fuseir.runtime.buffers import note_shown
from fuseir.runtime.executors.binding import slots_needed, slots_read
from fuseir.runtime.executors.partials import Partials
from fuseir.runtime.plan import Number
from fuseir.runtime.reduction_tree import identity


@dataclass(frozen=True)
class _OpaqueArgument:
    slot: int
    access: Access
    partials: Partials | None
    copied: bool
    """Whether the callable gets a copy, as another argument changes the same elements: what it reads is what was there before."""


@dataclass(frozen=True)
class OpaqueStep:
    """One launch of an opaque task."""

    function: Callable[..., None]
    domain: Shape
    arguments: tuple[_OpaqueArgument, ...]
    scalars: tuple[int, ...]
    needs: dict[int, frozenset[int]]
    reads: frozenset[int]
    launch_number: int | None

    @staticmethod
    def of(
        launch: LaunchOp,
        slots: Mapping[SSAValue, int],
        scalars: Mapping[SSAValue, int],
        function: Callable[..., None],
        launch_number: int,
    ) -> OpaqueStep:
        """The step of a launch whose task has no body."""
        arguments: list[_OpaqueArgument] = []
        accesses = launch.accesses
        for access in accesses:
            slot = slots[access.root]
            partials = None
            if access.privilege.reduces:
                partials = Partials.of(access, launch.extents, access.partition.partition.intervals(access.shape))
            copied = access.privilege.reads and any(
                other is not access and other.privilege.writes and not access.apart_from(other) for other in accesses
            )
            arguments.append(_OpaqueArgument(slot, access, partials, copied))
        return OpaqueStep(
            function,
            launch.extents,
            tuple(arguments),
            tuple(scalars[scalar] for scalar in launch.scalars),
            slots_needed(accesses, slots, launch.extents),
            slots_read(accesses, slots),
            launch_number,
        )

    def run(self, slots: list[Array | None], scalars: Sequence[Number]) -> None:
        """Calls the function at every point, in row-major order. Whatever it raises goes through."""
        buffers = [None if a.partials is None else a.partials.allocate() for a in self.arguments]
        for argument, buffer in zip(self.arguments, buffers, strict=True):
            if argument.partials is not None and buffer is not None:
                buffer.fill(identity(argument.partials.operator, buffer.dtype))
        values = [scalars[number] for number in self.scalars]
        for point in np.ndindex(*self.domain):
            pieces = [self._piece(a, b, slots, point) for a, b in zip(self.arguments, buffers, strict=True)]
            self.function(*pieces, *values)
        for argument, buffer in zip(self.arguments, buffers, strict=True):
            target = slots[argument.slot]
            if argument.partials is not None and buffer is not None and target is not None:
                argument.partials.fold_into(target, buffer)

    def _piece(
        self, argument: _OpaqueArgument, partials: Array | None, slots: list[Array | None], point: tuple[int, ...]
    ) -> Array:
        access = argument.access
        box = access.partition.partition.box(access.shape, point)
        if partials is not None:
            return partials[(*point, *(slice(0, max(r.high - r.low, 0)) for r in box), ...)]
        buffer = slots[argument.slot]
        assert buffer is not None  # the plan allocated what is written, the session checked what is read
        note_shown(buffer)
        # Always a view, of rank 0 too, so that the callable writes through it.
        piece = array_of_view(buffer, access.view)[(*(slice(r.low, max(r.high, r.low)) for r in box), ...)]
        if not access.privilege.writes:
            piece = piece.copy() if argument.copied else piece.view()
            piece.flags.writeable = False
        return piece

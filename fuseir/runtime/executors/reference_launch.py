"""One launch, run point by point with NumPy: pieces out of stores, tasks on pieces, partials folded back.

The definition of what a launch does; see reference.py for what runs whole modules.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from xdsl.dialects import func
from xdsl.ir import SSAValue

from fuseir.dialects.dist.access import Access
from fuseir.dialects.dist.launch import LaunchOp
from fuseir.dialects.dist.privilege import Operator
from fuseir.dialects.dist.view import View
from fuseir.errors import UnsupportedError
from fuseir.runtime.executors.reference_kernel import garbage, run_kernel
from fuseir.runtime.program_stores import Number
from fuseir.runtime.reduction_tree import combine, identity, tree_reduce

Array: TypeAlias = NDArray[Any]
OpaqueTask: TypeAlias = Callable[..., object]


def run_launch(
    launch: LaunchOp,
    memory: Mapping[SSAValue, Array],
    scalars: Sequence[Number],
    opaque_tasks: Mapping[str, OpaqueTask],
) -> None:
    """Runs the task at each point in row-major order, then folds the points' partials into the stores they reduce to.

    ``memory`` holds the array of each root store that the launch touches, and is changed in place.
    """
    accesses = launch.accesses
    windows = [view_of(memory[access.root], access.view) for access in accesses]
    partials = [_Partials(access.privilege.operator) for access in accesses]
    callee = launch.callee()
    for point in itertools.product(*(range(extent) for extent in launch.extents)):
        pieces = [piece_of(window, access, point) for window, access in zip(windows, accesses, strict=True)]
        if callee is None or callee.is_declaration:
            results = _call_opaque(launch.task_name, opaque_tasks, accesses, pieces, scalars)
        else:
            results = _call_kernel(callee, accesses, pieces, scalars)
        for access, piece, partial, result in zip(accesses, pieces, partials, results, strict=True):
            if result is None:
                continue
            if access.privilege.reduces:
                partial.add(piece, result)
            else:
                piece[...] = result
    for partial in partials:
        partial.fold()


def _call_opaque(
    task: str,
    opaque_tasks: Mapping[str, OpaqueTask],
    accesses: Sequence[Access],
    pieces: Sequence[Array],
    scalars: Sequence[Number],
) -> list[Array | None]:
    """For each argument the piece as the callable left it, or None if it had no right to change it."""
    function = opaque_tasks.get(task)
    if function is None:
        raise UnsupportedError(f"task '@{task}' has no body, and no Python function is given for it")
    arguments = [_on_entry(access, piece) for access, piece in zip(accesses, pieces, strict=True)]
    for access, argument in zip(accesses, arguments, strict=True):
        argument.flags.writeable = access.privilege.returned
    function(*arguments, *scalars)
    return [
        argument if access.privilege.returned else None for access, argument in zip(accesses, arguments, strict=True)
    ]


def _call_kernel(
    kernel: func.FuncOp, accesses: Sequence[Access], pieces: Sequence[Array], scalars: Sequence[Number]
) -> list[Array | None]:
    """For each argument the tile that the kernel returns for it, or None."""
    tiles = [_signless(_on_entry(access, piece)) for access, piece in zip(accesses, pieces, strict=True)]
    results = iter(run_kernel(kernel, [*tiles, *(np.asarray(scalar) for scalar in scalars)]))
    return [
        next(results).view(piece.dtype) if access.privilege.returned else None
        for access, piece in zip(accesses, pieces, strict=True)
    ]


def _on_entry(access: Access, piece: Array) -> Array:
    """What a task finds in an argument, as a contiguous copy: docs/kernels.md §1."""
    if access.privilege.reads:
        return piece.copy()
    if access.privilege.operator is not None:
        return np.full(piece.shape, identity(access.privilege.operator, piece.dtype), piece.dtype)
    return garbage(piece.shape, piece.dtype)


def _signless(tile: Array) -> Array:
    return tile.view(f"i{tile.dtype.itemsize}") if tile.dtype.kind == "u" else tile


@dataclass
class _Partials:
    """What the points return for one ``reduce`` argument, in lists of those that share a piece, in row-major order of the points."""

    operator: Operator | None
    shared: dict[tuple[int, tuple[int, ...]], tuple[Array, list[Array]]] = field(default_factory=dict)

    def add(self, piece: Array, partial: Array) -> None:
        """Notes the partial of the next point."""
        # Pieces of one argument are the same or disjoint: address and shape tell which.
        address = piece.__array_interface__["data"][0]
        self.shared.setdefault((address, piece.shape), (piece, []))[1].append(partial)

    def fold(self) -> None:
        """``old ⊕ T(partials)`` into each piece."""
        for piece, partials in self.shared.values():
            if self.operator is not None and piece.size:
                piece[...] = combine(self.operator, piece, tree_reduce(self.operator, np.stack(partials), 0))


def view_of(store: Array, view: View) -> Array:
    """The window as a NumPy view of ``store``: writing to it writes to the store. Broadcast dimensions make it read-only."""
    if view.index_map is None:
        return store
    if 0 in view.shape:
        return np.empty(view.shape, store.dtype)  # the map may point anywhere
    index: list[int | slice] = []
    dims: list[int] = []
    for coordinate in view.index_map.results:
        if coordinate.dim is None:
            index.append(coordinate.offset)
            continue
        dims.append(coordinate.dim)
        end = coordinate.at(view.shape)
        # A slice that runs down to index 0 has no stop that is a valid index.
        index.append(slice(coordinate.offset, end if end >= 0 else None, coordinate.scale))
    window = np.transpose(store[(*index, ...)], np.argsort(dims))
    broadcast = [d for d in range(len(view.shape)) if d not in dims]
    window = np.expand_dims(window, broadcast)
    return window if window.shape == view.shape else np.broadcast_to(window, view.shape)


def piece_of(window: Array, access: Access, point: tuple[int, ...]) -> Array:
    """The part of an argument that a point gets, as a NumPy view."""
    box = access.partition.partition.box(access.shape, point)
    # Clipping leaves empty intervals with ends in any order, which slices would count from the back.
    return window[(*(slice(r.low, max(r.low, r.high)) for r in box), ...)]

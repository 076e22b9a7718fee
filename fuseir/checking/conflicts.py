"""Which two accesses make a fused task depend on the order of its points? Asked only of fused tasks that are known to be wrong."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from fuseir.checking.geometry import Piece
from fuseir.checking.program import Argument, Call, Group, Program

_NOBODY, _SEVERAL = np.uint64(2**64 - 1), np.uint64(2**64 - 2)


class Conflict(NamedTuple):
    """An element of a store that two members touch at different points. ``earlier_point`` of None: at several points."""

    store: int
    element: int
    earlier: Call
    earlier_does: str
    earlier_point: int | None
    later: Call
    later_does: str
    later_point: int


def first_conflict(program: Program, group: Group) -> Conflict | None:
    """The first pair of members, in program order, between which a dependence joins two points; None if there is none."""
    touched: dict[int, list[tuple[Call, Argument, NDArray[np.uint64]]]] = {}
    for call in group.members:
        for argument in call.arguments:
            for earlier, first, owners in touched.get(argument.store, ()):
                if earlier is not call and _conflict(first, argument):
                    found = _shared_element(first, argument, owners)
                    if found is not None:
                        element, one, other = found
                        return Conflict(
                            argument.store, element, earlier, _does(first), one, call, _does(argument), other
                        )
        for argument in call.arguments:
            if argument.used and argument.store not in group.temporaries:
                owners = _owners(argument, program.stores[argument.store].size)
                touched.setdefault(argument.store, []).append((call, argument, owners))
    return None


def _conflict(first: Argument, second: Argument) -> bool:
    if not (first.used and second.used) or not (first.writes or first.operator or second.writes or second.operator):
        return False
    if first.operator and first.operator == second.operator:
        return False
    # What a point writes through `replicated`, it has a copy of.
    return not (first.replicated and first.writes and (second.replicated or not (second.writes or second.operator)))


def _owners(argument: Argument, size: int) -> NDArray[np.uint64]:
    """For each element of the store the point that has it."""
    owners = np.full(size, _NOBODY, np.uint64)
    for point, piece in enumerate(argument.pieces):
        if piece.size:
            view = piece.of(owners)
            view[...] = np.where(view == _NOBODY, np.uint64(point), _SEVERAL)
    return owners


def _shared_element(
    first: Argument, second: Argument, owners: NDArray[np.uint64]
) -> tuple[int, int | None, int] | None:
    """An element that two different points have, the first's point (None if several have it), and the second's."""
    for point, piece in enumerate(second.pieces):
        if piece.size:
            view = piece.of(owners)
            others = np.flatnonzero((view != _NOBODY) & (view != np.uint64(point)))
            if others.size:
                element = element_at(piece, int(others[0]))
                owner = owners[element]
                return element, None if owner == _SEVERAL else int(owner), point
    return None


def element_at(piece: Piece, index: int) -> int:
    """The number of the store's element at an index of the piece, both counted in row-major order."""
    at = np.unravel_index(index, piece.shape)
    return piece.offset + sum(int(i) * stride for i, stride in zip(at, piece.strides, strict=True))


def _does(argument: Argument) -> str:
    if argument.operator:
        return "reduces into"
    return ("reads and writes" if argument.reads else "writes") if argument.writes else "reads"

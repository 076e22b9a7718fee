"""Stores that are put together from copies of parts of others: who makes the pieces, who changes and who reads which store."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import NamedTuple

from xdsl.dialects import func
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import SSAValue

from fuseir.dialects.dist.access import Access
from fuseir.dialects.dist.launch import FusedTaskOp, LaunchOp
from fuseir.dialects.dist.ops import ReleaseOp, StoreOp, SwapOp, shaped
from fuseir.dialects.dist.privilege import WRITE
from fuseir.dialects.dist.view import View
from fuseir.dialects.kernel import is_kernel
from fuseir.dtypes import DTYPES
from fuseir.passes.analysis.copied_views import copied_parameters, origin, same_elements

_MOST_PIECES = 32
"""Of one store: they are compared with each other."""


class Piece(NamedTuple):
    """A part of a store that a launch copies from elsewhere. ``argument`` is the number of the target among the launch's arguments."""

    position: int
    launch: LaunchOp
    source: Access
    target: Access
    argument: int


class _Change(NamedTuple):
    """Where elements of a store change; ``access`` is None for a swap: all do."""

    position: int
    access: Access | None


class StoreHistory:
    """What a module does to its stores. Functions are looked at once each."""

    def __init__(self, module: ModuleOp) -> None:
        functions = (op for op in module.ops if isinstance(op, func.FuncOp))
        self.kernels = {op.sym_name.data: op for op in functions if is_kernel(op)}
        self.pieces: dict[SSAValue, list[Piece]] = {}
        self.readers: dict[SSAValue, set[LaunchOp]] = {}
        """Who looks at a store in any way and does not change it."""
        self.copying: set[LaunchOp] = set()
        """The launches that make pieces."""
        self.positions: dict[LaunchOp, int] = {}
        self.releases = {op.store: op for op in module.ops if isinstance(op, ReleaseOp)}
        self._changes: dict[SSAValue, list[_Change]] = {}
        self._otherwise: set[SSAValue] = set()
        """Stores that something else than copies changes."""
        copies = {name: copied_parameters(kernel) for name, kernel in self.kernels.items()}
        for position, op in enumerate(_launches_and_swaps(module)):
            if isinstance(op, LaunchOp):
                self.positions[op] = position
                self._note(op, position, copies.get(op.task_name, {}))
            else:
                for root in (op.first, op.second):
                    self._changes.setdefault(root, []).append(_Change(position, None))
                    self._otherwise.add(root)

    def _note(self, launch: LaunchOp, position: int, copies: dict[int, int]) -> None:
        accesses = launch.accesses
        for k, access in enumerate(accesses):
            if not access.privilege.returned:
                self.readers.setdefault(access.root, set()).add(launch)
                continue
            self._changes.setdefault(access.root, []).append(_Change(position, access))
            source = accesses[copies[k]] if k in copies and access.privilege == WRITE else None
            if source is not None and same_elements(source, access, launch.extents):
                self.pieces.setdefault(access.root, []).append(Piece(position, launch, source, access, k))
                self.copying.add(launch)
            else:
                self._otherwise.add(access.root)

    def assembled(self) -> Iterator[SSAValue]:
        """The stores that nobody outside sees, and that only copies change, each another part."""
        for root, pieces in self.pieces.items():
            owner = root.owner
            if (
                isinstance(owner, StoreOp)
                and owner.store_name is None
                and root in self.releases
                and root not in self._otherwise
                and len(pieces) <= _MOST_PIECES
                and all(a.target.apart_from(b.target) for k, a in enumerate(pieces) for b in pieces[:k])
            ):
                yield root

    def unchanged(self, piece: Piece, reader: LaunchOp) -> bool:
        """Whether what was copied is the same from the copy until a reader's launch."""
        end = self.positions[reader]
        return not any(
            piece.position <= change.position < end
            and (change.access is None or not change.access.apart_from(piece.source))
            for change in self._changes.get(piece.source.root, ())
        )

    def origin(self, root: SSAValue, shown: View) -> tuple[SSAValue, View] | None:
        """The store, and the view of it, that what a view shows was copied from; None unless all of it is of one piece."""
        for piece in self.pieces[root]:
            if (view := origin(piece.source, piece.target, shown)) is not None:
                return piece.source.root, view
        return None


def may_be_split(module: ModuleOp) -> set[SSAValue]:
    """The stores that ``split-launches`` might look for behind ``compose-kernels``: it has to see the kernels of what uses them."""
    return set(StoreHistory(module).assembled())


def store_bytes(store: SSAValue) -> int:
    """How large a store is."""
    store_type = shaped(store)
    return prod(store_type.extents) * DTYPES[str(store_type.element_type)].itemsize


def _launches_and_swaps(module: ModuleOp) -> Iterator[LaunchOp | SwapOp]:
    for op in module.ops:
        if isinstance(op, LaunchOp | SwapOp):
            yield op
        elif isinstance(op, FusedTaskOp):
            yield from op.members

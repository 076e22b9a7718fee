"""How messages name a store and what a launch does to it."""

from __future__ import annotations

from xdsl.ir import SSAValue

from fuseir.dialects.dist.access import Access
from fuseir.dialects.dist.ops import StoreOp


def store_label(store: SSAValue) -> str:
    """A store by its own name, else as the text of the program names it."""
    owner = store.owner
    if isinstance(owner, StoreOp) and owner.store_name is not None:
        return f'"{owner.store_name.data}"'
    return f"%{store.name_hint}" if store.name_hint else f"(unnamed, {store.type})"


def pieces_label(access: Access) -> str:
    """The pieces that an access divides its store into: the partition, and the view that it is a partition of."""
    view = "" if access.view.index_map is None else f" of view {access.view.index_map}"
    return f"{access.partition.partition}{view}"


def access_label(access: Access) -> str:
    """What a launch does to which pieces."""
    return f"'{access.privilege}' through {pieces_label(access)}"

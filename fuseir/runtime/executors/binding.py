"""How a launch's arguments map to slots and memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set

from xdsl.ir import SSAValue

from fuseir.dialects.dist.access import Access
from fuseir.dialects.dist.partition import Shape


def slots_read(accesses: Sequence[Access], slots: Mapping[SSAValue, int]) -> frozenset[int]:
    """The slots whose contents a launch looks at (``Step.reads``)."""
    return frozenset(slots[access.root] for access in accesses if access.privilege.reads)


def slots_needed(
    accesses: Sequence[Access],
    slots: Mapping[SSAValue, int],
    domain: Shape,
    parameters_of_results: Sequence[Set[int]] | None = None,
) -> dict[int, frozenset[int]]:
    """For each slot that a launch changes, the slots whose old contents the new ones depend on (``Step.needs``).

    ``parameters_of_results`` narrows it: for each argument that the task returns, in order, the arguments it depends on. Without it every
    result depends on all that is read. A partial write or a reduction also needs what it changes.
    """
    returned = [access for access in accesses if access.privilege.returned]
    everything = set(range(len(accesses)))
    needs: dict[int, frozenset[int]] = {}
    for k, access in enumerate(returned):
        parameters = everything if parameters_of_results is None else parameters_of_results[k]
        needed = {slots[accesses[p].root] for p in parameters if accesses[p].privilege.reads}
        slot = slots[access.root]
        if access.privilege.reduces or not access.covers_root(domain):
            needed.add(slot)
        needs[slot] = needs.get(slot, frozenset()) | needed
    return needs

"""Where the tensors between a kernel's nests live: in a parameter's memory where that is legal, else in scratch.

A returned tensor goes straight into its parameter's memory if whatever still reads the parameter's old contents does so in an
earlier nest, or in the same nest at the same element. Otherwise it is computed into scratch and copied at the end. Other
tensors borrow the memory of a parameter that nobody looks at in the meantime, or use scratch, which is reused once it is dead.

Linear in the number of reads, times the number of returned parameters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from xdsl.dialects.builtin import TensorType
from xdsl.ir import Attribute, SSAValue

from fuseir.dialects.kernel import ExtentClasses
from fuseir.passes.analysis.kernel_graph import Nest
from fuseir.passes.analysis.scalar_body import Dims

OutputId = tuple[int, int]
"""A nest's number and its output's."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """The memory of a tensor parameter."""

    number: int


@dataclass(frozen=True, slots=True)
class Scratch:
    """A buffer of the kernel's own."""

    slot: int


Place = Parameter | Scratch


@dataclass(frozen=True, slots=True)
class Slot:
    """What a scratch buffer holds: elements of a type, its extents by class."""

    element_type: Attribute
    classes: Dims


@dataclass(slots=True)
class MemoryPlan:
    """``places`` of all outputs; the scratch ``slots``; ``copies`` to make at the end, from an output to a parameter."""

    places: dict[OutputId, Place] = field(default_factory=dict[OutputId, Place])
    slots: list[Slot] = field(default_factory=list[Slot])
    copies: list[tuple[OutputId, int]] = field(default_factory=list[tuple[OutputId, int]])


@dataclass(slots=True)
class _Memory:
    """A parameter's memory or a slot. ``readers``: who reads what it holds now; ``final``: its last store, if known."""

    readers: list[tuple[int, Dims]]
    final: tuple[int, Dims] | None = None

    def free_for(self, nest: int, dims: Dims, readers: Sequence[tuple[int, Dims]]) -> bool:
        """Whether ``nest`` may store at ``dims`` what ``readers`` read."""
        return _done(self.readers, nest, dims) and (
            self.final is None or (nest < self.final[0] and _done(readers, *self.final))
        )


def _done(readers: Sequence[tuple[int, Dims]], nest: int, dims: Dims) -> bool:
    """Whether ``nest`` may overwrite at ``dims``: all readers come before it, or read the same element in it."""
    return all(reader < nest or (reader == nest and read == dims) for reader, read in readers)


def plan_memory(
    nests: Sequence[Nest],
    parameters: Sequence[SSAValue],
    finals: Mapping[OutputId, int],
    extents: ExtentClasses,
) -> MemoryPlan:
    """Decide where each output of ``nests`` lives; ``finals`` are those that parameters must hold in the end."""
    plan = MemoryPlan()
    readers = _readers(nests)
    memories = {k: _Memory(readers.get(parameters[k], [])) for k in finals.values()}
    for (nest, output), k in finals.items():
        dims = nests[nest].outputs[output].dims
        if _done(memories[k].readers, nest, dims):
            plan.places[nest, output] = Parameter(k)
            memories[k].final = (nest, dims)
        else:
            plan.copies.append(((nest, output), k))
    kinds = {k: _kind(parameters[k], extents) for k in memories}
    slots: list[_Memory] = []
    end = len(nests)
    for i, nest in enumerate(nests):
        for j, output in enumerate(nest.outputs):
            if (i, j) in plan.places:
                continue
            kind = _kind(output.root, extents)
            mine = list(readers.get(output.result, []))
            if (i, j) in finals:
                mine.append((end, ()))
            # A copied output may not borrow: the parameter it would borrow may be due for a copy itself.
            borrowed = [] if (i, j) in finals else [k for k in memories if kinds[k] == kind]
            for k in borrowed:
                if memories[k].free_for(i, output.dims, mine):
                    plan.places[i, j] = Parameter(k)
                    memories[k].readers = mine
                    break
            else:
                slot = next(
                    (s for s, m in enumerate(slots) if plan.slots[s] == kind and m.free_for(i, output.dims, mine)),
                    len(slots),
                )
                if slot == len(slots):
                    slots.append(_Memory([]))
                    plan.slots.append(kind)
                plan.places[i, j] = Scratch(slot)
                slots[slot].readers = mine
    return plan


def _kind(value: SSAValue, extents: ExtentClasses) -> Slot:
    assert isinstance(value.type, TensorType)
    classes = tuple(extents.number(value, d) for d in range(value.type.get_num_dims()))
    return Slot(value.type.element_type, classes)


def _readers(nests: Sequence[Nest]) -> dict[SSAValue, list[tuple[int, Dims]]]:
    readers: dict[SSAValue, list[tuple[int, Dims]]] = {}
    for i, nest in enumerate(nests):
        for load in nest.reads():
            readers.setdefault(load.source, []).append((i, load.dims))
        for output in nest.outputs:
            if output.combiner is not None and output.init is not None:
                readers.setdefault(output.init, []).append((i, output.dims))
    return readers

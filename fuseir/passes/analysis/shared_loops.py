"""Which nests of a kernel share their outer loops, so that a row that one of them makes is still in the cache when the next reads it.

    for i:                             // maximum, exponentials with their sum, quotients: three nests of one row each
      m = fold max x[i, :]
      s = fold add, for j: y[i, j] = exp(x[i, j] - m)
      for j: y[i, j] = y[i, j] / s

Nests keep their order. One may go on in the loops that the nest before it has open if

- each such loop has the same extent in both, and no output of either reduces along it;
- whatever both kinds of nests in there touch, and one of them changes, all of them index by those loops at the same places, so that no
  iteration meets another's elements;
- it looks at something that the nests in there look at or make: sharing is of no use otherwise;
- the vectorised loop of each is left inside; nests that have no loop left (a row's maximum, combined with what was there) follow others.

A value that nests of the same iteration use alone needs no memory: ``Sharing.kept`` says which. Cost: the touches of nests in shared loops,
squared for each tensor; source: loop fusion at the outer level, Kennedy and McKinley 1993.
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from xdsl.ir import SSAValue

from fuseir.passes.analysis.kernel_graph import Nest
from fuseir.passes.analysis.kernel_memory import MemoryPlan, OutputId, Parameter, Place
from fuseir.passes.analysis.loop_order import loop_order
from fuseir.passes.analysis.scalar_body import Dims


@dataclass(frozen=True, slots=True)
class Sharing:
    """``orders`` of the nests' loops; how many outer loops each nest shares with the one before it, ``shared``; 0 for the first.

    ``kept`` are outputs that nests in the same loops alone read: values that need no memory.
    """

    orders: Sequence[Dims]
    shared: Sequence[int]
    kept: AbstractSet[OutputId]

    def common(self, earlier: int, later: int) -> int:
        """How many loops two nests share."""
        return min(self.shared[earlier + 1 : later + 1], default=0)

    def reaches(self, maker: int, made: Dims, reader: int, read: Dims) -> bool:
        """Whether what ``maker`` makes at ``made`` is, at ``read`` in ``reader``, a value of the same iteration of the loops they share."""
        depth = len(made)
        return self.common(maker, reader) >= depth and _in_step(
            self.orders[maker][:depth], made, self.orders[reader][:depth], read
        )


@dataclass(frozen=True, slots=True)
class _Touch:
    """A place that a nest loads from or stores to."""

    nest: int
    dims: Dims
    changes: bool


def share_loops(
    nests: Sequence[Nest], parameters: Sequence[SSAValue], plan: MemoryPlan, finals: AbstractSet[OutputId]
) -> Sharing:
    """Decide for the nests of a kernel, in this order and with this memory; ``finals`` are the outputs that parameters must hold."""
    orders = [_order(nest) for nest in nests]
    places = _places(nests, parameters, plan)
    touches = [_touches(i, nest, plan, places) for i, nest in enumerate(nests)]
    shared: list[int] = []
    group: list[int] = []  # the nests that share loops with the last one, itself included
    for i in range(len(nests)):
        count = 0
        if i and any(place in touches[g] for g in group for place in touches[i]):
            count = _most_shared(nests, orders, group, shared, touches)
        shared.append(count)
        group = [*group, i] if count else [i]
    sharing = Sharing(orders, shared, set())
    return Sharing(orders, shared, _kept(nests, sharing, finals))


def own_loops(nests: Sequence[Nest]) -> Sharing:
    """Each nest has loops of its own."""
    return Sharing([_order(nest) for nest in nests], [0] * len(nests), set())


def _order(nest: Nest) -> Dims:
    order = loop_order(range(nest.rank), nest.reductions)
    assert order is not None, "the graph splits nests that have no loop order"
    return order


def _places(nests: Sequence[Nest], parameters: Sequence[SSAValue], plan: MemoryPlan) -> dict[SSAValue, Place]:
    """Where each tensor lives."""
    places: dict[SSAValue, Place] = {parameter: Parameter(k) for k, parameter in enumerate(parameters)}
    for i, nest in enumerate(nests):
        places.update((output.result, plan.places[i, j]) for j, output in enumerate(nest.outputs))
    return places


def _touches(i: int, nest: Nest, plan: MemoryPlan, places: dict[SSAValue, Place]) -> dict[Place, list[_Touch]]:
    touches: dict[Place, list[_Touch]] = {}
    for load in nest.reads():
        touches.setdefault(places[load.source], []).append(_Touch(i, load.dims, changes=False))
    for j, output in enumerate(nest.outputs):
        if output.combiner is not None and output.init is not None:
            touches.setdefault(places[output.init], []).append(_Touch(i, output.dims, changes=False))
        touches.setdefault(plan.places[i, j], []).append(_Touch(i, output.dims, changes=True))
    return touches


def _in_step(order: Dims, dims: Dims, other_order: Dims, other_dims: Dims) -> bool:
    """Whether two accesses to one tensor are at different elements wherever the loops of the orders are at different iterations."""
    return all(
        loop in dims and other_dims[dims.index(loop)] == other for loop, other in zip(order, other_order, strict=True)
    )


def _most_shared(
    nests: Sequence[Nest],
    orders: Sequence[Dims],
    group: Sequence[int],
    shared: Sequence[int],
    touches: Sequence[dict[Place, list[_Touch]]],
) -> int:
    """How many loops the nest after those with a number in ``shared`` may share with the last of them, whose loops ``group`` shares."""
    i = len(shared)
    most = 0
    # Loops are shared from the outside in: where one cannot be, no inner one can.
    while _same_loop(i, most, nests, orders, shared):
        depth = most + 1
        for g in group:
            # Nests that share fewer loops have been looked at before.
            if min([depth, *shared[g + 1 :]]) == depth and not _all_in_step(
                touches[g], touches[i], orders[g][:depth], orders[i][:depth]
            ):
                return most
        most = depth
    return most


def _same_loop(i: int, level: int, nests: Sequence[Nest], orders: Sequence[Dims], shared: Sequence[int]) -> bool:
    """Whether loop ``level`` of nest ``i`` and of the one before it may be one loop, as far as extents and what loops are for say."""
    last = i - 1
    if min(len(orders[last]), len(orders[i])) <= level:
        return False
    theirs, own = orders[last][level], orders[i][level]
    if nests[last].classes[theirs] != nests[i].classes[own] or not all(own in o.dims for o in nests[i].outputs):
        return False
    if len(orders[i]) > level + 1 and own == nests[i].rank - 1:
        return False
    if shared[last] > level:
        return True
    # It would be the first in this loop.
    return (
        len(orders[last]) > level + 1
        and theirs != nests[last].rank - 1
        and all(theirs in o.dims for o in nests[last].outputs)
    )


def _all_in_step(a: dict[Place, list[_Touch]], b: dict[Place, list[_Touch]], order: Dims, other_order: Dims) -> bool:
    return all(
        _in_step(order, x.dims, other_order, y.dims)
        for place in a.keys() & b.keys()
        for x in a[place]
        for y in b[place]
        if x.changes or y.changes
    )


def _kept(nests: Sequence[Nest], sharing: Sharing, finals: AbstractSet[OutputId]) -> set[OutputId]:
    """Outputs that all readers get as values."""
    makers = {o.result: (i, j) for i, nest in enumerate(nests) for j, o in enumerate(nest.outputs)}
    stored = set(finals)
    for i, nest in enumerate(nests):
        starts = [(o.init, o.dims) for o in nest.outputs if o.combiner is not None and o.init is not None]
        for source, dims in [*((load.source, load.dims) for load in nest.reads()), *starts]:
            if source in makers:
                maker, j = makers[source]
                if not sharing.reaches(maker, nests[maker].outputs[j].dims, i, dims):
                    stored.add((maker, j))
    return set(makers.values()) - stored

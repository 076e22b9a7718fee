"""Which nests of a kernel become one: legality and profit of `fuse-kernels`, apart from its rewriting.

Nests are taken in topological order; each joins the first cluster that it may join, or starts one. Since a nest goes as early as
dependences allow, nests of one iteration space end in as few clusters as their longest chain of reductions needs. Afterwards
nests whose only readers are in one later cluster move there, so that the value between the clusters need not be stored.

A nest may join a cluster if
- no path leads from the cluster through another one to the nest;
- their iteration spaces are the same up to the order of dimensions, told from extent classes;
- it reads each tensor that the cluster makes at the very element made at that point, and none that the cluster reduces into;
- it does not overwrite what the cluster reads elsewhere, or the other way round (that would cost a copy);
- one order of loops serves all reductions;
- the cluster then has at most ``max_results`` outputs that the caller gets: each is a stream of stores, and with more of them than the
  processor follows at once every store waits.

Paths are bit masks of clusters, so a nest costs its operands plus the clusters of its own iteration space.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from xdsl.ir import SSAValue

from fuseir.passes.analysis.kernel_graph import Nest, Output
from fuseir.passes.analysis.loop_order import Reduction, loop_order
from fuseir.passes.analysis.scalar_body import Dims, substitute
from fuseir.passes.analysis.topological import ancestor_masks, order_with_wishes

DIFFERENT_SPACE = "the iteration spaces differ"
NEEDS_REDUCTION = "it uses the result of a reduction"
OTHER_ELEMENT = "it reads other elements than those made at the same point"
OVERWRITES = "one overwrites in place what the other reads elsewhere"
LOOP_ORDER = "their reductions need different loops outside"
TOO_MANY_RESULTS = "one nest would store too many tensors at once"
BETWEEN = "a nest in between depends on one and the other depends on it"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why nest number ``nest`` did not join the cluster of a nest whose result it reads."""

    nest: int
    reason: str


@dataclass(slots=True)
class Cluster:
    """Nests that become one. ``members`` has for each how its dimensions are called in the cluster.

    ``order`` is the order in which the merged nest should have its dimensions; ``reductions`` are those of all members.
    """

    classes: Dims
    order: Dims
    members: dict[int, Dims] = field(default_factory=dict[int, Dims])
    reductions: list[Reduction] = field(default_factory=list[Reduction])


@dataclass(frozen=True, slots=True)
class _Access:
    """A tensor read at, or made at, ``dims`` of a nest; ``whole`` if it takes all of the reduction, not an element."""

    value: SSAValue
    dims: Dims
    whole: bool = False


class Clustering:
    """The clusters of one kernel's nests. ``homes``: the parameters whose new contents a value is, if it is returned."""

    def __init__(
        self, nests: Sequence[Nest], homes: Mapping[SSAValue, Sequence[SSAValue]], max_results: int | None = None
    ) -> None:
        self.nests = nests
        self.homes = homes
        self.refusals: list[Refusal] = []
        # Nests that found a cluster full.
        self.crowded: set[int] = set()
        self._max_results = max_results
        self.clusters: list[Cluster] = []
        # Whether a nest went to another cluster than the first that would have it.
        self.moved = False
        self._cluster_of: dict[int, int] = {}
        self._ancestors: list[int] = []
        self._by_space: dict[Dims, list[int]] = {}
        self._reads = [_reads(nest) for nest in nests]
        self._makers = {o.result: (i, o) for i, nest in enumerate(nests) for o in nest.outputs}
        self._readers: dict[SSAValue, list[tuple[int, _Access]]] = {}
        for i, reads in enumerate(self._reads):
            for access in reads:
                self._readers.setdefault(access.value, []).append((i, access))
        # The parameters that are overwritten, by whom and where.
        self._writers: dict[SSAValue, list[tuple[int, Dims]]] = {}
        for value, parameters in homes.items():
            if value in self._makers:
                nest, output = self._makers[value]
                for parameter in parameters:
                    self._writers.setdefault(parameter, []).append((nest, output.dims))
        self._inputs = [{self._makers[a.value][0] for a in reads if a.value in self._makers} for reads in self._reads]
        self._overtaken = self._find_overtaken()
        self._overtakers: dict[int, list[int]] = {}
        for writer, readers in enumerate(self._overtaken):
            for reader in readers:
                self._overtakers.setdefault(reader, []).append(writer)

    def run(self) -> list[Cluster]:
        """The clusters, in an order in which they can run."""
        for nest in order_with_wishes(self._inputs, self._overtaken):
            self._place(nest)
        for nest in reversed(range(len(self.nests))):
            self._sink(nest)
        edges: list[set[int]] = [set() for _ in self.clusters]
        wishes: list[set[int]] = [set() for _ in self.clusters]
        for nest, own in self._cluster_of.items():
            edges[own].update({self._cluster_of[p] for p in self._inputs[nest]} - {own})
            wishes[own].update({self._cluster_of[p] for p in self._overtaken[nest]} - {own})
        ordered = order_with_wishes(edges, wishes)
        return [self.clusters[c] for c in ordered if self.clusters[c].members]

    def outlives(self, output: Output, cluster: Cluster) -> bool:
        """Whether something outside ``cluster`` needs ``output``."""
        return output.result in self.homes or any(
            access.whole or reader not in cluster.members for reader, access in self._readers.get(output.result, ())
        )

    def _find_overtaken(self) -> list[set[int]]:
        """For each nest, those that read what it overwrites in place, and so had better come before."""
        ancestors = ancestor_masks(self._inputs)
        overtaken: list[set[int]] = [set() for _ in self.nests]
        for parameter, writers in self._writers.items():
            for reader, _ in self._readers.get(parameter, ()):
                for writer, _ in writers:
                    if reader != writer and not ancestors[reader] >> writer & 1:
                        overtaken[writer].add(reader)
        return overtaken

    # Placing

    def _place(self, nest: int) -> None:
        before = {self._cluster_of[p] for p in self._inputs[nest] | self._overtaken[nest] if p in self._cluster_of}
        beyond = 0
        for c in before:
            beyond |= self._ancestors[c]
        makers = sorted({self._cluster_of[p] for p in self._inputs[nest]})
        space = tuple(sorted(self.nests[nest].classes))
        for c in dict.fromkeys([*makers, *self._by_space.get(space, ())]):
            found = BETWEEN if beyond >> c & 1 else self.alignment(nest, self.clusters[c])
            if not isinstance(found, str):
                self._add(nest, self.clusters[c], found)
                if c in makers:
                    # A consumer's order counts: it is what stores run along in the end.
                    self.clusters[c].order = found
                break
            if c in makers:
                self.refusals.append(Refusal(nest, found))
        else:
            c = len(self.clusters)
            dims = tuple(range(self.nests[nest].rank))
            self.clusters.append(Cluster(self.nests[nest].classes, dims))
            self._add(nest, self.clusters[c], dims)
            self._ancestors.append(0)
            self._by_space.setdefault(space, []).append(c)
        self._cluster_of[nest] = c
        self._note_paths(c, before - {c})

    def _add(self, nest: int, cluster: Cluster, renaming: Dims) -> None:
        cluster.members[nest] = renaming
        cluster.reductions.extend(self._renamed_reductions(nest, renaming))

    def _note_paths(self, c: int, before: set[int]) -> None:
        mask = self._ancestors[c]
        for p in before:
            mask |= self._ancestors[p] | (1 << p)
        if mask != self._ancestors[c]:
            self._ancestors[c] = mask
            for d, ancestors in enumerate(self._ancestors):
                if ancestors >> c & 1:
                    self._ancestors[d] |= mask

    # Legality

    def alignment(self, nest: int, cluster: Cluster) -> Dims | str:
        """What the dimensions of ``nest`` are called in ``cluster``, or why it may not be there."""
        classes = self.nests[nest].classes
        if sorted(classes) != sorted(cluster.classes):
            return DIFFERENT_SPACE
        pairs = self._flow(nest, cluster)
        if isinstance(pairs, str):
            return pairs
        renaming: dict[int, int] = {}
        for own, theirs in pairs:
            for d, e in zip(own, theirs, strict=True):
                if renaming.setdefault(d, e) != e or classes[d] != cluster.classes[e]:
                    return OTHER_ELEMENT
        if len(set(renaming.values())) != len(renaming):
            return OTHER_ELEMENT
        pairs = self._overwriting(nest, cluster)
        for own, theirs in pairs:
            for d, e in zip(own, theirs, strict=True):
                if renaming.setdefault(d, e) != e or classes[d] != cluster.classes[e]:
                    return OVERWRITES
        if len(set(renaming.values())) != len(renaming):
            return OVERWRITES
        complete = self._complete(nest, cluster, renaming)
        reductions = [*cluster.reductions, *self._renamed_reductions(nest, complete)]
        if loop_order(cluster.order, reductions) is None:
            return LOOP_ORDER
        if self._crowds(nest, cluster):
            self.crowded.add(nest)
            return TOO_MANY_RESULTS
        return complete

    def _crowds(self, nest: int, cluster: Cluster) -> bool:
        """Whether ``nest`` brings results that the cluster has no room for."""
        own = self._results(nest)
        if self._max_results is None or not own or not cluster.classes:
            return False
        return own + sum(self._results(member) for member in cluster.members) > self._max_results

    def _results(self, nest: int) -> int:
        return sum(output.result in self.homes for output in self.nests[nest].outputs)

    def _renamed_reductions(self, nest: int, renaming: Dims) -> Iterator[Reduction]:
        for reduction in self.nests[nest].reductions:
            yield Reduction(substitute(reduction.kept, renaming), substitute(reduction.reduced, renaming))

    def _flow(self, nest: int, cluster: Cluster) -> list[tuple[Dims, Dims]] | str:
        """Where values go between ``nest`` and ``cluster``: dimensions of the one and of the other that must be the same."""
        pairs: list[tuple[Dims, Dims]] = []
        for access in self._reads[nest]:
            maker, output = self._makers.get(access.value, (-1, None))
            if output is not None and maker in cluster.members:
                if output.combiner is not None or access.whole:
                    return NEEDS_REDUCTION
                pairs.append((access.dims, substitute(output.dims, cluster.members[maker])))
        for output in self.nests[nest].outputs:
            for reader, access in self._readers.get(output.result, ()):
                if reader in cluster.members:
                    if output.combiner is not None or access.whole:
                        return NEEDS_REDUCTION
                    pairs.append((output.dims, substitute(access.dims, cluster.members[reader])))
        return pairs

    def _overwriting(self, nest: int, cluster: Cluster) -> list[tuple[Dims, Dims]]:
        """Where one reads the old contents of what the other overwrites: both must do so at one element."""
        pairs: list[tuple[Dims, Dims]] = []
        for access in self._reads[nest]:
            for writer, dims in self._writers.get(access.value, ()):
                if writer in cluster.members:
                    pairs.append((access.dims, substitute(dims, cluster.members[writer])))
        for output in self.nests[nest].outputs:
            for parameter in self.homes.get(output.result, ()):
                for reader, access in self._readers.get(parameter, ()):
                    if reader in cluster.members:
                        pairs.append((output.dims, substitute(access.dims, cluster.members[reader])))
        return pairs

    def _complete(self, nest: int, cluster: Cluster, renaming: dict[int, int]) -> Dims:
        """Names for the dimensions that no value fixes: by where outputs have them, then in order.

        Any choice of dimensions of equal extents is right; this one keeps tensors running the way they did.
        """
        classes = self.nests[nest].classes
        first = next(iter(cluster.members))
        theirs = substitute(_outline(self.nests[first]), cluster.members[first])
        for d, e in zip(_outline(self.nests[nest]), theirs, strict=False):
            if d not in renaming and e not in renaming.values() and classes[d] == cluster.classes[e]:
                renaming[d] = e
        for d in range(len(classes)):
            if d not in renaming:
                free = (e for e in cluster.order if cluster.classes[e] == classes[d] and e not in renaming.values())
                renaming[d] = next(free)
        return tuple(renaming[d] for d in range(len(classes)))

    # Profit

    def _sink(self, nest: int) -> None:
        """Move ``nest`` into the one later cluster that reads its results, if that saves storing them."""
        readers = [r for output in self.nests[nest].outputs for r, _ in self._readers.get(output.result, ())]
        targets = {self._cluster_of[r] for r in readers}
        own = self._cluster_of[nest]
        outputs = self.nests[nest].outputs
        if (
            len(targets) != 1
            or own in targets
            or any(o.combiner is not None or o.result in self.homes for o in outputs)
        ):
            return
        target = targets.pop()
        # Whatever overwrites in place what this nest reads must not already be on the way there.
        late = {self._cluster_of[w] for w in self._overtakers.get(nest, ())} - {target}
        if any(self._ancestors[target] >> c & 1 for c in late):
            return
        if not self._sinking_pays(nest, self.clusters[own]):
            return
        found = self.alignment(nest, self.clusters[target])
        if isinstance(found, str):
            return
        self.moved = True
        del self.clusters[own].members[nest]
        self._add(nest, self.clusters[target], found)
        self._cluster_of[nest] = target

    def _sinking_pays(self, nest: int, own: Cluster) -> bool:
        """Whether nothing that lives in its cluster's registers alone would have to be stored instead."""
        for maker in self._inputs[nest]:
            if maker not in own.members:
                continue
            for output in self.nests[maker].outputs:
                readers = {reader for reader, _ in self._readers.get(output.result, ())}
                if nest in readers and readers != {nest} and not self.outlives(output, own):
                    return False
        return True


def _reads(nest: Nest) -> list[_Access]:
    elements = [_Access(load.source, load.dims) for load in nest.reads()]
    reductions = [output for output in nest.outputs if output.combiner is not None]
    return elements + [_Access(o.init, o.dims, whole=True) for o in reductions if o.init is not None]


def _outline(nest: Nest) -> Dims:
    """The dimensions in the order in which the nest's first complete output, or else its tensors, have them."""
    for output in nest.outputs:
        if len(output.dims) == nest.rank:
            return output.dims
    for load in nest.reads():
        if len(load.dims) == nest.rank:
            return load.dims
    return tuple(range(nest.rank))

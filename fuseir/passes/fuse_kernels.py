"""`fuse-kernels`: merge the generics of each kernel into as few loop nests as its dependences allow.

Before::

    %p = linalg.generic … ins(%x, %y) outs(%t) { ^bb0(%a, %b, %_): %0 = arith.mulf %a, %b  linalg.yield %0 }
    %q = linalg.generic … ins(%p) outs(%z)     { ^bb0(%c, %_):     %1 = math.exp %c        linalg.yield %1 }
    %r = linalg.generic … ins(%q) outs(%s)     { ^bb0(%d, %acc):   %2 = arith.addf %acc, %d  linalg.yield %2 }
    func.return %q, %r

After::

    %q, %r = linalg.generic … ins(%x, %y) outs(%z, %s) {
    ^bb0(%a, %b, %_, %acc):
      %0 = arith.mulf %a, %b
      %1 = math.exp %0
      %2 = arith.addf %acc, %1
      linalg.yield %1, %2
    }
    func.return %q, %r

Producers go into consumers, nests of one iteration space side by side, reductions behind what they reduce; a value that a later
nest or the caller needs stays an output. On the way, tensors that hold one scalar (``linalg.fill``) become that scalar where
they are read, equal loads and equal operations are made once, and what nobody needs goes. ``analysis/kernel_clusters.py``
decides what is merged; ``max-results`` bounds how many tensors for the caller one nest makes.

No result changes, to the bit: operations stay what they are, and each reduction keeps the order of its dimensions, on which its
tree depends. Precondition: the kernel contract, checked here. Idempotent. The cost is near-linear in operations and operands.
Source: Diffuse §5.3 (loop fusion inside a fused task).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from xdsl.dialects import arith, func, tensor
from xdsl.dialects.builtin import AffineMapAttr, FusedLoc, LocationAttr, ModuleOp, NoneAttr, TensorType, UnknownLoc
from xdsl.dialects.linalg import ops as linalg
from xdsl.dialects.linalg.attrs import IteratorTypeAttr
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.ir.affine import AffineExpr, AffineMap

from fuseir.dialects.kernel import destination_root, is_kernel, is_scalar_operation, result_parameters
from fuseir.errors import UsageError
from fuseir.passes.analysis.kernel_check import Vouched, check_kernel, vouched_for
from fuseir.passes.analysis.kernel_clusters import Cluster, Clustering, Refusal
from fuseir.passes.analysis.kernel_graph import KernelGraph, Nest, Output
from fuseir.passes.analysis.loop_order import tree_order
from fuseir.passes.analysis.scalar_body import Apply, Dims, Load, Outside, Position, ScalarBody, like, substitute
from fuseir.passes.analysis.unused_arguments import drop_unused_arguments
from fuseir.passes.remarks import RemarkingPass, RemarkKind, Remarks


@dataclass(frozen=True, slots=True)
class Fusion:
    """What became of a kernel: the number of nests before and after, why no more were merged, and how many found no room."""

    before: int
    after: int
    refusals: list[Refusal]
    crowded: int


def fuse(function: func.FuncOp, vouched: Vouched, max_results: int | None = None) -> Fusion:
    """Rewrite one kernel; no merged nest makes more than ``max_results`` of the tensors that the caller gets."""
    returned = result_parameters(check_kernel(function, vouched))
    graph = KernelGraph(function, returned)
    homes: dict[SSAValue, list[SSAValue]] = {}
    for value, k in zip(graph.results, returned, strict=True):
        homes.setdefault(value, []).append(graph.block.args[k])
    nests = graph.nests
    refusals: list[Refusal] = []
    crowded = 0
    again = True
    while again:
        clustering = Clustering(nests, homes, max_results)
        nests = [merge(clustering, cluster) for cluster in clustering.run()]
        refusals = refusals or clustering.refusals
        crowded = crowded or len(clustering.crowded)
        # A nest that left its cluster may have been what kept another one out of it. Each round but the last has one nest less.
        again = clustering.moved and len(nests) < len(clustering.nests)
    writer = _Writer(graph)
    for nest in nests:
        writer.write(nest)
    writer.finish()
    return Fusion(len(graph.nests), len(nests), refusals, crowded)


def merge(clustering: Clustering, cluster: Cluster) -> Nest:
    """The one nest that computes what the members of ``cluster`` do."""
    order = tree_order(cluster.order, cluster.reductions)
    assert order is not None, "a cluster has an order of loops, and so an order for its trees"
    position = {dimension: k for k, dimension in enumerate(order)}
    merged = Nest([], tuple(cluster.classes[d] for d in order), ScalarBody(), [], [])
    made: dict[SSAValue, Output] = {}

    def read(body: ScalarBody, source: SSAValue, dims: Dims) -> int:
        return made[source].number if source in made else body.load(source, dims)

    # Members are in the order in which they were placed, except those that moved here to be read by others.
    for member in sorted(cluster.members):
        nest = clustering.nests[member]
        renaming = [position[d] for d in cluster.members[member]]
        numbers = merged.body.absorb(nest.body, [output.number for output in nest.outputs], renaming, read)
        merged.sources.extend(nest.sources)
        merged.shapes.extend((value, substitute(dims, renaming)) for value, dims in nest.shapes)
        for output, number in zip(nest.outputs, numbers, strict=True):
            init = output.init
            if output.combiner is None and init is not None and init in made:
                # A fold into a fold of this nest goes on from where that one started.
                init = made[init].init
            dims = substitute(output.dims, renaming)
            new = replace(output, number=number, dims=dims, init=init)
            if output.combiner is None:
                made[output.result] = new
            if clustering.outlives(output, cluster):
                merged.outputs.append(new)
    return merged


class _Writer:
    """Writes nests back as generics, at the end of the kernel's block."""

    def __init__(self, graph: KernelGraph) -> None:
        self.graph = graph
        self.end = graph.block.last_op
        self.old = [op for op in graph.block.ops if isinstance(op, linalg.GenericOp | linalg.FillOp)]
        # The new values of old results, and the fills that reductions start from.
        self.values: dict[SSAValue, SSAValue] = {}
        self.fills: dict[tuple[SSAValue, SSAValue], SSAValue] = {}
        for op in graph.block.ops:
            if isinstance(op, tensor.DimOp):
                op.operands[0] = destination_root(op.source)
        for op in graph.hoisted:
            self._insert(op)

    def write(self, nest: Nest) -> None:
        """Add the generic, or fill, that ``nest`` is."""
        if len(nest.outputs) == 1 and nest.outputs[0].combiner is None:
            scalar = nest.body.nodes[nest.outputs[0].number]
            if isinstance(scalar, Outside):
                output = nest.outputs[0]
                self.values[output.result] = self._fill(scalar.value, output.root)
                return
        generic = self._generic(nest)
        self._insert(generic)
        for output, result in zip(nest.outputs, generic.res, strict=True):
            self.values[output.result] = result
            result.name_hint = output.result.name_hint

    def finish(self) -> None:
        """Return the new values; remove the old generics and scalars that nobody uses."""
        assert self.end is not None
        self.end.operands = [self.values.get(value, value) for value in self.graph.results]
        for op in reversed(self.old):
            op.detach()
            op.erase()
        for op in reversed(list(self.graph.block.ops)):
            pure = isinstance(op, tensor.DimOp | tensor.EmptyOp | arith.ConstantOp) or is_scalar_operation(op)
            if pure and all(result.first_use is None for result in op.results):
                op.detach()
                op.erase()

    def _insert(self, op: Operation) -> None:
        assert self.end is not None
        self.graph.block.insert_op_before(op, self.end)

    def _fill(self, scalar: SSAValue, root: SSAValue) -> SSAValue:
        if (scalar, root) not in self.fills:
            fill = linalg.FillOp([scalar], [root], [root.type])
            self._insert(fill)
            self.fills[scalar, root] = fill.res[0]
        return self.fills[scalar, root]

    def _start(self, output: Output) -> SSAValue:
        """The ``outs`` operand of an output: what it folds into, or something of its shape."""
        if output.start is not None:
            return self._fill(output.start, output.root)
        return output.root if output.init is None else self.values.get(output.init, output.init)

    def _generic(self, nest: Nest) -> linalg.GenericOp:
        body = nest.body
        live = body.live(output.number for output in nest.outputs)
        folds = {
            body.find_load(o.init, o.dims): k
            for k, o in enumerate(nest.outputs)
            if o.combiner is None and o.init is not None
        }
        loads = [(n, node) for n in live if n not in folds and isinstance(node := body.nodes[n], Load)]
        inputs = [(self.values.get(load.source, load.source), load.dims) for _, load in loads]
        inputs.extend(_shapes_for_unbound(nest, inputs))
        outputs = [self._start(output) for output in nest.outputs]
        types = [_element_type(value) for value in [*(value for value, _ in inputs), *outputs]]
        block = Block(arg_types=types)
        values: dict[int, SSAValue] = {n: argument for (n, _), argument in zip(loads, block.args, strict=False)}
        results = block.args[len(inputs) :]
        values.update({n: results[k] for n, k in folds.items() if n is not None})
        for number in live:
            match body.nodes[number]:
                case Load():
                    pass
                case Position(dim):
                    index = linalg.IndexOp(dim)
                    block.add_op(index)
                    values[number] = index.result
                case Outside(value):
                    values[number] = value
                case Apply(template, args):
                    op = like(template, [values[a] for a in args])
                    op.results[0].name_hint = template.results[0].name_hint
                    block.add_op(op)
                    values[number] = op.results[0]
        yielded: list[SSAValue] = []
        for output, accumulator in zip(nest.outputs, results, strict=True):
            value = values[output.number]
            if output.combiner is not None:
                op = like(output.combiner, [accumulator, value])
                block.add_op(op)
                value = op.results[0]
            yielded.append(value)
        block.add_op(linalg.YieldOp(*yielded))
        maps = [_map(nest.rank, dims) for dims in [*(dims for _, dims in inputs), *(o.dims for o in nest.outputs)]]
        reduced = {dimension for reduction in nest.reductions for dimension in reduction.reduced}
        iterators = [
            IteratorTypeAttr.reduction() if d in reduced else IteratorTypeAttr.parallel() for d in range(nest.rank)
        ]
        result_types = [value.type for value in outputs]
        sources = [value for value, _ in inputs]
        generic = linalg.GenericOp(sources, outputs, Region(block), maps, iterators, result_types)
        generic.location = _location(nest.sources)
        return generic


def _shapes_for_unbound(nest: Nest, inputs: Sequence[tuple[SSAValue, Dims]]) -> list[tuple[SSAValue, Dims]]:
    """Operands, never looked at, that give an extent to dimensions that no other operand has."""
    bound = {d for _, dims in inputs for d in dims}.union(d for output in nest.outputs for d in output.dims)
    extra: list[tuple[SSAValue, Dims]] = []
    for value, dims in nest.shapes:
        if not bound.issuperset(dims):
            bound.update(dims)
            extra.append((value, dims))
    return extra


def _element_type(value: SSAValue) -> Attribute:
    assert isinstance(value.type, TensorType)
    return value.type.element_type


def _map(rank: int, dims: Dims) -> AffineMapAttr:
    return AffineMapAttr(AffineMap(rank, 0, tuple(AffineExpr.dimension(d) for d in dims)))


def _location(sources: Sequence[Operation]) -> LocationAttr:
    """Where a merged generic comes from: all the places its members come from."""
    places = list(dict.fromkeys(op.location for op in sources if not isinstance(op.location, UnknownLoc)))
    if len(places) > 1:
        return FusedLoc(tuple(places), NoneAttr())
    return places[0] if places else UnknownLoc()


@dataclass(frozen=True)
class FuseKernelsPass(RemarkingPass):
    """Merge the generics of each kernel."""

    name = "fuse-kernels"

    max_results: int = 32
    """The most tensors for the caller that one merged nest stores: beyond it, an element took twice as long to store."""

    def run(self, module: ModuleOp, remarks: Remarks) -> None:
        """Fuse each function that is a kernel in tensor form, and drop what then is left of eliminated temporaries.

        Raises UsageError for a limit below 1.
        """
        if self.max_results < 1:
            raise UsageError(f"max-results is at least 1, not {self.max_results}")
        vouched = vouched_for(module)
        for op in list(module.ops):
            if not isinstance(op, func.FuncOp) or not is_kernel(op):
                continue
            fusion = fuse(op, vouched, self.max_results)
            kernel = f"kernel '@{op.sym_name.data}'"
            if fusion.after < fusion.before:
                message = f"{kernel}: {fusion.before} loop nests became {fusion.after}"
                remarks.add(RemarkKind.PASSED, "FIR-N130", self.name, message, op)
            if fusion.crowded:
                message = (
                    f"{kernel}: {fusion.crowded} loop nests found no room in one that stores {self.max_results} tensors; "
                    f"there are {fusion.after} loop nests"
                )
                suggestion = "raise the pass option max-results"
                remarks.add(RemarkKind.MISSED, "FIR-N132", self.name, message, op, suggestion=suggestion)
            for refusal in fusion.refusals if fusion.after > 1 else ():
                message = f"{kernel}: a loop nest stays apart from one whose result it reads: {refusal.reason}"
                remarks.add(RemarkKind.MISSED, "FIR-N131", self.name, message, op)
        drop_unused_arguments(module)

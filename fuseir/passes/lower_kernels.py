"""`lower-kernels`: from tensors to loops and memory, docs/kernels.md sections 1 to 3.

Before::

    func.func @scale(%x: tensor<?xf64>, %z: tensor<?xf64>, %a: f64) -> tensor<?xf64> {
      %r = linalg.generic {indexing_maps = [(d0) -> (d0), (d0) -> (d0)], iterator_types = ["parallel"]}
          ins(%x) outs(%z) { ^bb0(%e: f64, %_: f64): %p = arith.mulf %a, %e : f64  linalg.yield %p : f64 }
      func.return %r : tensor<?xf64>
    }

After::

    func.func @scale(%x: memref<?xf64, …>, %z: memref<?xf64, …>, %a: f64) {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %n = memref.dim %x, %c0
      scf.parallel (%i) = (%c0) to (%n) step (%c1) {
        %e = memref.load %x[%i]
        %p = arith.mulf %a, %e : f64
        memref.store %p, %z[%i]
      } {vector}
      func.return
    }

Each generic becomes one nest. Its loops are in the order of its dimensions, but those an output keeps go around those it
reduces. Nests one after another share their outer loops where ``analysis/shared_loops.py`` says so, unless the option ``share-loops`` is
false. The loop of the last dimension, along which tiles are contiguous, gets ``vector``. Loads and operations stand in the
outermost loop that has what they need. Which tensors live where is ``analysis/kernel_memory.py``.

Precondition: the kernel contract, checked here (for kernels that no launch vouches for). Functions that take no tensors and
functions without a body are left alone. Linear in operations and operands.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from xdsl.dialects import arith, func, memref, scf
from xdsl.dialects.builtin import (
    DYNAMIC_INDEX,
    FloatAttr,
    FunctionType,
    IndexType,
    IntegerAttr,
    ModuleOp,
    TensorType,
    UnitAttr,
)
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue

from fuseir.dialects.dist.privilege import Privilege
from fuseir.dialects.kernel import identity_of, is_kernel, is_scalar_operation, lowered_type, result_parameters
from fuseir.passes.analysis.kernel_check import Vouched, check_kernel, vouched_for
from fuseir.passes.analysis.kernel_graph import KernelGraph, Nest, Output
from fuseir.passes.analysis.kernel_memory import MemoryPlan, OutputId, Parameter, Scratch, Slot, plan_memory
from fuseir.passes.analysis.scalar_body import Apply, Dims, Load, Outside, Position, ScalarBody, like
from fuseir.passes.analysis.shared_loops import own_loops, share_loops
from fuseir.passes.remarks import RemarkingPass, RemarkKind, Remarks


def lower(function: func.FuncOp, vouched: Vouched, *, share: bool = True) -> int:
    """Rewrite one kernel; ``share`` says whether nests may share loops. The number of scratch buffers it needs."""
    privileges = check_kernel(function, vouched)
    lowering = _Lowering(function, privileges, share)
    return lowering.lower()


def memory_plan(function: func.FuncOp, privileges: Sequence[Privilege]) -> MemoryPlan:
    """Where the tensors of a kernel would live if it were lowered."""
    return _Lowering(function, privileges, share=False).plan


class _Lowering:
    """The lowering of one kernel: ``block`` is the new body, built front to back."""

    def __init__(self, function: func.FuncOp, privileges: Sequence[Privilege], share: bool) -> None:
        self.function = function
        self.old = function.body.blocks[0]
        returned = result_parameters(privileges)
        self.partials = {self.old.args[k] for k, privilege in enumerate(privileges) if privilege.reduces}
        self.graph = KernelGraph(function, returned)
        self.nests, finals = self._with_copies(returned)
        self.plan = plan_memory(self.nests, self.old.args, finals, self.graph.extents)
        for copied, k in self.plan.copies:
            # The parameter's old contents have had their last reader by then.
            i, j = copied
            del finals[copied]
            finals[len(self.nests), 0] = k
            self.plan.places[len(self.nests), 0] = Parameter(k)
            self.nests.append(self._copy(self.nests[i].outputs[j].result, self.old.args[k]))
        if share:
            self.sharing = share_loops(self.nests, self.old.args, self.plan, finals.keys())
        else:
            self.sharing = own_loops(self.nests)
        # The bodies of loops that the nest at hand shares with others, and their extents.
        self.open: list[tuple[Block, SSAValue]] = []
        # What nests made, by whom and at which dimensions: those in the same loops need not load it.
        self.made: dict[SSAValue, tuple[int, Dims, SSAValue]] = {}
        self.block = Block(arg_types=[lowered_type(argument.type) for argument in self.old.args])
        for old, new in zip(self.old.args, self.block.args, strict=True):
            new.name_hint = old.name_hint
        # What stands for the scalars and tensors of the tensor form.
        self.values: dict[SSAValue, SSAValue] = dict(zip(self.old.args, self.block.args, strict=True))
        self.constants: dict[Attribute, SSAValue] = {}
        self.sizes: dict[int, SSAValue] = {}

    def _with_copies(self, returned: Sequence[int]) -> tuple[list[Nest], dict[OutputId, int]]:
        """The nests, with one more for each result that no nest makes anew, and the outputs that parameters must hold."""
        nests = list(self.graph.nests)
        makers = {o.result: (i, j) for i, nest in enumerate(nests) for j, o in enumerate(nest.outputs)}
        finals: dict[OutputId, int] = {}
        for value, k in zip(self.graph.results, returned, strict=True):
            if value is self.old.args[k]:
                continue
            if value in makers and makers[value] not in finals:
                finals[makers[value]] = k
            else:
                finals[len(nests), 0] = k
                nests.append(self._copy(value, self.old.args[k]))
        return nests, finals

    def _copy(self, source: SSAValue, target: SSAValue) -> Nest:
        """A nest that copies all of ``source`` to where something of the shape of ``target`` lives."""
        assert isinstance(source.type, TensorType)
        dims = tuple(range(source.type.get_num_dims()))
        classes = tuple(self.graph.extents.number(target, d) for d in dims)
        body = ScalarBody()
        # The copy is a value of its own; no operation of the tensor form defines it.
        result = Block(arg_types=[target.type]).args[0]
        return Nest([], classes, body, [Output(result, body.load(source, dims), dims, None, None, None, target)], [])

    def lower(self) -> int:
        """Build the new body and put it in place of the old one. The number of scratch buffers."""
        self._scalars()
        stored = {output: place for output, place in self.plan.places.items() if output not in self.sharing.kept}
        used = {place.slot for place in stored.values() if isinstance(place, Scratch)}
        slots = {number: self._allocate(self.plan.slots[number]) for number in sorted(used)}
        memory = {
            output: self.block.args[place.number] if isinstance(place, Parameter) else slots[place.slot]
            for output, place in stored.items()
        }
        for i, nest in enumerate(self.nests):
            targets = [memory.get((i, j)) for j in range(len(nest.outputs))]
            self.values.update((o.result, t) for o, t in zip(nest.outputs, targets, strict=True) if t is not None)
            self._nest(nest, targets, i)
        self.block.add_ops([memref.DeallocOp.get(slot) for slot in slots.values()])
        self.block.add_op(func.ReturnOp())
        self._replace_body()
        return len(slots)

    def _replace_body(self) -> None:
        region = self.function.body
        region.detach_block(self.old)
        region.add_block(self.block)
        inputs = [argument.type for argument in self.block.args]
        self.function.properties["function_type"] = FunctionType.from_lists(inputs, [])
        self.function.properties.pop("res_attrs", None)
        self.old.erase(safe_erase=False)

    # What stands outside the nests

    def _add(self, op: Operation) -> SSAValue:
        self.block.add_op(op)
        return op.results[0]

    def _scalars(self) -> None:
        """The scalar operations around the nests that some nest uses, in order."""
        operations = [*(op for op in self.old.ops if is_scalar_operation(op)), *self.graph.hoisted]
        needed: set[SSAValue] = set()
        for nest in self.nests:
            needed.update(output.start for output in nest.outputs if output.start is not None)
            needed.update(node.value for node in nest.body.nodes if isinstance(node, Outside))
        kept: list[Operation] = []
        for op in reversed(operations):
            if op.results[0] in needed:
                needed.update(op.operands)
                kept.append(op)
        for op in reversed(kept):
            if isinstance(op, arith.ConstantOp):
                self.values[op.result] = self._constant(op.value)
            else:
                self.values[op.results[0]] = self._add(like(op, [self.values[operand] for operand in op.operands]))

    def _constant(self, value: Attribute) -> SSAValue:
        if value not in self.constants:
            assert isinstance(value, IntegerAttr | FloatAttr)
            self.constants[value] = self._add(arith.ConstantOp(value))
        return self.constants[value]

    def _index(self, value: int) -> SSAValue:
        return self._constant(IntegerAttr(value, IndexType()))

    def _size(self, extent_class: int) -> SSAValue:
        """The extent that all dimensions of a class have, asked of the first parameter that has one of them."""
        if extent_class not in self.sizes:
            number, dimension = self._places()[extent_class]
            dim = memref.DimOp(self.block.args[number], self._index(dimension))
            self.sizes[extent_class] = self._add(dim)
        return self.sizes[extent_class]

    def _places(self) -> dict[int, tuple[int, int]]:
        places: dict[int, tuple[int, int]] = {}
        for number, argument in enumerate(self.old.args):
            if isinstance(argument.type, TensorType):
                for dimension in range(argument.type.get_num_dims()):
                    places.setdefault(self.graph.extents.number(argument, dimension), (number, dimension))
        return places

    def _allocate(self, slot: Slot) -> SSAValue:
        sizes = [self._size(extent_class) for extent_class in slot.classes]
        shape = [DYNAMIC_INDEX] * len(sizes)
        return self._add(memref.AllocOp.get(slot.element_type, None, shape, sizes))

    # One nest

    def _nest(self, nest: Nest, targets: Sequence[SSAValue | None], number: int) -> None:
        """The loops of ``nest``, which is number so many in ``sharing``, its outputs stored to ``targets`` that are given."""
        order, shared = self.sharing.orders[number], self.sharing.shared
        sizes = [self._size(nest.classes[dimension]) for dimension in order]
        position = {dimension: k for k, dimension in enumerate(order)}
        # Number k is the body of the k outermost loops.
        opened = [block for block, _ in self.open]
        blocks = [self.block, *opened, *(Block(arg_types=[IndexType()]) for _ in order[len(opened) :])]
        values = self._body(nest, blocks, position, number)
        current = [values[output.number] for output in nest.outputs]

        def indices(dims: Dims) -> list[SSAValue]:
            return [blocks[position[d] + 1].args[0] for d in dims]

        # What the next nest shares stays open; nobody reduces along that.
        following = shared[number + 1] if number + 1 < len(shared) else 0
        last = max(following, len(opened))
        for level in range(nest.rank, last - 1, -1):
            complete = [j for j, output in enumerate(nest.outputs) if len(output.dims) == level]
            # All of them start from old contents before any is stored: one may overwrite what another starts from.
            for j in complete:
                current[j] = self._with_init(blocks[level], nest.outputs[j], current[j], indices, number)
            for j in complete:
                output, target = nest.outputs[j], targets[j]
                self.made[output.result] = number, output.dims, current[j]
                if target is not None:
                    blocks[level].add_op(memref.StoreOp.get(current[j], target, indices(output.dims)))
            if level == last:
                break
            reducing = [j for j, output in enumerate(nest.outputs) if len(output.dims) < level]
            combiners = [cast("Operation", nest.outputs[j].combiner) for j in reducing]
            loop = self._loop(blocks[level], sizes[level - 1], [current[j] for j in reducing], combiners)
            if order[level - 1] == nest.rank - 1:
                loop.attributes["vector"] = UnitAttr()
            blocks[level - 1].add_op(loop)
            for j, result in zip(reducing, loop.res, strict=True):
                current[j] = result
        self.open.extend(zip(blocks[len(opened) + 1 : last + 1], sizes[len(opened) : last], strict=True))
        while len(self.open) > following:
            body, size = self.open.pop()
            outside = self.open[-1][0] if self.open else self.block
            outside.add_op(self._loop(body, size, [], []))

    def _read(self, source: SSAValue, dims: Dims, number: int) -> SSAValue | None:
        """The value that nest ``number`` reads of ``source`` at ``dims``, if another nest made it in the same iteration."""
        if source not in self.made:
            return None
        maker, made, value = self.made[source]
        return value if self.sharing.reaches(maker, made, number, dims) else None

    def _body(
        self, nest: Nest, blocks: Sequence[Block], position: Mapping[int, int], number: int
    ) -> dict[int, SSAValue]:
        """Write each node of the body into the outermost block that has what it needs: the nodes' values."""
        values: dict[int, SSAValue] = {}
        depths: dict[int, int] = {}
        absent: set[int] = set()
        for node in nest.body.live(output.number for output in nest.outputs):
            depths[node] = 0
            match nest.body.nodes[node]:
                case Load(source, _) if source in self.partials:
                    # A partial starts as the operator's identity, so that combining with it changes nothing.
                    absent.add(node)
                case Load(source, dims):
                    depths[node] = depth = max((position[d] + 1 for d in dims), default=0)
                    value = self._read(source, dims, number)
                    if value is None:
                        load = memref.LoadOp.get(self.values[source], [blocks[position[d] + 1].args[0] for d in dims])
                        blocks[depth].add_op(load)
                        value = load.res
                    values[node] = value
                case Position(dim):
                    depths[node] = depth = position[dim] + 1
                    values[node] = blocks[depth].args[0]
                case Outside(value):
                    values[node] = self.values[value]
                case Apply(template, args) if args and args[0] in absent:
                    depths[node], values[node] = depths[args[1]], values[args[1]]
                case Apply(arith.ConstantOp() as template, _):
                    values[node] = self._constant(template.value)
                case Apply(template, args):
                    depths[node] = depth = max((depths[a] for a in args), default=0)
                    op = like(template, [values[a] for a in args])
                    blocks[depth].add_op(op)
                    values[node] = op.results[0]
        return values

    def _with_init(
        self,
        block: Block,
        output: Output,
        value: SSAValue,
        indices: Callable[[Dims], list[SSAValue]],
        number: int,
    ) -> SSAValue:
        """What ``output`` holds in the end: what it starts from, combined with the reduction's ``value``."""
        if output.combiner is None or output.init in self.partials:
            return value
        if output.init is None:
            assert output.start is not None, "a reduction starts from something"
            init = self.values[output.start]
        elif (made := self._read(output.init, output.dims, number)) is not None:
            init = made
        else:
            load = memref.LoadOp.get(self.values[output.init], indices(output.dims))
            block.add_op(load)
            init = load.res
        combined = like(output.combiner, [init, value])
        block.add_op(combined)
        return combined.results[0]

    def _loop(
        self, body: Block, size: SSAValue, values: Sequence[SSAValue], combiners: Sequence[Operation]
    ) -> scf.ParallelOp:
        """A loop around ``body`` that folds each of ``values`` with its combiner."""
        regions: list[Region] = []
        for value, combiner in zip(values, combiners, strict=True):
            fold = Block(arg_types=[value.type, value.type])
            combined = like(combiner, fold.args)
            fold.add_ops([combined, scf.ReduceReturnOp(combined)])
            regions.append(Region(fold))
        body.add_op(scf.ReduceOp(values, regions))
        inits = [self._constant(identity_of(combiner)) for combiner in combiners]
        return scf.ParallelOp([self._index(0)], [size], [self._index(1)], Region(body), inits)


@dataclass(frozen=True)
class LowerKernelsPass(RemarkingPass):
    """Lower every kernel in tensor form to loops on memory."""

    name = "lower-kernels"

    share_loops: bool = True
    """Let nests one after another share outer loops."""

    def run(self, module: ModuleOp, remarks: Remarks) -> None:
        """Lower each function that is a kernel in tensor form."""
        vouched = vouched_for(module)
        for op in list(module.ops):
            if isinstance(op, func.FuncOp) and is_kernel(op):
                slots = lower(op, vouched, share=self.share_loops)
                if slots:
                    message = f"kernel '@{op.sym_name.data}' needs {slots} scratch tiles"
                    remarks.add(RemarkKind.ANALYSIS, "FIR-N140", self.name, message, op)

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
reduces. The loop of the last dimension, along which tiles are contiguous, gets ``vector``. Loads and operations stand in the
outermost loop that has what they need. Which tensors live where is ``analysis/kernel_memory.py``.

Precondition: the kernel contract, checked here (for kernels that no launch vouches for). Functions that take no tensors and
functions without a body are left alone. Linear in operations and operands.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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
from fuseir.passes.analysis.kernel_check import check_kernel
from fuseir.passes.analysis.kernel_graph import KernelGraph, Nest, Output
from fuseir.passes.analysis.kernel_memory import MemoryPlan, OutputId, Parameter, Slot, plan_memory
from fuseir.passes.analysis.loop_order import loop_order
from fuseir.passes.analysis.scalar_body import Apply, Dims, Load, Outside, ScalarBody, like
from fuseir.passes.remarks import RemarkingPass, RemarkKind, Remarks


def lower(function: func.FuncOp) -> int:
    """Rewrite one kernel. The number of scratch buffers it needs."""
    privileges = check_kernel(function)
    lowering = _Lowering(function, privileges)
    lowering.lower()
    return len(lowering.plan.slots)


def memory_plan(function: func.FuncOp, privileges: Sequence[Privilege]) -> MemoryPlan:
    """Where the tensors of a kernel would live if it were lowered."""
    return _Lowering(function, privileges).plan


class _Lowering:
    """The lowering of one kernel: ``block`` is the new body, built front to back."""

    def __init__(self, function: func.FuncOp, privileges: Sequence[Privilege]) -> None:
        self.function = function
        self.old = function.body.blocks[0]
        returned = result_parameters(privileges)
        self.partials = {self.old.args[k] for k, privilege in enumerate(privileges) if privilege.reduces}
        self.graph = KernelGraph(function, returned)
        self.nests, finals = self._with_copies(returned)
        self.plan = plan_memory(self.nests, self.old.args, finals, self.graph.extents)
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

    def lower(self) -> None:
        """Build the new body and put it in place of the old one."""
        self._scalars()
        slots = [self._allocate(slot) for slot in self.plan.slots]
        for i, nest in enumerate(self.nests):
            targets: list[SSAValue] = []
            for j in range(len(nest.outputs)):
                place = self.plan.places[i, j]
                targets.append(self.block.args[place.number] if isinstance(place, Parameter) else slots[place.slot])
            self._nest(nest, targets)
            self.values.update((o.result, target) for o, target in zip(nest.outputs, targets, strict=True))
        for (i, j), k in self.plan.copies:
            # The parameter's old contents have had their last reader.
            self._nest(self._copy(self.nests[i].outputs[j].result, self.old.args[k]), [self.block.args[k]])
        self.block.add_ops([memref.DeallocOp.get(slot) for slot in slots])
        self.block.add_op(func.ReturnOp())
        self._replace_body()

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

    def _nest(self, nest: Nest, targets: Sequence[SSAValue]) -> None:
        """The loops of ``nest``, its outputs stored to ``targets``."""
        order = loop_order(range(nest.rank), nest.reductions)
        assert order is not None, "the graph splits nests that have no loop order"
        sizes = [self._size(nest.classes[dimension]) for dimension in order]
        position = {dimension: k for k, dimension in enumerate(order)}
        # Number k is the body of the k outermost loops.
        blocks = [self.block, *(Block(arg_types=[IndexType()]) for _ in order)]
        values = self._body(nest, blocks, position)
        current = [values[output.number] for output in nest.outputs]

        def indices(dims: Dims) -> list[SSAValue]:
            return [blocks[position[d] + 1].args[0] for d in dims]

        for level in range(nest.rank, -1, -1):
            complete = [j for j, output in enumerate(nest.outputs) if len(output.dims) == level]
            # All of them start from old contents before any is stored: one may overwrite what another starts from.
            for j in complete:
                current[j] = self._with_init(blocks[level], nest.outputs[j], current[j], indices)
            for j in complete:
                store = memref.StoreOp.get(current[j], targets[j], indices(nest.outputs[j].dims))
                blocks[level].add_op(store)
            if level == 0:
                break
            reducing = [j for j, output in enumerate(nest.outputs) if len(output.dims) < level]
            combiners = [cast("Operation", nest.outputs[j].combiner) for j in reducing]
            loop = self._loop(blocks[level], sizes[level - 1], [current[j] for j in reducing], combiners)
            if order[level - 1] == nest.rank - 1:
                loop.attributes["vector"] = UnitAttr()
            blocks[level - 1].add_op(loop)
            for j, result in zip(reducing, loop.res, strict=True):
                current[j] = result

    def _body(self, nest: Nest, blocks: Sequence[Block], position: Mapping[int, int]) -> dict[int, SSAValue]:
        """Write each node of the body into the outermost block that has what it needs: the nodes' values."""
        values: dict[int, SSAValue] = {}
        depths: dict[int, int] = {}
        absent: set[int] = set()
        for number in nest.body.live(output.number for output in nest.outputs):
            depths[number] = 0
            match nest.body.nodes[number]:
                case Load(source, _) if source in self.partials:
                    # A partial starts as the operator's identity, so that combining with it changes nothing.
                    absent.add(number)
                case Load(source, dims):
                    depths[number] = depth = max((position[d] + 1 for d in dims), default=0)
                    load = memref.LoadOp.get(self.values[source], [blocks[position[d] + 1].args[0] for d in dims])
                    blocks[depth].add_op(load)
                    values[number] = load.res
                case Outside(value):
                    values[number] = self.values[value]
                case Apply(template, args) if args and args[0] in absent:
                    depths[number], values[number] = depths[args[1]], values[args[1]]
                case Apply(arith.ConstantOp() as template, _):
                    values[number] = self._constant(template.value)
                case Apply(template, args):
                    depths[number] = depth = max((depths[a] for a in args), default=0)
                    op = like(template, [values[a] for a in args])
                    blocks[depth].add_op(op)
                    values[number] = op.results[0]
        return values

    def _with_init(
        self, block: Block, output: Output, value: SSAValue, indices: Callable[[Dims], list[SSAValue]]
    ) -> SSAValue:
        """What ``output`` holds in the end: what it starts from, combined with the reduction's ``value``."""
        if output.combiner is None or output.init in self.partials:
            return value
        if output.init is None:
            assert output.start is not None, "a reduction starts from something"
            init = self.values[output.start]
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


class LowerKernelsPass(RemarkingPass):
    """Lower every kernel in tensor form to loops on memory."""

    name = "lower-kernels"

    def run(self, module: ModuleOp, remarks: Remarks) -> None:
        """Lower each function that is a kernel in tensor form."""
        for op in list(module.ops):
            if isinstance(op, func.FuncOp) and is_kernel(op):
                slots = lower(op)
                if slots:
                    message = f"kernel '@{op.sym_name.data}' needs {slots} scratch tiles"
                    remarks.add(RemarkKind.ANALYSIS, "FIR-N140", self.name, message, op)

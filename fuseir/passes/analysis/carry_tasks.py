"""The tasks that carry part of a store over to its fresh version: element-wise copies."""

from __future__ import annotations

from itertools import count

from xdsl.dialects import func
from xdsl.dialects.builtin import DYNAMIC_INDEX, AffineMapAttr, ModuleOp, TensorType
from xdsl.dialects.linalg.attrs import IteratorTypeAttr
from xdsl.dialects.linalg.ops import GenericOp, YieldOp
from xdsl.ir import Block, Operation, Region, SSAValue
from xdsl.ir.affine import AffineMap

from fuseir.dialects.dist.attributes import kernel_element_type
from fuseir.dialects.dist.ops import shaped


class CarryTasks:
    """The copying kernels of a module: one for each element type and rank, made when a launch first needs it."""

    def __init__(self, module: ModuleOp) -> None:
        self._module = module
        self._symbols = {op.sym_name.data for op in module.ops if isinstance(op, func.FuncOp)}
        self._names: dict[TensorType, str] = {}
        self._made: set[str] = set()

    def name(self, store: SSAValue) -> str:
        """The symbol of the task that copies tiles of such a store."""
        tile = _tile(store)
        known = self._names.get(tile)
        if known is None:
            wanted = f"carry_{tile.element_type}_{tile.get_num_dims()}"
            names = (wanted if k == 0 else f"{wanted}_{k}" for k in count())
            known = self._names[tile] = next(name for name in names if name not in self._symbols)
            self._symbols.add(known)
        return known

    def declare(self, store: SSAValue) -> str:
        """The same; the function is in the module afterwards, behind the functions at its head."""
        name = self.name(store)
        if name not in self._made:
            self._made.add(name)
            place = self._module.body.block.first_op
            while isinstance(place, func.FuncOp):
                place = place.next_op
            assert place is not None  # there is a launch
            self._module.body.block.insert_op_before(_copy_kernel(name, _tile(store)), place)
        return name


def _tile(store: SSAValue) -> TensorType:
    store_type = shaped(store)
    return TensorType(kernel_element_type(store_type.element_type), [DYNAMIC_INDEX] * len(store_type.extents))


def _copy_kernel(name: str, tile: TensorType) -> func.FuncOp:
    """``old, new -> old``, in destination-passing style."""
    body = Block(arg_types=[tile.element_type, tile.element_type])
    body.add_op(YieldOp(body.args[0]))
    block = Block(arg_types=[tile, tile])
    block.args[0].name_hint, block.args[1].name_hint = "old", "new"
    rank = tile.get_num_dims()
    copy: Operation = GenericOp(
        [block.args[0]],
        [block.args[1]],
        Region(body),
        [AffineMapAttr(AffineMap.identity(rank))] * 2,
        [IteratorTypeAttr.parallel()] * rank,
        [tile],
    )
    block.add_ops([copy, func.ReturnOp(copy.results[0])])
    return func.FuncOp(name, ([tile, tile], [tile]), Region(block), visibility="private")

"""Launches that make each element of their results from elements at the same index: they may be split anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise, product

from xdsl.dialects import func
from xdsl.dialects.builtin import TensorType
from xdsl.dialects.linalg import ops as linalg
from xdsl.dialects.linalg.attrs import IteratorType
from xdsl.ir import SSAValue
from xdsl.ir.affine import AffineDimExpr

from fuseir.dialects.dist.access import Access
from fuseir.dialects.dist.attributes import PartitionAttr, partition_attr
from fuseir.dialects.dist.index_map import Coordinate, IndexMap
from fuseir.dialects.dist.launch import LaunchOp
from fuseir.dialects.dist.partition import NonePartition, Range, Shape, Tiling
from fuseir.dialects.dist.privilege import Privilege
from fuseir.dialects.dist.view import View, compose
from fuseir.dialects.kernel import result_parameters
from fuseir.passes.analysis.assembled_stores import StoreHistory

Box = tuple[Range, ...]


@dataclass
class ElementWiseLaunch:
    """A launch that may be split, and the stores that it then reads no more."""

    launch: LaunchOp
    accesses: tuple[Access, ...]
    maps: list[tuple[int, ...]]
    space: Shape
    assembled: list[SSAValue] = field(default_factory=list[SSAValue])

    @staticmethod
    def of(launch: LaunchOp, kernel: func.FuncOp) -> ElementWiseLaunch | None:
        """A launch that can be split anywhere; None if it cannot."""
        accesses = launch.accesses
        privileges = [access.privilege for access in accesses]
        written = result_parameters(privileges)
        if not written or any(privilege.reduces for privilege in privileges):
            return None
        maps = _loops_of_parameters(kernel, privileges)
        if maps is None:
            return None
        space = accesses[written[0]].shape
        for access, loops in zip(accesses, maps, strict=True):
            if not isinstance(access.partition.partition, Tiling | NonePartition):
                return None
            if access.shape != tuple(space[loop] for loop in loops):
                return None
        return None if 0 in space else ElementWiseLaunch(launch, accesses, maps, space)

    def arguments(self, root: SSAValue) -> list[int]:
        """The numbers of the arguments that are on a store."""
        return [k for k, access in enumerate(self.accesses) if access.root is root]

    def replaces(self, access: Access) -> bool:
        """Whether the launch leaves a store alone but for this access, or writes all of it and nothing twice."""
        changes = [each for each in self.accesses if each.root is access.root and each.privilege.returned]
        return not changes or (
            len(changes) == 1 and changes[0].value is access.root and changes[0].covers_root(self.launch.extents)
        )

    def part(self, k: int, box: Box) -> View:
        """What argument ``k`` shows in a box of the index space."""
        inside = [box[loop] for loop in self.maps[k]]
        shape = tuple(r.high - r.low for r in inside)
        if shape == self.accesses[k].shape:
            return self.accesses[k].view
        inner = IndexMap(len(shape), tuple(Coordinate(d, 1, r.low) for d, r in enumerate(inside)))
        return compose(self.accesses[k].view, View(shape, inner))

    def partition(self, k: int, box: Box) -> PartitionAttr:
        """The tiles of argument ``k`` in a box: those it has, counted from where the box begins."""
        attribute = self.accesses[k].partition
        partition = attribute.partition
        if not isinstance(partition, Tiling):
            return attribute
        offset = [each - box[loop].low for each, loop in zip(partition.offset, self.maps[k], strict=True)]
        return partition_attr(Tiling.of(partition.tile, offset, partition.projection))

    def boxes(self, history: StoreHistory) -> list[Box]:
        """The index space, cut where the pieces of its stores meet."""
        cuts: list[set[int]] = [{0, extent} for extent in self.space]
        for root in self.assembled:
            for k in self.arguments(root):
                for piece in history.pieces[root]:
                    for at, (low, high) in zip(
                        self.accesses[k].view.map().results, piece.target.view.bounds(), strict=True
                    ):
                        if at.dim is None:
                            continue
                        loop = self.maps[k][at.dim]
                        # Elements low to high of the store are at indices that a scale of 1 or -1 turns.
                        ends = (
                            (low - at.offset, high + 1 - at.offset)
                            if at.scale == 1
                            else (at.offset - high, at.offset + 1 - low)
                        )
                        cuts[loop].update(end for end in ends if 0 < end < self.space[loop])
        return [
            tuple(box)
            for box in product(*([Range(low, high) for low, high in pairwise(sorted(each))] for each in cuts))
        ]


def _loops_of_parameters(kernel: func.FuncOp, privileges: Sequence[Privilege]) -> list[tuple[int, ...]] | None:
    """For each tensor parameter of a kernel, the loops that move its dimensions; None unless the kernel is one nest, element by element."""
    block = kernel.body.block
    nest, end = block.first_op, block.last_op
    if not isinstance(nest, linalg.GenericOp) or nest.next_op is not end or not isinstance(end, func.ReturnOp):
        return None
    if any(each.data is not IteratorType.PARALLEL for each in nest.iterator_types.data):
        return None
    if any(isinstance(inner, linalg.IndexOp) for inner in nest.body.block.ops):
        return None
    found: dict[SSAValue, tuple[int, ...]] = {}
    for operand, attribute in zip(nest.operands, nest.indexing_maps.data, strict=True):
        loops = [each.position for each in attribute.data.results if isinstance(each, AffineDimExpr)]
        if len(loops) < len(attribute.data.results) or len({*loops}) < len(loops):
            return None
        if found.setdefault(operand, tuple(loops)) != tuple(loops):
            return None  # one tile looked at in two ways
    loops = tuple(range(len(nest.iterator_types.data)))
    parameters = [each for each in block.args if isinstance(each.type, TensorType)]
    results = [parameters[k] for k in result_parameters(privileges)]
    in_place = any(nest.body.block.args[len(nest.inputs) + k].first_use is not None for k in range(len(results)))
    if in_place or tuple(nest.outputs) != tuple(results) or tuple(end.operands) != tuple(nest.results):
        return None
    whole = all(found[each] == loops for each in results) and all(each in found for each in parameters)
    return [found[each] for each in parameters] if whole else None

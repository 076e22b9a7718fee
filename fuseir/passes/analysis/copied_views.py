"""Copies: which kernels are one, and where the elements that a view shows were copied from."""

from __future__ import annotations

from xdsl.dialects import func
from xdsl.dialects.linalg import ops as linalg
from xdsl.ir import Block, BlockArgument, Operation
from xdsl.ir.affine import AffineMap
from xdsl.utils.exceptions import VerifyException

from fuseir.dialects.dist.access import Access
from fuseir.dialects.dist.index_map import Coordinate, IndexMap
from fuseir.dialects.dist.launch import LaunchOp
from fuseir.dialects.dist.ops import shaped
from fuseir.dialects.dist.partition import Shape
from fuseir.dialects.dist.privilege import READ, WRITE
from fuseir.dialects.dist.view import View
from fuseir.dialects.kernel import kernel_privileges, result_parameters


def copied_parameters(function: func.FuncOp) -> dict[int, int]:
    """Which tensor parameters a kernel returns copies of others for, unchanged and by a nest each: source by target."""
    try:
        returned = result_parameters(kernel_privileges(function))
    except VerifyException:
        return {}
    end = function.body.block.last_op
    found: dict[int, int] = {}
    if isinstance(end, func.ReturnOp):
        for value, target in zip(end.operands, returned, strict=True):
            source, into = _copied_by(value.owner), function.body.block.args[target]
            # Nothing else needs the copy, or its shape.
            alone = len(tuple(value.uses)) == len(tuple(into.uses)) == 1
            if source is not None and alone and next(iter(into.uses)).operation is value.owner:
                found[target] = source
    return found


def _copied_by(nest: Operation | Block) -> int | None:
    """The parameter that a nest copies as a whole and does nothing else."""
    if not isinstance(nest, linalg.GenericOp) or len(nest.inputs) != 1 or len(nest.outputs) != 1:
        return None
    source, body = nest.inputs[0], nest.body.block
    end = body.last_op
    unchanged = body.first_op is end and isinstance(end, linalg.YieldOp) and tuple(end.operands) == (body.args[0],)
    whole = all(each.data == AffineMap.identity(each.data.num_dims) for each in nest.indexing_maps.data)
    return source.index if unchanged and whole and isinstance(source, BlockArgument) else None


def same_elements(source: Access, target: Access, domain: Shape) -> bool:
    """Whether a launch that copies tiles copies each element of the one view to the same index of the other, and all of them."""
    shape, pieces = target.shape, target.partition.partition
    if source.root is target.root or source.shape != shape or 0 in shape:
        return False
    same = source.partition.partition.same_tiles(pieces, shape, domain)
    return same and pieces.covers(shape, domain)


def copied(launch: LaunchOp) -> tuple[Access, Access] | None:
    """Source and target of a launch that copies its first argument to its second, element for element."""
    accesses = launch.accesses
    if tuple(access.privilege for access in accesses) != (READ, WRITE):
        return None
    source, target = accesses
    return (source, target) if same_elements(source, target, launch.extents) else None


def origin(source: Access, target: Access, shown: View) -> View | None:
    """The view of the source's root that shows what a view of the target's root shows behind a copy; None unless all of it was copied.

    The elements must be there in the target's view one for one: a view of every other element of a copied slice is, one that reaches
    beyond the slice is not. O(rank).
    """
    if 0 in shown.shape:
        return None
    places: list[Coordinate] = [Coordinate(None, 0, 0)] * len(
        target.shape
    )  # dimensions that move nothing have one element
    for at, want in zip(target.view.map().results, shown.map().results, strict=True):
        if at.dim is None:
            if (want.dim is not None and shown.shape[want.dim] > 1) or want.offset != at.offset:
                return None
            continue
        offset, rest = divmod(want.offset - at.offset, at.scale)
        scale, uneven = divmod(want.scale, at.scale)
        if rest or uneven:
            return None
        last = offset + (0 if want.dim is None else (shown.shape[want.dim] - 1) * scale)
        if min(offset, last) < 0 or max(offset, last) >= target.shape[at.dim]:
            return None
        places[at.dim] = Coordinate(want.dim, scale, offset)
    inner = IndexMap(len(shown.shape), tuple(places))
    view = View(shown.shape, source.view.map().after(inner))
    root_shape: Shape = shaped(source.root).extents
    if view.map().is_identity and view.shape == root_shape:
        return View(view.shape)
    return view if view.error(root_shape) is None else None


def runs_as_well(source: Access, target: Access) -> bool:
    """Whether neighbours in memory are as near in the source as in the copy, and the source repeats nothing."""
    return not source.view.repeats and (_contiguous(source.view) or not _contiguous(target.view))


def _contiguous(view: View) -> bool:
    """Whether the last dimension of more than one element moves the last dimension of the store, by one."""
    last = max((d for d, extent in enumerate(view.shape) if extent > 1), default=None)
    if last is None:
        return True
    coordinate = view.map().results[-1]
    return coordinate.dim == last and abs(coordinate.scale) == 1

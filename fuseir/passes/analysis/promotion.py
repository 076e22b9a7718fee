"""What composing adds to the bodies of members: reductions as values, and broadcasts of values.

What a kernel folds into a piece that no other point folds into is combined with what the piece held.

    %t = linalg.fill ins(%identity) outs(%p)                          // instead of the parameter of the partial
    %f = …                                                            // the body: folds into %t
    %r = linalg.generic … ins(%old, %f) outs(%p) { … %old ⊕ %f … }

That is ``old ⊕ T(partials)`` of docs/kernels.md §2: the tree over one partial is that partial, and ``old`` is the left operand there too.
"""

from __future__ import annotations

from collections.abc import Sequence

from xdsl.dialects import arith
from xdsl.dialects.builtin import AffineMapAttr, TensorType
from xdsl.dialects.linalg import ops as linalg
from xdsl.dialects.linalg.attrs import IteratorTypeAttr
from xdsl.ir import Block, Operation, Region, SSAValue
from xdsl.ir.affine import AffineExpr, AffineMap

from fuseir.dialects.kernel import identity_of
from fuseir.passes.analysis.scalar_body import like


def filled_with_identity(combiner: Operation, shape: SSAValue, block: Block) -> SSAValue:
    """Append to ``block`` a tensor like ``shape``, full of the identity of the operator that ``combiner`` applies."""
    identity = arith.ConstantOp(identity_of(combiner))
    filled = linalg.FillOp([identity.result], [shape], [shape.type])
    block.add_ops([identity, filled])
    return filled.res[0]


def combined(combiner: Operation, old: SSAValue, fold: SSAValue, shape: SSAValue, block: Block) -> SSAValue:
    """Append to ``block`` the tensor ``old ⊕ fold``, element by element; ``combiner`` says which operation ``⊕`` is."""
    assert isinstance(shape.type, TensorType)
    body = Block(arg_types=[shape.type.element_type] * 3)
    value = like(combiner, body.args[:2])
    body.add_ops([value, linalg.YieldOp(value.results[0])])
    rank = shape.type.get_num_dims()
    generic = linalg.GenericOp(
        [old, fold],
        [shape],
        Region(body),
        [AffineMapAttr(AffineMap.identity(rank))] * 3,
        [IteratorTypeAttr.parallel()] * rank,
        [shape.type],
    )
    generic.location = combiner.location
    block.add_op(generic)
    return generic.res[0]


def broadcast_like(shape: SSAValue, source: SSAValue, dims: Sequence[int], block: Block) -> SSAValue:
    """Append to ``block`` the tensor like ``shape`` whose element ``i`` is element ``(i[dims[0]], …)`` of ``source``."""
    assert isinstance(shape.type, TensorType)
    body = Block(arg_types=[shape.type.element_type] * 2)
    body.add_op(linalg.YieldOp(body.args[0]))
    rank = shape.type.get_num_dims()
    maps = [AffineMap(rank, 0, tuple(AffineExpr.dimension(d) for d in dims)), AffineMap.identity(rank)]
    iterators = [IteratorTypeAttr.parallel()] * rank
    generic = linalg.GenericOp(
        [source], [shape], Region(body), [AffineMapAttr(each) for each in maps], iterators, [shape.type]
    )
    block.add_op(generic)
    return generic.res[0]

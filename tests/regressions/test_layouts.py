"""Every element of what a task writes is written, or the launch is refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

import fuseir
from fuseir.dialects.dist.index_map import Coordinate, IndexMap
from fuseir.dialects.dist.partition import Tiling
from fuseir.errors import LegalityError, ShapeError, UsageError

INCREMENT = fuseir.task("task increment(x: read, z: write) { z = x + 1 }")


def _add_transposed(builder: Any, parameters: Mapping[str, Any]) -> Sequence[Any]:
    from xdsl.dialects import arith
    from xdsl.dialects.builtin import AffineMapAttr
    from xdsl.dialects.linalg import ops as linalg
    from xdsl.dialects.linalg.attrs import IteratorTypeAttr
    from xdsl.ir import Block, Region
    from xdsl.ir.affine import AffineMap

    x, z = parameters["x"].value, parameters["z"].value
    block = Block(arg_types=[x.type.element_type] * 3)
    total = arith.AddfOp(block.args[0], block.args[1])
    block.add_ops([total, linalg.YieldOp(total.result)])
    straight, crossed = AffineMap.identity(2), AffineMap.from_callable(lambda i, j: (j, i))
    maps = [AffineMapAttr(m) for m in (straight, crossed, straight)]
    parallel = [IteratorTypeAttr.parallel()] * 2
    return [builder.insert(linalg.GenericOp([x, x], [z], Region(block), maps, parallel, [z.type])).res[0]]


@pytest.mark.parametrize("procs", [1, 2, 3])
def test_a_kernel_that_ties_both_dimensions_of_a_matrix_computes_all_of_it(procs: int) -> None:
    """``x + xᵀ`` makes rows and columns one extent. Both were cut along the one launch dimension, so that only the tiles on the
    diagonal were ever computed."""
    symmetrise = fuseir.task(_add_transposed, "task symmetrise(x: read, z: write)")
    session = fuseir.Session(procs=procs)
    x = np.arange(25.0).reshape(5, 5)
    z = session.full((5, 5), -1.0)
    session.launch(symmetrise, session.from_numpy(x), z)
    assert z.numpy().tolist() == (x + x.T).tolist()


@pytest.mark.parametrize(
    "tiling",
    [
        Tiling.of([0]),
        Tiling.of([-1]),
        Tiling.of([1], [0, 0]),
        Tiling.of([1], None, IndexMap(1, (Coordinate(0, 1, 0), Coordinate(0, 1, 0)))),
        Tiling.of([1], None, IndexMap(1, (Coordinate(0, 0, 0),))),
        Tiling.of([1], None, IndexMap(1, (Coordinate(1, 1, 0),))),
    ],
)
def test_tilings_that_make_no_sense_are_refused_at_the_call(tiling: Tiling) -> None:
    """Some raised ZeroDivisionError or IndexError; a negative tile was captured, and took the whole window down later."""
    session = fuseir.Session()
    x, z = session.zeros(3), session.zeros(3)
    with pytest.raises(ShapeError):
        session.launch(INCREMENT, x, z, domain=(3,), partitions=[tiling, tiling])
    with pytest.raises(UsageError):
        session.launch(INCREMENT, x, z, domain=(3,), partitions=[None, None])
    assert z.numpy().tolist() == [0.0] * 3


def test_tiles_are_python_integers() -> None:
    """NumPy's integers overflow in silence where the algebra of partitions relies on exact arithmetic."""
    tiling = Tiling.of([np.int64(2)], [np.int8(1)])
    assert [type(n) for n in (*tiling.tile, *tiling.offset)] == [int, int]
    with pytest.raises(TypeError):
        Tiling.of([1.5])  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("shape", [(-3,), (2, -1)])
def test_a_store_cannot_be_broadcast_to_a_negative_extent(shape: tuple[int, ...]) -> None:
    """One element stretches to any extent; it stretched to negative ones too."""
    with pytest.raises(ShapeError):
        fuseir.Session().zeros(1).broadcast_to(shape)


def test_sessions_with_other_procs_do_not_share_layouts() -> None:
    """A task remembers how it divides shapes; whichever session came first used to decide for all."""
    total = fuseir.task("task total(x: read, s: write) { s = sum(x, axis=1) }")
    shapes = ((6, 4), (6,))
    for procs in (1, 3, 1, 2):
        session = fuseir.Session(procs=procs)
        session.launch(total, session.zeros(shapes[0]), session.store(shapes[1]))
        (launch,) = session._window.launches
        assert launch.domain == (procs,)


def test_tiles_apart_in_views_that_meet():
    # Tiles of one element at even and at odd places: no point's piece of one argument is in a piece of the other.
    copy = fuseir.task("task copy(x: read, y: write) { y = x }")
    with fuseir.Session() as session:
        s = session.from_numpy(np.arange(8.0))
        even, odd = (
            Tiling.of([1], None, IndexMap(1, (Coordinate(0, 2, 0),))),
            Tiling.of([1], [1], IndexMap(1, (Coordinate(0, 2, 0),))),
        )
        session.launch(copy, s, s, domain=[4], partitions=[even, odd])
        assert s.numpy().tolist() == [0, 0, 2, 2, 4, 4, 6, 6]
        with pytest.raises(LegalityError, match="overlap"):
            session.launch(copy, s, s, domain=[4], partitions=[even, Tiling.of([1])])

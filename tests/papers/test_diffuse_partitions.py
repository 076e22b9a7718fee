"""Diffuse, IR and partitions: checks D1 to D12, by their ids.

Sections and figures named here are those of "Composing Distributed Computations Through Task and Kernel Fusion" (Diffuse).
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Sequence
from io import StringIO
from types import FrameType
from typing import Any

import pytest
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Attribute
from xdsl.parser import Parser
from xdsl.printer import Printer

from fuseir.dialects.dist.attributes import NoneAttr, PartitionAttr, PrivilegeAttr, TilingAttr
from fuseir.dialects.dist.index_map import Coordinate, IndexMap
from fuseir.dialects.dist.launch import LaunchOp
from fuseir.dialects.dist.partition import NonePartition, Partition, Shape, Tiling, constant_projection
from fuseir.dialects.dist.privilege import NO_ACCESS, READ, READ_WRITE, WRITE, Operator, Privilege, PrivilegeKind
from fuseir.dialects.parsing import parse_module
from fuseir.dialects.verification import verify_module
from fuseir.errors import VerifyError
from fuseir.universe import make_context

Bounds = tuple[tuple[int, int], ...]

FIRST_OF_TWO = IndexMap(2, (Coordinate(0, 1, 0),))
"""The projection ``(i, j) -> (i)``, which drops a coordinate."""


def box(partition: Partition, shape: Shape, point: Sequence[int]) -> Bounds:
    """What a point gets, as (low, high) for each dimension."""
    return tuple((low, high) for low, high in partition.box(shape, point))


# D1 to D5: what a point gets


@pytest.mark.parametrize(
    ("point", "quadrant"),
    [
        ((0, 0), ((0, 2), (0, 2))),
        ((0, 1), ((0, 2), (2, 4))),
        ((1, 0), ((2, 4), (0, 2))),
        ((1, 1), ((2, 4), (2, 4))),
    ],
)
def test_d1_two_by_two_tiles_are_quadrants(point: Shape, quadrant: Bounds) -> None:
    """Figure 3a."""
    tiling = Tiling.of((2, 2))
    assert box(tiling, (4, 4), point) == quadrant
    assert tiling.disjoint((4, 4), (2, 2))


def test_d1_tiles_as_wide_as_the_store_are_rows() -> None:
    """Figure 3b."""
    rows = [box(Tiling.of((1, 4)), (4, 4), (i, 0)) for i in range(4)]
    assert rows == [((i, i + 1), (0, 4)) for i in range(4)]


def test_d1_an_offset_selects_the_inner_cells() -> None:
    """Figure 3c."""
    tiling = Tiling.of((1, 1), (1, 1))
    cells = {box(tiling, (4, 4), (i, j)) for i in range(2) for j in range(2)}
    assert cells == {((r, r + 1), (c, c + 1)) for r in (1, 2) for c in (1, 2)}


def test_d2_a_projection_that_drops_a_coordinate_aliases() -> None:
    """Figure 3d: each half is held by two points."""
    tiling = Tiling.of((2,), projection=FIRST_OF_TWO)
    assert [box(tiling, (4,), p) for p in ((0, 0), (0, 1))] == [((0, 2),)] * 2
    assert [box(tiling, (4,), p) for p in ((1, 0), (1, 1))] == [((2, 4),)] * 2


def test_d3_a_constant_projection_gives_one_full_tile() -> None:
    """Read literally, the paper's upper bound, ``projection(p + 1) * tile``, would make these tiles empty."""
    tiling = Tiling.of((2,), projection=constant_projection(1, 1))
    assert [box(tiling, (8,), (p,)) for p in range(4)] == [((2, 4),)] * 4


def test_d3_a_scaled_projection_gives_one_tile_not_two() -> None:
    tiling = Tiling.of((2,), projection=IndexMap(1, (Coordinate(0, 2, 0),)))
    assert [box(tiling, (8,), (p,)) for p in range(2)] == [((0, 2),), ((4, 6),)]


def test_d4_edge_tiles_are_clipped() -> None:
    tiling = Tiling.of((3,))
    assert [box(tiling, (8,), (p,)) for p in range(3)] == [((0, 3),), ((3, 6),), ((6, 8),)]
    assert box(Tiling.of((3,), (-2,)), (8,), (0,)) == ((0, 1),)


def test_d5_none_gives_every_point_the_whole_store() -> None:
    assert {box(NonePartition(), (4, 6), p) for p in ((0, 0), (3, 1), (999, 999))} == {((0, 4), (0, 6))}


# D6 to D8: the three questions

ONE_OF_EACH: list[Partition] = [
    NonePartition(),
    Tiling.of((2,)),
    Tiling.of((3,)),
    Tiling.of((2,), (1,)),
    Tiling.of((2,), projection=IndexMap(1, (Coordinate(0, -1, 3),))),
    Tiling.of((2,), projection=constant_projection(1, 0)),
]


def test_d6_equal_is_reflexive_and_tells_partitions_apart() -> None:
    """By tile, offset, projection and kind."""
    for i, a in enumerate(ONE_OF_EACH):
        for j, b in enumerate(ONE_OF_EACH):
            assert a.equal(b, (8,), (4,)) == (i == j), f"{a} and {b}"


def test_d6_equal_compares_what_points_get_not_how_it_is_written() -> None:
    """More than the paper asks: it compares the numbers, and calls any two kinds different."""
    assert NonePartition().equal(Tiling.of((8,), projection=constant_projection(1, 0)), (8,), (4,))
    assert Tiling.of((2,)).equal(Tiling.of((2,), (-2,), IndexMap(1, (Coordinate(0, 1, 1),))), (8,), (4,))
    assert not Tiling.of((2,)).equal(Tiling.of((2,), (-1,), IndexMap(1, (Coordinate(0, 1, 1),))), (8,), (4,))


def calls_made(question: Callable[[], object]) -> int:
    """How many Python functions run to answer."""
    count = 0

    def profile(frame: FrameType, event: str, argument: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    # A garbage collection meanwhile would count the finalisers of other tests' objects.
    collecting = gc.isenabled()
    gc.disable()
    sys.setprofile(profile)
    try:
        question()
    finally:
        sys.setprofile(None)
        if collecting:
            gc.enable()
    return count


@pytest.mark.parametrize("other", [Tiling.of((2,), (1,)), Tiling.of((2,), (-2,), IndexMap(1, (Coordinate(0, 1, 1),)))])
def test_d6_equal_never_enumerates_pieces(other: Tiling) -> None:
    """The same number of calls for 4 points and for 10^6, whether the answer is no or yes."""
    few = calls_made(lambda: Tiling.of((2,)).equal(other, (2 * 4,), (4,)))
    many = calls_made(lambda: Tiling.of((2,)).equal(other, (2 * 10**6,), (10**6,)))
    assert few == many


@pytest.mark.parametrize(
    ("partition", "covers"),
    [
        (NonePartition(), True),
        (Tiling.of((2,)), True),
        (Tiling.of((3,)), True),  # the last tile hangs over
        (Tiling.of((2,), (-1,)), False),  # one tile too few at the end
        (Tiling.of((3,), (-1,)), True),  # hangs over at both ends
        (Tiling.of((2,), (1,)), False),
        (Tiling.of((1,)), False),  # too few colours
        (Tiling.of((2,), projection=IndexMap(1, (Coordinate(0, -1, 3),))), True),
        (Tiling.of((2,), projection=IndexMap(1, (Coordinate(0, 2, 0),))), False),  # gaps
    ],
    ids=str,
)
def test_d7_covers(partition: Partition, covers: bool) -> None:
    """Of a store of 8 elements, by four points."""
    assert partition.covers((8,), (4,)) == covers


def test_d8_none_is_disjoint_for_one_point_only() -> None:
    assert NonePartition().disjoint((8,), (1,))
    assert NonePartition().disjoint((8,), (1, 1))
    assert not NonePartition().disjoint((8,), (2,))


def test_d8_identity_tilings_are_disjoint() -> None:
    assert Tiling.of((2, 3), (1, -1)).disjoint((8, 8), (4, 4))


def test_d8_a_dropped_coordinate_must_have_extent_one() -> None:
    tiling = Tiling.of((2,), projection=FIRST_OF_TWO)
    assert tiling.disjoint((8,), (4, 1))
    assert not tiling.disjoint((8,), (4, 2))


# D9 to D12: the IR


def parsed(text: str) -> ModuleOp:
    """A module, verified."""
    module = parse_module(make_context(), text)
    verify_module(module, text)
    return module


def one_launch(partition: str, privilege: str, domain: str = "[4]", extent: int = 8) -> str:
    """A program of one launch of an opaque task on one store."""
    returned = "" if privilege in ("read", "no_access") else " -> tensor<?xf64>"
    return f"""
func.func private @task(tensor<?xf64>){returned}
%x = dist.store "x" : !dist.store<{extent}xf64>
dist.launch @task<{domain}>(%x: {privilege} {partition}) : (!dist.store<{extent}xf64>)
"""


@pytest.mark.parametrize("privilege", ["write", "read_write"])
@pytest.mark.parametrize("partition", ["#dist.none", "#dist.tiling<[2], (d0) -> (1)>"])
def test_d9_writing_through_overlapping_pieces_is_refused(privilege: str, partition: str) -> None:
    """WF-1, the condition that the paper's proof needs and does not state."""
    with pytest.raises(VerifyError, match=r"not disjoint over the launch domain \(WF-1\)"):
        parsed(one_launch(partition, privilege))


@pytest.mark.parametrize("privilege", ["write", "read_write"])
def test_d9_one_point_may_write_anything(privilege: str) -> None:
    parsed(one_launch("#dist.none", privilege, "[1]"))


def test_d9_reading_and_reducing_may_overlap() -> None:
    parsed(one_launch("#dist.none", "read"))
    parsed(one_launch("#dist.none", "reduce<add>"))


def test_d10_read_write_is_both() -> None:
    assert READ_WRITE.reads
    assert READ_WRITE.writes
    assert (READ.reads, READ.writes) == (True, False)
    assert (WRITE.reads, WRITE.writes) == (False, True)
    assert not any((READ_WRITE.reduces, NO_ACCESS.reads, NO_ACCESS.writes))


def size_of(attribute: Attribute) -> int:
    """The number of attributes in an attribute: what memory it takes, up to a factor."""
    parameters = getattr(attribute, "parameters", ())
    data = getattr(attribute, "data", ())
    parts = [part for part in (*parameters, *(data if isinstance(data, tuple) else ())) if isinstance(part, Attribute)]
    return 1 + sum(map(size_of, parts))


@pytest.mark.parametrize("domain", ["[{n}]", "[{n}, {n}]"])
def test_d11_the_size_of_the_ir_does_not_depend_on_extents(domain: str) -> None:
    def size(n: int) -> tuple[int, int, int]:
        rank = domain.count("n")
        dims = ", ".join(f"d{d}" for d in range(rank))
        text = one_launch(f"#dist.tiling<[2], ({dims}) -> (d0)>", "read", domain.format(n=n), 2 * n)
        launch = next(op for op in parsed(text).ops if isinstance(op, LaunchOp))
        return len(launch.operands), len(launch.extents), sum(size_of(a) for a in launch.properties.values())

    assert size(4) == size(10**6) == size(10**9)


PARTITIONS: list[PartitionAttr] = [
    NoneAttr(),
    TilingAttr((4,)),
    TilingAttr((4, 8), (1, -2)),
    TilingAttr((2,), projection=FIRST_OF_TWO),
    TilingAttr((2,), projection=constant_projection(2, -3)),
    TilingAttr((2, 2), (0, 5), IndexMap(1, (Coordinate(0, -2, 7), Coordinate(0, 1, -1)))),
    TilingAttr(()),
    TilingAttr((), projection=constant_projection(2)),
]
PRIVILEGES = [READ, WRITE, READ_WRITE, NO_ACCESS, *(Privilege(PrivilegeKind.REDUCE, operator) for operator in Operator)]


@pytest.mark.parametrize("attribute", [*PARTITIONS, *map(PrivilegeAttr, PRIVILEGES)], ids=str)
def test_d12_attributes_print_what_parses_to_them(attribute: Attribute) -> None:
    text = str(attribute)
    again = Parser(make_context(), text).parse_attribute()
    assert again == attribute
    assert str(again) == text


@pytest.mark.parametrize("generic", [False, True], ids=["custom", "generic"])
@pytest.mark.parametrize("privilege", PRIVILEGES, ids=str)
def test_d12_launches_print_what_parses_to_them(privilege: Privilege, generic: bool) -> None:
    """``and``, ``or`` and ``xor`` exist on integers, so stores hold integers here."""
    partition = "#dist.tiling<[2] + [1], (d0) -> (d0 * -1 + 3)>"
    module = parsed(one_launch(partition, str(privilege)).replace("f64", "i64"))

    def printed(of: ModuleOp) -> str:
        output = StringIO()
        Printer(output, print_generic_format=generic).print_op(of)
        return output.getvalue()

    text = printed(module)
    again = parsed(text)
    assert printed(again) == text
    assert again.is_structurally_equivalent(module)

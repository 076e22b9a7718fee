"""Whatever `dist` can express, its text expresses: parsing what was printed gives the same thing back, in both forms.

The programs are random and mostly wrong. That is no matter to the printer and the parser; the verifier must say the same of a program
before and after.
"""

from __future__ import annotations

from io import StringIO
from math import prod
from struct import pack, unpack

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from xdsl.dialects import func
from xdsl.dialects.builtin import (
    DYNAMIC_INDEX,
    FloatAttr,
    IntegerAttr,
    IntegerType,
    ModuleOp,
    Signedness,
    TensorType,
    UnitAttr,
    f32,
    f64,
)
from xdsl.ir import Attribute, Operation, SSAValue
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException

from fuseir.dialects.dist.attributes import (
    ElementType,
    IndexMapAttr,
    NoneAttr,
    PartitionAttr,
    PrivilegeAttr,
    ReplicatedAttr,
    ShapedStoreType,
    StoreType,
    TilingAttr,
    ViewType,
    kernel_element_type,
    partition_attr,
)
from fuseir.dialects.dist.index_map import Coordinate, IndexMap
from fuseir.dialects.dist.launch import FusedTaskOp, LaunchOp
from fuseir.dialects.dist.ops import FenceOp, ReleaseOp, ScalarOp, StoreOp, ViewOp
from fuseir.dialects.dist.privilege import NO_ACCESS, READ, READ_WRITE, WRITE, Operator, Privilege, PrivilegeKind
from fuseir.dialects.dist.view import View
from fuseir.dialects.parsing import parse_module
from fuseir.dialects.verification import verify_module
from fuseir.errors import VerifyError
from fuseir.universe import make_context

# Text has integers of at most 20 digits.
integers = st.one_of(st.integers(-8, 8), st.integers(-(10**20) + 1, 10**20 - 1))
extents = st.one_of(st.integers(0, 9), st.sampled_from([2**31, 2**40]))
names = st.text(max_size=8)

signless = [IntegerType(width) for width in (1, 8, 16, 32, 64)]
unsigned = [IntegerType(width, Signedness.UNSIGNED) for width in (8, 16, 32, 64)]
element_types: st.SearchStrategy[ElementType] = st.sampled_from([*signless, *unsigned, f32, f64])
shapes = st.lists(extents, max_size=3).map(tuple).filter(lambda shape: prod(max(n, 1) for n in shape) < 2**62)
privileges = st.sampled_from(
    [READ, WRITE, READ_WRITE, NO_ACCESS, *(Privilege(PrivilegeKind.REDUCE, o) for o in Operator)]
)


@st.composite
def index_maps(draw: st.DrawFn, results: int | None = None) -> IndexMap:
    inputs = draw(st.integers(0, 3))
    constants = st.builds(Coordinate, st.none(), st.just(0), integers)
    moving = st.builds(Coordinate, st.integers(0, max(inputs - 1, 0)), integers.filter(bool), integers)
    coordinate = st.one_of(constants, moving) if inputs else constants
    count = draw(st.integers(0, 3)) if results is None else results
    return IndexMap(inputs, tuple(draw(coordinate) for _ in range(count)))


@st.composite
def partitions(draw: st.DrawFn) -> PartitionAttr:
    if draw(st.integers(0, 4)) == 0:
        return draw(st.sampled_from([NoneAttr(), ReplicatedAttr()]))
    rank = draw(st.integers(0, 3))
    tile = draw(st.lists(st.one_of(st.integers(1, 9), st.integers(1, 10**20 - 1)), min_size=rank, max_size=rank))
    offset = draw(st.none() | st.lists(integers, min_size=rank, max_size=rank))
    return TilingAttr(tile, offset, draw(st.none() | index_maps(rank)))


attributes = st.one_of(
    st.builds(StoreType, shapes, element_types),
    st.builds(ViewType, shapes, element_types),
    st.builds(IndexMapAttr, index_maps()),
    st.builds(PrivilegeAttr, privileges),
    partitions(),
)


@settings(max_examples=250, deadline=None)
@given(attributes)
def test_types_partitions_and_privileges_survive(attribute: Attribute) -> None:
    text = str(attribute)
    parser = Parser(make_context(), text)
    assert (parser.parse_type() if isinstance(attribute, ShapedStoreType) else parser.parse_attribute()) == attribute


@settings(max_examples=200, deadline=None)
@given(privileges)
def test_the_algebra_reads_its_own_text(privilege: Privilege) -> None:
    assert Privilege.parse(str(privilege)) == privilege


@settings(max_examples=200, deadline=None)
@given(partitions())
def test_a_partition_is_its_attribute(attribute: PartitionAttr) -> None:
    assert partition_attr(attribute.partition) == attribute


# Programs


@st.composite
def scalars(draw: st.DrawFn) -> ScalarOp:
    scalar_type = draw(st.sampled_from([*signless, f32, f64]))
    name = draw(st.none() | names)
    if name is not None and draw(st.booleans()):
        return ScalarOp(scalar_type, name)
    if isinstance(scalar_type, IntegerType):
        width = scalar_type.width.data
        low, high = (0, 1) if width == 1 else (-(2 ** (width - 1)), 2 ** (width - 1) - 1)
        return ScalarOp(scalar_type, name, IntegerAttr(draw(st.integers(low, high)), scalar_type))
    # Every bit pattern: signed zeros, infinities and the payloads of quiet NaNs are values too.
    value = draw(st.floats(width=scalar_type.bitwidth, allow_nan=False) | quiet_nans(scalar_type.bitwidth))
    return ScalarOp(scalar_type, name, FloatAttr(value, scalar_type))


def quiet_nans(width: int) -> st.SearchStrategy[float]:
    """NaNs of float type ``width``. Python keeps those of f64 only: an f32 of them is rounded from one."""
    quiet = 0x7FF8000000000000
    payloads = st.integers(0, 2**51 - 1) if width == 64 else st.just(0)
    return payloads.map(lambda payload: unpack("<d", pack("<Q", quiet | payload))[0])


@st.composite
def programs(draw: st.DrawFn) -> ModuleOp:
    ops: list[Operation] = []
    stores = draw(
        st.lists(
            st.builds(StoreOp, st.builds(StoreType, shapes, element_types), st.none() | names), min_size=1, max_size=3
        )
    )
    defaults = draw(st.lists(scalars(), max_size=2))
    views = [
        ViewOp(store.result, View(draw(shapes), draw(index_maps())), store.result.type.element_type)
        for store in draw(st.lists(st.sampled_from(stores), max_size=2))
    ]
    operands = [op.result for op in (*stores, *views)]
    values = [op.result for op in defaults]
    temporaries = [op.result for op in stores]
    ops += [*stores, *defaults, *views]
    for k in range(draw(st.integers(1, 3))):
        launch = draw(launches(f"task{k}", operands, values))
        ops.append(_declaration(launch))
        if draw(st.booleans()):
            members = [launch, *draw(st.lists(launches(f"task{k}", operands, values), max_size=1))]
            listed = draw(st.lists(st.sampled_from(temporaries), max_size=2))
            ops.append(FusedTaskOp(launch.extents, members, listed))
        else:
            ops.append(launch)
    for op in draw(st.lists(st.sampled_from(stores), max_size=1)):
        ops.append(ReleaseOp(op.result))
    ops.append(FenceOp())
    for op in ops:
        if not isinstance(op, func.FuncOp) and draw(st.integers(0, 4)) == 0:
            op.attributes["note"] = UnitAttr()
    return ModuleOp(ops)


@st.composite
def launches(draw: st.DrawFn, task: str, operands: list[SSAValue], values: list[SSAValue]) -> LaunchOp:
    arguments = draw(st.lists(st.sampled_from(operands), max_size=3))
    given_scalars = draw(st.lists(st.sampled_from(values), max_size=2)) if values else []
    domain = draw(st.lists(st.one_of(st.integers(-2, 5), st.integers(-(2**62) + 1, 2**62 - 1)), max_size=3))
    return LaunchOp(
        task,
        domain,
        arguments,
        [draw(privileges) for _ in arguments],
        [draw(partitions()) for _ in arguments],
        given_scalars,
    )


def _declaration(launch: LaunchOp) -> func.FuncOp:
    """The opaque task that the launch wants."""
    tiles: list[Attribute] = []
    for argument in launch.arguments:
        assert isinstance(argument.type, ShapedStoreType)
        element_type = kernel_element_type(argument.type.element_type)
        tiles.append(TensorType(element_type, [DYNAMIC_INDEX] * len(argument.type.extents)))
    returned = [tile for tile, p in zip(tiles, launch.privileges.data, strict=True) if p.data.returned]
    scalar_types = [scalar.type for scalar in launch.scalars]
    return func.FuncOp.external(launch.task_name, [*tiles, *scalar_types], returned)


def printed(module: ModuleOp, generic: bool) -> str:
    output = StringIO()
    Printer(output, print_generic_format=generic).print_op(module)
    return output.getvalue()


def verdict(module: ModuleOp) -> str | None:
    """What the verifier has against a module."""
    try:
        verify_module(module)
    except VerifyError as error:
        return error.message
    return None


@settings(max_examples=120, deadline=None)
@given(programs())
def test_programs_survive(module: ModuleOp) -> None:
    complaint = verdict(module)
    for generic in (False, True):
        text = printed(module, generic)
        again = parse_module(make_context(), text)
        assert again.is_structurally_equivalent(module), text
        assert printed(again, generic) == text
        assert verdict(again) == complaint


def test_some_of_these_programs_are_right() -> None:
    """Or else the test above would compare complaints alone."""
    right: list[bool] = []

    @settings(max_examples=80, deadline=None, database=None, derandomize=True)
    @given(programs())
    def collect(module: ModuleOp) -> None:
        right.append(verdict(module) is None)

    collect()
    assert any(right)
    assert not all(right)


# What only Python code can get wrong


@pytest.mark.parametrize(
    ("index_map", "message"),
    [
        (IndexMap(1, (Coordinate(1, 1, 0),)), "an index map of 1 dimensions uses dimension 1"),
        (IndexMap(1, (Coordinate(-1, 1, 0),)), "an index map of 1 dimensions uses dimension -1"),
        (IndexMap(1, (Coordinate(0, 0, 3),)), "a scale other than 0 if and only if it has a dimension"),
        (IndexMap(1, (Coordinate(None, 2, 3),)), "a scale other than 0 if and only if it has a dimension"),
    ],
)
def test_index_maps_that_no_text_spells_are_refused(index_map: IndexMap, message: str) -> None:
    with pytest.raises(VerifyException, match=message):
        IndexMapAttr(index_map)


def test_reductions_and_they_alone_have_an_operator() -> None:
    with pytest.raises(VerifyException, match="'reduce' needs an operator"):
        PrivilegeAttr(Privilege(PrivilegeKind.REDUCE))
    with pytest.raises(VerifyException, match="'read' has no operator"):
        PrivilegeAttr(Privilege(PrivilegeKind.READ, Operator.ADD))


@pytest.mark.parametrize("text", ["reduce", "reduce<>", "reduce<sub>", "reads", "read<add>", ""])
def test_no_privilege_is_read_from_other_text(text: str) -> None:
    with pytest.raises(ValueError, match=r"reduce|not a valid"):
        Privilege.parse(text)

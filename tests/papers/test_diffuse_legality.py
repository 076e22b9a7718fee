"""Diffuse §4.2, Fig. 5: which launches fuse. One test for each item of the checklist, by its id."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import pytest
from helpers.dist_programs import KERNELS, arguments, groups, launches, passed
from helpers.dist_programs import parse as parse_with
from xdsl.dialects import func
from xdsl.dialects.builtin import ArrayAttr, ModuleOp, StringAttr
from xdsl.irdl import irdl_attr_definition

from fuseir.dialects.dist.attributes import PartitionAttr, TilingAttr
from fuseir.dialects.dist.index_map import Coordinate, IndexMap
from fuseir.dialects.dist.launch import LaunchOp
from fuseir.dialects.dist.ops import SwapOp
from fuseir.dialects.dist.partition import Interval, Partition
from fuseir.dialects.verification import verify_module
from fuseir.passes.fuse_tasks import FuseTasksPass
from fuseir.passes.remarks import RemarkKind, Remarks

ON_SCALARS = """
func.func @add_one(%n: tensor<f64>, %x: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [affine_map<(d0) -> ()>, #id], iterator_types = ["parallel"]}
      ins(%n : tensor<f64>) outs(%x : tensor<?xf64>) {
  ^bb0(%ne: f64, %xe: f64):
    %t = arith.addf %xe, %ne : f64
    linalg.yield %t : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
func.func @set_all(%n: tensor<f64>, %x: tensor<?xf64>) -> tensor<?xf64> {
  %r = linalg.generic {indexing_maps = [affine_map<(d0) -> ()>, #id], iterator_types = ["parallel"]}
      ins(%n : tensor<f64>) outs(%x : tensor<?xf64>) {
  ^bb0(%ne: f64, %xe: f64):
    linalg.yield %ne : f64
  } -> tensor<?xf64>
  func.return %r : tensor<?xf64>
}
func.func @copy_one(%n: tensor<f64>, %m: tensor<f64>) -> tensor<f64> {
  %r = linalg.generic {indexing_maps = [affine_map<() -> ()>, affine_map<() -> ()>], iterator_types = []}
      ins(%n : tensor<f64>) outs(%m : tensor<f64>) {
  ^bb0(%ne: f64, %me: f64):
    linalg.yield %ne : f64
  } -> tensor<f64>
  func.return %r : tensor<f64>
}
func.func @update_one(%n: tensor<f64>) -> tensor<f64> {
  %r = linalg.generic {indexing_maps = [affine_map<() -> ()>], iterator_types = []} outs(%n : tensor<f64>) {
  ^bb0(%ne: f64):
    %t = arith.addf %ne, %ne : f64
    linalg.yield %t : f64
  } -> tensor<f64>
  func.return %r : tensor<f64>
}
"""


def parse(program: str) -> ModuleOp:
    """The verified module of a program."""
    return parse_with(program, KERNELS + ON_SCALARS)


STORES = """
%S = dist.store "S" : !s
%Q = dist.store "Q" : !s
%R = dist.store "R" : !s
"""

# On S; a second argument, where the kernel needs one, is a store of its own.
ACCESS = {
    "R": "dist.launch @copy<[4]>(%S: read #{p}, %{o}: write #{p}) : (!s, !s)",
    "W": "dist.launch @write<[4]>(%S: write #{p}) : (!s)",
    "RW": "dist.launch @update<[4]>(%S: read_write #{p}) : (!s)",
    "Rd": "dist.launch @acc<[4]>(%{o}: read #{p}, %S: reduce<add> #{p}) : (!s, !s)",
    "Rdmax": "dist.launch @top<[4]>(%{o}: read #{p}, %S: reduce<max> #{p}) : (!s, !s)",
}


PAPER = FuseTasksPass(pointwise=False, reductions=False, reorder=False, promote_scalars=False, rename=False)
"""Fig. 5."""

IN_ORDER = FuseTasksPass(reorder=False, promote_scalars=False, rename=False)
"""The longest prefixes by Def. 3."""

EVERYTHING = FuseTasksPass()


def fused(program: str, options: FuseTasksPass = EVERYTHING, remarks: Remarks | None = None) -> ModuleOp:
    """The verified program after `fuse-tasks` with these options."""
    module = parse(program)
    options.run(module, Remarks() if remarks is None else remarks)
    verify_module(module)
    return module


def prefixes(*accesses: str, options: FuseTasksPass = PAPER, remarks: Remarks | None = None) -> list[int]:
    """The sizes of the groups that launches like ``W A`` (write S through A) fall into."""
    lines: list[str] = []
    for k, text in enumerate(accesses):
        what, partition = text.split()
        if partition == "N":  # all of S at each point: more than a tile of the output can hold
            assert what == "R"
            lines.append("dist.launch @sum<[4]>(%S: read #N, %n: reduce<add> #N) : (!s, !one)")
        else:
            lines.append(ACCESS[what].format(p=partition, o="QR"[k % 2]))
    program = STORES + '%n = dist.store "n" : !one\n' + "\n".join(lines)
    return [len(group) for group in groups(fused(program, options, remarks))]


def codes(*accesses: str, options: FuseTasksPass = PAPER) -> list[str]:
    """The codes of missed remarks."""
    remarks = Remarks()
    prefixes(*accesses, options=options, remarks=remarks)
    return [remark.code for remark in remarks if remark.kind is RemarkKind.MISSED]


@pytest.mark.parametrize("options", [PAPER, EVERYTHING], ids=["paper", "all"])
def test_d13_launch_domains_must_be_equal(options: FuseTasksPass):
    # (4,) and (2, 2) have equally many points, and the launches share no store.
    remarks = Remarks()
    program = (
        STORES
        + """
    %n = dist.store "n" : !one
    dist.launch @write<[4]>(%S: write #A) : (!s)
    dist.launch @sum<[2, 2]>(%Q: read #N, %n: reduce<add> #N) : (!s, !one)
    """
    )
    assert groups(fused(program, options, remarks)) == [["write"], ["sum"]]
    assert [remark.code for remark in remarks] == ["FIR-N101"]


@pytest.mark.parametrize("options", [PAPER, EVERYTHING], ids=["paper", "all"])
def test_d14_true_dependence(options: FuseTasksPass):
    assert prefixes("W A", "R A", options=options) == [2]
    for later in ("R B", "W B", "R N"):
        assert prefixes("W A", later, options=options) == [1, 1]
        assert codes("W A", later, options=options) == ["FIR-N102"]


@pytest.mark.parametrize("options", [PAPER, EVERYTHING], ids=["paper", "all"])
def test_d15_reads_never_conflict(options: FuseTasksPass):
    assert prefixes("R A", "R B", "R N", options=options) == [3]


@pytest.mark.parametrize("options", [PAPER, IN_ORDER], ids=["paper", "in order"])
def test_d16_anti_dependence(options: FuseTasksPass):
    assert prefixes("R A", "W A", options=options) == [2]
    assert prefixes("R A", "W B", options=options) == [1, 1]
    assert prefixes("R A", "R B", "W A", options=options) == [2, 1]
    assert codes("R A", "W B", options=options) == codes("R A", "R B", "W A", options=options) == ["FIR-N103"]


def test_d16_anti_dependence_on_an_old_version():
    # A write of the whole store can go to a fresh one, so that readers keep what they read. B leaves the first element out.
    assert prefixes("R A", "R B", "W A", options=EVERYTHING) == [3]
    assert prefixes("R A", "W B", options=EVERYTHING) == [1, 1]
    assert codes("R A", "W B", options=EVERYTHING) == ["FIR-N103"]


PAIRS_WITH_A_REDUCTION = [("Rd", "R"), ("Rd", "W"), ("R", "Rd"), ("W", "Rd"), ("Rd", "RW"), ("RW", "Rd")]


@pytest.mark.parametrize("later", ["A", "B"])
@pytest.mark.parametrize(("first", "second"), PAIRS_WITH_A_REDUCTION)
def test_d17_a_reduction_and_anything_else(first: str, second: str, later: str):
    assert prefixes(f"{first} A", f"{second} {later}") == [1, 1]
    assert codes(f"{first} A", f"{second} {later}") == ["FIR-N104"]


@pytest.mark.parametrize(("first", "second"), PAIRS_WITH_A_REDUCTION)
def test_d17_a_reduction_at_one_point(first: str, second: str):
    # Through A each element is folded into by one point, which may go on with the result; through B another point needs it.
    assert prefixes(f"{first} A", f"{second} A", options=EVERYTHING) == [2]
    assert prefixes(f"{first} A", f"{second} B", options=EVERYTHING) == [1, 1]
    assert codes(f"{first} A", f"{second} B", options=EVERYTHING) == ["FIR-N104"]


def test_d17_a_reduction_of_all_points():
    program = (
        STORES
        + """
    %n = dist.store "n" : !one
    %m = dist.store "m" : !one
    dist.launch @sum<[4]>(%S: read #A, %n: reduce<add> #N) : (!s, !one)
    dist.launch @add_one<[4]>(%n: read #N, %Q: read_write #A) : (!one, !s)
    """
    )
    assert groups(fused(program)) == [["sum"], ["add_one"]]
    assert groups(fused(program.replace("[4]", "[1]"))) == [["sum", "add_one"]]


def test_d18_reductions_with_one_operator():
    for options in (PAPER, EVERYTHING):
        assert prefixes("Rd A", "Rd B", options=options) == [2]
        assert prefixes("Rd A", "Rdmax B", options=options) == [1, 1]
        assert codes("Rd A", "Rdmax B", options=options) == ["FIR-N104"]
    assert prefixes("Rd A", "Rdmax A") == [1, 1]
    assert prefixes("Rd A", "Rdmax A", options=EVERYTHING) == [2]


def test_d19_stores_do_not_interact():
    program = (
        STORES
        + """
    dist.launch @write<[4]>(%S: write #A) : (!s)
    dist.launch @copy<[4]>(%Q: read #B, %R: write #B) : (!s, !s)
    """
    )
    assert groups(fused(program, PAPER)) == groups(fused(program)) == [["write", "copy"]]


STENCIL = (
    """
%g = dist.store "g" : !dist.store<10xf64>
%work = dist.store "work" : !dist.store<8xf64>
%center = dist.view %g (d0) -> (d0 + 1) : !dist.store<10xf64> -> !dist.view<8xf64>
%north = dist.view %g (d0) -> (d0) : !dist.store<10xf64> -> !dist.view<8xf64>
%south = dist.view %g (d0) -> (d0 + 2) : !dist.store<10xf64> -> !dist.view<8xf64>
"""
    + 2
    * """
dist.launch @add<[4]>(%center: read #A, %north: read #A, %work: write #A) : (!dist.view<8xf64>, !dist.view<8xf64>, !s)
dist.launch @add<[4]>(%work: read #A, %south: read #A, %work: write #A) : (!s, !dist.view<8xf64>, !s)
dist.launch @add<[4]>(%work: read #A, %north: read #A, %work: write #A) : (!s, !dist.view<8xf64>, !s)
dist.launch @add<[4]>(%work: read #A, %south: read #A, %work: write #A) : (!s, !dist.view<8xf64>, !s)
dist.launch @update<[4]>(%work: read_write #A) : (!s)
dist.launch @copy<[4]>(%work: read #A, %center: write #A) : (!s, !dist.view<8xf64>)
"""
)


ADDS = ["add", "add", "add", "add", "update"]


@pytest.mark.parametrize("options", [PAPER, IN_ORDER], ids=["paper", "in order"])
def test_d20_stencil_copy_is_alone(options: FuseTasksPass):
    # The writes of the shifted views' root wait for all reads, and the next iteration's reads for all writes.
    assert groups(fused(STENCIL, options)) == 2 * [ADDS, ["copy"]]


def test_d20_stencil_copy_joins_with_a_fresh_version():
    # One task an iteration: the copy writes a fresh store, to which the two ends of the grid are carried over.
    module = fused(STENCIL)
    assert groups(module) == 2 * [[*ADDS, "carry_f64_1", "carry_f64_1", "copy"]]
    assert sum(isinstance(op, SwapOp) for op in module.ops) == 2


def test_d21_at_one_point_every_dependence_stays_there():
    program = STENCIL.replace("<[4]>", "<[1]>").replace("#A", "#N")
    assert groups(fused(program, PAPER)) == 2 * [ADDS, ["copy"]]
    assert groups(fused(program, IN_ORDER)) == [2 * [*ADDS, "copy"]]


def test_d22_jacobi_dot_stays_apart():
    program = (
        STORES
        + """
    %n = dist.store "n" : !one
    dist.launch @sum<[2]>(%S: read #dist.tiling<[4]>, %n: reduce<add> #N) : (!s, !one)
    dist.launch @add<[4]>(%S: read #A, %Q: read #A, %R: write #A) : (!s, !s, !s)
    dist.launch @add<[4]>(%R: read #A, %Q: read #A, %S: write #A) : (!s, !s, !s)
    """
    )
    module = passed(program, 1)
    assert groups(module) == [["sum"], ["add", "add"]]
    assert len(launches(passed(program, 3))) == 2


def test_d26_work_does_not_depend_on_the_number_of_points():
    calls: list[int] = []

    def count(frame: object, event: str, argument: object) -> None:
        calls[-1] += event in ("call", "c_call")

    for points in (4, 4, 4096, 4096, 10**6, 10**6):  # what is asked for the first time is remembered
        # The same program, as wide as there are points: fused, refused, promoted and given fresh versions.
        module = parse(
            STENCIL.replace("[4]", f"[{points}]")
            .replace("10xf64", f"{2 * points + 2}xf64")
            .replace("8xf64", f"{2 * points}xf64")
            .replace("!s", f"!dist.store<{2 * points}xf64>")
            + f"""
        %n = dist.store "n" : !one
        %m = dist.store "m" : !one
        %wide = dist.store "wide" : !dist.store<{2 * points}xf64>
        dist.launch @sum<[{points}]>(%work: read #A, %n: reduce<add> #N) : (!dist.store<{2 * points}xf64>, !one)
        dist.launch @copy_one<[1]>(%n: read #N, %m: write #N) : (!one, !one)
        dist.launch @set_all<[{points}]>(%m: read #N, %wide: write #B) : (!one, !dist.store<{2 * points}xf64>)
        dist.launch @add_one<[{points}]>(%m: read #N, %wide: read_write #A) : (!one, !dist.store<{2 * points}xf64>)
        """
        )
        calls.append(0)
        sys.setprofile(count)
        try:
            EVERYTHING.run(module, Remarks())
        finally:
            sys.setprofile(None)
        assert [len(group) for group in groups(module)] == [8, 9, 2, 1]
    # Euclid's algorithm takes a step more or less, and so do look-ups that collide.
    assert max(calls[1::2]) <= 1.005 * min(calls[1::2])


@dataclass(frozen=True)
class FromTheEnd(Partition):
    """A kind that nobody knows: tiles of two elements, the first point's last. It says where they are, and no more."""

    def rank_error(self, rank: int, launch_rank: int) -> str | None:
        return None

    def intervals(self, shape: tuple[int, ...]) -> tuple[Interval, ...]:
        (extent,) = shape
        return (Interval(0, -2, extent - 2, 2, extent),)


@irdl_attr_definition
class FromTheEndAttr(PartitionAttr):
    name = "test.from_the_end"

    @property
    def partition(self) -> Partition:
        return FromTheEnd()


@pytest.mark.parametrize("options", [PAPER, EVERYTHING], ids=["paper", "all"])
def test_d27_a_new_kind_of_partition_needs_no_change_here(options: FuseTasksPass):
    program = STORES + 2 * "dist.launch @copy<[4]>(%S: read #A, %Q: write #A) : (!s, !s)\n"
    for first, second, expected in (
        (FromTheEndAttr(), FromTheEndAttr(), [["copy", "copy"]]),
        (FromTheEndAttr(), TilingAttr([2]), [["copy"], ["copy"]]),
        (TilingAttr([2], [6], IndexMap(1, (Coordinate(0, -1, 0),))), FromTheEndAttr(), [["copy", "copy"]]),
    ):
        module = parse(program)
        for launch, partition in zip(launches(module), (first, second), strict=True):
            launch.partitions = ArrayAttr([partition] * 2)
        verify_module(module)
        options.run(module, Remarks())
        assert groups(module) == expected


def test_d34_opaque_tasks_are_barriers():
    program = (
        STORES
        + """
    dist.launch @opaque<[4]>(%S: read #A, %Q: write #A) : (!s, !s)
    dist.launch @update<[4]>(%Q: read_write #A) : (!s)
    dist.launch @update<[4]>(%Q: read_write #A) : (!s)
    dist.launch @opaque<[4]>(%S: read #A, %R: write #A) : (!s, !s)
    dist.launch @update<[4]>(%Q: read_write #A) : (!s)
    """
    )
    in_order = [["opaque"], ["update", "update"], ["opaque"], ["update"]]
    assert groups(fused(program, PAPER)) == groups(fused(program, IN_ORDER)) == in_order
    # The last launch has nothing to do with the second opaque task, and passes it. Opaque tasks keep their order.
    assert groups(fused(program)) == [["opaque"], ["update", "update", "update"], ["opaque"]]


def test_d34_opaque_tasks_wait_for_what_they_need():
    program = (
        STORES
        + """
    dist.launch @update<[4]>(%Q: read_write #A) : (!s)
    dist.launch @opaque<[4]>(%Q: read #A, %R: write #A) : (!s, !s)
    dist.launch @update<[4]>(%Q: read_write #A) : (!s)
    """
    )
    assert groups(fused(program)) == [["update"], ["opaque"], ["update"]]


def test_d35_processors():
    def on(task: str, processor: str, module: ModuleOp) -> None:
        function = next(op for op in module.ops if isinstance(op, func.FuncOp) and op.sym_name.data == task)
        function.attributes["dist.processor"] = StringAttr(processor)

    program = (
        STORES
        + """
    dist.launch @update<[4]>(%S: read_write #A) : (!s)
    dist.launch @write<[4]>(%S: write #A) : (!s)
    dist.launch @copy<[4]>(%S: read #A, %Q: write #A) : (!s, !s)
    """
    )
    for processors, expected in (
        (("gpu", "gpu", "gpu"), [["update", "write", "copy"]]),
        (("gpu", "gpu", "cpu"), [["update", "write"], ["copy"]]),
        (("gpu", "cpu", "gpu"), [["update"], ["write"], ["copy"]]),
    ):
        module, remarks = parse(program), Remarks()
        for task, processor in zip(("update", "write", "copy"), processors, strict=True):
            on(task, processor, module)
        EVERYTHING.run(module, remarks)
        assert groups(module) == expected
        missed = [remark.code for remark in remarks if remark.kind is RemarkKind.MISSED]
        assert missed == ["FIR-N109"] * (len(expected) - 1)


SCALARS = """
%n = dist.store "n" : !one
%m = dist.store "m" : !one
%k = dist.store "k" : !one
"""


def test_d36_scalar_tasks_run_beside_their_neighbours():
    # Between a reduction and what needs it: with the consumers, or alone.
    program = (
        STORES
        + SCALARS
        + """
    dist.launch @sum<[4]>(%S: read #A, %n: reduce<add> #N) : (!s, !one)
    dist.launch @copy_one<[1]>(%n: read #N, %m: write #N) : (!one, !one)
    dist.launch @add_one<[4]>(%m: read #N, %S: read_write #A) : (!one, !s)
    """
    )
    assert groups(fused(program, IN_ORDER)) == [["sum"], ["copy_one"], ["add_one"]]
    module = fused(program)
    assert groups(module) == [["sum"], ["copy_one", "add_one"]]
    promoted = next(op for op in module.walk() if isinstance(op, LaunchOp) and op.task_name == "copy_one")
    assert promoted.extents == (4,)
    assert [str(access.partition.partition) for access in promoted.accesses] == ["none", "replicated"]


def test_d36_a_scalar_task_alone_stays_at_its_point():
    program = SCALARS + "dist.launch @copy_one<[1]>(%n: read #N, %m: write #N) : (!one, !one)\n"
    (launch,) = launches(fused(program))
    assert launch.extents == (1,)


def test_d36_tasks_on_arrays_are_not_repeated():
    # One point, but eight elements: at every point it would be done four times over.
    program = (
        STORES
        + """
    dist.launch @write<[4]>(%Q: write #A) : (!s)
    dist.launch @update<[1]>(%S: read_write #N) : (!s)
    dist.launch @add<[4]>(%Q: read #A, %S: read #A, %R: write #A) : (!s, !s, !s)
    """
    )
    assert groups(fused(program)) == [["update"], ["write", "add"]]


def test_d36_nor_are_updates_of_scalars():
    # A point must not see what another has written.
    program = (
        STORES
        + SCALARS
        + """
    dist.launch @copy_one<[1]>(%m: read #N, %n: write #N) : (!one, !one)
    dist.launch @update_one<[1]>(%n: read_write #N) : (!one)
    dist.launch @add_one<[4]>(%n: read #N, %S: read_write #A) : (!one, !s)
    """
    )
    assert groups(fused(program)) == [["copy_one", "update_one"], ["add_one"]]
    # Nor where nothing in the group was written before.
    program = program.replace("%n: write", "%k: write")
    assert groups(fused(program)) == [["copy_one", "update_one"], ["add_one"]]


def test_d37_arguments_are_joined():
    program = (
        STORES
        + """
    dist.launch @write<[4]>(%Q: write #A) : (!s)
    dist.launch @add<[4]>(%Q: read #A, %S: read #A, %R: write #A) : (!s, !s, !s)
    dist.launch @copy<[4]>(%R: read #A, %S: write #A) : (!s, !s)
    """
    )
    (launch,) = launches(passed(program, 3))
    assert arguments(launch) == [("Q", "write"), ("S", "read_write"), ("R", "write")]


def test_d18_reductions_are_never_joined():
    # Each reduction's partials are combined on their own, so each keeps its argument; the others are one each.
    program = (
        STORES
        + """
    dist.launch @acc<[4]>(%Q: read #A, %S: reduce<add> #A) : (!s, !s)
    dist.launch @acc<[4]>(%Q: read #A, %S: reduce<add> #A) : (!s, !s)
    """
    )
    (launch,) = launches(passed(program, 3))
    assert arguments(launch) == [("Q", "read"), ("S", "reduce<add>"), ("S", "reduce<add>")]


def test_d39_program_order_is_kept():
    program = (
        STORES
        + """
    dist.launch @write<[4]>(%S: write #A) : (!s)
    dist.launch @copy<[4]>(%S: read #A, %Q: write #A) : (!s, !s)
    dist.launch @copy<[4]>(%R: read #A, %S: write #A) : (!s, !s)
    """
    )
    assert groups(fused(program, PAPER)) == groups(fused(program)) == [["write", "copy", "copy"]]
    module = passed(program, 3)
    (launch,) = launches(module)
    function = launch.callee()
    assert function is not None
    *generics, end = function.body.block.ops
    first, second, third = (op.results[0] for op in generics)
    assert arguments(launch) == [("S", "write"), ("Q", "write"), ("R", "read")]
    assert list(end.operands) == [third, second]
    assert generics[1].operands[0] is first


def test_d62_pieces_that_overlap_are_not_in_one_kernel():
    # Over one point everything fuses; a kernel's parameters are taken not to alias, so these become two launches.
    program = (
        STORES
        + """
    %front = dist.view %S (d0) -> (d0) : !s -> !dist.view<7xf64>
    %back = dist.view %S (d0) -> (d0 + 1) : !s -> !dist.view<7xf64>
    dist.launch @update<[1]>(%front: read_write #N) : (!dist.view<7xf64>)
    dist.launch @update<[1]>(%back: read_write #N) : (!dist.view<7xf64>)
    """
    )
    assert groups(passed(program, 1)) == [["update", "update"]]
    assert len(launches(passed(program, 3))) == 2
    # The same pieces, and pieces apart, share one.
    for other in ("(d0) -> (d0) : !s -> !dist.view<7xf64>", "(d0) -> (d0 + 7) : !s -> !dist.view<1xf64>"):
        text = program.replace("(d0) -> (d0 + 1) : !s -> !dist.view<7xf64>", other)
        text = text.replace(
            "%back: read_write #N) : (!dist.view<7xf64>)", f"%back: read_write #N) : ({other.split(' -> ')[-1]})"
        )
        assert len(launches(passed(text, 3))) == 1

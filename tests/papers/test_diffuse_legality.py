"""Diffuse §4.2, Fig. 5: which launches fuse. One test for each item of the checklist, by its id."""

from __future__ import annotations

import pytest
from helpers.dist_programs import arguments, groups, launches, passed

from fuseir.passes.remarks import RemarkKind, Remarks

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


def prefixes(*accesses: str, remarks: Remarks | None = None) -> list[int]:
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
    return [len(group) for group in groups(passed(program, 1, remarks=remarks))]


def codes(*accesses: str) -> list[str]:
    remarks = Remarks()
    prefixes(*accesses, remarks=remarks)
    return [remark.code for remark in remarks if remark.kind is RemarkKind.MISSED]


def test_d13_launch_domains_must_be_equal():
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
    assert groups(passed(program, 1, remarks=remarks)) == [["write"], ["sum"]]
    assert [remark.code for remark in remarks] == ["FIR-N101"]


def test_d14_true_dependence():
    assert prefixes("W A", "R A") == [2]
    assert prefixes("W A", "R B") == [1, 1]
    assert prefixes("W A", "W B") == [1, 1]
    assert prefixes("W A", "R N") == [1, 1]
    assert codes("W A", "R B") == codes("W A", "W B") == codes("W A", "R N") == ["FIR-N102"]


def test_d15_reads_never_conflict():
    assert prefixes("R A", "R B", "R N") == [3]


def test_d16_anti_dependence():
    assert prefixes("R A", "W A") == [2]
    assert prefixes("R A", "W B") == [1, 1]
    assert prefixes("R A", "R B", "W A") == [2, 1]
    assert codes("R A", "W B") == codes("R A", "R B", "W A") == ["FIR-N103"]


@pytest.mark.parametrize("later", ["A", "B"])
@pytest.mark.parametrize(("first", "second"), [("Rd", "R"), ("Rd", "W"), ("R", "Rd"), ("W", "Rd")])
def test_d17_a_reduction_and_anything_else(first: str, second: str, later: str):
    assert prefixes(f"{first} A", f"{second} {later}") == [1, 1]
    assert codes(f"{first} A", f"{second} {later}") == ["FIR-N104"]


def test_d18_reductions_with_one_operator():
    assert prefixes("Rd A", "Rd B") == [2]
    assert prefixes("Rd A", "Rdmax A") == [1, 1]
    assert codes("Rd A", "Rdmax A") == ["FIR-N104"]


def test_d19_stores_do_not_interact():
    program = (
        STORES
        + """
    dist.launch @write<[4]>(%S: write #A) : (!s)
    dist.launch @copy<[4]>(%Q: read #B, %R: write #B) : (!s, !s)
    """
    )
    assert groups(passed(program, 1)) == [["write", "copy"]]


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


def test_d20_stencil_copy_is_alone():
    # The writes of the shifted views' root wait for all reads, and the next iteration's reads for all writes.
    assert groups(passed(STENCIL, 1)) == 2 * [["add", "add", "add", "add", "update"], ["copy"]]


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
    assert groups(passed(program, 1)) == [["opaque"], ["update", "update"], ["opaque"], ["update"]]


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
    assert groups(passed(program, 1)) == [["write", "copy", "copy"]]
    module = passed(program, 3)
    (launch,) = launches(module)
    function = launch.callee()
    assert function is not None
    *generics, end = function.body.block.ops
    first, second, third = (op.results[0] for op in generics)
    assert arguments(launch) == [("S", "write"), ("Q", "write"), ("R", "read")]
    assert list(end.operands) == [third, second]
    assert generics[1].operands[0] is first

"""The distributed passes as objects: what they say, what they cost, and how pipelines run them."""

from __future__ import annotations

import pytest
from helpers.dist_programs import PASSES, groups, launches, parse, passed

from fuseir.dialects.dist.launch import FusedTaskOp
from fuseir.dialects.dist.partition import Tiling
from fuseir.dialects.verification import location_of
from fuseir.errors import LegalityError, UsageError
from fuseir.passes.analysis.dependence import MAX_PIECES, Comparisons, FusionState, IndexTask, Rules
from fuseir.passes.fuse_tasks import FuseTasksPass, kernels_of
from fuseir.passes.pipelines import run_pipeline
from fuseir.passes.remarks import RemarkKind, Remarks

STORES = """
%S = dist.store "S" : !s
%z = dist.store : !s
"""


def test_a_refusal_names_launches_store_and_pieces():
    remarks = Remarks()
    passed(
        STORES + "dist.launch @copy<[4]>(%S: read #A, %z: write #A) : (!s, !s)\n"
        "dist.launch @copy<[4]>(%z: read #B, %S: write #B) : (!s, !s)\n",
        1,
        remarks=remarks,
    )
    (remark,) = remarks
    assert (remark.kind, remark.code, remark.pass_name) == (RemarkKind.MISSED, "FIR-N102", "fuse-tasks")
    assert remark.location is not None
    assert "'@copy' is not fused with '@copy'" in remark.message
    assert "store %z is 'write' through tiling<[2]>, then 'read' through tiling<[2] + [1]>" in remark.message
    assert str(remark).endswith(f"[{remark.code}]")


def test_a_fused_task_stands_where_its_members_stood():
    module = passed(STORES + 2 * "dist.launch @update<[4]>(%S: read_write #A) : (!s)\n", 1)
    (fused,) = (op for op in module.ops if isinstance(op, FusedTaskOp))
    assert location_of(fused) == location_of(fused.members[0])


def test_a_group_keeps_a_bounded_number_of_pieces_apart():
    length = 4 * MAX_PIECES
    views = "".join(
        f"%v{k} = dist.view %g (d0) -> (d0 + {k}) : !dist.store<{length}xf64> -> !half\n"
        f"dist.launch @copy<[4]>(%v{k}: read #H, %q: write #H) : (!half, !dist.store<4xf64>)\n"
        for k in range(MAX_PIECES + 2)
    )
    remarks = Remarks()
    program = f'%g = dist.store "g" : !dist.store<{length}xf64>\n%q = dist.store "q" : !dist.store<4xf64>\n'
    module = passed(program + views, 1, remarks=remarks)
    assert [len(group) for group in groups(module)] == [MAX_PIECES, 2]
    assert [remark.code for remark in remarks if remark.kind is RemarkKind.MISSED] == ["FIR-N107"]


def test_refused_launches_leave_no_trace():
    module = parse(
        STORES + "dist.launch @update<[4]>(%S: read_write #A) : (!s)\n"
        "dist.launch @copy<[4]>(%S: read #B, %z: write #B) : (!s, !s)\n"
        "dist.launch @update<[4]>(%S: read_write #A) : (!s)\n"
    )
    comparisons = Comparisons()
    first, second, third = (IndexTask.of(each, kernels_of(module), comparisons) for each in launches(module))
    state = FusionState(Rules(), comparisons)
    assert state.try_add(first) is None
    assert state.try_add(second) is not None
    assert state.try_add(third) is None
    assert state.members == (first, third)


def test_legality_never_looks_at_a_point(monkeypatch: pytest.MonkeyPatch):
    # D26: the same questions whatever the number of points; `box`, which looks at one, is never asked.
    asked: list[int] = []
    intervals = Tiling.intervals

    def counted(self: Tiling, shape: tuple[int, ...]):
        asked[-1] += 1
        return intervals(self, shape)

    monkeypatch.setattr(Tiling, "box", lambda *_: pytest.fail("a pass looked at a point"))
    monkeypatch.setattr(Tiling, "intervals", counted)
    for points in (4, 4096, 10**6):
        asked.append(0)
        store = f"!dist.store<{2 * points}xf64>"
        module = parse(
            f'%S = dist.store "S" : {store}\n%Q = dist.store "Q" : {store}\n'
            f"dist.launch @copy<[{points}]>(%S: read #A, %Q: write #A) : ({store}, {store})\n"
            f"dist.launch @copy<[{points}]>(%Q: read #dist.tiling<[2], (d0) -> (d0 + 0)>, %S: write #A)"
            f" : ({store}, {store})\n"
            f"dist.launch @copy<[{points}]>(%Q: read #B, %S: write #B) : ({store}, {store})\n"
        )
        asked[-1] = 0  # parsing verified the launches
        FuseTasksPass().run(module, Remarks())
        assert groups(module) == [["copy", "copy"], ["copy"]]
    assert len(set(asked)) == 1


def test_options_are_checked():
    with pytest.raises(UsageError, match="max-members"):
        FuseTasksPass(max_members=0).run(parse(""), Remarks())


def test_pipelines_dump_after_each_pass():
    seen: list[str] = []
    module = parse(STORES + "dist.launch @update<[4]>(%S: read_write #A) : (!s)\n")
    run_pipeline(module, PASSES, dump=lambda name, _: seen.append(name), verify=True)
    assert tuple(seen) == PASSES


def test_composing_an_illegal_group_is_an_error():
    program = STORES + (
        "dist.fused_task<[4]> {\n"
        "dist.launch @copy<[4]>(%S: read #A, %z: write #A) : (!s, !s)\n"
        "dist.launch @copy<[4]>(%z: read #B, %S: write #B) : (!s, !s)\n}\n"
    )
    with pytest.raises(LegalityError, match="breaks a constraint") as caught:
        run_pipeline(parse(program), PASSES[2:])
    assert caught.value.location is not None


def test_composing_twice_changes_nothing():
    program = STORES + (
        "dist.launch @copy<[4]>(%S: read #A, %z: write #A) : (!s, !s)\n"
        "dist.launch @copy<[4]>(%z: read #A, %S: write #A) : (!s, !s)\n"
    )
    once = passed(program, 3)
    twice = once.clone()
    run_pipeline(twice, PASSES[2:])
    assert str(once) == str(twice)

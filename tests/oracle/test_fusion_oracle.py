"""`fuse-tasks` against enumeration, on random windows.

Every group is fusible by Def. 3, point by point, as its members are in the end: promoted, renamed, with what is carried over (D23). In
order, groups are as long as they can be, and what ends one is named (D24); by the paper's rules they are those of Fig. 5 (D25). Out
of order, launches that do not commute keep their order, and each is in the earliest group it may be in; unless in a later one
fewer elements go through memory.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import combinations, product
from math import prod

import pytest
from launches_as_ir import argument, partition, task, view
from point_oracle import (
    Task,
    all_of,
    commute,
    copied,
    crosses_points,
    depends,
    fusible,
    same_pieces,
    sub_stores,
    touched,
    well_formed,
)
from random_launches import random_stencil, random_window
from xdsl.dialects.builtin import ModuleOp, f64
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Block, Region, SSAValue

from fuseir.dialects.dist.attributes import StoreType
from fuseir.dialects.dist.launch import FusedTaskOp, LaunchOp
from fuseir.dialects.dist.ops import FenceOp, ReleaseOp, StoreOp, ViewOp
from fuseir.dialects.dist.privilege import Privilege
from fuseir.passes.analysis.dependence import Constraint, IndexTask, Refusal
from fuseir.passes.analysis.grouping import Group, Grouping, GroupingRules
from fuseir.passes.analysis.renaming import Renaming
from fuseir.passes.analysis.traffic import Traffic
from fuseir.passes.fuse_tasks import Fuser, FuseTasksPass
from fuseir.passes.remarks import Remarks

BATCH = 100
PLAIN = GroupingRules(reorder=False, promote_scalars=False, rename=False, sink=False)
PAPER = GroupingRules(False, False, None, False, False, False, False)
OUT_OF_ORDER = GroupingRules(promote_scalars=False, rename=False, sink=False)
EVERYTHING = GroupingRules()

Window = list[Task]


# As IR


def build(windows: list[Window]) -> tuple[ModuleOp, list[list[LaunchOp]]]:
    """One module with all windows, fences between them; the launches of each. Every second window releases its stores."""
    module = ModuleOp([FuncOp("task", ([], []), Region(Block([ReturnOp()])))])
    block = module.body.block
    launches: list[list[LaunchOp]] = []
    for window in windows:
        launches.append([])
        stores: dict[int, SSAValue] = {}
        for each in window:
            values = []
            for used in each.arguments:
                if used.store not in stores:
                    block.add_op(op := StoreOp(StoreType(used.store_shape, f64)))
                    stores[used.store] = op.result
                value = stores[used.store]
                if used.view is not None:
                    block.add_op(shown := ViewOp(value, view(used), f64))
                    value = shown.result
                values.append(value)
            privileges = [Privilege.parse(used.privilege) for used in each.arguments]
            partitions = [partition(used.tiling, len(each.domain)) for used in each.arguments]
            block.add_op(launch := LaunchOp("task", each.domain, values, privileges, partitions))
            launches[-1].append(launch)
        if is_released(len(launches) - 1):
            block.add_ops([ReleaseOp(value) for value in stores.values()])
        block.add_op(FenceOp.create())
    return module, launches


def is_released(number: int) -> bool:
    """Whether nobody looks at the stores of a window afterwards."""
    return number % 2 == 1


class Result:
    """What the pass decided about one window, in the oracle's numbers."""

    def __init__(self, number: int, window: Window, launches: list[LaunchOp], grouping: Grouping) -> None:
        self.window = window
        self.grouping = grouping
        self.released = is_released(number)
        self.numbers = {launch: k for k, launch in enumerate(launches)}
        self.stores: dict[SSAValue, int] = {}

    @property
    def groups(self) -> list[list[int]]:
        """The groups, as places of launches in the window; without what the pass added."""
        return [[self.place(m) for m in group.members if not m.added] for group in self.grouping.groups]

    def place(self, member: IndexTask) -> int:
        """Where in the window a member comes from."""
        return self.numbers[member.source]

    def task(self, member: IndexTask) -> Task:
        """A member as it is in its group."""
        return task(member, self.stores)


def results(windows: list[Window], rules: GroupingRules) -> list[Result]:
    """What is decided about each window."""
    module, launches = build(windows)
    *segments, last = Fuser(module, rules).group()
    assert not last.grouping.groups
    groupings = [segment.grouping for segment in segments]
    return [Result(k, *each) for k, each in enumerate(zip(windows, launches, groupings, strict=True))]


def batches(seed: int, count: int, make: Callable[[random.Random], Window]) -> Iterator[list[Window]]:
    """So many random windows."""
    rng = random.Random(seed)
    for _ in range(count // BATCH):
        yield [window for window in (make(rng) for _ in range(BATCH)) if window]


def random_windows(rng: random.Random) -> Window:
    """One of either kind."""
    return random_window(rng, longest=7) if rng.random() < 0.6 else random_stencil(rng)


# D23


@pytest.mark.parametrize("seed", range(4))
def test_d23_groups_are_fusible_point_by_point(seed: int, record_property: pytest.RecordProperty):
    counts: Counter[str] = Counter()
    for windows in batches(seed, 1500, random_windows):
        for result in results(windows, EVERYTHING):
            check_groups(result, counts)
    for name, count in counts.items():
        record_property(name, count)
    print(dict(counts))
    # An oracle that hardly ever sees a group, a promotion or a fresh version proves little.
    assert counts["groups of two or more"] > 1000
    assert min(counts[what] for what in ("promoted", "renamed", "carried", "rest is dead", "out of order")) > 10


def check_groups(result: Result, counts: Counter[str]) -> None:
    """All that holds by any rules: no launch is lost, groups are fusible, nothing changes places that must not."""
    groups = result.groups
    assert sorted(k for group in groups for k in group) == list(range(len(result.window)))
    for group in result.grouping.groups:
        members = [result.task(member) for member in group.members]
        assert all(well_formed(member) for member in members)
        for first, second in combinations(members, 2):
            assert fusible(first, second), (first, second)
        counts["groups of two or more"] += len(members) > 1
        counts["promoted"] += sum(m.domain != result.window[result.place(m)].domain for m in group.members)
    rank = {k: (number, position) for number, group in enumerate(groups) for position, k in enumerate(group)}
    for first, second in combinations(range(len(result.window)), 2):
        if rank[first] > rank[second]:
            assert commute(result.window[first], result.window[second]), (first, second, result.window)
            counts["out of order"] += 1
    for group in groups:
        assert group == sorted(group)
    for group in result.grouping.groups:
        for renaming in group.renamings:
            behind = [k for k in rank if rank[k] > rank[result.place(renaming.task)]]
            counts["rest is dead"] += not check_renaming(result, group, renaming, behind)
            counts["renamed"] += 1
            counts["carried"] += bool(renaming.carries)


def check_renaming(result: Result, group: Group, renaming: Renaming, behind: list[int]) -> bool:
    """The fresh version of a store holds what was written, and of the rest what the old one held. Returns whether that is all of it.

    What it does not hold nobody looks at who runs behind the write.
    """
    root, fresh = renaming.root, renaming.fresh.result
    writer = next(member for member in group.members if member.source is renaming.task.source and not member.added)
    (k,) = [k for k, access in enumerate(writer.accesses) if access.root is fresh]
    written, number = result.task(writer).arguments[k], result.window[result.place(writer)].arguments[k].store
    new = touched(written, writer.domain)
    assert new == all_of(written)
    assert written.privilege == "write"
    for carry in renaming.carries:
        read, copy = result.task(carry).arguments
        assert (read.store, copy.store) == (result.stores[root], result.stores[fresh])
        assert (read.privilege, copy.privilege) == ("read", "write")
        assert sub_stores(read, carry.domain) == sub_stores(copy, carry.domain)
        assert not touched(copy, carry.domain) & new
        new |= touched(copy, carry.domain)
    # Members before the write use the old version, members behind it the fresh one.
    position = group.members.index(writer)
    assert not any(access.root is root for member in group.members[position + 1 :] for access in member.accesses)
    before = [member for member in group.members[:position] if member not in renaming.carries]
    assert not any(access.root is fresh for member in before for access in member.accesses)
    if new == (1 << all_of(written._replace(view=None)).bit_length()) - 1:
        return True
    assert result.released
    for later in (result.window[k] for k in behind):
        for a in later.arguments:
            assert a.store != number or not (a.reads or a.reduces) or not touched(a, later.domain) & ~new
    return False


# D24, D25: in program order


def breaks(refusal: Refusal) -> bool:
    """Whether the two accesses that a refusal names break the constraint that it names, by enumeration."""
    assert refusal.earlier is not None
    if refusal.constraint is Constraint.LAUNCH_DOMAIN:
        return refusal.earlier.domain != refusal.later.domain
    assert refusal.earlier_access is not None
    assert refusal.later_access is not None
    assert refusal.later_access in refusal.later.accesses
    assert refusal.earlier_access.root is refusal.later_access.root is refusal.store
    a, b = (argument(each, 0) for each in (refusal.earlier_access, refusal.later_access))
    assert a in [argument(each, 0) for each in refusal.earlier.accesses if each.root is refusal.store]
    kinds = {
        Constraint.TRUE: a.writes and (b.reads or b.writes),
        Constraint.ANTI: a.reads and b.writes,
        Constraint.REDUCTION: a.reduces or b.reduces,
    }
    assert kinds[refusal.constraint]
    assert depends(a, b)
    domain = refusal.later.domain
    return not copied(a, b) and crosses_points(sub_stores(a, domain), sub_stores(b, domain))


@pytest.mark.parametrize("seed", range(4))
def test_d24_groups_are_as_long_as_they_can_be(seed: int, record_property: pytest.RecordProperty):
    refused = needlessly = 0
    for windows in batches(seed + 10, 1500, random_windows):
        for result in results(windows, PLAIN):
            check_groups(result, Counter())
            groups, refusals = result.groups, result.grouping.refusals
            assert [k for group in groups for k in group] == list(range(len(result.window)))
            # Between two groups stands one refusal: of the second one's first launch, by a member of the first.
            assert [result.place(refusal.later) for refusal in refusals] == [group[0] for group in groups[1:]]
            for before, refusal in zip(groups, refusals, strict=False):
                assert refusal.earlier is not None
                assert result.place(refusal.earlier) in before
                refused += 1
                needlessly += not breaks(refusal)
    record_property("refused needlessly", f"{needlessly} of {refused}")
    print(f"{needlessly} of {refused} refused needlessly")
    assert refused > 1000
    assert needlessly < refused / 100


def fig_5(earlier: Task, later: Task) -> bool:
    """Whether two launches may be fused by the formulas of Diffuse Fig. 5; views with no element in common are of different stores."""
    if earlier.domain != later.domain:
        return False
    for a, b in product(earlier.arguments, later.arguments):
        if a.store != b.store or not all_of(a) & all_of(b):
            continue
        equal = same_pieces(a, b, later.domain)
        if a.writes and (b.reads or b.writes) and not equal:
            return False
        if a.reads and b.writes and not equal:
            return False
        if (a.reduces and (b.reads or b.writes)) or (b.reduces and (a.reads or a.writes)):
            return False
        if a.reduces and b.reduces and a.privilege != b.privilege:
            return False
    return True


@pytest.mark.parametrize("seed", range(4))
def test_d25_the_scan_is_fig_5(seed: int):
    several = 0
    for windows in batches(seed + 20, 1000, random_windows):
        for result in results(windows, PAPER):
            expected: list[list[int]] = []
            for k, launch in enumerate(result.window):
                if expected and all(fig_5(result.window[earlier], launch) for earlier in expected[-1]):
                    expected[-1].append(k)
                else:
                    expected.append([k])
            assert result.groups == expected, result.window
            several += len(expected) > 1 and any(len(group) > 1 for group in expected)
    assert several > 100


def test_d21_at_one_point_everything_fuses():
    longest = 0
    for windows in batches(30, 3000, random_windows):
        ones = [[each for each in window if set(each.domain) == {1}] for window in windows]
        alike = [[each for each in window if each.domain == window[0].domain] for window in ones if window]
        for result in results(alike, PLAIN):
            assert result.groups == [list(range(len(result.window)))]
            longest = max(longest, len(result.window))
    assert longest > 4


# Out of order


@pytest.mark.parametrize("seed", range(4))
def test_launches_join_the_earliest_group_they_may(seed: int, record_property: pytest.RecordProperty):
    counts: Counter[str] = Counter()
    placed = late = 0
    for windows in batches(seed + 40, 1500, random_windows):
        for result in results(windows, OUT_OF_ORDER):
            check_groups(result, counts)
            number_of = {k: number for number, group in enumerate(result.groups) for k in group}
            groups: list[list[int]] = []  # as they are when a launch is placed
            for k in range(len(result.window)):
                number = number_of[k]
                expected = earliest(result.window, groups, k)
                assert number >= expected
                placed += 1
                late += number > expected
                if number == len(groups):
                    groups.append([])
                groups[number].append(k)
    record_property("later than need be", f"{late} of {placed}")
    print(f"{late} of {placed} later than need be; {dict(counts)}")
    assert late < placed / 100
    assert counts["out of order"] > 200


def earliest(window: Window, groups: list[list[int]], k: int) -> int:
    """The group that a launch joins: the last that it does not commute with, if it may; else the first behind over its domain."""
    launch = window[k]
    floor = max((n for n, group in enumerate(groups) if any(meets(window[m], launch) for m in group)), default=-1)
    if floor >= 0 and all(fusible(window[m], launch) for m in groups[floor]):
        return floor
    behind = (n for n in range(floor + 1, len(groups)) if window[groups[n][0]].domain == launch.domain)
    return next(behind, len(groups))


def meets(earlier: Task, later: Task) -> bool:
    """Whether two launches do not commute. Over different domains pieces are not compared: all that the views show counts."""
    if earlier.domain == later.domain:
        return not commute(earlier, later)
    shown = (Task((1,), tuple(a._replace(tiling=None) for a in each.arguments)) for each in (earlier, later))
    return not commute(*shown)


# Sinking


def test_launches_sink_where_fewer_elements_go_through_memory(record_property: pytest.RecordProperty):
    counts: Counter[str] = Counter()
    for windows in batches(60, 500, random_stencil):
        early = results(windows, replace(EVERYTHING, sink=False))
        for sunk, placed in zip(results(windows, EVERYTHING), early, strict=True):
            if not any(note.code == "FIR-N164" for note in sunk.grouping.notes):
                assert sunk.groups == placed.groups
                continue
            check_groups(sunk, Counter())
            before, after = elements_moved(placed), elements_moved(sunk)
            counts["fewer"] += after < before
            counts["as many"] += after == before
            counts["more"] += after > before
            assert len(sunk.groups) <= len(placed.groups)
    record_property("elements moved", dict(counts))
    print(dict(counts))
    assert counts["fewer"] > 20
    # The pass counts whole pieces, and views that overlap as if they did not.
    assert counts["more"] < counts["fewer"] / 10


def test_launches_sink_only_to_where_they_may(monkeypatch: pytest.MonkeyPatch):
    """Whatever is believed to be saved: then many more of them move."""
    rng = random.Random(61)
    monkeypatch.setattr(Traffic, "bytes", lambda *_: rng.randrange(1000))
    monkeypatch.setattr(Traffic, "temporary", lambda *_: rng.random() < 0.8)
    sunk = together = 0
    for windows in batches(62, 600, random_windows):
        for result in results(windows, EVERYTHING):
            check_groups(result, Counter())
            notes = [note for note in result.grouping.notes if note.code == "FIR-N164"]
            sunk += len(notes)
            together += sum("before it" in note.message for note in notes)
    print(sunk, together)
    assert sunk > 30
    assert together > 5


def elements_moved(result: Result) -> int:
    """Elements that the groups of a window read and write in memory, all stores together, one by one."""
    moved = 0
    wanted: dict[int, int] = {}  # elements that somebody behind looks at, by store
    for group in reversed(result.groups):
        arguments = [(a, result.window[k].domain) for k in group for a in result.window[k].arguments]
        for store in {a.store for a, _ in arguments}:
            used = [(a, touched(a, domain)) for a, domain in arguments if a.store == store]
            whole = (1 << prod(used[0][0].store_shape)) - 1
            read = made = 0
            for a, elements in used:
                read |= elements & ~made if a.reads or a.reduces else 0
                made |= elements if a.writes or a.reduces else 0
            behind = wanted.get(store, 0 if result.released else whole)
            temporary = made == whole and not read and not behind
            moved += read.bit_count() + (0 if temporary else made.bit_count())
            wanted[store] = (behind & ~made) | read
    return moved


# What the pass makes of it


@pytest.mark.parametrize("rules", [EVERYTHING, OUT_OF_ORDER, PLAIN], ids=["all", "reorder", "plain"])
def test_the_module_holds_the_groups_in_order(rules: GroupingRules):
    for windows in batches(50, 400, random_windows):
        expected = [[len(group.members) for group in result.grouping.groups] for result in results(windows, rules)]
        module, launches = build(windows)
        options = FuseTasksPass(
            reorder=rules.reorder, promote_scalars=rules.promote_scalars, rename=rules.rename, sink=rules.sink
        )
        options.run(module, Remarks())
        found: list[list[int]] = [[]]
        for op in module.ops:
            if isinstance(op, FusedTaskOp):
                found[-1].append(len(op.members))
            elif isinstance(op, LaunchOp):
                found[-1].append(1)
            elif isinstance(op, FenceOp):
                found.append([])
        assert found == [*expected, []]
        # The launches captured are the operations that stand there.
        assert all(launch.parent is not None for window in launches for launch in window)

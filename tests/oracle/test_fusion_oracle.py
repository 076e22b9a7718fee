"""`fuse-tasks` against enumeration, on random windows.

Every group is fusible by Def. 3, point by point (D23). Every launch that is refused breaks the constraint that is named, against a
launch of the group before it (D24). What is refused although Def. 3 would allow it is counted: the constraints are sound, not complete.
"""

from __future__ import annotations

import random
from collections import Counter
from functools import lru_cache
from itertools import combinations, pairwise

import pytest
from enumerate_partitions import TilingNumbers
from point_oracle import Argument, Task, ViewNumbers, all_of, fusible, same_pieces, well_formed
from xdsl.dialects.builtin import ModuleOp, f64
from xdsl.dialects.func import FuncOp, ReturnOp
from xdsl.ir import Block, Region

from fuseir.dialects.dist.attributes import NoneAttr, PartitionAttr, StoreType, TilingAttr
from fuseir.dialects.dist.index_map import Coordinate, IndexMap
from fuseir.dialects.dist.launch import FusedTaskOp, LaunchOp
from fuseir.dialects.dist.ops import FenceOp, StoreOp, ViewOp
from fuseir.dialects.dist.privilege import Privilege
from fuseir.dialects.dist.view import View
from fuseir.passes.analysis.dependence import Refusal
from fuseir.passes.fuse_tasks import FuseTasksPass, find_groups
from fuseir.passes.remarks import Remarks

WINDOWS = 20_000
BATCH = 250
PRIVILEGES = ["read"] * 6 + ["write"] * 5 + ["read_write"] * 2 + ["reduce<add>"] * 2 + ["reduce<max>", "no_access"]


# Random windows


def random_view(rng: random.Random, shape: tuple[int, ...]) -> ViewNumbers | None:
    """A slice with strides of either sign; now and then a fixed index, a permutation, or a broadcast dimension."""
    if rng.random() < 0.45:
        return None
    dims = list(range(len(shape)))
    if rng.random() < 0.3:
        rng.shuffle(dims)
    extents: list[int] = [0] * len(shape)
    results = []
    for k, extent in enumerate(shape):
        stride = rng.choice([1, 1, 1, 2])
        length = rng.randint(1, (extent - 1) // stride + 1)
        start = rng.randint(0, extent - 1 - (length - 1) * stride)
        if rng.random() < 0.25:
            start, stride = start + (length - 1) * stride, -stride
        extents[dims[k]] = length
        results.append((dims[k], stride, start))
    if rng.random() < 0.1:
        extents.append(rng.randint(1, 3))  # nothing moves with it
    return ViewNumbers(tuple(extents), tuple(results))


def random_tiling(rng: random.Random, shape: tuple[int, ...], domain: tuple[int, ...]) -> TilingNumbers | None:
    """Tiles that fit the domain more or less, with offsets and projections."""
    if rng.random() < 0.12:
        return None
    tile, offset, projection = [], [], []
    free = list(range(len(domain)))
    for extent in shape:
        dim = free.pop(0) if free and rng.random() < 0.9 else None
        tile.append(
            rng.choice([-(-extent // domain[dim]), 1, 2]) if dim is not None else rng.choice([extent, extent, 2])
        )
        offset.append(rng.choice([0, 0, 0, 0, 1, -1]))
        if dim is None:
            projection.append((None, 0, rng.choice([0, 0, 1])))
        else:
            projection.append((dim, rng.choice([1, 1, 1, 1, -1, 2]), 0))
            if projection[-1][1] == -1:
                projection[-1] = (dim, -1, domain[dim] - 1)
    return TilingNumbers(tuple(tile), tuple(offset), tuple(projection))


def random_window(rng: random.Random) -> list[Task]:
    """Well-formed launches over few stores and few different pieces, so that they meet often."""
    domain = rng.choice([(1,), (2,), (3,), (4,), (4,), (2, 2), (3, 2)])
    stores = [
        (k, tuple(rng.randint(1, 8 if rank == 1 else 5) for _ in range(rank)))
        for k, rank in enumerate(rng.choice([(1,), (1, 1), (2,), (2, 1), (2, 2)]))
    ]
    pool = []
    for store, shape in stores:
        views = [random_view(rng, shape) for _ in range(rng.randint(1, 3))]
        for _ in range(rng.randint(1, 4)):
            view = rng.choice(views)
            pool.append((store, shape, view, random_tiling(rng, shape if view is None else view.shape, domain)))
    window: list[Task] = []
    for _ in range(rng.randint(2, 5)):
        own_domain = domain if rng.random() < 0.97 or len(domain) > 1 else (domain[0] + 1,)
        for _ in range(8):
            arguments = (Argument(*rng.choice(pool), rng.choice(PRIVILEGES)) for _ in range(rng.randint(1, 3)))
            task = Task(own_domain, tuple(arguments))
            if well_formed(task):
                window.append(task)
                break
    return window


# As IR


@lru_cache(4096)
def partition(tiling: TilingNumbers | None, domain: tuple[int, ...]) -> PartitionAttr:
    if tiling is None:
        return NoneAttr()
    projection = IndexMap(len(domain), tuple(Coordinate(*c) for c in tiling.projection))
    return TilingAttr(tiling.tile, tiling.offset, projection)


def build(windows: list[list[Task]]) -> tuple[ModuleOp, dict[LaunchOp, tuple[int, Task]]]:
    """One module with all windows, fences between them; whose launch each is."""
    body = Region(Block([ReturnOp()]))
    module = ModuleOp([FuncOp("task", ([], []), body)])
    tasks: dict[LaunchOp, tuple[int, Task]] = {}
    for number, window in enumerate(windows):
        stores: dict[int, StoreOp] = {}
        for task in window:
            values = []
            for argument in task.arguments:
                if argument.store not in stores:
                    stores[argument.store] = StoreOp(StoreType(argument.store_shape, f64))
                    module.body.block.add_op(stores[argument.store])
                value = stores[argument.store].result
                if argument.view is not None:
                    results = tuple(Coordinate(*c) for c in argument.view.results)
                    view = View(argument.view.shape, IndexMap(len(argument.view.shape), results))
                    op = ViewOp(value, view, f64)
                    module.body.block.add_op(op)
                    value = op.result
                values.append(value)
            launch = LaunchOp(
                "task",
                task.domain,
                values,
                [Privilege.parse(a.privilege) for a in task.arguments],
                [partition(a.tiling, task.domain) for a in task.arguments],
            )
            module.body.block.add_op(launch)
            tasks[launch] = (number, task)
        module.body.block.add_op(FenceOp.create())
    return module, tasks


# What is checked


def breaks_named_constraint(refusal: Refusal, earlier: Task, later: Task) -> bool:
    """Whether some pair of arguments breaks the constraint, by Fig. 5 and enumeration."""
    if refusal.code == "FIR-N101":
        return earlier.domain != later.domain
    for a in earlier.arguments:
        for b in later.arguments:
            if a.store != b.store or not all_of(a) & all_of(b):
                continue
            differ = not same_pieces(a, b, later.domain)
            match refusal.code:
                case "FIR-N102":
                    found = a.writes and (b.reads or b.writes) and differ
                case "FIR-N103":
                    found = a.reads and b.writes and differ
                case "FIR-N104":
                    found = (
                        (a.reduces and (b.reads or b.writes))
                        or (b.reduces and (a.reads or a.writes))
                        or (a.reduces and b.reduces and a.privilege != b.privilege)
                    )
                case _:
                    found = False
            if found:
                return True
    return False


def check(windows: list[list[Task]], counts: Counter[str]) -> None:
    module, tasks = build(windows)
    refusals: list[Refusal] = []
    groups = find_groups(module, None, refusals)
    group_of = {launch: group for group in groups for launch in group}
    for group in groups:
        assert len({tasks[launch][0] for launch in group}) == 1, "a group lies in one window"
        for first, second in combinations(group, 2):
            assert fusible(tasks[first][1], tasks[second][1]), (tasks[first], tasks[second])
        counts["groups of two or more"] += len(group) > 1
        counts["launches"] += len(group)
    # Between two groups of one window stands one refusal: of the second group's first launch, against the first group.
    starts = [b for a, b in pairwise(groups) if tasks[a[0]][0] == tasks[b[0]][0]]
    assert [refusal.later for refusal in refusals] == [group[0] for group in starts]
    previous = {id(b): a for a, b in pairwise(groups)}
    for refusal in refusals:
        assert refusal.earlier is not None
        before = previous[id(group_of[refusal.later])]
        assert refusal.earlier in before
        assert breaks_named_constraint(refusal, tasks[refusal.earlier][1], tasks[refusal.later][1]), refusal
        counts["refused"] += 1
        if all(fusible(tasks[member][1], tasks[refusal.later][1]) for member in before):
            counts["refused, yet fusible by Def. 3"] += 1
            counts[f"  of these by {refusal.code}"] += 1

    # The pass makes of the module just these groups.
    FuseTasksPass().run(module, Remarks())
    made = [
        op.members if isinstance(op, FusedTaskOp) else (op,)
        for op in module.ops
        if isinstance(op, FusedTaskOp | LaunchOp)
    ]
    assert made == groups


@pytest.mark.parametrize("seed", range(4))
def test_groups_are_fusible_point_by_point(seed: int, record_property: pytest.RecordProperty):
    rng = random.Random(seed)
    counts: Counter[str] = Counter()
    for _ in range(WINDOWS // 4 // BATCH):
        check([random_window(rng) for _ in range(BATCH)], counts)
    # An oracle that hardly ever sees a group, or a refusal, proves little.
    assert counts["groups of two or more"] > WINDOWS // 4 // 4
    assert counts["refused"] > WINDOWS // 4 // 4
    for name, count in counts.items():
        record_property(name.strip(), count)
    print(dict(counts))

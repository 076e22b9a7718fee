"""From the oracle's numbers to accesses of the IR, and back: what the oracle says of a launch can be asked of the analysis."""

from __future__ import annotations

from functools import lru_cache

from enumerate_partitions import Shape, TilingNumbers
from point_oracle import Argument, Task, ViewNumbers
from xdsl.dialects.builtin import f64
from xdsl.ir import SSAValue

from fuseir.dialects.dist.access import Access
from fuseir.dialects.dist.attributes import NoneAttr, PartitionAttr, ReplicatedAttr, StoreType, TilingAttr
from fuseir.dialects.dist.index_map import Coordinate, IndexMap
from fuseir.dialects.dist.launch import LaunchOp
from fuseir.dialects.dist.ops import StoreOp
from fuseir.dialects.dist.privilege import Privilege
from fuseir.dialects.dist.view import View
from fuseir.passes.analysis.dependence import Comparisons, IndexTask, uses_of

# To IR


def store(shape: Shape) -> SSAValue:
    """A new store."""
    return StoreOp(StoreType(shape, f64)).result


@lru_cache(4096)
def partition(tiling: TilingNumbers | None, launch_rank: int, *, replicated: bool = False) -> PartitionAttr:
    """A partition as an attribute."""
    if tiling is None:
        return ReplicatedAttr() if replicated else NoneAttr()
    projection = IndexMap(launch_rank, tuple(Coordinate(*c) for c in tiling.projection))
    return TilingAttr(tiling.tile, tiling.offset, projection)


def view(argument: Argument) -> View:
    """What an argument shows of its store."""
    if argument.view is None:
        return View(argument.store_shape)
    results = tuple(Coordinate(*c) for c in argument.view.results)
    return View(argument.view.shape, IndexMap(len(argument.view.shape), results))


def access(argument: Argument, root: SSAValue, launch_rank: int) -> Access:
    """An argument as an access to a store. It has no view operation of its own: the analysis never looks for one."""
    division = partition(argument.tiling, launch_rank, replicated=argument.replicated)
    return Access(root, root, view(argument), division, Privilege.parse(argument.privilege))


def index_task(task: Task, stores: list[SSAValue], comparisons: Comparisons) -> IndexTask:
    """A launch for the analysis."""
    accesses = tuple(access(argument, stores[argument.store], len(task.domain)) for argument in task.arguments)
    return task_of(task.domain, accesses, comparisons)


def task_of(domain: Shape, accesses: tuple[Access, ...], comparisons: Comparisons) -> IndexTask:
    """A launch with these accesses. There is an operation, without which there is no launch, but it says nothing."""
    return IndexTask(_SOURCE, "task", domain, accesses, uses_of(accesses, comparisons), has_body=True)


_SOURCE = LaunchOp("task", (1,), [], [], [])


# And back


def argument(access: Access, number: int) -> Argument:
    """The numbers of an access; ``number`` is the store's."""
    shown = None
    if access.view.index_map is not None:
        shown = ViewNumbers(access.view.shape, tuple((c.dim, c.scale, c.offset) for c in access.view.index_map.results))
    division = access.partition.partition
    tiling = None
    if isinstance(access.partition, TilingAttr):
        tile = access.partition.partition
        tiling = TilingNumbers(
            tile.tile, tile.offset, tuple((c.dim, c.scale, c.offset) for c in tile.projection.results)
        )
    return Argument(number, access.root_shape, shown, tiling, str(access.privilege), division.replicated)


def task(launch: IndexTask, numbers: dict[SSAValue, int]) -> Task:
    """The numbers of a launch. Stores that have none yet get the next ones."""
    return Task(
        launch.domain,
        tuple(argument(each, numbers.setdefault(each.root, len(numbers))) for each in launch.accesses),
    )

"""A launch of a plan on a GPU: the kernel at each point of its domain, on tiles that are somewhere in buffers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from fuseir.codegen import abi
from fuseir.codegen.cuda.compilation import CudaKernel
from fuseir.codegen.cuda.launches import Device, LaunchPlan, TileAt, plan_launches
from fuseir.dialects.dist.partition import Shape
from fuseir.runtime.executors.native_call import Base


class CudaCall(NamedTuple):
    """A kernel at all points of a domain, one after another. ``scalars`` are numbers of the plan's, with the names of their types.

    Which tiles there are does not depend on where the buffers are.
    """

    kernel: CudaKernel
    domain: Shape
    bases: tuple[Base, ...]
    layouts: tuple[abi.ArgumentLayout, ...]
    scalars: tuple[tuple[int, str], ...]

    def points(self) -> Iterator[list[TileAt]]:
        """The tiles of each point; their addresses are bytes from the bases."""
        for index in range(abi.point_count(self.domain)):
            point = abi.point_coordinates(index, self.domain)
            yield [
                tile_at(layout, item, index, point)
                for layout, item in zip(self.layouts, self.kernel.items, strict=True)
            ]


def tile_at(layout: abi.ArgumentLayout, item: int, index: int, point: Sequence[int]) -> TileAt:
    """An argument's tile at a point, its address in bytes from its base, its strides in elements (docs/kernels.md §4)."""
    intervals = [dimension.interval(point) for dimension in layout.dimensions]
    strides = tuple(dimension.stride // item for dimension in layout.dimensions)
    if layout.partial_stride:
        offset = index * layout.partial_stride
    else:
        offset = sum(low * d.stride for (low, _), d in zip(intervals, layout.dimensions, strict=True))
    return TileAt(offset, tuple(extent for _, extent in intervals), strides)


def planned(call: CudaCall, tiles: Sequence[TileAt], residues: Sequence[int], device: Device) -> LaunchPlan:
    """The launches of a call at one point; ``residues`` are what the bases' addresses leave when divided by 16."""
    at = [TileAt(r + tile.address, tile.extents, tile.strides) for r, tile in zip(residues, tiles, strict=True)]
    return plan_launches(call.kernel.plan, at, device)

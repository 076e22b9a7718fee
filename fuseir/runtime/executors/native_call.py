"""One call of a compiled kernel, as plans hold it: everything but addresses of buffers and values of scalars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from fuseir.codegen import abi
from fuseir.dialects.dist.partition import Interval, Shape


class Kernel(Protocol):
    """What can be called as ``codegen/abi.py`` says, as long as it lives."""

    @property
    def address(self) -> int:
        """Where its code is."""
        ...


class Base(NamedTuple):
    """Where an argument's view starts: so many bytes into a slot's buffer, or into a buffer of the step's own; without either, nowhere."""

    slot: int | None
    offset: int
    buffer: int | None = None


@dataclass(frozen=True)
class NativeCall:
    """A kernel at all points of a domain. ``scalars`` are numbers of the plan's, with the names of their types."""

    kernel: Kernel
    points: int
    layout: tuple[int, ...]
    bases: tuple[Base, ...]
    scalars: tuple[tuple[int, str], ...] = ()


def native_call(
    kernel: Kernel,
    domain: Shape,
    arguments: Sequence[tuple[Base, abi.ArgumentLayout]],
    scalars: Sequence[tuple[int, str]] = (),
) -> NativeCall:
    """A call with these arguments."""
    layout = abi.encode_layout(domain, [layout for _, layout in arguments])
    bases = tuple(base for base, _ in arguments)
    return NativeCall(kernel, abi.point_count(domain), tuple(layout), bases, tuple(scalars))


def tile_dimension(interval: Interval, launch_dim: int | None, stride: int) -> abi.TileDimension:
    """A dimension of an argument that is divided by an interval, along the launch dimension given."""
    moved = -1 if launch_dim is None else launch_dim
    return abi.TileDimension(moved, interval.multiplier, interval.addend, interval.tile, interval.extent, stride)

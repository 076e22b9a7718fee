"""What becomes of a lowered kernel on a GPU: CUDA kernels in order, and what each of them is given. Plain data, no IR.

A *nest* (a loop of the lowered kernel's own block) becomes a :class:`Step`, which has one or more ways to be done, each of one or two
kernels. ``launches.py`` picks the way, the version of each kernel and its grid when addresses, extents and strides are known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from fuseir.codegen.elements import ElementType


class Space(Enum):
    """Whose memory a tile is: an argument's, or a scratch tile's."""

    ARGUMENT = "a"
    SCRATCH = "t"


@dataclass(frozen=True, slots=True)
class Tile:
    """A tile by its number among the arguments, or among the scratch tiles."""

    space: Space
    number: int

    @property
    def name(self) -> str:
        """Its name in the text."""
        return f"{self.space.value}{self.number}"


@dataclass(frozen=True, slots=True)
class Buffer:
    """Memory between the kernels of one step: for each reduction of a loop, what one kernel leaves for the next."""

    number: int

    @property
    def name(self) -> str:
        """Its name in the text."""
        return f"partial{self.number}"


@dataclass(frozen=True, slots=True)
class Slot:
    """Memory for one value that a kernel computes and later ones use."""

    number: int

    @property
    def name(self) -> str:
        """Its name in the text."""
        return f"kept{self.number}"


@dataclass(frozen=True, slots=True)
class Pointer:
    """A kernel's parameter: the address of a tile's first element, of a buffer, or of a slot."""

    memory: Tile | Buffer | Slot
    element: ElementType
    written: bool = False

    @property
    def name(self) -> str:
        """Its name in the text."""
        return self.memory.name


@dataclass(frozen=True, slots=True)
class Stride:
    """A kernel's parameter: elements from one to the next along a dimension of a tile."""

    tile: Tile
    dimension: int

    @property
    def name(self) -> str:
        """Its name in the text."""
        return f"{self.tile.name}_s{self.dimension}"


@dataclass(frozen=True, slots=True)
class Extent:
    """A kernel's parameter: the extent of a dimension of a tile."""

    tile: Tile
    dimension: int

    @property
    def name(self) -> str:
        """Its name in the text."""
        return f"{self.tile.name}_n{self.dimension}"


@dataclass(frozen=True, slots=True)
class Bound:
    """A kernel's parameter: how often a loop runs, by its number from the outermost on, once dimensions are in order."""

    loop: int

    @property
    def name(self) -> str:
        """Its name in the text."""
        return f"n{self.loop}"


@dataclass(frozen=True, slots=True)
class Scalar:
    """A kernel's parameter: a scalar of the launch, by its number."""

    number: int
    element: ElementType

    @property
    def name(self) -> str:
        """Its name in the text."""
        return f"s{self.number}"


@dataclass(frozen=True, slots=True)
class Chunking:
    """A kernel's parameter that says how a reduction's iterations are divided; ``launches.py`` decides."""

    name: str


CHUNKS = Chunking("chunks")
"""How many chunks there are."""

SPAN = Chunking("span")
"""Iterations of a chunk: a power of two of the tree's blocks, so that chunks are folded as the tree folds them."""

Parameter: TypeAlias = Pointer | Stride | Extent | Bound | Scalar | Chunking


class Kind(Enum):
    """How a kernel's threads go through its iterations."""

    SINGLE = "single"
    """One thread: scalars."""

    MAP = "map"
    """One element, or a pack of neighbours, to a thread."""

    ROWS = "rows"
    """A team of threads to each item of the outer loops: a warp, or a block."""

    COLUMNS = "columns"
    """32 threads to each item, items of a block being neighbours."""

    FINISH = "finish"
    """A block to each item, which folds what another kernel left in buffers."""


@dataclass(frozen=True, slots=True)
class Kernel:
    """A CUDA kernel. Its entry points are ``symbol`` and a suffix of :meth:`versions`.

    ``loops`` are the extents of the loops that are distributed, outermost first; ``folded`` is that of the loop that the chunks of a
    partial kernel divide. ``lanes`` are the elements of a pack (1: there are none); a pack's version wants the strides ``near`` to be 1.
    ``moving`` are the strides of all tiles along the loops, by loop, where the loops may go in any order.
    """

    kind: Kind
    symbol: str
    parameters: tuple[Parameter, ...]
    loops: tuple[Extent, ...] = ()
    folded: Extent | None = None
    chunked: bool = False
    lanes: int = 1
    near: tuple[Stride, ...] = ()
    moving: tuple[tuple[Stride, ...], ...] | None = None

    def symbol_of(self, *, wide: bool, packed: bool = False, block: bool = False) -> str:
        """The entry point of a version: indices of 64 bits, packs, or a block to each item."""
        return f"{self.symbol}{'_packed' if packed else ''}{'_block' if block else ''}{'_wide' if wide else ''}"

    @property
    def symbols(self) -> tuple[str, ...]:
        """The entry points of all versions."""
        if self.kind is Kind.SINGLE:
            return (self.symbol_of(wide=True),)
        packs = (False, True) if self.lanes > 1 else (False,)
        blocks = (False, True) if self.kind is Kind.ROWS and not self.chunked else (False,)
        wides = (False, True)
        return tuple(self.symbol_of(wide=w, packed=p, block=b) for w in wides for p in packs for b in blocks)


@dataclass(frozen=True, slots=True)
class BufferUse:
    """A buffer: its element type, and what it has elements for: each of 32 lanes of each chunk of each item, or each item."""

    buffer: Buffer
    element: ElementType
    per_chunk: bool


@dataclass(frozen=True, slots=True)
class Step:
    """One nest: the ways to do it. ``ways[0]`` is one kernel or what there is; ``ways[1]``, if any, two kernels for long reductions."""

    ways: Sequence[tuple[Kernel, ...]]
    buffers: tuple[BufferUse, ...] = ()


@dataclass(frozen=True, slots=True)
class ScratchTile:
    """A scratch tile: contiguous, of these extents."""

    element: ElementType
    extents: tuple[Extent | int, ...]


@dataclass(frozen=True, slots=True)
class KernelPlan:
    """A lowered kernel on a GPU: its steps in order, the device memory they share, and the ranks of its tiles."""

    steps: tuple[Step, ...]
    scratch: tuple[ScratchTile, ...]
    slots: tuple[ElementType, ...]
    ranks: tuple[int, ...]

    @property
    def kernels(self) -> tuple[Kernel, ...]:
        """All CUDA kernels, each once."""
        return tuple(dict.fromkeys(kernel for step in self.steps for way in step.ways for kernel in way))


@dataclass(frozen=True, slots=True)
class CudaModule:
    """CUDA C++ of some lowered kernels, and the plan of each."""

    text: str
    plans: tuple[KernelPlan, ...]

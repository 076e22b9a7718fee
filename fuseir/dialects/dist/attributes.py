"""Attributes and types of `dist`: thin wrappers that give the algebra a textual form."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import lru_cache
from math import prod
from typing import TypeAlias

from xdsl.dialects.builtin import (
    ArrayAttr,
    Float32Type,
    Float64Type,
    IntAttr,
    IntegerType,
    Signedness,
)
from xdsl.ir import Attribute, Data, ParametrizedAttribute, TypeAttribute
from xdsl.irdl import irdl_attr_definition
from xdsl.parser import AttrParser
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException

from fuseir.dialects.dist.index_map import Coordinate, IndexMap
from fuseir.dialects.dist.partition import (
    COORDINATE_LIMIT,
    NonePartition,
    Partition,
    ReplicatedPartition,
    Shape,
    Tiling,
)
from fuseir.dialects.dist.privilege import Operator, Privilege, PrivilegeKind

ElementType: TypeAlias = IntegerType | Float32Type | Float64Type


def is_element_type(attribute: Attribute) -> bool:
    """Whether stores can hold it: i1, i8…i64, ui8…ui64, f32, f64."""
    if isinstance(attribute, Float32Type | Float64Type):
        return True
    if not isinstance(attribute, IntegerType):
        return False
    width, signedness = attribute.width.data, attribute.signedness.data
    if width == 1:
        return signedness == Signedness.SIGNLESS
    return width in (8, 16, 32, 64) and signedness in (Signedness.SIGNLESS, Signedness.UNSIGNED)


def kernel_element_type(element_type: Attribute) -> Attribute:
    """The type kernels use for elements of a store: integers lose their sign, as upstream operations want them."""
    if isinstance(element_type, IntegerType):
        return IntegerType(element_type.width.data)
    return element_type


# Index maps


def parse_index_map(parser: AttrParser) -> IndexMap:
    """Parses ``(d0, d1) -> (d1 * 2 + 1, 5)``."""
    position = parser.pos
    names = parser.parse_comma_separated_list(parser.Delimiter.PAREN, parser.parse_identifier, " in index map")
    if len(set(names)) != len(names):
        parser.raise_error("a dimension of the index map is named twice", position, parser.pos)
    dims = {name: dim for dim, name in enumerate(names)}
    parser.parse_punctuation("->", " in index map")
    results = parser.parse_comma_separated_list(parser.Delimiter.PAREN, lambda: _parse_coordinate(parser, dims))
    return IndexMap(len(names), tuple(results))


def _parse_coordinate(parser: AttrParser, dims: dict[str, int]) -> Coordinate:
    """A sum of terms, at most one of them with a dimension: ``d1 * 2 + 1``, ``5``, ``-d0 + 7``."""
    dim: int | None = None
    scale = offset = 0
    sign = 1
    while True:
        while parser.parse_optional_punctuation("-") is not None:
            sign = -sign
        position = parser.pos
        factor = parser.parse_optional_integer(allow_boolean=False, allow_negative=False)
        name = parser.parse_optional_identifier() if factor is None else None
        if factor is None and name is None:
            parser.raise_error("dimension or integer expected in index map")
        if parser.parse_optional_punctuation("*") is not None:
            if name is None:
                name = parser.parse_identifier(" after '*' in index map")
            else:
                negative = parser.parse_optional_punctuation("-") is not None
                factor = parser.parse_integer(allow_boolean=False, allow_negative=False)
                factor = -factor if negative else factor
        if name is None:
            assert factor is not None  # one of the two was parsed
            offset += sign * factor
        else:
            if name not in dims:
                parser.raise_error(f"'{name}' is not a dimension of this index map", position, parser.pos)
            if dim is not None:
                parser.raise_error("a result of an index map uses one dimension at most", position, parser.pos)
            dim, scale = dims[name], sign * (1 if factor is None else factor)
        if parser.parse_optional_punctuation("+") is not None:
            sign = 1
        elif parser.parse_optional_punctuation("-") is not None:
            sign = -1
        else:
            return Coordinate(dim, scale, offset) if scale else Coordinate(None, 0, offset)


@irdl_attr_definition
class IndexMapAttr(Data[IndexMap]):
    """An index map: ``#dist.map<(d0) -> (d0 + 1)>``."""

    name = "dist.map"

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> IndexMap:
        """Parses the map between angle brackets."""
        with parser.in_angle_brackets():
            return parse_index_map(parser)

    def print_parameter(self, printer: Printer) -> None:
        """Prints the map between angle brackets."""
        printer.print_string(f"<{self.data}>")

    def verify(self) -> None:
        """What the parser cannot get wrong and Python code can: dimensions exist, and a result has a scale if it has a dimension."""
        for coordinate in self.data.results:
            if coordinate.dim is not None and not 0 <= coordinate.dim < self.data.inputs:
                raise VerifyException(f"an index map of {self.data.inputs} dimensions uses dimension {coordinate.dim}")
            if (coordinate.dim is None) != (coordinate.scale == 0):
                raise VerifyException(
                    "a result of an index map has a scale other than 0 if and only if it has a dimension"
                )


# Types


class ShapedStoreType(ParametrizedAttribute, TypeAttribute, ABC):
    """What stores and views share: a static shape and an element type."""

    shape: ArrayAttr[IntAttr]
    element_type: Attribute

    @property
    def extents(self) -> Shape:
        """The shape as plain integers."""
        known: Shape | None = vars(self).get("extents")
        if known is None:
            known = vars(self)["extents"] = tuple([extent.data for extent in self.shape.data])
        return known

    def verify(self) -> None:
        """Extents are ≥ 0, fewer than 2^62 elements, a supported element type."""
        if any(extent < 0 for extent in self.extents):
            raise VerifyException(f"an extent of {self.name} is negative")
        if max(prod(max(extent, 1) for extent in self.extents), 1) >= COORDINATE_LIMIT:
            raise VerifyException(f"{self.name} has 2^62 elements or more")
        if not is_element_type(self.element_type):
            raise VerifyException(f"{self.element_type} cannot be stored: expected i1, i8…i64, ui8…ui64, f32 or f64")

    @classmethod
    def parse_parameters(cls, parser: AttrParser) -> Sequence[Attribute]:
        """Parses ``<4x8xf64>``."""
        with parser.in_angle_brackets():
            position = parser.pos
            extents, element_type = parser.parse_ranked_shape()
            if any(extent < 0 for extent in extents):
                parser.raise_error("extents of stores and views are static", position, parser.pos)
        return [ArrayAttr([IntAttr(extent) for extent in extents]), element_type]

    def print_parameters(self, printer: Printer) -> None:
        """Prints ``<4x8xf64>``."""
        with printer.in_angle_brackets():
            for extent in self.extents:
                printer.print_string(f"{extent}x")
            printer.print_attribute(self.element_type)


@irdl_attr_definition
class StoreType(ShapedStoreType):
    """A distributed array: ``!dist.store<1024xf64>``."""

    name = "dist.store"

    shape: ArrayAttr[IntAttr]
    element_type: Attribute

    def __init__(self, shape: Sequence[int], element_type: Attribute) -> None:
        super().__init__(_ints(shape), element_type)


@irdl_attr_definition
class ViewType(ShapedStoreType):
    """A window onto a store: ``!dist.view<1022xf64>``."""

    name = "dist.view"

    shape: ArrayAttr[IntAttr]
    element_type: Attribute

    def __init__(self, shape: Sequence[int], element_type: Attribute) -> None:
        super().__init__(_ints(shape), element_type)


# Partitions


class PartitionAttr(ParametrizedAttribute, ABC):
    """A partition as an attribute. Passes ask it ``equal``, ``covers`` and ``disjoint``, and nothing else."""

    @property
    @abstractmethod
    def partition(self) -> Partition:
        """The algebra's form."""

    def equal(self, other: PartitionAttr, shape: Shape, domain: Shape) -> bool:
        """Whether each point gets the same elements from both; O(rank)."""
        return self == other or self.partition.equal(other.partition, shape, domain)

    def covers(self, shape: Shape, domain: Shape) -> bool:
        """Whether each element belongs to some point; O(rank)."""
        return self.partition.covers(shape, domain)

    def disjoint(self, shape: Shape, domain: Shape) -> bool:
        """Whether no element belongs to two points; O(rank)."""
        return self.partition.disjoint(shape, domain)


@irdl_attr_definition
class NoneAttr(PartitionAttr):
    """Every point sees the whole argument: ``#dist.none``."""

    name = "dist.none"

    @property
    def partition(self) -> Partition:
        """The algebra's form."""
        return NonePartition()


@irdl_attr_definition
class ReplicatedAttr(PartitionAttr):
    """Every point has its own copy of the whole argument, all copies with the same contents: ``#dist.replicated``."""

    name = "dist.replicated"

    @property
    def partition(self) -> Partition:
        """The algebra's form."""
        return ReplicatedPartition()


@irdl_attr_definition
class TilingAttr(PartitionAttr):
    """Tiles: ``#dist.tiling<[256, 64] + [0, 1], (d0) -> (d0, 0)>``; offset and projection may be left out."""

    name = "dist.tiling"

    tile: ArrayAttr[IntAttr]
    offset: ArrayAttr[IntAttr]
    projection: IndexMapAttr

    def __init__(
        self, tile: Sequence[int], offset: Sequence[int] | None = None, projection: IndexMap | None = None
    ) -> None:
        tiling = Tiling.of(tile, offset, projection)
        super().__init__(_ints(tiling.tile), _ints(tiling.offset), IndexMapAttr(tiling.projection))

    @property
    def partition(self) -> Tiling:
        """The algebra's form."""
        known: Tiling | None = vars(self).get("partition")
        if known is None:
            tile, offset = tuple([t.data for t in self.tile.data]), tuple([o.data for o in self.offset.data])
            known = vars(self)["partition"] = Tiling(tile, offset, self.projection.data)
        return known

    def verify(self) -> None:
        """Tiles are at least 1; tile, offset and projection have one entry for each dimension."""
        tiling = self.partition
        if any(t < 1 for t in tiling.tile):
            raise VerifyException("a tile's extents are at least 1")
        if not len(tiling.tile) == len(tiling.offset) == len(tiling.projection.results):
            raise VerifyException(
                f"tile, offset and projection have {len(tiling.tile)}, {len(tiling.offset)} and "
                f"{len(tiling.projection.results)} entries: one for each dimension of the argument is needed"
            )

    @classmethod
    def parse_parameters(cls, parser: AttrParser) -> Sequence[Attribute]:
        """Parses ``<[tile] + [offset], projection>``."""

        def integers() -> list[int]:
            return parser.parse_comma_separated_list(
                parser.Delimiter.SQUARE, lambda: parser.parse_integer(allow_boolean=False), " in tiling"
            )

        with parser.in_angle_brackets():
            tile = integers()
            offset = integers() if parser.parse_optional_punctuation("+") else [0] * len(tile)
            projection = (
                parse_index_map(parser) if parser.parse_optional_punctuation(",") else IndexMap.identity(len(tile))
            )
        return [_ints(tile), _ints(offset), IndexMapAttr(projection)]

    def print_parameters(self, printer: Printer) -> None:
        """Prints what ``parse_parameters`` reads, leaving out a zero offset and an identity projection."""
        printer.print_string(str(self.partition).removeprefix("tiling"))


def _ints(values: Sequence[int]) -> ArrayAttr[IntAttr]:
    return ArrayAttr([IntAttr(value) for value in values])


@lru_cache(maxsize=1024)
def partition_attr(partition: Partition) -> PartitionAttr:
    """The attribute of a partition of the algebra. Launches share them: making one takes longer than all else about an argument."""
    if isinstance(partition, Tiling):
        return TilingAttr(partition.tile, partition.offset, partition.projection)
    if isinstance(partition, NonePartition):
        return NoneAttr()
    if isinstance(partition, ReplicatedPartition):
        return ReplicatedAttr()
    raise TypeError(f"no attribute for {type(partition).__name__}")


# Privileges


def parse_privilege(parser: AttrParser) -> Privilege:
    """Parses ``read``, ``write``, ``read_write``, ``no_access`` or ``reduce<op>``."""
    kind = PrivilegeKind(parser.parse_keyword_in([*PrivilegeKind], " as a privilege"))
    if kind is not PrivilegeKind.REDUCE:
        return Privilege(kind)
    with parser.in_angle_brackets():
        return Privilege(kind, Operator(parser.parse_keyword_in([*Operator], " as a reduction operator")))


@irdl_attr_definition
class PrivilegeAttr(Data[Privilege]):
    """A privilege: ``#dist.privilege<read>``; launches print the bare word."""

    name = "dist.privilege"

    @classmethod
    def parse_parameter(cls, parser: AttrParser) -> Privilege:
        """Parses the privilege between angle brackets."""
        with parser.in_angle_brackets():
            return parse_privilege(parser)

    def print_parameter(self, printer: Printer) -> None:
        """Prints the privilege between angle brackets."""
        printer.print_string(f"<{self.data}>")

    def verify(self) -> None:
        """What the parser cannot get wrong and Python code can: reductions, and they alone, have an operator."""
        if (self.data.operator is None) == self.data.reduces:
            raise VerifyException(f"'{self.data.kind}' {'needs an' if self.data.reduces else 'has no'} operator")

"""The scalar computation of a loop nest as numbered, hash-consed nodes.

Equal loads and equal operations get one number, so merging bodies shares their common parts, forwarding a value is using its
number, and what no output needs is never written out. Operands have smaller numbers than the operations that use them.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from xdsl.ir import Operation, SSAValue

Dims = tuple[int, ...]
"""For each dimension of a tensor, the iteration dimension that indexes it."""


@dataclass(frozen=True, slots=True)
class Load:
    """The element of a tensor at the point of iteration."""

    source: SSAValue
    dims: Dims


@dataclass(frozen=True, slots=True)
class Position:
    """Where the point of iteration is along a dimension, as an ``index``."""

    dim: int


@dataclass(frozen=True, slots=True)
class Outside:
    """A scalar from outside the nest."""

    value: SSAValue


@dataclass(frozen=True, slots=True)
class Apply:
    """A scalar operation like ``template``, on the nodes ``args``."""

    template: Operation
    args: tuple[int, ...]


Node = Load | Position | Outside | Apply


class ScalarBody:
    """Nodes by number. Growing it costs one dictionary look-up a node."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self._numbers: dict[Hashable, int] = {}

    def load(self, source: SSAValue, dims: Dims) -> int:
        """The number of the load of ``source`` at ``dims``."""
        return self._number((source, dims), Load(source, dims))

    def position(self, dim: int) -> int:
        """The number of the position along ``dim``."""
        return self._number(Position(dim), Position(dim))

    def outside(self, value: SSAValue) -> int:
        """The number of a scalar from outside."""
        return self._number(value, Outside(value))

    def apply(self, template: Operation, args: Sequence[int]) -> int:
        """The number of an operation like ``template`` on ``args``. Operations of kernels are pure and have one result."""
        key = (
            template.name,
            tuple(args),
            template.results[0].type,
            tuple(sorted(template.properties.items(), key=_by_name)),
            tuple(sorted(template.attributes.items(), key=_by_name)),
        )
        return self._number(key, Apply(template, tuple(args)))

    def find_load(self, source: SSAValue, dims: Dims) -> int | None:
        """The number of a load, if there is one."""
        return self._numbers.get((source, dims))

    def live(self, roots: Iterable[int]) -> list[int]:
        """The nodes that ``roots`` need, themselves included, in order."""
        alive: set[int] = set()
        pending = list(roots)
        while pending:
            number = pending.pop()
            if number not in alive:
                alive.add(number)
                node = self.nodes[number]
                if isinstance(node, Apply):
                    pending.extend(node.args)
        return sorted(alive)

    def loads(self, roots: Iterable[int]) -> list[Load]:
        """The loads that ``roots`` need."""
        return [node for node in (self.nodes[number] for number in self.live(roots)) if isinstance(node, Load)]

    def absorb(
        self, other: ScalarBody, roots: Sequence[int], renaming: Mapping[int, int] | Sequence[int], read: ReadElement
    ) -> list[int]:
        """Add what ``roots`` of ``other`` need, iteration dimensions renamed and elements read by ``read``: the roots' numbers."""
        numbers: dict[int, int] = {}
        for number in other.live(roots):
            match other.nodes[number]:
                case Load(source, dims):
                    numbers[number] = read(self, source, substitute(dims, renaming))
                case Position(dim):
                    numbers[number] = self.position(renaming[dim])
                case Outside(value):
                    numbers[number] = self.outside(value)
                case Apply(template, args):
                    numbers[number] = self.apply(template, [numbers[a] for a in args])
        return [numbers[root] for root in roots]

    def _number(self, key: Hashable, node: Node) -> int:
        number = self._numbers.setdefault(key, len(self.nodes))
        if number == len(self.nodes):
            self.nodes.append(node)
        return number


# How a body gets the element of a tensor: the number of a load, or of the value that the same nest computes.
ReadElement = Callable[[ScalarBody, SSAValue, Dims], int]


def _by_name(item: tuple[str, object]) -> str:
    return item[0]


def like(template: Operation, operands: Sequence[SSAValue]) -> Operation:
    """A new operation like ``template``, of the same result type, on other operands."""
    return type(template).create(
        operands=operands,
        result_types=[result.type for result in template.results],
        properties=dict(template.properties),
        attributes=dict(template.attributes),
        location=template.location,
    )


def substitute(dims: Dims, renaming: Mapping[int, int] | Sequence[int]) -> Dims:
    """``dims`` with each iteration dimension renamed."""
    return tuple(renaming[dimension] for dimension in dims)

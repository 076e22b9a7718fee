"""When are two fragments of a program the same under a renaming of stores and scalars? Tokens, and what is left to compare.

A token stands for all of an operation but its stores and scalars: two operations with one token differ in these only. Two fragments with
equal tokens are equal under renaming if their *bindings* are: which uses are of the same store or scalar.
Source: Apophenia §4.1, with renaming as in Diffuse §5.2; checks A1, A3.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

from xdsl.dialects import func
from xdsl.ir import Operation, SSAValue

from fuseir.dialects.dist.launch import LaunchOp
from fuseir.dialects.dist.ops import FenceOp, ReleaseOp, ScalarOp, StoreOp, SwapOp, ViewOp
from fuseir.dialects.dist.trace import TraceOp

Replayable = LaunchOp | ReleaseOp | SwapOp | FenceOp

_DEFINITIONS = (StoreOp, ScalarOp, ViewOp, func.FuncOp, TraceOp)


def steps(operations: Iterable[Operation]) -> list[Operation]:
    """What a program does, in order: all but definitions."""
    return [op for op in operations if not isinstance(op, _DEFINITIONS)]


def tokens(operations: Iterable[Operation]) -> list[int]:
    """Numbers from 0 on in the order in which kinds of operations first come; what is no part of traces is like nothing else."""
    numbers: dict[Hashable, int] = {}
    return [numbers.setdefault(_kind(op) if isinstance(op, Replayable) else op, len(numbers)) for op in operations]


def _kind(op: Replayable) -> Hashable:
    """All of an operation but its stores and scalars. Attributes that say the same are equal."""
    views = tuple((operand.type, _map_of(operand)) for operand in op.operands)
    return op.name, tuple(sorted(op.properties.items())), tuple(sorted(op.attributes.items())), views


def _map_of(value: SSAValue) -> Hashable:
    owner = value.owner
    return (owner.store.type, owner.index_map) if isinstance(owner, ViewOp) else None


@dataclass(frozen=True)
class Binding:
    """The stores and scalars of a fragment in the order in which they are first used, and for each use which of these it is of."""

    values: tuple[SSAValue, ...]
    uses: tuple[int, ...]


def binding(operations: Sequence[Operation]) -> Binding:
    """What a fragment is bound to. A view is a use of its store."""
    numbers: dict[SSAValue, int] = {}
    uses = [
        numbers.setdefault(root_of(operand), len(numbers)) for operation in operations for operand in operation.operands
    ]
    return Binding(tuple(numbers), tuple(uses))


def root_of(value: SSAValue) -> SSAValue:
    """The store that a view is of, else the value itself."""
    return value.owner.store if isinstance(value.owner, ViewOp) else value

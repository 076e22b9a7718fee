"""`extract-traces`: fragments of a program that repeat become traces, and stand in it once.

Before::

    dist.launch @copy<[4]>(%x: read #t, %y: write #t) : (!s, !s)
    dist.release %x : !s
    dist.launch @copy<[4]>(%y: read #t, %z: write #t) : (!s, !s)
    dist.release %y : !s

After::

    dist.trace @trace(%0: !s, %1: !s) {
      dist.launch @copy<[4]>(%0: read #t, %1: write #t) : (!s, !s)
      dist.release %0 : !s
    }
    dist.replay @trace(%x, %y) : (!s, !s)
    dist.replay @trace(%y, %z) : (!s, !s)

Two fragments are the same if a renaming of stores and scalars maps one onto the other: fresh temporaries and exchanged buffers do not
break a repeat. Stores, scalars and views are declared outside; a trace has views of its own. A run of one fragment becomes as
many replays as it has periods. `inline-traces` undoes it.

Precondition: a verified module whose launches are not fused. O(n log n) for n operations.
Source: Apophenia §4.2; the repeats are found by ``fuseir/repeats``, among the candidates that the runtime has too. Checks A5 to A12 are on
these.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from typing import ClassVar

from xdsl.dialects import func
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Attribute, Block, Operation, Region, SSAValue
from xdsl.traits import SymbolOpInterface

from fuseir.dialects.dist.ops import ViewOp
from fuseir.dialects.dist.trace import ReplayOp, TraceOp
from fuseir.errors import UsageError
from fuseir.passes.analysis.fragments import binding, root_of, steps, tokens
from fuseir.passes.remarks import RemarkingPass, RemarkKind, Remarks
from fuseir.repeats.runs import cut_runs
from fuseir.repeats.weighted import find_repeats_by_weight


@dataclass(frozen=True)
class ExtractTracesPass(RemarkingPass):
    """Outline fragments of at least ``min_length`` operations that stand in the program twice or more."""

    name = "extract-traces"
    looks_into_traces: ClassVar[bool] = True

    min_length: int = 5

    def __post_init__(self) -> None:
        """Raises UsageError for a length that is none."""
        if self.min_length < 1:
            raise UsageError(f"min-length is at least 1, not {self.min_length}")

    def run(self, module: ModuleOp, remarks: Remarks) -> None:
        """Move what repeats into traces."""
        operations = steps(module.ops)
        names = _Names(module)
        sequence = tokens(operations)
        repeats = cut_runs(sequence, find_repeats_by_weight(sequence, self.min_length), self.min_length)
        traces = replayed = 0
        for length, starts in repeats:
            alike: dict[tuple[int, ...], list[Sequence[Operation]]] = {}
            for start in starts:
                fragment = operations[start : start + length]
                alike.setdefault(binding(fragment).uses, []).append(fragment)
            for fragments in alike.values():
                if len(fragments) > 1:
                    name = names.new()
                    first = fragments[0][0]
                    message = f"{length} operations that stand in the program {len(fragments)} times became '@{name}'"
                    remarks.add(RemarkKind.PASSED, "FIR-N170", self.name, message, first)
                    _outline(module, name, fragments)
                    traces += 1
                    replayed += length * len(fragments)
                elif len(alike) > 1:
                    message = f"{length} operations that stand elsewhere too bind other stores here"
                    remarks.add(RemarkKind.MISSED, "FIR-N171", self.name, message, fragments[0][0])
        message = f"{replayed} of {len(operations)} operations are in replays, of {traces} trace{'s' * (traces != 1)}"
        remarks.add(RemarkKind.ANALYSIS, "FIR-N172", self.name, message, operations[0] if operations else None)


class _Names:
    """Symbols that nobody has."""

    def __init__(self, module: ModuleOp) -> None:
        traits = [(op, op.get_trait(SymbolOpInterface)) for op in module.ops]
        taken = {name.data for op, trait in traits if trait and (name := trait.get_sym_attr_name(op)) is not None}
        names = (f"trace_{k}" if k else "trace" for k in count())
        self._free = (name for name in names if name not in taken)

    def new(self) -> str:
        return next(self._free)


def _outline(module: ModuleOp, name: str, fragments: Sequence[Sequence[Operation]]) -> None:
    """One trace for all of the fragments, and a replay for each."""
    block = module.body.block
    place = next((op for op in module.ops if not isinstance(op, func.FuncOp | TraceOp)), None)
    assert place is not None  # there is a fragment
    block.insert_op_before(_trace(name, fragments[0]), place)
    for fragment in fragments:
        replay = ReplayOp(name, binding(fragment).values)
        replay.location = fragment[0].location
        # What the fragment uses is declared before its last operation at the latest.
        block.insert_op_after(replay, fragment[-1])
        views = {operand.owner for op in fragment for operand in op.operands if isinstance(operand.owner, ViewOp)}
        for op in fragment:
            block.erase_op(op)
        for view in views:
            if view.result.first_use is None:
                block.erase_op(view)


def _trace(name: str, fragment: Sequence[Operation]) -> TraceOp:
    """The fragment with parameters in the place of its stores and scalars; views of stores become views of parameters."""
    values = binding(fragment).values
    body = Block(arg_types=[value.type for value in values])
    parameters: dict[SSAValue, SSAValue] = dict(zip(values, body.args, strict=True))
    for value, parameter in zip(values, body.args, strict=True):
        parameter.name_hint = value.name_hint
    views: dict[tuple[SSAValue, Attribute, Attribute], SSAValue] = {}
    for op in fragment:
        actual: dict[SSAValue, SSAValue] = {}
        for operand in op.operands:
            if not isinstance(operand.owner, ViewOp):
                actual[operand] = parameters[operand]
                continue
            view = operand.owner
            identity = root_of(operand), view.index_map, operand.type
            if identity not in views:
                own = view.clone(parameters)
                body.add_op(own)
                views[identity] = own.result
            actual[operand] = views[identity]
        body.add_op(op.clone(actual))
    trace = TraceOp(name, Region(body))
    trace.location = fragment[0].location
    return trace

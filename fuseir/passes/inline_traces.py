"""`inline-traces`: what traces hold stands where they are replayed.

Before::

    dist.trace @step(%p: !s, %q: !s) {
      dist.launch @copy<[4]>(%p: read #t, %q: write #t) : (!s, !s)
      dist.release %p : !s
    }
    dist.replay @step(%x, %y) : (!s, !s)

After::

    dist.launch @copy<[4]>(%x: read #t, %y: write #t) : (!s, !s)
    dist.release %x : !s

Undoes `extract-traces`. Views that stand before a replay are used again.

Precondition: a verified module. Linear in the number of operations that it ends up with.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Attribute, SSAValue

from fuseir.dialects.dist.ops import ViewOp
from fuseir.dialects.dist.trace import ReplayOp, TraceOp
from fuseir.passes.remarks import RemarkingPass, Remarks


@dataclass(frozen=True)
class InlineTracesPass(RemarkingPass):
    """Put what traces hold in the places of their replays."""

    name = "inline-traces"
    looks_into_traces: ClassVar[bool] = True

    def run(self, module: ModuleOp, remarks: Remarks) -> None:
        """Erase all traces and replays."""
        inline_traces(module)


def inline_traces(module: ModuleOp) -> None:
    """Rewrites the module in place; it has no traces and no replays afterwards."""
    block = module.body.block
    traces = {op.sym_name.data: op for op in module.ops if isinstance(op, TraceOp)}
    if not traces:
        return
    views: dict[tuple[SSAValue, Attribute, Attribute], SSAValue] = {}
    for op in list(module.ops):
        if isinstance(op, ViewOp):
            views.setdefault(_identity(op), op.result)
        elif isinstance(op, ReplayOp):
            trace = traces[op.trace_name]
            values: dict[SSAValue, SSAValue] = dict(zip(trace.parameters, op.arguments, strict=True))
            for member in trace.body.block.ops:
                copy = member.clone(values)
                if isinstance(copy, ViewOp) and isinstance(member, ViewOp):
                    known = views.setdefault(_identity(copy), copy.result)
                    if known is not copy.result:
                        values[member.result] = known
                        copy.erase()
                        continue
                block.insert_op_before(copy, op)
            block.erase_op(op)
    for trace in traces.values():
        block.erase_op(trace)


def _identity(view: ViewOp) -> tuple[SSAValue, Attribute, Attribute]:
    return view.store, view.index_map, view.result.type

"""What passes say about what they did and what they declined to do.

A pass that leaves something as it is names the task, the store and the reason, in MLIR's kinds of remark. Remarks go into a
collector that the caller hands to the pass; nothing is global and nothing is printed here.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from xdsl.context import Context
from xdsl.dialects.builtin import ModuleOp
from xdsl.ir import Operation, SSAValue
from xdsl.passes import ModulePass

from fuseir.dialects.dist.ops import StoreOp
from fuseir.dialects.verification import location_of
from fuseir.errors import SourceLocation


class RemarkKind(StrEnum):
    """MLIR's kinds: a transformation done, one not done, and a fact."""

    PASSED = "passed"
    MISSED = "missed"
    ANALYSIS = "analysis"


@dataclass(frozen=True)
class Remark:
    """One statement of one pass. ``code`` is stable (``FIR-N101``); documentation and tools refer to it."""

    kind: RemarkKind
    code: str
    pass_name: str
    message: str
    location: SourceLocation | None = None

    def __str__(self) -> str:
        head = f"{self.location}: " if self.location else ""
        return f"{head}remark: {self.pass_name} [{self.kind}]: {self.message} [{self.code}]"


class Remarks:
    """Collects the remarks of one run of a pass or a pipeline, in the order in which they were made."""

    def __init__(self) -> None:
        self._remarks: list[Remark] = []

    def add(self, kind: RemarkKind, code: str, pass_name: str, message: str, about: Operation) -> None:
        """Add a remark, located where the operation it is about was read from."""
        self._remarks.append(Remark(kind, code, pass_name, message, location_of(about)))

    def __iter__(self) -> Iterator[Remark]:
        return iter(self._remarks)

    def __len__(self) -> int:
        return len(self._remarks)


class RemarkingPass(ModulePass):
    """A pass that can say what it did: ``run`` takes a collector, ``apply`` (xDSL's entry point) drops what was said."""

    @abstractmethod
    def run(self, module: ModuleOp, remarks: Remarks) -> None:
        """Rewrite the module, adding to ``remarks``."""

    def apply(self, ctx: Context, op: ModuleOp) -> None:
        """Rewrite the module."""
        self.run(op, Remarks())


def store_label(store: SSAValue) -> str:
    """How remarks name a store: by its own name, else as the text of the program does."""
    owner = store.owner
    if isinstance(owner, StoreOp) and owner.store_name is not None:
        return f'"{owner.store_name.data}"'
    return f"%{store.name_hint}" if store.name_hint else f"an unnamed {store.type}"

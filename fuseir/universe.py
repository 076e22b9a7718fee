"""What FuseIR adds to xDSL, as tables of names.

The tables map a name that users write (a dialect, a pass, an output target) to the ``module:attribute`` that
implements it. Nothing is imported until a name is used, so that tools start fast. ``FUSEIR_UNIVERSE`` is what xDSL's
own tools find through the ``xdsl.universe`` entry point; ``make_context`` is what FuseIR's code uses.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import IO, TYPE_CHECKING, Any, cast

from xdsl.context import Context
from xdsl.passes import ModulePass
from xdsl.universe import XDSL_UNIVERSE, Universe
from xdsl.utils.target import Target

if TYPE_CHECKING:
    from xdsl.dialects.builtin import ModuleOp
    from xdsl.ir import Dialect

DIALECTS = {
    "dist": "fuseir.dialects.dist:DIST",
    "ufunc": "fuseir.dialects.ufunc:UFUNC",
}

# Upstream dialects that FuseIR's own tools read with a repaired syntax.
REPAIRED_DIALECTS = {
    "linalg": "fuseir.dialects.linalg_syntax:LINALG",
}

# In the order in which the pipelines run them.
PASSES = {
    "extract-traces": "fuseir.passes.extract_traces:ExtractTracesPass",
    "inline-traces": "fuseir.passes.inline_traces:InlineTracesPass",
    "forward-copies": "fuseir.passes.forward_copies:ForwardCopiesPass",
    "fuse-tasks": "fuseir.passes.fuse_tasks:FuseTasksPass",
    "eliminate-temporaries": "fuseir.passes.eliminate_temporaries:EliminateTemporariesPass",
    "take-first-task": "fuseir.passes.take_first_task:TakeFirstTaskPass",
    "compose-kernels": "fuseir.passes.compose_kernels:ComposeKernelsPass",
    "fuse-kernels": "fuseir.passes.fuse_kernels:FuseKernelsPass",
    "split-launches": "fuseir.passes.split_launches:SplitLaunchesPass",
    "reuse-inputs": "fuseir.passes.reuse_inputs:ReuseInputsPass",
    "lower-kernels": "fuseir.passes.lower_kernels:LowerKernelsPass",
}

# xDSL has a target `llvm` of its own and refuses two of one name, so its tools know ours by this longer name;
# in fuseir-opt `llvm` means ours (see TARGET_ALIASES).
TARGETS = {
    "cuda": "fuseir.universe:CudaKernelTarget",
    "fuseir-llvm": "fuseir.universe:LLVMKernelTarget",
}
TARGET_ALIASES = {"llvm": "fuseir-llvm"}

# Passes of xDSL that get a command-line flag of their own, as FuseIR's have.
UPSTREAM_PASSES_WITH_FLAGS = ("canonicalize", "cse", "dce")


def load(path: str) -> Any:
    """The object that a ``module:attribute`` path names."""
    module, _, attribute = path.partition(":")
    return getattr(import_module(module), attribute)


def _loader(path: str) -> Callable[[], Any]:
    return lambda: load(path)


FUSEIR_UNIVERSE = Universe(
    all_dialects={name: _loader(path) for name, path in DIALECTS.items()},
    all_passes={name: _loader(path) for name, path in PASSES.items()},
    all_targets={name: _loader(path) for name, path in TARGETS.items()},
)


@dataclass(frozen=True)
class LLVMKernelTarget(Target):
    """The LLVM IR of a module's lowered kernels, as text."""

    name = "fuseir-llvm"

    def emit(self, ctx: Context, module: ModuleOp, output: IO[str]) -> None:
        """Write the LLVM IR of ``module`` to ``output``."""
        emit_text = cast("Callable[[ModuleOp], str]", load("fuseir.codegen.llvm:emit_llvm_text"))
        output.write(emit_text(module))


@dataclass(frozen=True)
class CudaKernelTarget(Target):
    """The CUDA C++ of a module's lowered kernels."""

    name = "cuda"

    def emit(self, ctx: Context, module: ModuleOp, output: IO[str]) -> None:
        """Write the CUDA C++ of ``module`` to ``output``."""
        emit_text = cast("Callable[[ModuleOp], str]", load("fuseir.codegen.cuda:emit_cuda_text"))
        output.write(emit_text(module))


def all_dialects() -> dict[str, Callable[[], Dialect]]:
    """Every dialect FuseIR's tools read, xDSL's included."""
    repaired = {name: _loader(path) for name, path in REPAIRED_DIALECTS.items()}
    return {**XDSL_UNIVERSE.all_dialects, **repaired, **FUSEIR_UNIVERSE.all_dialects}


def all_passes() -> dict[str, Callable[[], type[ModulePass]]]:
    """Every pass FuseIR's tools run, xDSL's included."""
    return {**XDSL_UNIVERSE.all_passes, **FUSEIR_UNIVERSE.all_passes}


def all_targets() -> dict[str, Callable[[], type[Target]]]:
    """Every output format of FuseIR's tools, by the name users give to ``--target``."""
    ours = FUSEIR_UNIVERSE.all_targets
    return {**XDSL_UNIVERSE.all_targets, **ours, **{alias: ours[name] for alias, name in TARGET_ALIASES.items()}}


def make_context(*, allow_unregistered: bool = False) -> Context:
    """A context that knows all dialects and loads each when first met."""
    context = Context(allow_unregistered=allow_unregistered)
    for name, factory in all_dialects().items():
        context.register_dialect(name, factory)
    return context

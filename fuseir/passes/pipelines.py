"""The pipelines: which passes run in which order. This page is the whole story.

``fuseir-opt -p forward-copies,fuse-tasks,eliminate-temporaries,compose-kernels,fuse-kernels,split-launches,reuse-inputs,lower-kernels``
and the runtime's miss path run the same.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Generator
from contextlib import contextmanager

from xdsl.dialects.builtin import ModuleOp
from xdsl.utils.arg_spec import parse_pipeline

from fuseir.dialects.verification import verify_module
from fuseir.passes.compose_kernels import ComposeKernelsPass
from fuseir.passes.known_kernels import KernelMemory
from fuseir.passes.remarks import RemarkingPass, Remarks
from fuseir.universe import all_passes, make_context

Pipeline = tuple[str, ...]
"""Passes by name, each with its options as users write them: ``fuse-tasks{max-members=8}``."""

CPU_PIPELINE: Pipeline = (
    "forward-copies",  # who reads a copy reads what was copied; copies that nobody reads any more go
    "fuse-tasks",  # launches that may run back to back at each point become fused tasks
    "eliminate-temporaries",  # stores that only one fused task sees get no memory
    "compose-kernels",  # the kernels of a fused task become one kernel, stores between them values
    "fuse-kernels",  # the loop nests of each kernel become as few as its dependences allow
    "split-launches",  # readers of what is put together from copies read what was copied, piece by piece
    "reuse-inputs",  # results take the memory of inputs that nobody needs any more
    "lower-kernels",  # tensors become memory, generics become loops: what code generators read
)
"""From captured launches to kernels for the CPU."""

FIRST_TASK_PIPELINE: Pipeline = (
    "fuse-tasks",
    "eliminate-temporaries",
    "take-first-task{waiting=1}",  # here only: the two before must see the whole window, the others need not
    "compose-kernels",
    "fuse-kernels",
    "reuse-inputs",
    "lower-kernels",
)
"""The same for the first tasks of a full window, whose other launches wait: they still read the copies that they were captured with."""

UNFUSED_PIPELINE: Pipeline = (
    "compose-kernels{repeats=true}",  # here only: arguments of one launch that are the same pieces become one
    "lower-kernels{share-loops=false}",
)
"""The same without any fusion: each launch runs its own kernel, each generic its own loops. Same bits as fused (FUSEIR_DISABLE=1)."""

PIPELINES = {"cpu": CPU_PIPELINE, "first-task": FIRST_TASK_PIPELINE, "unfused": UNFUSED_PIPELINE}
"""By the names that tools use."""


def pipeline_of(fuse: bool, first_task: bool) -> Pipeline:
    """The pipeline of a window on the CPU; ``first_task``: of one that is full."""
    return (FIRST_TASK_PIPELINE if first_task else CPU_PIPELINE) if fuse else UNFUSED_PIPELINE


def run_pipeline(
    module: ModuleOp,
    pipeline: Pipeline,
    *,
    dump: Callable[[str, ModuleOp], None] | None = None,
    verify: bool = False,
    remarks: Remarks | None = None,
    memory: KernelMemory | None = None,
) -> None:
    """Run the passes on the module in place.

    ``dump`` is called after each pass with its name, ``verify`` checks the module then; ``remarks`` collects what the passes say.
    With ``memory``, kernels that are remembered are not made again.
    Raises LegalityError if a fused task in the module breaks a dependence, VerifyError if ``verify`` finds the module wrong.
    """
    with no_garbage_collection():
        _run(module, pipeline, dump, verify, Remarks() if remarks is None else remarks, memory)


def _run(
    module: ModuleOp,
    pipeline: Pipeline,
    dump: Callable[[str, ModuleOp], None] | None,
    verify: bool,
    collector: Remarks,
    memory: KernelMemory | None,
) -> None:
    context = make_context()
    available = all_passes()
    for spec in parse_pipeline(",".join(pipeline)):
        module_pass = available[spec.name]().from_pass_spec(spec)
        if isinstance(module_pass, RemarkingPass):
            module_pass.check(module)
        if isinstance(module_pass, ComposeKernelsPass):
            module_pass.run(module, collector, memory)
        elif isinstance(module_pass, RemarkingPass):
            module_pass.run(module, collector)
        else:
            module_pass.apply(context, module)
        if dump is not None:
            dump(spec.name, module)
        if verify:
            verify_module(module)


@contextmanager
def no_garbage_collection() -> Generator[None]:
    """Inside, Python looks for no garbage.

    IR is full of cycles, and passes make much of it: looking for garbage meanwhile takes longer the longer the program is.
    Without it the cost of a launch does not depend on how many there are (`benchmarks/scaling.py`).
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()

"""What fuseir-run does once its arguments are known: read, verify, bind arrays to stores, run, compare, print, write."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any, TypeAlias

from numpy.typing import NDArray
from xdsl.dialects.builtin import ModuleOp

from fuseir.dialects.dist.ops import StoreOp
from fuseir.dialects.kernel import is_lowered
from fuseir.dialects.parsing import parse_module
from fuseir.dialects.text_guard import decode
from fuseir.dialects.verification import location_of, verify_module
from fuseir.errors import BackendUnavailableError, LimitError, UnsupportedError, UsageError
from fuseir.passes.inline_traces import inline_traces
from fuseir.runtime.executors.reference import ReferenceExecutor
from fuseir.runtime.program_stores import (
    dtype_of_store,
    launches,
    named_scalars,
    named_stores,
    needed_inputs,
    scalar_values,
    shape_of,
    undefined_outputs,
)
from fuseir.tools import compare
from fuseir.tools.array_files import array_for, check_outputs, formatted, write_arrays
from fuseir.tools.files import read_input
from fuseir.tools.limits import limited
from fuseir.tools.run_arguments import RunOptions
from fuseir.universe import make_context

Array: TypeAlias = NDArray[Any]

# What one process can address on today's machines. Beyond it NumPy's errors depend on how far beyond.
_MOST_BYTES = 2**47


def execute(options: RunOptions) -> None:
    """Runs the program as the options say. Raises FuseirErrors and MemoryError; then no output is written.

    What is printed goes to standard output, before files are written and when nothing but that can fail any more.
    """
    with limited(options.max_memory, options.max_seconds):
        data, filename = read_input(options.program)
        text = decode(data, filename)
        module = _verified(text, filename)
        _check_tasks(module, text)
        _check_sizes(module, text)
        _check_names(module, options)
        # A scalar that is missing or does not fit is found before any array is read.
        scalar_values(module, options.scalars)
        check_outputs(options.outputs)
        inputs = _inputs(module, options)
        # A store that is neither given nor used holds whatever its memory held.
        undefined = undefined_outputs(module, inputs)
        results = _run(module, inputs, options)
        if options.compare:
            expected = ReferenceExecutor().run(_verified(text, filename), inputs, options.scalars)
            defined = {name: array for name, array in expected.items() if name not in undefined}
            lines, agree = compare.report(defined, results, options.ulp)
            print("\n".join(lines))
            if not agree:
                raise compare.MismatchError(f"the backends differ by more than {options.ulp} ulp")
        for name in options.prints:
            print(f"{name} = {formatted(results[name])}")
        write_arrays(results, options.outputs)


def _verified(text: str, filename: str) -> ModuleOp:
    module = parse_module(make_context(), text, filename)
    verify_module(module, text)
    inline_traces(module)
    return module


def _check_tasks(module: ModuleOp, text: str) -> None:
    for launch in launches(module):
        if launch.opaque:
            message = f"task '@{launch.task_name}' has no body: opaque tasks run in Python programs only"
            raise UnsupportedError(message, location=location_of(launch, text))
        callee = launch.callee()
        if callee is not None and is_lowered(callee):
            # Nothing proves that loops on memory stay within their tiles.
            message = f"task '@{launch.task_name}' is lowered already: programs run with kernels on tensors"
            raise UnsupportedError(message, location=location_of(launch, text))


def _check_sizes(module: ModuleOp, text: str) -> None:
    for op in module.ops:
        if isinstance(op, StoreOp) and prod(shape_of(op.result)) * dtype_of_store(op.result).itemsize > _MOST_BYTES:
            message = f"a store of type {op.result.type} has more bytes than machines can address"
            raise LimitError(message, location=location_of(op, text))


def _check_names(module: ModuleOp, options: RunOptions) -> None:
    stores = named_stores(module)
    for flag, names in (("--in", options.inputs), ("--out", options.outputs), ("--print", options.prints)):
        for name in names:
            if name not in stores:
                raise UsageError(f"{flag}: the program has no store '{name}'{_choices('stores', stores)}")
    scalars = named_scalars(module)
    for name in options.scalars:
        if name not in scalars:
            raise UsageError(f"--scalar: the program has no scalar '{name}'{_choices('scalars', scalars)}")


def _choices(noun: str, names: Mapping[str, object]) -> str:
    listed = ", ".join(list(names)[:10])
    return f"; its {noun} are {listed}{', …' if len(names) > 10 else ''}" if names else f"; it has no named {noun}"


def _inputs(module: ModuleOp, options: RunOptions) -> dict[str, Array]:
    stores = named_stores(module)
    for name in needed_inputs(module, {*options.outputs, *options.prints}):
        if name not in options.inputs:
            store_type = stores[name].result.type
            raise UsageError(
                f"store '{name}' ({store_type}) is used before it is written: give it contents with --in {name}=SOURCE"
            )
    return {name: array_for(name, source, stores[name], options.seed) for name, source in options.inputs.items()}


def _run(module: ModuleOp, inputs: Mapping[str, Array], options: RunOptions) -> dict[str, Array]:
    if options.backend == "ref":
        return ReferenceExecutor().run(module, inputs, options.scalars)
    try:
        from fuseir.runtime.executors.cpu import run_module
    except ImportError as error:
        raise BackendUnavailableError(f"the cpu backend cannot be loaded: {error}") from error
    return run_module(module, inputs, options.scalars, threads=options.threads, fuse=options.fuse)

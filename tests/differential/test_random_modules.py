"""Random programs as text: each pass keeps what a module means, and so does printing and parsing it.

The modules are windows of the random programs. The reference executor runs what each pass makes of them, so a difference names the
pass; then the CPU executor runs the whole pipeline.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from random_layouts import contents, run_program

import fuseir
from fuseir.dialects.parsing import parse_module
from fuseir.dialects.verification import verify_module
from fuseir.passes.pipelines import CPU_PIPELINE, run_pipeline
from fuseir.runtime.compiler import Compiler, capture_module
from fuseir.runtime.executors.cpu import run_module
from fuseir.runtime.executors.reference import ReferenceExecutor
from fuseir.runtime.plan import Plan
from fuseir.runtime.program_stores import dtype_of_store, named_stores, shape_of
from fuseir.runtime.window import Segment
from fuseir.universe import make_context

SEEDS = 24
CHUNKS = 4
TENSOR_FORM = CPU_PIPELINE[: CPU_PIPELINE.index("lower-kernels")]

Array = np.ndarray[Any, np.dtype[Any]]
Text = tuple[str, dict[str, Callable[..., None]]]


def windows_of(seed: int, patch: pytest.MonkeyPatch) -> list[Text]:
    """The windows of a random program, as text, with their opaque tasks."""
    found: list[Text] = []
    plan = Compiler.plan

    def note(self: Compiler, segment: Segment) -> Plan:
        captured = capture_module(segment)
        found.append((str(captured.module), captured.opaque_tasks))
        return plan(self, segment)

    with patch.context() as inside:
        inside.setattr(Compiler, "plan", note)
        run_program(fuseir.Session(target="reference", procs=(1, 2, 3, 5, 8)[seed % 5]), seed)
    return found


def different(a: dict[str, Array], b: dict[str, Array]) -> list[str]:
    """The stores whose bits differ; NaNs are one."""

    def bits(array: Array) -> bytes:
        return (np.where(np.isnan(array), np.nan, array) if array.dtype.kind == "f" else array).tobytes()

    return [name for name in a if bits(a[name]) != bits(b[name])]


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_each_pass_keeps_what_a_module_means(chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    reference = ReferenceExecutor()
    for seed in range(chunk, SEEDS, CHUNKS):
        for number, (text, opaque) in enumerate(windows_of(seed, monkeypatch)):
            module = parse_module(make_context(), text)
            verify_module(module)
            assert str(module) == text
            random = np.random.default_rng(seed)
            inputs = {
                name: contents(random, shape_of(op.result), dtype_of_store(op.result))
                for name, op in named_stores(module).items()
            }
            expected = reference.run(module, inputs, None, opaque)
            for fuse in (True, False):
                got = run_module(module.clone(), inputs, None, opaque, threads=2, fuse=fuse)
                assert not different(expected, got), f"seed {seed}, window {number}, fuse={fuse}"
            for name in TENSOR_FORM:
                run_pipeline(module, (name,), verify=True)
                got = reference.run(module, inputs, None, opaque)
                assert not different(expected, got), f"seed {seed}, window {number}, after {name}"
                assert str(parse_module(make_context(), str(module))) == str(module)

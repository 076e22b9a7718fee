"""`extract-traces` on random programs of loops: the same program, with less text; nothing that repeats is left."""

from __future__ import annotations

import random

import numpy as np
import pytest
from helpers.dist_programs import parse
from xdsl.dialects.builtin import ModuleOp

from fuseir.dialects.dist.trace import ReplayOp, TraceOp
from fuseir.dialects.verification import verify_module
from fuseir.errors import UnsupportedError
from fuseir.passes.analysis.fragments import binding, steps, tokens
from fuseir.passes.extract_traces import ExtractTracesPass
from fuseir.passes.inline_traces import inline_traces
from fuseir.passes.pipelines import CPU_PIPELINE, run_pipeline
from fuseir.passes.remarks import Remarks
from fuseir.runtime.executors.reference import ReferenceExecutor

NAMES = ("a", "b", "c")


def random_loops(rng: random.Random) -> str:
    """Loops whose bodies use stores, fresh temporaries and views, exchange variables, and are left out or interrupted now and then."""
    lines = [f'%{name} = dist.store "{name}" : !s' for name in NAMES]
    variables = [f"%{name}" for name in NAMES]
    fresh = 0
    for _ in range(rng.randrange(1, 4)):
        body = [
            (rng.choice(["copy", "add", "update"]), rng.randrange(3), rng.randrange(3))
            for _ in range(rng.randrange(1, 4))
        ]
        exchanged, part = rng.random() < 0.5, rng.choice(["#A", "#N"])
        for _ in range(rng.randrange(2, 6)):
            for task, x, z in body:
                fresh += 1
                domain = "[4]" if part == "#A" else "[1]"
                lines += [
                    f"%t{fresh} = dist.store : !s",
                    f"dist.launch @copy<{domain}>({variables[x]}: read {part}, %t{fresh}: write {part}) : (!s, !s)",
                ]
                arguments = {
                    "copy": [(f"%t{fresh}", "read"), (variables[z], "write")],
                    "add": [(f"%t{fresh}", "read"), (variables[x], "read"), (variables[z], "write")],
                    "update": [(variables[z], "read_write")],
                }[task]
                if task == "add" and x == z:
                    continue
                listed = ", ".join(f"{value}: {privilege} {part}" for value, privilege in arguments)
                lines += [
                    f"dist.launch @{task}<{domain}>({listed}) : ({', '.join(['!s'] * len(arguments))})",
                    f"dist.release %t{fresh} : !s",
                ]
            if exchanged:
                variables[0], variables[1] = variables[1], variables[0]
            if rng.random() < 0.2:
                lines.append("dist.fence")
    return "\n".join(lines)


def extracted(program: str, least: int) -> tuple[ModuleOp, Remarks]:
    module, remarks = parse(program), Remarks()
    ExtractTracesPass(least).run(module, remarks)
    verify_module(module)
    return module, remarks


@pytest.mark.parametrize("seed", range(12))
def test_the_same_program_in_less_text(seed: int) -> None:
    """Put in place again it is the program it was, up to names, and so has the same results, bit for bit."""
    rng = random.Random(seed)
    program, least = random_loops(rng), rng.randrange(1, 6)
    original, (module, remarks) = parse(program), extracted(program, least)
    traces = [op for op in module.ops if isinstance(op, TraceOp)]
    replays = [op.trace_name for op in module.ops if isinstance(op, ReplayOp)]
    lengths = {trace.sym_name.data: len(steps(trace.body.block.ops)) for trace in traces}
    assert all(length >= least and replays.count(name) >= 2 for name, length in lengths.items())
    replayed = sum(lengths[name] for name in replays)
    before, left = steps(original.ops), steps(module.ops)
    assert len(left) - len(replays) + replayed == len(before)
    assert [r.message for r in remarks if r.code == "FIR-N172"] == [
        f"{replayed} of {len(before)} operations are in replays, of {len(traces)} trace{'s' * (len(traces) != 1)}"
    ]
    inline_traces(module)
    verify_module(module)
    after = steps(module.ops)
    assert tokens([*before, *after])[len(before) :] == tokens(before)
    assert binding(after).uses == binding(before).uses
    inputs = {name: np.arange(8.0) + k for k, name in enumerate(NAMES)}
    expected, results = (ReferenceExecutor().run(m, inputs) for m in (original, module))
    assert all(results[name].tobytes() == array.tobytes() for name, array in expected.items())


def test_a_loop_is_covered_whole() -> None:
    """Whatever the number of iterations: the last odd one too."""
    for count in range(2, 9):
        lines = [f'%x{k} = dist.store "x{k}" : !s' for k in range(count + 1)]
        for k in range(count):
            lines += [
                f"dist.launch @copy<[4]>(%x{k}: read #A, %x{k + 1}: write #A) : (!s, !s)",
                f"dist.launch @update<[4]>(%x{k + 1}: read_write #A) : (!s)",
                f"dist.release %x{k} : !s",
            ]
        module, _ = extracted("\n".join(lines), 3)
        assert [op.name for op in steps(module.ops)] == ["dist.replay"] * count


def test_nobody_overlooks_a_replay() -> None:
    """Whoever reads programs without knowing replays refuses them."""
    program = "\n".join(
        ['%x = dist.store "x" : !s'] + ["dist.launch @update<[4]>(%x: read_write #A) : (!s)", "dist.fence"] * 2
    )
    module, _ = extracted(program, 2)
    assert any(isinstance(op, ReplayOp) for op in module.ops)
    with pytest.raises(UnsupportedError, match="'inline-traces'"):
        run_pipeline(module, CPU_PIPELINE)
    with pytest.raises(UnsupportedError, match="'inline-traces'"):
        ReferenceExecutor().run(module, {"x": np.zeros(8)})

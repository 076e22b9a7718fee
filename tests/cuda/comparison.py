"""Kernels on the CPU and as emulated CUDA kernels, compared to the bit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from host_emulation import SMALL, Job, build, run
from lowered_kernels import (
    compile_for_cpu,
    copied,
    random_arrays,
    random_scalars,
    run_on_cpu,
    same_bits,
    shapes_of,
)
from xdsl.dialects import func

from fuseir.codegen.cuda import emit_kernels

SIZES = [0, 1, 2, 3, 5, 8, 31, 32, 33, 100, 1023, 1025, 2100, 3100, 5000]
"""Extents that end before, at and behind the ends of packs, warps, blocks of the tree, chunks and grids of ``SMALL``."""

MOST_ELEMENTS = 6000

DEVICES = (
    SMALL,
    replace(SMALL, block_row=2),
    replace(SMALL, narrow_limit=0),
    replace(SMALL, block_row=2, chunk=1 << 20, narrow_limit=0),
)
"""With these all versions of kernels have their turn."""


@dataclass
class Outcome:
    """What was run and what differed. ``versions`` counts launches by the kind and the version of the kernel."""

    jobs: int = 0
    differences: list[str] = field(default_factory=list[str])
    versions: Counter[str] = field(default_factory=Counter[str])


def compare(
    kernels: Sequence[func.FuncOp],
    folder: Path,
    *,
    draws: int = len(DEVICES),
    seed: int = 0,
    edit: Callable[[str], str] = str,
) -> Outcome:
    """Run each kernel on ``draws`` draws of arrays: as CUDA kernels compiled for the host in one program, and as the CPU's code.

    Sizes, layouts, contents, the device and the order of a block's threads change with the draw. ``edit`` may change the CUDA text.
    """
    module = emit_kernels(kernels)
    module = replace(module, text=edit(module.text))
    program = build(module, folder)
    jobs: list[Job] = []
    expected: list[tuple[int, list[np.ndarray]]] = []
    for number, (kernel, plan) in enumerate(zip(kernels, module.plans, strict=True)):
        code, shapes = compile_for_cpu(kernel), shapes_of(kernel)
        for draw in range(draws):
            chosen = 1000 * (seed + number) + draw
            sizes = SIZES if draw else SIZES[1:]
            arrays = random_arrays(shapes, chosen, sizes, MOST_ELEMENTS)
            scalars = random_scalars(shapes, chosen)
            twins = [copied(array) for array in arrays]
            run_on_cpu(code, twins, scalars)
            jobs.append(Job(plan, arrays, scalars, DEVICES[draw % len(DEVICES)], draw % 3))
            expected.append((number, twins))
    outcome = Outcome(len(jobs))
    for job, (number, twins), plan in zip(jobs, expected, run(module, program, jobs), strict=True):
        outcome.versions.update(_version(launch.symbol) for launch in plan.launches)
        for place, (array, twin) in enumerate(zip(job.arrays, twins, strict=True)):
            if not same_bits(array, twin):
                symbols = [launch.symbol for launch in plan.launches]
                outcome.differences.append(
                    f"kernel {number} of seed {seed} differs in tile {place} of shape {array.shape}: {symbols}"
                )
    return outcome


def _version(symbol: str) -> str:
    """``fz_rows_3_0123456789ab_block_wide`` without what is its own: ``rows_block_wide``."""
    _, kind, _, _, *version = symbol.split("_")
    return "_".join([kind, *version])

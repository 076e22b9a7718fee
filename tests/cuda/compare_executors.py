"""The CUDA executor on the emulated GPU, and the CPU's, on random programs: ``python tests/cuda/compare_executors.py --programs 200``.

Of each sort so many, each several times on other contents, so that plans run as graphs: programs of tasks on all element types, programs
on views of every sort with opaque tasks, programs of NumPy's. All results agree to the bit. (The CPU's code calls the C library's math
functions, which are those that emulated kernels call.)

With ``--gpu`` they run on a GPU, whose math functions are others: results of those agree to 8 units in the last place, 4 for each side.
Under a sanitizer, and with each buffer in memory of its own, so that it sees where that ends:

    compute-sanitizer --tool memcheck python tests/cuda/compare_executors.py --gpu --no-pool --programs 20

Likewise with ``racecheck``, ``initcheck`` and ``synccheck``.
"""

from __future__ import annotations

import argparse
import importlib
import os
import random
import sys
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

os.environ["FUSEIR_CACHE"] = "0"
sys.path.extend(str(Path(__file__).parents[2] / folder) for folder in (".", "tests", "tests/differential"))

import numpy as np
import numpy_programs
import random_layouts
import random_programs
from compare_programs import same_bits, ulp_distance
from emulated_device import EmulatedDevice
from host_emulation import SMALL
from random_programs import Exactness

import fuseir
from fuseir.codegen.llvm import compile as llvm_compile
from fuseir.codegen.llvm.target import host_target
from fuseir.errors import FallbackWarning
from fuseir.runtime.executors.cuda import platform

Sessions = Callable[..., fuseir.Session]

OTHER_GRIDS = replace(SMALL, block_row=2, narrow_limit=0)
"""Other versions of kernels."""


@contextmanager
def on(device: EmulatedDevice | None) -> Iterator[EmulatedDevice | None]:
    """Sessions with the target ``cuda`` run on this device, if one is given, and the CPU's code calls the functions that it calls."""
    target = replace(host_target(), has_fma=False, mvec_variant=None)
    with ExitStack() as patched:
        patched.enter_context(patch.object(llvm_compile, "host_target", lambda: target))
        if device is not None:
            patched.enter_context(patch.object(platform, "current_device", lambda: device))
        yield device


def ways(**options: Any) -> dict[str, fuseir.Session]:
    """A session of the CPU's to compare with, and those of the GPU's. For sums of floats to agree, all have the same ``procs``."""
    return {
        "cpu": fuseir.Session(threads=1, **options),
        "fused": fuseir.Session(target="cuda", **options),
        "in windows of three": fuseir.Session(target="cuda", window=3, max_window=3, **options),
        "unfused": fuseir.Session(target="cuda", fuse=False, **options),
    }


def tasks(seeds: range, sessions: dict[str, fuseir.Session], draws: int = 3, ulps: int = 0) -> Iterator[str]:
    """Programs of tasks, from their seeds. Results of math functions may be apart by so many units in the last place."""
    for seed in seeds:
        program = random_programs.drawn(seed)
        sizes = program.sizes(np.random.default_rng((seed, 0)))
        for draw in range(draws):
            given = random_programs.Given(sizes, 1000 * seed + draw)
            with np.errstate(all="ignore"):
                results = {name: random_programs.run_in(session, program, given) for name, session in sessions.items()}
            expected, refused = results.pop("cpu")
            for name, (contents, also_refused) in results.items():
                wrong: list[int] = []
                for store, array in contents.items():
                    close = ulps if program.forms[store].exactness is Exactness.ULPS else 0
                    if not same_bits(expected[store], array) and not 0 < ulp_distance(expected[store], array) <= close:
                        wrong.append(store)
                if wrong or refused != also_refused:
                    yield f"program of tasks {seed}, draw {draw}, {name}: stores {wrong} differ"


def layouts(seeds: range, sessions: dict[str, fuseir.Session], draws: int = 2) -> Iterator[str]:
    """Programs on views of every sort, from their seeds."""
    for seed in seeds:
        for draw in range(draws):
            logs = {name: random_layouts.run_program(session, seed, -1, draw) for name, session in sessions.items()}
            expected = logs.pop("cpu")
            for name, log in logs.items():
                pairs = zip(log, expected, strict=True)
                different = [k for k, (a, b) in enumerate(pairs) if not _same_entries(a, b)]
                if different:
                    yield f"program on views {seed}, draw {draw}, {name}: entries {different} differ"


def _same_entries(a: tuple[str, Any], b: tuple[str, Any]) -> bool:
    return a == b if "error" in (a[0], b[0]) else a[0] == b[0] and same_bits(a[1], b[1])


def numpys(seeds: range, **options: Any) -> Iterator[str]:
    """Programs of NumPy's, from their seeds."""
    import fuseir.numpy as fnp

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FallbackWarning)
        for seed in seeds:
            program = numpy_programs.Writer(random.Random(seed)).program(12)
            with fuseir.Session(target="cuda", **options) as session:
                found = numpy_programs.difference(program, fnp)
            if found is not None or session.statistics.fallbacks:
                yield f"program of NumPy's {seed}, {session.statistics.fallbacks} fallbacks: {found}\n{program}"


EXAMPLES = {  # elements and iterations
    **dict.fromkeys(("bicgstab", "bicgstab:dense", "cg:dense", "gray_scott", "heat3d", "jacobi", "kmeans"), (400, 2)),
    **dict.fromkeys(("logistic_regression", "nbody", "stencil"), (400, 2)),
    **dict.fromkeys(("black_scholes", "cavity_flow", "channel_flow", "shallow_water"), (400, 1)),
    "cg": (400, 3),
    "multigrid": (100, 1),
}


def examples(names: Iterable[str], ulps: int = 0) -> Iterator[str]:
    """The programs in ``examples/``, small. Where ``ulps`` are allowed, results are those that the example itself calls right."""
    import fuseir.numpy as fnp
    from examples import common

    for name in names:
        file, _, variant = name.partition(":")
        program, (size, steps) = common.load(file, "fuseir.numpy", variant), EXAMPLES[name]
        program.step.__globals__["SWEEPS"] = 2  # of flows: no need for more
        initial = {key: np.array(value) for key, value in program.setup(size).items()}
        found: list[dict[str, Any]] = []
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FallbackWarning)
            for target in ("cpu", "cuda"):
                with fuseir.Session(target=target, procs=1, threads=1) as session:
                    results = program.advance({key: fnp.array(value) for key, value in initial.items()}, steps)
                    found.append({key: np.array(results[key]) for key in program.returns})
                if session.statistics.fallbacks:
                    yield f"{name}: {session.statistics.fallbacks} windows ran another way on {target}"
        cpu, gpu = found
        same = all(same_bits(np.asarray(cpu[key]), np.asarray(gpu[key])) for key in program.returns)
        if not same and (not ulps or program.error(gpu, cpu) > common.TOLERANCE):
            yield f"{name} differs"


def main() -> int:
    """0 if nothing differs."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--programs", type=int, default=100, help="so many of each sort")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--gpu", action="store_true", help="on a GPU")
    parser.add_argument("--no-pool", action="store_true", help="without CuPy's pool of memory")
    options = parser.parse_args()
    seeds = range(options.first, options.first + options.programs)
    if options.gpu:
        if options.no_pool:
            importlib.import_module("cupy").cuda.set_allocator(None)
        return 1 if differing(seeds, ulps=8) else 0
    wrong = 0
    for device in (EmulatedDevice(), EmulatedDevice(OTHER_GRIDS)):
        with on(device):
            wrong += differing(seeds)
        print(device.counts, *device.overruns, sep="\n")
        wrong += len(device.overruns)
    return 1 if wrong else 0


def differing(seeds: range, ulps: int = 0) -> int:
    """Runs the programs of these seeds, of each sort, prints what differs, and returns how many do."""
    wrong = 0
    sorts = {
        "tasks": tasks(seeds, ways(procs=3), ulps=ulps),
        "views": layouts(seeds, ways(procs=1)),
        "NumPy": numpys(seeds),
        "examples": examples(EXAMPLES, ulps),
    }
    for sort, differences in sorts.items():
        started = time.monotonic()
        for difference in differences:
            wrong += 1
            print(difference, flush=True)
        print(f"{sort}: {time.monotonic() - started:.0f} s, {wrong} differ", flush=True)
    return wrong


if __name__ == "__main__":
    sys.exit(main())

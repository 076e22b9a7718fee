"""What a window costs that is not known: capturing it as IR, each pass, LLVM for each kernel, and finding its plan on disk instead.

    python benchmarks/planning.py [PROGRAM …] [--rounds N] [--profile]

A PROGRAM is one of `examples/`, ``chain`` (64 element-wise launches) or ``mixed`` (64 launches with reductions and stencils). Its launches
are planned as one window each, as many as it captures in an iteration. Milliseconds of processor time, the least of several rounds, as
machines are shared. ``--profile`` prints where the passes spend theirs.
"""

from __future__ import annotations

import argparse
import cProfile
import gc
import pstats
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable

from xdsl.dialects.builtin import ModuleOp

import fuseir
import fuseir.numpy as fuseir_numpy
from examples import common
from fuseir.cache import cache_of
from fuseir.codegen.llvm import compile as kernels_compile
from fuseir.options import Options, options_from
from fuseir.passes.pipelines import CPU_PIPELINE, no_garbage_collection, run_pipeline
from fuseir.runtime.captured_module import capture_module
from fuseir.runtime.executors.cpu import CpuExecutor
from fuseir.runtime.executors.native_machine import NativeMachine
from fuseir.runtime.planning import Planned
from fuseir.runtime.stored_plans import StoredPlans
from fuseir.runtime.window import Segment

SIZE = 100_000
DEFAULT = ("chain", "mixed", "heat3d", "black_scholes", "cg", "shallow_water", "multigrid")


def chain() -> object:
    """64 element-wise launches."""
    x = fuseir_numpy.ones(SIZE)
    y = x
    for k in range(16):
        y = fuseir_numpy.sqrt((x * y + 1.0) * (0.5 + k))
    return y


def mixed() -> object:
    """64 launches: element-wise ones, rows and columns, sums, and a stencil with its copy back."""
    x = fuseir_numpy.ones((300, 300))
    results = []
    for _ in range(4):
        rows, columns = x.sum(axis=1), x.max(axis=0)
        y = (x - columns) / rows[:, None]
        y = fuseir_numpy.exp(y) * 0.5 + fuseir_numpy.minimum(x, y)
        results.append((y * y).sum())
        x[1:-1, 1:-1] = 0.25 * (y[:-2, 1:-1] + y[2:, 1:-1] + y[1:-1, :-2] + y[1:-1, 2:])
    return x, results


def captured(name: str) -> tuple[Segment, object]:
    """The launches of a program's iteration as one window, and what the program keeps alive."""
    session = fuseir.Session(trace=False, window=1 << 20, max_window=1, cache=False)
    with session:
        if name in ("chain", "mixed"):
            kept: object = {"chain": chain, "mixed": mixed}[name]()
        else:
            program = common.load(name, "fuseir.numpy")
            arrays = program.setup(SIZE)
            session.flush()
            kept = program.advance(arrays, 1)
        segment = session._window.take(full=False)  # pyright: ignore[reportPrivateUsage]
        assert segment is not None
        assert segment.key  # what is alive now counts
    return segment, kept


class Costs:
    """Milliseconds by stage, the least of all rounds."""

    def __init__(self) -> None:
        self.least: dict[str, float] = defaultdict(lambda: float("inf"))
        self.kernels = 0

    def note(self, stage: str, seconds: float) -> None:
        """Notes what a stage took in one round."""
        self.least[stage] = min(self.least[stage], seconds * 1e3)


def plan_once(segment: Segment, costs: Costs, options: Options) -> None:
    """Makes the plan of a window, by an executor that knows nothing yet, keeps it on disk, and finds it there like another process."""
    cache = cache_of(options)
    machine = NativeMachine(options.threads, cache)
    executor = CpuExecutor(machine)
    begin = last = time.process_time()
    module = capture_module(segment)
    costs.note("capture", time.process_time() - begin)
    spent: list[float] = []
    plain: Callable[..., bytes] = kernels_compile.optimized_object

    def optimized(*arguments: object) -> bytes:
        start = time.process_time()
        found = plain(*arguments)
        spent.append(time.process_time() - start)
        return found

    passes = 0.0
    last = time.process_time()

    def after(stage: str, _: ModuleOp) -> None:
        nonlocal last, passes
        seconds = time.process_time() - last
        costs.note(stage, seconds)
        passes += seconds
        last = time.process_time()

    kernels_compile.optimized_object = optimized
    try:
        plan = executor.prepare(module.module, module.opaque_tasks, fuse=True, dump=after, digests=module.digests)
        end = time.process_time()
    finally:
        kernels_compile.optimized_object = plain
    costs.note("all passes", passes)
    costs.note("LLVM's text, and the plan", end - last - sum(spent))
    costs.note("LLVM", sum(spent))
    costs.note("LLVM, the longest kernel", max(spent, default=0.0))
    costs.note("in all", end - begin)
    costs.kernels = len(spent)

    def stored() -> StoredPlans:
        found = StoredPlans.of(cache, NativeMachine(options.threads, cache), options)
        assert found is not None
        return found

    stored().keep(segment.key, Planned(plan))
    plans = stored()
    start = time.process_time()
    planned = plans.find(segment.key)
    costs.note("found on disk instead", time.process_time() - start)
    assert planned is not None


def report(name: str, rounds: int) -> None:
    """Prints what a program's window costs."""
    segment, _kept = captured(name)
    costs = Costs()
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder, no_garbage_collection():
            plan_once(segment, costs, options_from({"cache_dir": folder, "threads": 2}))
        gc.collect()
    launches = len(segment.launches)
    print(f"{name}: {launches} launches, {costs.kernels} kernels compiled")
    for stage, milliseconds in costs.least.items():
        print(f"  {stage:<28}{milliseconds:9.2f} ms")


def profile(name: str, rounds: int) -> None:
    """Prints where the passes spend their time."""
    segment, _kept = captured(name)
    profiler = cProfile.Profile()
    for _ in range(rounds):
        with no_garbage_collection():
            module = capture_module(segment)
            profiler.enable()
            run_pipeline(module.module, CPU_PIPELINE)
            profiler.disable()
    pstats.Stats(profiler).sort_stats("cumulative").print_stats(60)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("programs", nargs="*", default=DEFAULT, metavar="PROGRAM")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--profile", action="store_true")
    arguments = parser.parse_args()
    for name in arguments.programs:
        (profile if arguments.profile else report)(name, arguments.rounds)


if __name__ == "__main__":
    main()

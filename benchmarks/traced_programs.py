"""What traces do for the programs of ``examples/``: time an iteration with and without them, next to NumPy, on small arrays.

    python -m benchmarks.traced_programs [SIZE] [PROGRAM …]

The three take turns, some iterations each; printed is the median of the faster half, in processor time of the program's thread, as machines
are shared. Nothing is flushed in between: what an iteration leaves waiting is paid for by the next.
"""

from __future__ import annotations

import statistics
import sys
import time
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import fuseir
from benchmarks.suite.examples import program
from fuseir.runtime import session as sessions

# Iterations before anything is measured, and in one turn.
WARM_UP = {
    "stencil": (6000, 200),
    "cg": (3000, 100),
    "black_scholes": (2000, 50),
    "heat3d": (4000, 100),
    "nbody": (1500, 50),
    "gray_scott": (2000, 50),
    "cavity_flow": (300, 10),
    "jacobi": (4000, 200),
    "bicgstab": (800, 20),
    "kmeans": (1000, 50),
    "logistic_regression": (2000, 100),
    "channel_flow": (300, 10),
    "multigrid": (250, 10),
    "shallow_water": (100, 3),
}
TURNS = 25


class Way:
    """One way to run a program, and where it has got to."""

    def __init__(self, name: str, size: int, session: fuseir.Session | None, warm_up: int) -> None:
        self.session = session
        self.program: Any = program(name, "numpy" if session is None else "fuseir.numpy")
        self.times: list[float] = []
        with self._here():
            self.arrays = self.program.advance(self.program.setup(size), warm_up)

    @contextmanager
    def _here(self) -> Generator[None]:
        """Makes the session the current one; afterwards it is left as it is, where ``with session`` would flush it."""
        before = fuseir.current_session()
        sessions._set_current(self.session or before)  # pyright: ignore[reportPrivateUsage]
        try:
            yield
        finally:
            sessions._set_current(before)  # pyright: ignore[reportPrivateUsage]

    def take_turn(self, iterations: int) -> None:
        """Runs some iterations, and notes what one took in microseconds."""
        with self._here():
            start = time.thread_time()
            self.arrays = self.program.advance(self.arrays, iterations)
            self.times.append((time.thread_time() - start) / iterations * 1e6)

    @property
    def time(self) -> float:
        """Microseconds an iteration."""
        return statistics.median(sorted(self.times)[: max(len(self.times) // 2, 1)])


def main(size: int, names: list[str]) -> None:
    print(f"{'':20} {'traced':>10} {'untraced':>10} {'NumPy':>10}   us an iteration, about {size} elements")
    for name in names:
        warm_up, iterations = WARM_UP[name]
        traced = fuseir.Session()
        ways = [
            Way(name, size, traced, warm_up),
            Way(name, size, fuseir.Session(trace=False), warm_up),
            Way(name, size, None, 10),
        ]
        for _ in range(TURNS):
            for way in ways:
                way.take_turn(iterations)
        with_traces, without, numpys = (way.time for way in ways)
        report = traced.trace_report()
        share = 0.0 if report is None else report.coverage.recent_share
        print(
            f"{name:20} {with_traces:10.1f} {without:10.1f} {numpys:10.1f}   traced/NumPy {with_traces / numpys:.2f}"
            f"   untraced/traced {without / with_traces:.2f}   {100 * share:.1f} % of the last launches replayed",
            flush=True,
        )


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000, sys.argv[2:] or list(WARM_UP))

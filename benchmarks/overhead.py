"""What a launch costs besides its arithmetic: capture, a known window, an unknown one, a trace. Next to NumPy's own call.

    python benchmarks/overhead.py

Prints medians of processor time over several rounds: machines are shared, and none of this waits for anything. What threads do together is
given in time that passes, the shortest round.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

import fuseir
import fuseir.numpy as fuseir_numpy
from fuseir.runtime.executors import kernel_steps
from fuseir.runtime.plan import Plan

LAUNCHES = 200
ROUNDS = 15
add = fuseir.task("task add(x: read, y: read, z: write) { z = x + y }")


def microseconds(function: Callable[[], object], count: int = LAUNCHES) -> float:
    """Median over rounds of the time of one of ``count`` operations."""
    rounds = []
    for _ in range(ROUNDS):
        start = time.process_time()
        function()
        rounds.append((time.process_time() - start) / count * 1e6)
    return statistics.median(rounds)


def plan_of_one_launch(threads: int) -> tuple[Plan, np.ndarray]:
    """A plan that does next to nothing, at as many points as there are threads, however little that is to share."""
    inline, kernel_steps._INLINE_BYTES = kernel_steps._INLINE_BYTES, 0
    session = fuseir.Session(threads=threads, procs=threads)
    x = session.from_numpy(np.ones(threads))
    session.launch(add, x, x, y := session.store(threads))
    session.flush()
    kernel_steps._INLINE_BYTES = inline
    del y
    return next(iter(session._planner._plans.values())).plan, np.ones(threads)


def plan_call(threads: int) -> float:
    """Microseconds of a call of such a plan."""
    plan, x = plan_of_one_launch(threads)
    slots = [x, x.copy()]

    def calls() -> None:
        for _ in range(LAUNCHES):
            plan.run(slots, ())

    rounds = []
    for _ in range(10 * ROUNDS):
        start = time.perf_counter()
        calls()
        rounds.append((time.perf_counter() - start) / LAUNCHES * 1e6)
    return min(rounds)


def chain(np_: ModuleType, x: Any, y: Any) -> Any:
    """100 element-wise operations."""
    for _ in range(10):
        a = x * 0.5
        b = a + y
        c = b * 0.25
        d = np_.minimum(c - x, y)
        x = np_.sqrt(d * d + 1.0) * 0.5 - a
    return x


def chain_operation(np_: ModuleType, iterations: int = 300) -> float:
    """Microseconds of an operation in a loop around ``chain`` on 10 elements, once its trace is known: the least of the second half."""
    x, y = np_.ones(10), np_.full(10, 2.0)
    times = []
    for _ in range(iterations):
        start = time.perf_counter()
        x = chain(np_, x, y)
        times.append(time.perf_counter() - start)
    fuseir.flush()
    return min(times[iterations // 2 :]) / 100 * 1e6


def main() -> None:
    session = fuseir.Session(window=10 * LAUNCHES)
    x, y = session.from_numpy(np.ones(10)), session.from_numpy(np.ones(10))
    a, b = np.ones(10), np.ones(10)

    longer = session.from_numpy(np.ones(11))

    def capture() -> None:
        for _ in range(LAUNCHES):
            session.launch(add, x, y, session.store(10))

    def capture_another() -> None:
        for _ in range(LAUNCHES):
            session.launch(add, longer, longer, session.store(11))

    def capture_and_run() -> None:
        capture()
        session.flush()

    def numpy_adds() -> None:
        for _ in range(LAUNCHES):
            np.add(a, b)

    def capture_and_run_all() -> None:
        """Nothing fuses, as each reads backwards what the one before wrote; and all is wanted."""
        kept = [x]
        for _ in range(LAUNCHES):
            session.launch(add, kept[-1][::-1], x, y := session.store(10))
            kept.append(y)
        session.flush()

    start = time.process_time()
    capture_and_run()
    first = time.process_time() - start
    start = time.process_time()
    capture_another()
    session.flush()
    miss = time.process_time() - start
    captured = []
    for _ in range(ROUNDS):
        start = time.process_time()
        capture()
        captured.append((time.process_time() - start) / LAUNCHES * 1e6)
        session.flush()

    single = fuseir.Session()
    u, v = single.from_numpy(np.ones(10)), single.store(10)

    def one_window() -> None:
        for _ in range(LAUNCHES):
            single.launch(add, u, u, v)
            single.flush()

    one_window()
    capture_and_run_all()
    print(f"capture of one launch, its store included   {statistics.median(captured):8.2f} us")
    print(f"… and its share of running a known window   {microseconds(capture_and_run):8.2f} us")
    print(f"… of launches that cannot fuse              {microseconds(capture_and_run_all):8.2f} us")
    print(f"a window of one launch, known               {microseconds(one_window):8.2f} us")
    print(f"NumPy's add of 10 elements                  {microseconds(numpy_adds):8.2f} us")
    print(f"NumPy's operations in a loop of 100          {chain_operation(np):8.2f} us")
    for trace in (False, True):
        with fuseir.Session(trace=trace):
            found = chain_operation(fuseir_numpy)
        print(f"fuseir.numpy's, {'replayed as a trace' if trace else 'not traced         '}       {found:8.2f} us")
    print(f"a plan of next to nothing, one thread       {plan_call(1):8.2f} us")
    print(f"… two threads                               {plan_call(2):8.2f} us")
    print(f"a window of {LAUNCHES} launches, unknown             {miss * 1e3:8.2f} ms")
    print(f"the first window of the process             {first * 1e3:8.2f} ms")


if __name__ == "__main__":
    main()

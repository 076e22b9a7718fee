"""One contender in a process of its own, which does what it is told line by line: ``python -m benchmarks.suite.worker NAME THREADS``.

Requests and replies are JSON, one a line. A process of its own gives a contender its own settings of the C library's allocator, its own
threads, and its own peak of memory; it may even be another interpreter, with other packages.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.suite import contenders
from benchmarks.suite.examples import ALL_PROGRAMS
from benchmarks.suite.programs import Arrays, error

WARM_CALLS = 2


def load(folder: Path) -> Arrays:
    """The arrays of a folder, by name, in the order they were saved in; copied, so that no page stays shared."""
    return {name: np.load(folder / f"{name}.npy") for name in json.loads((folder / "names.json").read_text())}


def save(folder: Path, arrays: Arrays) -> None:
    """Writes arrays for ``load``."""
    folder.mkdir()
    (folder / "names.json").write_text(json.dumps(list(arrays)))
    for name, value in arrays.items():
        np.save(folder / f"{name}.npy", value)


def memory(name: str) -> int:
    """A line of the process's status in bytes (``VmRSS``, ``VmHWM``); 0 where there is no such thing."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:")), 0)


def forget_peak() -> None:
    """Makes the peak of memory what is in use now."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return


def give_back_memory() -> None:
    """Collects garbage, and has the C library return what is free to the system."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


class Worker:
    """What a worker can be asked for: each method is a request, its arguments are the request's fields."""

    def __init__(self, contender: Any) -> None:
        self.contender = contender
        self.prepared: Any = None
        self.folder = Path()
        self.program = ALL_PROGRAMS["hash"]

    def prepare(self, program: str, folder: str) -> dict[str, Any]:
        """Makes a program ready: first call, check, a few more calls. Times, the error, and the peak of memory of the later calls."""
        self.program, self.folder = ALL_PROGRAMS[program], Path(folder)
        before = memory("VmRSS")
        prepared = self.contender.prepare(self.program, load(self.folder / "inputs"))
        if prepared is None:
            return {"skipped": True}
        self.prepared = prepared
        start = time.perf_counter()
        try:
            prepared.call()
        except contenders.RefusedError as refusal:
            return {"skipped": True, "refused": str(refusal)[:300]}
        first = time.perf_counter() - start
        wrong = error(self.program, prepared.results(), load(self.folder / "expected"))
        self._reset()
        give_back_memory()
        forget_peak()
        seconds = []
        for _ in range(WARM_CALLS):
            start = time.perf_counter()
            prepared.call()
            seconds.append(time.perf_counter() - start)
        return {"first": first, "error": wrong, "peak": max(0, memory("VmHWM") - before), "seconds": min(seconds)}

    def sample(self, calls: int) -> dict[str, Any]:
        """Seconds a call, over several that follow each other from the first state on: passed, and of processor time."""
        self._reset()
        call = self.prepared.call
        gc.collect()
        gc.disable()
        start, used = time.perf_counter(), time.process_time()
        for _ in range(calls):
            call()
        reply = {"wall": (time.perf_counter() - start) / calls, "cpu": (time.process_time() - used) / calls}
        gc.enable()
        return reply

    def drop(self) -> dict[str, Any]:
        """Lets go of the program."""
        self.prepared = None
        give_back_memory()
        return {}

    def stream(self, elements: int, repeats: int, clock: str) -> dict[str, Any]:
        """Bytes a second of STREAM's loops, the best of several; C only. Counts what the program moves, as STREAM does."""
        now = {"wall": time.perf_counter, "cpu": time.process_time}[clock]
        a, b, c = (np.full(elements + 8, value) for value in (1.0, 2.0, 0.0))
        a, b, c = (x[(-x.ctypes.data // 8) % 8 :][:elements] for x in (a, b, c))
        loops = {
            "copy": (self.contender.function("stream_copy", elements, a, c), 2),
            "triad": (self.contender.function("stream_triad", elements, a, b, c), 3),
            "triad_past_caches": (self.contender.function("stream_triad_past_caches", elements, a, b, c), 3),
        }
        rates = {}
        for name, (call, streams) in loops.items():
            seconds = []
            for _ in range(repeats):
                start = now()
                call()
                seconds.append(now() - start)
            rates[name] = streams * 8 * elements / min(seconds)
        return rates

    def _reset(self) -> None:
        if self.program.state:
            # Only the state is read again.
            self.prepared.reset({name: np.load(self.folder / "inputs" / f"{name}.npy") for name in self.program.state})


def main(name: str, threads: int) -> None:
    # Replies have the standard output to themselves: compilers print.
    replies = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    try:
        worker = Worker(contenders.make(name, threads))
    except contenders.MissingError as missing:
        print(json.dumps({"missing": str(missing)}), file=replies)
        return
    hello = {"compile_seconds": getattr(worker.contender, "compile_seconds", None)}
    print(json.dumps(hello), file=replies)
    for line in sys.stdin:
        request = json.loads(line)
        try:
            reply = getattr(worker, request.pop("do"))(**request)
        except Exception as failure:  # a peer's failure is a line in the report, not the end of the run
            worker.prepared = None
            reply = {"failed": f"{type(failure).__name__}: {failure}".splitlines()[0][:300]}
        print(json.dumps(reply), file=replies)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))

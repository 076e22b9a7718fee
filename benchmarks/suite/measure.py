"""Measures programs: the contenders take turns, so that what disturbs the machine disturbs all of them alike."""

from __future__ import annotations

import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.suite.examples import ALL_PROGRAMS
from benchmarks.suite.programs import Program, expected
from benchmarks.suite.worker import save

ROOT = Path(__file__).parents[2]
PEERS = ("numpy", "numexpr", "numba", "jax", "torch")
TUNED = "+malloc"
"""Marks a peer whose C library keeps its memory, and asks for huge pages."""

_KEEP_MEMORY = {
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_MMAP_THRESHOLD_": str(1 << 40),
    "MALLOC_TRIM_THRESHOLD_": str(1 << 40),
    "MALLOC_TOP_PAD_": str(1 << 26),
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",
}
_MOST_STATE_CALLS = 20
"""Programs that change their state are called no more often before it is made anew: the numbers would grow without bound."""

_FEWEST_SAMPLES = 3

_STREAM_ELEMENTS = 1 << 22
"""At least so many: less may fit a cache, and is not what STREAM measures."""


@dataclass
class Settings:
    """What is measured, and how long."""

    programs: Sequence[str]
    sizes: Sequence[int]
    threads: Sequence[int]
    contenders: Sequence[str]
    rounds: int = 9
    sample_seconds: float = 0.01
    budget: float = 3.0
    clock: str = "wall"
    check_only: bool = False
    peer_python: str = sys.executable
    say: Callable[[str], None] = field(default=lambda text: print(text, file=sys.stderr, flush=True))


class Process:
    """A worker process. ``ask`` raises EOFError if it dies."""

    def __init__(self, name: str, threads: int, python: str) -> None:
        base = name.removesuffix(TUNED)
        environment = {**os.environ, "GOMP_SPINCOUNT": "30000", "JAX_PLATFORMS": "cpu"}
        environment["NUMBA_NUM_THREADS"] = str(max(threads, os.cpu_count() or 1))
        environment |= {"NUMEXPR_MAX_THREADS": "64", "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"}
        environment |= {"OPENBLAS_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)}
        environment["FUSEIR_CACHE"] = "0"  # compiling is measured
        if name.endswith(TUNED):
            environment |= _KEEP_MEMORY
        self._process = subprocess.Popen(
            [python, "-m", "benchmarks.suite.worker", base, str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL if base in PEERS else None,
            text=True,
            cwd=ROOT,
            env=environment,
        )
        try:
            self.hello = self._reply()
        except EOFError:
            self.close()
            raise

    def ask(self, do: str, **arguments: Any) -> dict[str, Any]:
        """Sends a request and waits for its reply."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps({"do": do, **arguments}) + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise EOFError from None
        return self._reply()

    def _reply(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise EOFError
        return json.loads(line)

    def close(self) -> None:
        """Ends the process."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.stdout.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def measure(settings: Settings) -> dict[str, Any]:
    """Everything asked for, ready to be written as JSON."""
    document: dict[str, Any] = {"machine": machine(), "clock": settings.clock, "load_before": os.getloadavg()[0]}
    document |= {"stream": {}, "results": [], "refused": {}}
    for threads in settings.threads:
        with ExitStack() as stack:
            processes = _start(settings, threads, stack)
            document.setdefault("contenders", sorted(processes))
            if "c" in processes and not settings.check_only:
                elements = max(*settings.sizes, _STREAM_ELEMENTS) // 8 * 8
                document["stream"][str(threads)] = processes["c"].ask(
                    "stream", elements=elements, repeats=20, clock=settings.clock
                )
                document["c_compile_seconds"] = processes["c"].hello["compile_seconds"]
            for size in settings.sizes:
                for name in settings.programs:
                    found = _measure_one(ALL_PROGRAMS[name], size, processes, settings, document["refused"])
                    document["results"].append({"program": name, "size": size, "threads": threads, "contenders": found})
                    settings.say(_progress(name, size, threads, found))
    document["load_after"] = os.getloadavg()[0]
    return document


def _start(settings: Settings, threads: int, stack: ExitStack) -> dict[str, Process]:
    processes: dict[str, Process] = {}
    missing: set[str] = set()
    for name in settings.contenders:
        if (base := name.removesuffix(TUNED)) in missing:
            continue
        try:
            process = Process(name, threads, settings.peer_python if base in PEERS else sys.executable)
        except EOFError:
            settings.say(f"{name}: its process did not start; it does not take part")
            missing.add(base)
            continue
        stack.callback(process.close)
        if "missing" in process.hello:
            settings.say(f"{base}: {process.hello['missing']}; it does not take part")
            missing.add(base)
        else:
            processes[name] = process
    return processes


@contextmanager
def _shared_folder() -> Iterator[Path]:
    """A folder in memory where there is one."""
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(prefix="fuseir-bench-", dir=memory if os.access(memory, os.W_OK) else None))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def _measure_one(
    program: Program, size: int, processes: dict[str, Process], settings: Settings, refused: dict[str, str]
) -> dict[str, dict[str, Any]]:
    """One program at one size: what each contender said, its samples in ``samples``. Adds the reasons of those that cannot run it."""
    found: dict[str, dict[str, Any]] = {}
    with _shared_folder() as folder:
        inputs = program.inputs(size, np.random.default_rng(7))
        save(folder / "inputs", inputs)
        save(folder / "expected", expected(program, inputs))
        del inputs
        for name in list(processes):
            reply = _asked(processes, name, "prepare", program=program.name, folder=str(folder))
            if "refused" in reply:
                refused[f"{name}, {program.name}"] = reply["refused"]
            if not reply.get("skipped"):
                found[name] = reply
                reply["right"] = "failed" not in reply and reply["error"] <= program.tolerance
            if "failed" in reply:
                _asked(processes, name, "drop")
        if not settings.check_only:
            _take_samples(program, found, processes, settings)
        for name in list(processes):
            _asked(processes, name, "drop")
    for reply in found.values():
        if reply.get("samples"):
            reply["median"], reply["best"] = statistics.median(reply["samples"]), min(reply["samples"])
            reply["compile"] = max(0.0, reply["first"] - reply["median"])
    return found


def _take_samples(
    program: Program, found: dict[str, dict[str, Any]], processes: dict[str, Process], settings: Settings
) -> None:
    spent: dict[str, float] = {}
    for number in range(settings.rounds):
        for name, reply in found.items():
            if "failed" in reply or (spent.get(name, 0.0) > settings.budget and number >= _FEWEST_SAMPLES):
                continue
            calls = max(1, min(1000, int(settings.sample_seconds / max(reply["seconds"], 1e-7))))
            if program.state:
                calls = min(calls, _MOST_STATE_CALLS)
            start = time.perf_counter()
            sample = _asked(processes, name, "sample", calls=calls)
            spent[name] = spent.get(name, 0.0) + time.perf_counter() - start
            if "failed" in sample:
                reply["failed"] = sample["failed"]
            else:
                reply.setdefault("samples", []).append(sample[settings.clock])


def _asked(processes: dict[str, Process], name: str, do: str, **arguments: Any) -> dict[str, Any]:
    """The reply; a process that died takes part no more."""
    if name not in processes:
        return {"failed": "its process ended"}
    try:
        return processes[name].ask(do, **arguments)
    except EOFError:
        del processes[name]
        return {"failed": "its process ended"}


def _progress(name: str, size: int, threads: int, found: dict[str, dict[str, Any]]) -> str:
    def one(contender: str, reply: dict[str, Any]) -> str:
        if "failed" in reply:
            return f"{contender} FAILED ({reply['failed']})"
        if not reply["right"]:
            return f"{contender} WRONG (error {reply['error']:.2g})"
        return f"{contender} {reply['median'] * 1e3:.3f}" if "median" in reply else f"{contender} right"

    return f"{name} {size} on {threads}: " + ", ".join(one(*item) for item in found.items())


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = [line for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
        model = lines[0].split(":", 1)[1].strip() if lines else model
    return {
        "processor": model,
        "processors": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "date": time.strftime("%Y-%m-%d %H:%M"),
    }

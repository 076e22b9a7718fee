"""FuseIR on a GPU beside CuPy (eager and ``cupy.fuse``), JAX and torch.compile: ``make bench-gpu``, or ``python -m benchmarks.gpu``.

Each contender runs in a process of its own, on the programs of ``benchmarks/suite``, whose results are compared with NumPy's first. A
time is that of a call when calls follow each other, with one wait for the device at the end: the best of several rounds. Asked for is that

- programs that move memory go at 90 % of the bandwidth of a copy from device to device, or more;
- Black-Scholes is ten times as fast as CuPy, or more;
- no program is slower than the best of the peers;
- a replayed trace of 100 small kernels takes the host 15 µs, or less.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.suite.contenders import (
    ArrayContender,
    FuseirContender,
    JaxContender,
    MissingError,
    RefusedError,
    TorchContender,
)
from benchmarks.suite.examples import ALL_PROGRAMS
from benchmarks.suite.programs import Arrays, NumpyOps, Program, error, expected

CONTENDERS = ("fuseir", "cupy", "cupy.fuse", "jax", "torch")
SIZES = (10_000, 1_000_000, 16_000_000, 256_000_000)
CHECKED = 10_000
KERNELS = 100
"""Launches of the replayed trace."""
_ROUNDS, _SECONDS = 7, 0.2
_MOST_CALLS = 20
"""Calls on one state: its numbers grow."""

Measured = dict[str, Any]


class FuseirOnGpu(FuseirContender):
    """FuseIR with ``target="cuda"``."""

    options = {"target": "cuda"}  # noqa: RUF012 (read only)


class CupyContender(ArrayContender):
    """CuPy as it is; ``cupy`` is the module."""

    def __init__(self, cupy: Any) -> None:
        super().__init__(1)
        self._cupy = cupy

        class Ops(NumpyOps):
            exp, log, sqrt, absolute, where, sum, max = map(
                staticmethod, (cupy.exp, cupy.log, cupy.sqrt, cupy.absolute, cupy.where, cupy.sum, cupy.max)
            )
            package = cupy.__name__

            @staticmethod
            def value(x: Any) -> Any:
                return x

        self.ops = Ops

    def array(self, value: np.ndarray[Any, Any]) -> Any:
        return self._cupy.array(value)

    def to_numpy(self, value: Any) -> Any:
        return value.get() if hasattr(value, "get") else np.asarray(value)


class FusedCupyContender(CupyContender):
    """``cupy.fuse``, which takes functions that work element by element, with at most one reduction."""

    def compiled(self, program: Program) -> Callable[[Arrays], Arrays]:
        names: list[str] = []
        results: list[str] = []

        def function(*arrays: Any) -> Any:
            found = program.run(self.ops, dict(zip(names, arrays, strict=True)))
            results[:] = found
            return tuple(found.values())

        fused = self._cupy.fuse(function)

        def run(arguments: Arrays) -> Arrays:
            names[:] = arguments
            try:
                return dict(zip(results or [*expected_names(program)], fused(*arguments.values()), strict=False))
            except Exception as reason:
                raise RefusedError(f"cupy.fuse: {type(reason).__name__}") from reason

        return run


def expected_names(program: Program) -> list[str]:
    """The names of a program's results."""
    return [*expected(program, program.inputs(64, np.random.default_rng(0)))]


class JaxOnGpu(JaxContender):
    """JAX on the GPU."""

    def __init__(self, threads: int) -> None:
        super().__init__(threads)
        self._jax.config.update("jax_platforms", "cuda")


class TorchOnGpu(TorchContender):
    """torch.compile on the GPU."""

    def array(self, value: np.ndarray[Any, Any]) -> Any:
        return super().array(value).cuda()

    def to_numpy(self, value: Any) -> Any:
        return value.cpu().numpy() if hasattr(value, "cpu") else np.asarray(value)

    def prepare(self, program: Program, inputs: Arrays) -> Any:
        return None if program.example else super().prepare(program, inputs)


def contender(name: str) -> Any:
    """A contender by its name. Raises MissingError."""
    if name == "fuseir":
        return FuseirOnGpu(os.cpu_count() or 1)
    if name.startswith("cupy"):
        try:
            import cupy
        except ImportError as reason:
            raise MissingError("CuPy is not installed") from reason
        return (FusedCupyContender if name == "cupy.fuse" else CupyContender)(cupy)
    return (JaxOnGpu if name == "jax" else TorchOnGpu)(os.cpu_count() or 1)


def measure(
    made: Any,
    programs: Iterable[str],
    sizes: Sequence[int],
    wait: Callable[[], None],
    rounds: int = _ROUNDS,
    seconds: float = _SECONDS,
    checked: int = CHECKED,
) -> Measured:
    """Seconds of a call by program and size, or why there are none. ``wait`` returns when the device has done all."""
    found: Measured = {}
    for name in programs:
        program, times = ALL_PROGRAMS[name], {}
        try:
            worst = _error(made, program, checked)
            if worst > program.tolerance:
                found[name] = f"wrong by {worst:.2g}"
                continue
            for size in sizes:
                times[str(size)] = _seconds(made, program, size, wait, rounds, seconds)
            found[name] = times
        except RefusedError as reason:
            found[name] = str(reason)
        except NotImplementedError:
            found[name] = "no good way to say it"
        except MemoryError:
            found[name] = times  # what fits
    return found


def _prepared(made: Any, program: Program, inputs: Arrays) -> Any:
    prepared = made.prepare(program, inputs)
    if prepared is None:
        raise NotImplementedError
    return prepared


def _error(made: Any, program: Program, size: int) -> float:
    inputs = program.inputs(size, np.random.default_rng(1))
    wanted = expected(program, inputs)
    prepared = _prepared(made, program, {name: np.array(value) for name, value in inputs.items()})
    prepared.call()
    return error(program, prepared.results(), wanted)


def _seconds(made: Any, program: Program, size: int, wait: Callable[[], None], rounds: int, seconds: float) -> float:
    inputs = program.inputs(size, np.random.default_rng(2))
    prepared = _prepared(made, program, {name: np.array(value) for name, value in inputs.items()})
    for _ in range(3):  # a plan's first run launches kernel by kernel, its second makes the graph
        prepared.call()
    wait()
    best, calls = float("inf"), 1
    for _ in range(rounds):
        prepared.reset({name: np.array(inputs[name]) for name in program.state})
        prepared.call()
        wait()
        start = time.perf_counter()
        for _ in range(calls):
            prepared.call()
        wait()
        spent = time.perf_counter() - start
        best = min(best, spent / calls)
        calls = min(max(int(seconds / rounds / best), 1), _MOST_CALLS)
    return best


def host_microseconds(session: Any, wait: Callable[[], None], turns: int = 50) -> float:
    """What the host takes for a replayed plan of ``KERNELS`` small kernels: from the plan's buffers to the launch of its graph."""
    import fuseir
    from fuseir.runtime.executors.cuda import batches

    task = fuseir.task("task add_to(x: read, y: read_write) { y = x + y }")
    x = session.from_numpy(np.ones(1000))
    ys = [session.from_numpy(np.ones(1000)) for _ in range(KERNELS)]
    spent: list[float] = []
    whole = batches.CudaBatch.run

    def timed(*arguments: Any) -> Any:
        start = time.perf_counter()
        outcome = whole(*arguments)
        spent.append(time.perf_counter() - start)
        return outcome

    batches.CudaBatch.run = timed
    try:
        for _ in range(turns):
            with session.trace():
                for y in ys:
                    session.launch(task, x, y)
                    session.fence()
            wait()
    finally:
        batches.CudaBatch.run = whole
    if len(spent) != turns:
        raise AssertionError(f"{len(spent)} calls for {turns} replays")
    return min(spent) * 1e6


def copy_bandwidth(cupy: Any, size: int, rounds: int = 20) -> float:
    """Bytes a second that a copy from device to device reads and writes."""
    source, target = cupy.ones(size), cupy.empty(size)
    best = float("inf")
    for _ in range(rounds):
        begin, end = cupy.cuda.Event(), cupy.cuda.Event()
        begin.record()
        cupy.cuda.runtime.memcpyAsync(target.data.ptr, source.data.ptr, source.nbytes, 3, 0)
        end.record()
        end.synchronize()
        best = min(best, cupy.cuda.get_elapsed_time(begin, end) / 1e3)
    return 2 * source.nbytes / best


def report(measured: Measured, sizes: Sequence[int]) -> str:
    """What was measured as text, and what of it is held to something."""
    lines = [
        f"{measured['device']}, {measured['date']}; milliseconds a call, ratio: the best peer's time by FuseIR's",
        "",
    ]
    runs: Measured = measured["runs"]
    copies: dict[str, float] = measured["copy"]
    lines += [f"copy of {size} numbers: {copies[str(size)] / 1e9:.0f} GB/s" for size in sizes if str(size) in copies]
    lines += [f"replayed trace of {KERNELS} kernels: {measured['host']:.1f} µs of the host's time (at most 15)", ""]
    lines.append(
        f"{'program':20} {'elements':>10} " + " ".join(f"{name:>10}" for name in CONTENDERS) + "   ratio  of copy"
    )
    missed: list[str] = [] if measured["host"] <= 15 else [f"a replay takes the host {measured['host']:.1f} µs"]
    for name, program in ALL_PROGRAMS.items():
        for size in sizes:
            times = {each: _time(runs.get(each, {}), name, size) for each in CONTENDERS}
            own = times["fuseir"]
            if own is None:
                continue
            peers = [value for each, value in times.items() if each != "fuseir" and value is not None]
            ratio = min(peers) / own if peers else float("nan")
            copy = copies.get(str(size), float("nan"))
            share = 8 * size * program.streams * program.steps / own / copy if program.streams else float("nan")
            cells = " ".join(f"{'-' if value is None else f'{1e3 * value:.4g}':>10}" for value in times.values())
            lines.append(f"{name:20} {size:10} {cells} {ratio:7.2f} {share:8.2f}")
            if peers and ratio < 1:
                missed.append(f"{name} at {size}: {1 / ratio:.2f} times the best peer's time")
            if size >= 16_000_000 and share < 0.9:
                missed.append(f"{name} at {size}: {share:.2f} of a copy's bandwidth")
            eager = times["cupy"]
            if name == "black_scholes" and size >= 1_000_000 and eager is not None and eager / own < 10:
                missed.append(f"black_scholes at {size}: {eager / own:.1f} times as fast as CuPy")
    for each, found in runs.items():
        if isinstance(found, str):
            lines.append(f"{each}: {found}")
        else:
            lines += [f"{each}, {name}: {why}" for name, why in found.items() if isinstance(why, str)]
    return "\n".join([*lines, "", *(missed or ["all that is asked for holds"])])


def _time(runs: Any, name: str, size: int) -> float | None:
    times = runs.get(name) if isinstance(runs, dict) else None
    return times.get(str(size)) if isinstance(times, dict) else None


def _worker(name: str, programs: Sequence[str], sizes: Sequence[int]) -> Measured:
    """What the process of one contender measures."""
    made = contender(name)
    if name == "jax":
        return measure(made, programs, sizes, lambda: None)  # `finish` waits
    if name == "torch":
        import torch

        return measure(made, programs, sizes, torch.cuda.synchronize)
    import cupy

    wait = cupy.cuda.runtime.deviceSynchronize
    found: Measured = {"runs": measure(made, programs, sizes, wait)}
    if name == "fuseir":
        import fuseir

        found["host"] = host_microseconds(fuseir.Session(target="cuda"), wait)
        found["copy"] = {str(size): copy_bandwidth(cupy, size) for size in sizes}
        found["device"] = cupy.cuda.runtime.getDeviceProperties(0)["name"].decode()
    return found


def main() -> int:
    """0 unless FuseIR itself could not be measured."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--contenders", default=",".join(CONTENDERS))
    parser.add_argument("--programs", default=",".join(ALL_PROGRAMS))
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)))
    parser.add_argument("--write", type=Path, help="folder for a dated file with the report")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    options = parser.parse_args()
    programs, sizes = options.programs.split(","), [int(size) for size in options.sizes.split(",")]
    if options.worker:
        try:
            print(json.dumps(_worker(options.worker, programs, sizes)))
        except MissingError as reason:
            print(json.dumps(str(reason)))
        return 0
    measured: Measured = {"runs": {}, "date": dt.date.today().isoformat()}
    for name in options.contenders.split(","):
        command = [sys.executable, "-m", "benchmarks.gpu", "--worker", name, "--programs", options.programs]
        environment = {**os.environ, "XLA_PYTHON_CLIENT_PREALLOCATE": "false"}
        done = subprocess.run(
            [*command, "--sizes", options.sizes], capture_output=True, text=True, check=False, env=environment
        )
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["it died"])[-1]
            if name == "fuseir":
                print(last, file=sys.stderr)
                return 1
            measured["runs"][name] = last
            continue
        found = json.loads(done.stdout.splitlines()[-1])
        if isinstance(found, dict) and "runs" in found:
            measured |= {key: value for key, value in found.items() if key != "runs"}
            found = found["runs"]
        measured["runs"][name] = found
    text = report(measured, sizes)
    print(text)
    if options.write:
        device = measured["device"].lower().replace(" ", "-")
        (options.write / f"{measured['date']}-gpu-{device}.txt").write_text(text + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Emitted CUDA kernels on the host: compiled by g++ with sanitizers against ``emulation.h``, run in a process of their own."""

from __future__ import annotations

import struct
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from fuseir.codegen.abi import pack_scalar
from fuseir.codegen.cuda.kernels import Buffer, CudaModule, KernelPlan, Kind, Pointer, Scalar, Slot, Space, Tile
from fuseir.codegen.cuda.launches import Device, LaunchPlan, TileAt, plan_launches

HERE = Path(__file__).parent

FLAGS = [
    *("-std=c++17", "-O0", "-g0", "-ffp-contract=off", "-fno-builtin", "-Wall", "-Wextra", "-Werror"),
    *("-Wno-unknown-pragmas", "-Wno-unused-function", "-Wno-unused-parameter", "-Wno-unused-variable"),
    *("-Wno-clobbered", "-Wno-bool-operation", "-Wno-tautological-compare"),
    *("-fsanitize=address,undefined", "-fno-sanitize-recover=all"),
]

TOGETHER = (Kind.ROWS, Kind.COLUMNS, Kind.FINISH)
"""Kernels whose threads wait for each other."""

SMALL = Device(
    warps=8, map_threads=16, row_warps=2, finish_warps=2, columns=4, block_row=1500, chunk=1024
)  # so that a few thousand elements cross every boundary of blocks and grids


@dataclass
class Job:
    """A kernel's plan with arrays for its tiles, in order, and scalars. ``order`` is that of the threads of a block."""

    plan: KernelPlan
    arrays: list[np.ndarray]
    scalars: list[tuple[str, float]] = field(default_factory=list)
    device: Device = SMALL
    order: int = 0


def build(module: CudaModule, folder: Path) -> Path:
    """Compile a module's kernels into a program; raises with the compiler's words if they do not compile."""
    lines = ['#include "emulation.h"', "#include <utility>", module.text, '#include "emulation_main.h"']
    rows: list[str] = []
    for number, (symbol, together) in enumerate(entries(module)):
        lines.append(f"static void run_{number}(void **arguments) {{ call({symbol}, arguments); }}")
        rows.append(f"{{run_{number}, {str(together).lower()}}}")
    lines.append("static const Entry entries[] = {" + ", ".join(rows) + "};")
    lines.append("int main(int, char **arguments) { return run_jobs(entries, arguments[1], arguments[2]); }")
    source, program = folder / "kernels.cpp", folder / "kernels"
    source.write_text("\n".join(lines))
    command = ["g++", *FLAGS, f"-I{HERE}", str(source), "-o", str(program)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise AssertionError(f"g++ does not take the kernels:\n{done.stderr[:4000]}")
    return program


def entries(module: CudaModule) -> list[tuple[str, bool]]:
    """The symbol of each version of each kernel, and whether its threads wait for each other."""
    found: dict[str, bool] = {}
    for plan in module.plans:
        for kernel in plan.kernels:
            for symbol in kernel.symbols:
                found[symbol] = kernel.kind in TOGETHER
    return list(found.items())


def run(module: CudaModule, program: Path, jobs: Sequence[Job]) -> list[LaunchPlan]:
    """Run jobs; their arrays have the results afterwards. The launches of each."""
    numbers = {symbol: number for number, (symbol, _) in enumerate(entries(module))}
    data, plans = [_words(len(jobs))], list[LaunchPlan]()
    for job in jobs:
        text, launches = _job_bytes(job, numbers)
        data.append(text)
        plans.append(launches)
    files = program.parent / "jobs", program.parent / "results"
    files[0].write_bytes(b"".join(data))
    environment = {"ASAN_OPTIONS": "detect_stack_use_after_return=0:detect_leaks=0:abort_on_error=0"}
    done = subprocess.run(
        [str(program), *map(str, files)], capture_output=True, text=True, check=False, env=environment
    )
    if done.returncode:
        raise AssertionError(f"emulated kernels: exit code {done.returncode}\n{done.stderr[:6000]}")
    results = memoryview(files[1].read_bytes())
    position = 0
    for job, plan in zip(jobs, plans, strict=True):
        for array in job.arrays:
            low, size = _span(array)
            base = np.frombuffer(results[position : position + size], np.uint8)
            np.copyto(array, np.ndarray(array.shape, array.dtype, base, -low, array.strides))
            position += size
        position += sum(plan.scratch) + sum(plan.buffers) + sum(plan.slots)
    assert position == len(results)
    return plans


def _job_bytes(job: Job, numbers: dict[str, int]) -> tuple[bytes, LaunchPlan]:
    """A job as the program reads it."""
    tiles: list[TileAt] = []
    memory: list[bytes] = []
    offsets: list[int] = []
    for array in job.arrays:
        low, size = _span(array)
        # malloc's addresses are multiples of 16; what is more shifted than that is the array's own doing.
        before = (array.__array_interface__["data"][0] + low) % 16 if size else 0
        strides = tuple(stride // array.itemsize for stride in array.strides)
        assert all(stride % array.itemsize == 0 for stride in array.strides)
        tiles.append(TileAt(before - low, array.shape, strides))
        offsets.append(before - low)
        memory.append(_words(before, size) + _bytes_of(array, low, size))
    plan = plan_launches(job.plan, tiles, job.device)
    garbage = [*plan.scratch, *plan.buffers, *plan.slots]
    memory += [_words(0, size) + b"\xa5" * size for size in garbage]
    first = {
        Tile: len(tiles),
        Buffer: len(tiles) + len(plan.scratch),
        Slot: len(tiles) + len(plan.scratch) + len(plan.buffers),
    }
    data = [_words(job.order, len(memory)), *memory, _words(len(plan.launches))]
    for launch in plan.launches:
        data.append(_words(numbers[launch.symbol], *launch.grid, *launch.block, len(launch.arguments)))
        for argument in launch.arguments:
            match argument:
                case Pointer(Tile(Space.ARGUMENT, number)):
                    data.append(_words(0, number, offsets[number]))
                case Pointer(place):
                    data.append(_words(0, first[type(place)] + place.number, 0))
                case Scalar(number):
                    data.append(_words(1) + pack_scalar(*job.scalars[number]) + _words(0))
                case _:
                    data.append(_words(1, argument, 0))
    return b"".join(data), plan


def _span(array: np.ndarray) -> tuple[int, int]:
    """The bytes of an array's elements: where they begin, from the first element, and how many they are."""
    if array.size == 0:
        return 0, 0
    reaches = [(n - 1) * s for n, s in zip(array.shape, array.strides, strict=True)]
    low = sum(min(reach, 0) for reach in reaches)
    return low, sum(max(reach, 0) for reach in reaches) - low + array.itemsize


def _bytes_of(array: np.ndarray, low: int, size: int) -> bytes:
    if not size:
        return b""
    address = array.__array_interface__["data"][0] + low
    import ctypes

    return ctypes.string_at(address, size)


def _words(*numbers: int) -> bytes:
    return struct.pack(f"<{len(numbers)}q", *numbers)

"""A GPU on the host, for the CUDA executor: kernels compiled by g++ against ``emulation.h``, a driver of C++ under CUDA's names.

All above it is what runs on a GPU: emitted kernels, launch plans, programs, graphs, and the driver's functions by ctypes.
"""

from __future__ import annotations

import ctypes
import hashlib
import platform
import re
import shutil
import subprocess
import tempfile
import weakref
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from host_emulation import FLAGS, SMALL

from fuseir.codegen.cuda.compilation import Cubin, Loaded
from fuseir.codegen.cuda.launches import Device as Processor
from fuseir.codegen.cuda.resources import Resources
from fuseir.dialects.dist.partition import Shape
from fuseir.errors import CompileError
from fuseir.runtime.arrays import Array
from fuseir.runtime.device_arrays import DeviceArray
from fuseir.runtime.executors.cuda.device import OUT_OF_MEMORY, Device
from fuseir.runtime.executors.cuda.driver import CudaError, Driver

HERE = Path(__file__).parent

AVAILABLE = shutil.which("g++") is not None and platform.machine() == "x86_64"

_LIBRARY_FLAGS = [flag for flag in FLAGS if "sanitize" not in flag] + ["-shared", "-fPIC"]

_ENTRY = re.compile(r'extern "C" __global__ void __launch_bounds__\(\d+\) (\w+)\(')

CALLS = (
    "launch",
    "create",
    "add",
    "instantiate",
    "set",
    "launch_graph",
    "destroy",
    "destroy_executable",
    "fill",
    "kernels",
)
"""What the emulated driver counts."""

_ZONE = 256
"""Bytes around memory that nobody may write to."""
_FRESH, _GUARD = 0xA5, 0x5A


class EmulatedCompiler:
    """g++ in place of NVRTC. ``spills`` is what it says that kernels spill."""

    def __init__(self) -> None:
        self.compiled = 0
        self.spills = 0
        self.version = "1"

    @property
    def environment(self) -> Mapping[str, str]:
        return {"emulation": self.version}

    def compile(self, texts: Sequence[str]) -> list[Cubin]:
        self.compiled += len(texts)
        missing = [text for text in dict.fromkeys(texts) if text not in _compiled]
        if missing:
            _compiled.update(dict.fromkeys(missing, _library_of(missing)))
        return [
            Cubin(_compiled[text], {symbol: Resources(32, 0, self.spills, 0) for symbol in _ENTRY.findall(text)})
            for text in texts
        ]


_compiled: dict[str, bytes] = {}
"""By source, as g++ takes its time: the library that has its kernels, among others."""


def _library_of(texts: Sequence[str]) -> bytes:
    """The sources as one library, with an ``EmulatedFunction`` for each entry point."""
    lines = ['#include "emulation.h"', '#include "emulated_driver.h"', "#include <utility>", _CALL]
    for number, text in enumerate(texts):
        lines += [f"namespace kernels_{number} {{", text.replace('extern "C" __global__', "static"), "}"]
    table: dict[str, str] = {}
    for number, text in enumerate(texts):
        for symbol in _ENTRY.findall(text):
            together = "false" if symbol.startswith(("fz_map", "fz_single")) else "true"
            made = f'made<&kernels_{number}::{symbol}, {together}>("{symbol}")'
            table[symbol] = f"EmulatedFunction emulated_{symbol} = {made};"
    return _built("\n".join([*lines, 'extern "C" {', *table.values(), "}"]))


_CALL = """
template <auto kernel, typename... Parameters, size_t... Numbers>
inline void call(void (*)(Parameters...), void **arguments, std::index_sequence<Numbers...>)
{
    kernel(*reinterpret_cast<Parameters *>(arguments[Numbers])...);
}

template <typename... Parameters>
constexpr unsigned sizes_of[sizeof...(Parameters) + 1] = {sizeof(Parameters)..., 0};

template <auto kernel, bool together, typename... Parameters>
EmulatedFunction made(void (*)(Parameters...), const char *name)
{
    const auto run = [](void **arguments, const unsigned *grid, const unsigned *block) {
        const auto one = [](void **its) { call<kernel>(kernel, its, std::index_sequence_for<Parameters...>()); };
        emulation::launch(one, arguments, grid, block, together);
    };
    return {run, sizeof...(Parameters), sizes_of<Parameters...>, name};
}

template <auto kernel, bool together>
EmulatedFunction made(const char *name) { return made<kernel, together>(kernel, name); }
"""


@cache
def _driver_code() -> bytes:
    return _built((HERE / "emulated_driver.cpp").read_text())


def _built(text: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        source, library = Path(folder) / "source.cpp", Path(folder) / "library.so"
        source.write_text(text)
        command = ["g++", *_LIBRARY_FLAGS, f"-I{HERE}", str(source), "-o", str(library)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise CompileError(f"g++ does not take a kernel: {done.stderr[:4000]}")
        return library.read_bytes()


def driver_library() -> ctypes.CDLL:
    """A driver with nothing done yet."""
    return _loaded(_driver_code())


def loaded_library(code: bytes) -> ctypes.CDLL:
    """The library that a compiler made; loaded once."""
    digest = hashlib.sha256(code).hexdigest()
    library = _libraries.get(digest)
    if library is None:
        library = _libraries[digest] = _loaded(code)
    return library


def _loaded(code: bytes) -> ctypes.CDLL:
    with tempfile.NamedTemporaryFile(suffix=".so") as file:
        file.write(code)
        file.flush()
        return ctypes.CDLL(file.name)


class _Memory:
    """Memory with zones around it; whoever wrote there is told of when it goes."""

    def __init__(self, device: EmulatedDevice, size: int) -> None:
        self._bytes = np.full(size + 3 * _ZONE, _GUARD, np.uint8)
        start = self._bytes.ctypes.data
        self.address = -(-(start + _ZONE) // _ZONE) * _ZONE
        low = self.address - start
        self._bytes[low : low + size] = _FRESH
        device.live += size
        weakref.finalize(self, _freed, device, self._bytes, low, size)


def _freed(device: EmulatedDevice, memory: Array, low: int, size: int) -> None:
    device.live -= size
    if not (np.all(memory[:low] == _GUARD) and np.all(memory[low + size :] == _GUARD)):
        device.overruns.append(f"outside of {size} bytes")


class EmulatedDevice(Device):
    """A GPU on the host. ``limit`` is what it has of memory; ``fails`` has the numbers of allocations that fail."""

    def __init__(self, processor: Processor = SMALL, limit: int = 1 << 40) -> None:
        self._library = driver_library()
        super().__init__("the emulated GPU", Driver(self._library), EmulatedCompiler(), processor)
        self._library.emulated_counts.restype = ctypes.POINTER(ctypes.c_uint64)
        self._library.emulated_fail.argtypes = [ctypes.c_int, ctypes.c_uint64, ctypes.c_int]
        self.limit = limit
        self.live = 0
        self.allocations = 0
        self.fails: set[int] = set()
        self.given_back = 0
        self.copies = dict.fromkeys(("in", "out", "on"), 0)
        self.overruns: list[str] = []
        self.elsewhere: set[int] = set()
        self.waited: list[int] = []
        self._lost = 0

    @property
    def counts(self) -> dict[str, int]:
        """What the driver did so far."""
        found = self._library.emulated_counts()
        return {name: found[number] for number, name in enumerate(CALLS)}

    def fail_call(self, name: str, after: int, code: int) -> None:
        """Makes a call of the driver fail: the next one for ``after=1``."""
        self._library.emulated_fail(CALLS.index(name), after, code)

    def lose(self, code: int = 700) -> None:
        """Makes everything fail from now on, as after an illegal access."""
        self._lost = code
        self._library.emulated_lose(code)

    def _check(self, what: str) -> None:
        if self._lost:
            raise CudaError(self._lost, "CUDA_ERROR_ILLEGAL_ADDRESS", what)

    def _activate(self) -> None:
        pass

    def _allocated(self, size: int) -> tuple[int, object]:
        self._check("an allocation")
        self.allocations += 1
        if self.allocations in self.fails or self.live + size > self.limit:
            raise CudaError(OUT_OF_MEMORY, "CUDA_ERROR_OUT_OF_MEMORY", "an allocation")
        memory = _Memory(self, size)
        return memory.address, memory

    def _give_back(self) -> None:
        self.given_back += 1

    def _available(self) -> int:
        return self.limit - self.live

    def _copy_in(self, address: int, source: Array) -> None:
        self._check("a copy")
        self.copies["in"] += 1
        ctypes.memmove(address, source.ctypes.data, source.nbytes)

    def _copy_out(self, target: Array, address: int) -> None:
        self._check("a copy")
        self.copies["out"] += 1
        ctypes.memmove(target.ctypes.data, address, target.nbytes)

    def _copy(self, to: int, source: int, size: int) -> None:
        self._check("a copy")
        self.copies["on"] += 1
        ctypes.memmove(to, source, size)

    def _has(self, address: int) -> bool:
        return address not in self.elsewhere

    def _wait(self, stream: int) -> None:
        self.waited.append(stream)

    def _load(self, code: bytes, symbols: Sequence[str]) -> tuple[Loaded, object]:
        self._check("a module")
        try:
            library = loaded_library(code)
        except OSError:
            raise CudaError(200, "CUDA_ERROR_INVALID_IMAGE", "a module") from None
        return {s: ctypes.addressof(ctypes.c_char.in_dll(library, f"emulated_{s}")) for s in symbols}, library

    def library_stream(self) -> AbstractContextManager[Any]:
        return nullcontext()

    def from_dlpack(self, source: Any) -> Any:
        return source.as_cuda()

    def library_array(self, array: DeviceArray, offset: int, shape: Shape, strides: Sequence[int]) -> Any:
        """NumPy's: what CuPy's arrays are on a GPU."""
        memory = (ctypes.c_char * max(array.nbytes, 1)).from_address(array.address or ctypes.addressof(_nothing))
        memory.keeper = array
        return np.ndarray(shape, array.dtype, memory, offset if array.nbytes else 0, strides)


_libraries: dict[str, ctypes.CDLL] = {}
_nothing = ctypes.c_char()

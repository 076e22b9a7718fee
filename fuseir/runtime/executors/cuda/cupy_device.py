"""A GPU by way of CuPy: memory from its pool, code loaded by its modules, everything on its default stream."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from threading import get_ident
from typing import Any, TypeVar

from fuseir.codegen.cuda.compilation import CudaCompiler, Loaded, NvrtcCompiler
from fuseir.codegen.cuda.launches import Device as Processor
from fuseir.dialects.dist.partition import Shape
from fuseir.errors import BackendUnavailableError
from fuseir.runtime.arrays import Array
from fuseir.runtime.device_arrays import DeviceArray
from fuseir.runtime.executors.cuda.device import OUT_OF_MEMORY, Device
from fuseir.runtime.executors.cuda.driver import CudaError, Driver

_WARPS_PER_PROCESSOR = 32
"""As many of a kernel that is bound by memory as keep it busy."""

_LIBRARIES = ("libcuda.so.1", "nvcuda.dll")

_HOST_TO_DEVICE, _DEVICE_TO_HOST, _DEVICE_TO_DEVICE = 1, 2, 3

_Result = TypeVar("_Result")


class CupyDevice(Device):
    """GPU ``number`` of this machine. ``cupy`` is the module."""

    def __init__(
        self, cupy: Any, number: int, name: str, driver: Driver, compiler: CudaCompiler, processor: Processor
    ) -> None:
        super().__init__(name, driver, compiler, processor, number)
        self._cupy = cupy
        self._runtime = cupy.cuda.runtime
        self._threads: set[int] = set()

    @staticmethod
    def open(cupy: Any, number: int) -> CupyDevice:
        """The GPU with this number. Raises BackendUnavailableError if NVRTC or the driver is not there, or not for this GPU."""
        properties = cupy.cuda.runtime.getDeviceProperties(number)
        name = properties["name"]
        architecture = f"sm_{properties['major']}{properties['minor']}"
        processor = Processor(warps=properties["multiProcessorCount"] * _WARPS_PER_PROCESSOR)
        try:
            compiler = NvrtcCompiler(cupy.cuda.nvrtc, architecture)
        except RuntimeError as error:  # what CuPy raises for a library that it does not find
            raise BackendUnavailableError(f"target 'cuda' needs NVRTC, which CuPy does not find: {error}") from None
        text = name.decode() if isinstance(name, bytes) else str(name)
        return CupyDevice(cupy, number, text, Driver(_library()), compiler, processor)

    def _cuda(self, function: Callable[..., _Result], *arguments: Any) -> _Result:
        """What CuPy raises as CudaError."""
        try:
            return function(*arguments)
        except self._cupy.cuda.memory.OutOfMemoryError as error:
            raise CudaError(OUT_OF_MEMORY, "CUDA_ERROR_OUT_OF_MEMORY", str(error)) from None
        except (self._runtime.CUDARuntimeError, self._cupy.cuda.driver.CUDADriverError) as error:
            raise CudaError(error.status, str(error).split(":")[0], function.__name__) from None

    def _activate(self) -> None:
        self._runtime.setDevice(self.number)
        if get_ident() not in self._threads:
            self._threads.add(get_ident())
            self._runtime.free(0)  # CUDA 11 makes a context current with the first thing that needs it

    def _allocated(self, size: int) -> tuple[int, object]:
        with self._cupy.cuda.Stream.null:  # memory is reused in the order of the stream that is current
            memory = self._cuda(self._cupy.cuda.alloc, size)
        return memory.ptr, memory

    def _give_back(self) -> None:
        self._cuda(self._cupy.get_default_memory_pool().free_all_blocks)

    def _available(self) -> int:
        free, _ = self._cuda(self._runtime.memGetInfo)
        return free + self._cupy.get_default_memory_pool().free_bytes()

    def _copy_in(self, address: int, source: Array) -> None:
        self._cuda(self._runtime.memcpy, address, source.ctypes.data, source.nbytes, _HOST_TO_DEVICE)

    def _copy_out(self, target: Array, address: int) -> None:
        self._cuda(self._runtime.memcpy, target.ctypes.data, address, target.nbytes, _DEVICE_TO_HOST)

    def _copy(self, to: int, source: int, size: int) -> None:
        self._cuda(self._runtime.memcpyAsync, to, source, size, _DEVICE_TO_DEVICE, self.stream)

    def _has(self, address: int) -> bool:
        return self._cuda(self._runtime.pointerGetAttributes, address).device == self.number

    def _wait(self, stream: int) -> None:
        self._cuda(self._runtime.streamSynchronize, stream)

    def _load(self, code: bytes, symbols: Sequence[str]) -> tuple[Loaded, object]:
        module = self._cupy.cuda.function.Module()
        self._cuda(module.load, code)
        functions = {symbol: self._cuda(module.get_function, symbol) for symbol in symbols}
        return {symbol: function.ptr for symbol, function in functions.items()}, functions

    def library_array(self, array: DeviceArray, offset: int, shape: Shape, strides: Sequence[int]) -> Any:
        """See ``Device``: an array of CuPy's, which keeps the memory."""
        memory = self._cupy.cuda.UnownedMemory(array.address, array.nbytes, array, self.number)
        pointer = self._cupy.cuda.MemoryPointer(memory, offset)
        return self._cupy.ndarray(shape, array.dtype, pointer, tuple(strides))

    def library_stream(self) -> AbstractContextManager[Any]:
        """See ``Device``."""
        return self._cupy.cuda.Stream.null

    def from_dlpack(self, source: Any) -> Any:
        """See ``Device``."""
        return self._cupy.from_dlpack(source)


def _library() -> ctypes.CDLL:
    for name in _LIBRARIES:
        try:
            return ctypes.CDLL(name)
        except OSError:
            continue
    raise BackendUnavailableError(f"NVIDIA's driver is not found: {' or '.join(_LIBRARIES)}")

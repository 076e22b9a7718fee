"""What the CUDA executor runs on: memory, code and launches of one GPU, and what becomes of it when something fails.

There is one for GPUs (``cupy_device.py``); the tests have another one, which runs the same kernels on the host.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import AbstractContextManager
from math import prod
from typing import Any, NoReturn

import numpy as np

from fuseir.codegen.cuda.compilation import CudaCompiler, Loaded
from fuseir.codegen.cuda.launches import Device as Processor
from fuseir.dialects.dist.partition import Shape
from fuseir.errors import DeviceLostError, FuseirError, OutOfMemoryError, UsageError
from fuseir.runtime.arrays import Array
from fuseir.runtime.device_arrays import DeviceArray
from fuseir.runtime.executors.cuda.driver import CudaError, Driver

OUT_OF_MEMORY = 2
STICKY = frozenset({4, 214, 220, 226, 700, 702, 709, 710, *range(714, 720), 721})
"""Errors after which CUDA does nothing more for this process: it has lost all that is on the device."""


class Device(ABC):
    """One GPU. ``stream`` is the stream that everything goes to, in order.

    After a sticky error everything raises DeviceLostError, which names the first one. Nothing but that one is lost by an OutOfMemoryError.
    """

    stream = 0
    """CUDA's default stream, which is CuPy's too: what others do on the device is in order with what is done here."""

    def __init__(
        self, name: str, driver: Driver, compiler: CudaCompiler, processor: Processor, number: int = 0
    ) -> None:
        self.name = name
        self.number = number
        """CUDA's number for it."""
        self.driver = driver
        self.compiler = compiler
        self.processor = processor
        self._process = os.getpid()
        self._failure: DeviceLostError | None = None

    # What each kind of device does; all raise CudaError.

    @abstractmethod
    def _allocated(self, size: int) -> tuple[int, object]:
        """The address of fresh memory, a multiple of 256, and what keeps it. It may be reused as soon as that is gone."""

    @abstractmethod
    def _give_back(self) -> None:
        """Gives back to the system memory that is kept for later."""

    @abstractmethod
    def _available(self) -> int:
        """Bytes that could be allocated, if they lay side by side."""

    @abstractmethod
    def _copy_in(self, address: int, source: Array) -> None:
        """Copies a C-contiguous array's bytes to the device. The array may change afterwards."""

    @abstractmethod
    def _copy_out(self, target: Array, address: int) -> None:
        """Copies bytes to a C-contiguous array, when all that was started before is done."""

    @abstractmethod
    def _copy(self, to: int, source: int, size: int) -> None:
        """Copies bytes on the device, in order with launches."""

    @abstractmethod
    def _load(self, code: bytes, symbols: Sequence[str]) -> tuple[Loaded, object]:
        """The functions with these symbols, and what keeps them."""

    @abstractmethod
    def _has(self, address: int) -> bool:
        """Whether memory is this device's."""

    @abstractmethod
    def _wait(self, stream: int) -> None:
        """Waits until all is done that was started on a stream."""

    @abstractmethod
    def _activate(self) -> None:
        """Makes the device current in this thread."""

    @abstractmethod
    def library_array(self, array: DeviceArray, offset: int, shape: Shape, strides: Sequence[int]) -> Any:
        """A window onto an array as the library's own (CuPy's), on the same memory: byte offset and strides."""

    @abstractmethod
    def library_stream(self) -> AbstractContextManager[Any]:
        """A context in which the library's work goes to ``stream``."""

    @abstractmethod
    def from_dlpack(self, source: Any) -> Any:
        """Another library's array as this one's, by DLPack."""

    # Memory

    def allocate(self, shape: Shape, dtype: np.dtype[Any]) -> DeviceArray:
        """An array with undefined contents. Raises OutOfMemoryError, and DeviceLostError."""
        address, keeper = self.memory(prod(shape) * dtype.itemsize)
        return DeviceArray(self, shape, dtype, address, keeper)

    def memory(self, size: int) -> tuple[int, object]:
        """Memory: its address, a multiple of 256, and what keeps it. Raises as ``allocate`` does."""
        self.enter()
        if not size:
            return 0, None
        try:
            try:
                return self._allocated(size)
            except CudaError as error:
                if error.code != OUT_OF_MEMORY:
                    raise
            self._give_back()
            return self._allocated(size)
        except CudaError as error:
            if error.code == OUT_OF_MEMORY:
                raise OutOfMemoryError(f"{self.name} has no {size} bytes of memory left: {error}") from None
            self.fail(error)

    def require(self, size: int) -> None:
        """Raises OutOfMemoryError if so many bytes cannot be allocated, not even if what is kept for later is given back."""
        self.enter()
        try:
            if size <= self._available():
                return
            self._give_back()
            available = self._available()
        except CudaError as error:
            self.fail(error)
        if size > available:
            raise OutOfMemoryError(f"{size} more bytes of memory are needed on {self.name}, which has {available} left")

    def moved(self, array: Array) -> DeviceArray:
        """A copy of a C-contiguous array of the host. Raises as ``allocate`` does."""
        made = self.allocate(array.shape, array.dtype)
        try:
            if array.nbytes:
                self._copy_in(made.address, array)
        except CudaError as error:
            self.fail(error)
        made.note_twin(array)
        return made

    def filled(self, shape: Shape, dtype: np.dtype[Any], value: Array) -> DeviceArray:
        """An array with one value, of rank 0 and the element type, everywhere. Raises as ``allocate`` does."""
        made = self.allocate(shape, dtype)
        try:
            if made.nbytes:
                self.driver.fill(made.address, value.tobytes(), prod(shape), self.stream)
        except CudaError as error:
            self.fail(error)
        return made

    def copied(self, array: DeviceArray) -> DeviceArray:
        """A copy on the device. Raises as ``allocate`` does."""
        made = self.allocate(array.shape, array.dtype)
        self.copy_on(made.address, array.address, array.nbytes)
        return made

    def copy_on(self, to: int, source: int, size: int) -> None:
        """See ``DeviceMemory``."""
        self.enter()
        try:
            if size:
                self._copy(to, source, size)
        except CudaError as error:
            self.fail(error)

    def wait_for(self, address: int, stream: int | None) -> None:
        """Has everything that comes wait for what others started on a stream of theirs; None if there is nothing to wait for.

        Raises UsageError for memory at an address that is not this device's.
        """
        self.enter()
        try:
            if address and not self._has(address):
                raise UsageError(f"an array on another device than {self.name}, which the session's stores are on")
            if stream not in (None, 1):
                self._wait(stream)
        except CudaError as error:
            self.fail(error)

    def copy_out(self, target: Array, address: int) -> None:
        """See ``DeviceMemory``."""
        self.enter()
        try:
            if target.nbytes:
                self._copy_out(target, address)
        except CudaError as error:
            self.fail(error)

    # Code

    def load(self, code: bytes, symbols: Sequence[str]) -> tuple[Loaded, object]:
        """The functions with these symbols, and what keeps them. Raises FuseirError."""
        self.enter()
        try:
            return self._load(code, symbols)
        except CudaError as error:
            self.fail(error)

    # Failures

    def enter(self) -> None:
        """Has to be called before anything is done on the device, on each thread. Raises DeviceLostError, and UsageError after a fork."""
        if self._failure is not None:
            raise DeviceLostError(self._failure.message) from self._failure.__cause__
        if self._process != os.getpid():
            raise UsageError(
                f"{self.name} was used before this process was forked, and CUDA cannot be used in such a process: "
                "start it with multiprocessing's method 'spawn'"
            )
        self._activate()

    def fail(self, error: CudaError) -> NoReturn:
        """Raises what an error of CUDA means to users, and notes whether the device is lost."""
        if error.code in STICKY:
            self._failure = DeviceLostError(
                f"{self.name} is lost to this process after {error}: what is on it cannot be read any more, "
                "what is on the host can; start the program again"
            )
            raise self._failure from error
        raise FuseirError(f"CUDA failed on {self.name}: {error}") from error

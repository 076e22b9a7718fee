"""What ``CupyDevice`` uses of CuPy, on the host's memory: with the emulated driver, all of FuseIR's own code for GPUs runs.

Names, arguments and results are those of CuPy 14; what is not here, ``CupyDevice`` must not use.
"""

from __future__ import annotations

import ctypes
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import numpy as np
from emulated_device import EmulatedCompiler, loaded_library


class OutOfMemoryError(MemoryError):
    pass


class CUDARuntimeError(RuntimeError):
    def __init__(self, status: int) -> None:
        super().__init__(f"cudaErrorOfTheFake: status {status}")
        self.status = status


class CUDADriverError(CUDARuntimeError):
    pass


class NVRTCError(RuntimeError):
    pass


class MemoryPointer:
    def __init__(self, memory: Any, offset: int) -> None:
        self.mem = memory
        self.ptr = memory.ptr + offset


class _Memory:
    def __init__(self, size: int) -> None:
        self._bytes = np.full(size + 512, 0xA5, np.uint8)
        self.ptr = -(-self._bytes.ctypes.data // 512) * 512


class UnownedMemory:
    def __init__(self, ptr: int, size: int, owner: object, device_id: int = -1) -> None:
        self.ptr, self.size, self.owner, self.device_id = ptr, size, owner, device_id


class _Module:
    def load(self, cubin: bytes) -> None:
        self._library = loaded_library(cubin)

    def get_function(self, name: str) -> Any:
        try:
            found = ctypes.c_char.in_dll(self._library, f"emulated_{name}")
        except ValueError:
            raise CUDADriverError(500) from None
        return SimpleNamespace(ptr=ctypes.addressof(found), module=self)


class FakeCupy:
    """The module, with what it was asked for: ``current`` devices, streams waited for; ``left`` is the memory that there is."""

    def __init__(self) -> None:
        self.left = 1 << 40
        self.current: list[int] = []
        self.waited: list[int] = []
        self.given_back = 0
        self.status = 0
        self.ndarray = self._array
        self.cuda = SimpleNamespace(
            runtime=SimpleNamespace(
                CUDARuntimeError=CUDARuntimeError,
                getDeviceCount=lambda: 1,
                getDevice=lambda: 0,
                setDevice=self.current.append,
                free=lambda ptr: None,
                getDeviceProperties=lambda number: {
                    "name": b"NVIDIA Fake",
                    "major": 9,
                    "minor": 0,
                    "multiProcessorCount": 4,
                },
                memcpy=self._copy,
                memcpyAsync=lambda to, source, size, kind, stream: self._copy(to, source, size, kind),
                memGetInfo=lambda: (self.left, self.left),
                pointerGetAttributes=lambda ptr: SimpleNamespace(device=0),
                streamSynchronize=self.waited.append,
            ),
            driver=SimpleNamespace(CUDADriverError=CUDADriverError),
            memory=SimpleNamespace(OutOfMemoryError=OutOfMemoryError),
            nvrtc=FakeNvrtc(),
            function=SimpleNamespace(Module=_Module),
            Stream=SimpleNamespace(null=nullcontext()),
            UnownedMemory=UnownedMemory,
            MemoryPointer=MemoryPointer,
            alloc=self._alloc,
        )

    def get_default_memory_pool(self) -> Any:
        def free_all_blocks() -> None:
            self.given_back += 1

        return SimpleNamespace(free_all_blocks=free_all_blocks, free_bytes=lambda: 0)

    def _alloc(self, size: int) -> MemoryPointer:
        if size > self.left:
            raise OutOfMemoryError(f"{size} bytes")
        return MemoryPointer(_Memory(size), 0)

    def _copy(self, to: int, source: int, size: int, kind: int) -> None:
        assert kind in (1, 2, 3)
        if self.status:
            raise CUDARuntimeError(self.status)
        ctypes.memmove(to, source, size)

    def _array(self, shape: tuple[int, ...], dtype: Any, memptr: MemoryPointer, strides: tuple[int, ...]) -> Any:
        """An array of NumPy's stands for one of CuPy's."""
        memory = (ctypes.c_char * max(memptr.mem.size, 1)).from_address(memptr.mem.ptr)
        memory.mem = memptr.mem
        return np.ndarray(shape, dtype, memory, memptr.ptr - memptr.mem.ptr, strides)


class FakeNvrtc:
    """``cupy.cuda.nvrtc``, by g++."""

    def __init__(self) -> None:
        self._texts: dict[int, str] = {}
        self.options: set[tuple[str, ...]] = set()

    def getVersion(self) -> tuple[int, int]:  # noqa: N802
        return 12, 9

    def getSupportedArchs(self) -> tuple[int, ...]:  # noqa: N802
        return 80, 90

    def createProgram(self, source: str, name: str, headers: Any, include_names: Any) -> int:  # noqa: N802
        assert (headers, include_names) == ((), ())
        self._texts[len(self._texts) + 1] = source
        return len(self._texts)

    def compileProgram(self, program: int, options: tuple[str, ...]) -> None:  # noqa: N802
        self.options.add(options)

    def getProgramLog(self, program: int) -> str:  # noqa: N802
        return ""

    def getCUBIN(self, program: int) -> bytes:  # noqa: N802
        return EmulatedCompiler().compile([self._texts[program]])[0].code

    def destroyProgram(self, program: int) -> None:  # noqa: N802
        self._texts[program] = ""

"""The functions of CUDA's driver that launch kernels and graphs, by ctypes.

CuPy captures graphs and launches them, but cannot change the parameters of their nodes, and takes several microseconds of Python for a
launch. The functions here are those of CUDA 11.4, under the names that every driver since has: the interface of a symbol does not change.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Sequence
from typing import Any

_Handle = ctypes.c_void_p


class CudaError(Exception):
    """What a function of CUDA returned. ``code`` is CUDA's number for it, ``name`` its name."""

    def __init__(self, code: int, name: str, what: str) -> None:
        super().__init__(f"{name} ({code}) from {what}")
        self.code = code
        self.name = name


class NodeParams(ctypes.Structure):
    """``CUDA_KERNEL_NODE_PARAMS_v1``."""

    _fields_ = (
        ("function", _Handle),
        ("grid_x", ctypes.c_uint),
        ("grid_y", ctypes.c_uint),
        ("grid_z", ctypes.c_uint),
        ("block_x", ctypes.c_uint),
        ("block_y", ctypes.c_uint),
        ("block_z", ctypes.c_uint),
        ("shared_bytes", ctypes.c_uint),
        ("parameters", ctypes.c_void_p),
        ("extra", ctypes.c_void_p),
    )

    @staticmethod
    def of(function: int, grid: tuple[int, int], block: tuple[int, int], parameters: int) -> NodeParams:
        """A launch; ``parameters`` is the address of an array with the address of each parameter."""
        return NodeParams(function, *grid, 1, *block, 1, 0, parameters, None)


class Driver:
    """The functions, from a library that has them: ``libcuda``. All raise CudaError, and want the device's context to be current."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self._library = library
        pointer, word, number = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_uint
        handle = ctypes.POINTER(_Handle)
        self._name = self._function("cuGetErrorName", ctypes.c_int, ctypes.POINTER(ctypes.c_char_p))
        self._launch = self._function("cuLaunchKernel", _Handle, *[number] * 7, pointer, pointer, pointer)
        self._create = self._function("cuGraphCreate", handle, number)
        self._destroy = self._function("cuGraphDestroy", _Handle)
        self._add = self._function("cuGraphAddKernelNode", handle, _Handle, handle, word, ctypes.POINTER(NodeParams))
        self._instantiate = self._function("cuGraphInstantiateWithFlags", handle, _Handle, ctypes.c_uint64)
        self._set = self._function("cuGraphExecKernelNodeSetParams", _Handle, _Handle, ctypes.POINTER(NodeParams))
        self._launch_graph = self._function("cuGraphLaunch", _Handle, pointer)
        self._destroy_executable = self._function("cuGraphExecDestroy", _Handle)
        address = ctypes.c_uint64
        self._fill = {
            1: self._function("cuMemsetD8Async", address, ctypes.c_ubyte, word, pointer),
            2: self._function("cuMemsetD16Async", address, ctypes.c_ushort, word, pointer),
            4: self._function("cuMemsetD32Async", address, number, word, pointer),
        }
        self._fill_columns = self._function("cuMemsetD2D32Async", address, word, number, word, word, pointer)

    def _function(self, name: str, *arguments: Any) -> Any:
        function = getattr(self._library, name)
        function.argtypes, function.restype = arguments, ctypes.c_int
        return function

    def _check(self, code: int, what: str) -> None:
        if code:
            name = ctypes.c_char_p()
            self._name(code, ctypes.byref(name))
            raise CudaError(code, (name.value or b"an unknown error").decode(), what)

    def launch(
        self, function: int, grid: tuple[int, int], block: tuple[int, int], parameters: int, stream: int
    ) -> None:
        """Launches a kernel; ``parameters`` as in ``NodeParams``, which are copied."""
        code = self._launch(function, *grid, 1, *block, 1, 0, stream, parameters, None)
        if code:
            self._check(code, "a launch")

    def fill(self, address: int, pattern: bytes, count: int, stream: int) -> None:
        """Writes a pattern of 1, 2, 4 or 8 bytes so often, one behind the other."""
        size = len(pattern)
        if size == 8 and pattern[:4] == pattern[4:]:
            pattern, size, count = pattern[:4], 4, 2 * count
        if size < 8:
            code = self._fill[size](address, int.from_bytes(pattern, sys.byteorder), count, stream)
            self._check(code, "a fill")
            return
        for half in (0, 4):  # a column of 4 bytes, a row being 8 bytes
            value = int.from_bytes(pattern[half : half + 4], sys.byteorder)
            self._check(self._fill_columns(address + half, size, value, 1, count, stream), "a fill")

    def create_graph(self) -> int:
        """An empty graph."""
        graph = _Handle()
        self._check(self._create(ctypes.byref(graph), 0), "cuGraphCreate")
        return graph.value or 0

    def add_node(self, graph: int, after: Sequence[int], params: NodeParams) -> int:
        """A node that launches a kernel when the nodes before it are done."""
        node = _Handle()
        before = (_Handle * len(after))(*after)
        code = self._add(ctypes.byref(node), graph, before, len(after), ctypes.byref(params))
        self._check(code, "cuGraphAddKernelNode")
        return node.value or 0

    def instantiate(self, graph: int) -> int:
        """A graph made ready to be launched."""
        executable = _Handle()
        self._check(self._instantiate(ctypes.byref(executable), graph, 0), "cuGraphInstantiate")
        return executable.value or 0

    def set_node(self, executable: int, node: int, params: NodeParams) -> None:
        """Changes what a node passes to its kernel in launches from now on; those that have begun are not affected."""
        self._check(self._set(executable, node, ctypes.byref(params)), "cuGraphExecKernelNodeSetParams")

    def launch_graph(self, executable: int, stream: int) -> None:
        """Launches a graph."""
        code = self._launch_graph(executable, stream)
        if code:
            self._check(code, "cuGraphLaunch")

    def destroy_graph(self, graph: int) -> None:
        """Gives up a graph. Says nothing of what went wrong: nobody could do anything about it."""
        self._destroy(graph)

    def destroy_executable(self, executable: int) -> None:
        """Gives up what ``instantiate`` made."""
        self._destroy_executable(executable)

"""NVRTC by ctypes, from NVIDIA's wheel or the system: CUDA C++ to PTX and cubin, which takes neither a GPU nor a driver."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

LIBRARIES = ("libnvrtc.so.12", "libnvrtc.so.13")


class NvrtcError(Exception):
    """A source that does not compile, with NVRTC's log."""


@dataclass(frozen=True)
class Resources:
    """What ptxas says an entry point takes: registers, bytes of stack, bytes spilled (stores and loads), bytes of shared memory."""

    registers: int
    stack: int
    spills: int
    shared: int


@cache
def library() -> Any:
    """NVRTC, or None if it is not installed."""
    folders: list[Path] = []
    for package in ("nvidia.cuda_nvrtc", "nvidia.cu13"):
        try:
            spec = find_spec(package)
        except ModuleNotFoundError:
            continue
        folders += [Path(place) / "lib" for place in (spec.submodule_search_locations or ())] if spec else []
    for name in [*(str(folder / name) for folder in folders for name in LIBRARIES), *LIBRARIES]:
        try:
            return ctypes.CDLL(name)
        except OSError:
            continue
    return None


def compile_source(text: str, architecture: str, options: Sequence[str] = ()) -> tuple[bytes, str]:
    """The PTX for ``compute_…`` or the cubin for ``sm_…``, and the log; raises :class:`NvrtcError`."""
    nvrtc = library()
    program = ctypes.c_void_p()
    code = nvrtc.nvrtcCreateProgram(ctypes.byref(program), text.encode("ascii"), b"kernels.cu", 0, None, None)
    assert code == 0, code
    try:
        flags = [f"--gpu-architecture={architecture}", "--std=c++17", "--fmad=false", *options]
        array = (ctypes.c_char_p * len(flags))(*(flag.encode() for flag in flags))
        code = nvrtc.nvrtcCompileProgram(program, len(flags), array)
        log = _fetch(nvrtc.nvrtcGetProgramLogSize, nvrtc.nvrtcGetProgramLog, program).rstrip(b"\0").decode()
        if code:
            raise NvrtcError(log)
        kind = "CUBIN" if architecture.startswith("sm_") else "PTX"
        get_size, get = (getattr(nvrtc, f"nvrtcGet{kind}{what}") for what in ("Size", ""))
        return _fetch(get_size, get, program), log
    finally:
        nvrtc.nvrtcDestroyProgram(ctypes.byref(program))


def _fetch(get_size: Any, get: Any, program: ctypes.c_void_p) -> bytes:
    size = ctypes.c_size_t()
    assert get_size(program, ctypes.byref(size)) == 0
    buffer = ctypes.create_string_buffer(size.value)
    assert get(program, buffer) == 0
    return buffer.raw


def resources(log: str) -> dict[str, Resources]:
    """By entry point, from the log of a compilation to cubin with ``--ptxas-options=-v``."""
    found: dict[str, Resources] = {}
    for part in re.split(r"ptxas info\s*: Compiling entry function ", log)[1:]:
        name = re.match(r"'(\w+)'", part)
        frame = re.search(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads", part)
        used = re.search(r"Used (\d+) registers", part)
        assert name is not None, part
        assert frame is not None, part
        assert used is not None, part
        shared = re.search(r"(\d+) bytes smem", part)
        stack, stores, loads = map(int, frame.groups())
        found[name[1]] = Resources(int(used[1]), stack, stores + loads, int(shared[1]) if shared else 0)
    return found

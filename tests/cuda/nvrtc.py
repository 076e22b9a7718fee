"""NVRTC by ctypes, from NVIDIA's wheel or the system: CUDA C++ to PTX and cubin, which takes neither a GPU nor a driver."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

LIBRARIES = ("libnvrtc.so.12", "libnvrtc.so.13")


class NvrtcError(Exception):
    """A source that does not compile, with NVRTC's log."""


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


class CompilationError(Exception):
    """What CuPy raises for a source that does not compile."""


def as_cupy_has_it() -> Any:
    """A module like ``cupy.cuda.nvrtc``, as far as ``NvrtcCompiler`` uses it, on the same library."""
    nvrtc = library()

    def version() -> tuple[int, int]:
        major, minor = ctypes.c_int(), ctypes.c_int()
        assert nvrtc.nvrtcVersion(ctypes.byref(major), ctypes.byref(minor)) == 0
        return major.value, minor.value

    def architectures() -> tuple[int, ...]:
        count = ctypes.c_int()
        assert nvrtc.nvrtcGetNumSupportedArchs(ctypes.byref(count)) == 0
        found = (ctypes.c_int * count.value)()
        assert nvrtc.nvrtcGetSupportedArchs(found) == 0
        return tuple(found)

    def create(text: str, name: str, headers: tuple[str, ...], names: tuple[str, ...]) -> int:
        assert not headers
        assert not names
        program = ctypes.c_void_p()
        assert nvrtc.nvrtcCreateProgram(ctypes.byref(program), text.encode(), name.encode(), 0, None, None) == 0
        return program.value or 0

    def compile_program(program: int, options: Sequence[str]) -> None:
        array = (ctypes.c_char_p * len(options))(*(option.encode() for option in options))
        if code := nvrtc.nvrtcCompileProgram(ctypes.c_void_p(program), len(options), array):
            raise CompilationError(f"NVRTC_ERROR ({code})")

    def log(program: int) -> str:
        held = ctypes.c_void_p(program)
        return _fetch(nvrtc.nvrtcGetProgramLogSize, nvrtc.nvrtcGetProgramLog, held).rstrip(b"\0").decode()

    return SimpleNamespace(
        getVersion=version,
        getSupportedArchs=architectures,
        createProgram=create,
        compileProgram=compile_program,
        getProgramLog=log,
        getCUBIN=lambda program: _fetch(nvrtc.nvrtcGetCUBINSize, nvrtc.nvrtcGetCUBIN, ctypes.c_void_p(program)),
        destroyProgram=lambda program: nvrtc.nvrtcDestroyProgram(ctypes.byref(ctypes.c_void_p(program))),
    )

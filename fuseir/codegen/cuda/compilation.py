"""Lowered kernels to cubins: by NVRTC, or from the disk cache where another process left them.

NVRTC is CuPy's (``cupy.cuda.nvrtc``), which is what its ``RawKernel`` compiles with. ``RawKernel`` itself keeps the cubin and ptxas's
report to itself, and has a cache of its own: ours keeps both, with the plans' kernels (docs/caching.md).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple, Protocol, TypeAlias

from xdsl.dialects import func

from fuseir.cache import DiskCache, Entry
from fuseir.cache.environment import Keys, package_fields
from fuseir.codegen.cuda.emit import emit_kernels
from fuseir.codegen.cuda.kernels import CudaModule, KernelPlan, Pointer, Space, Tile
from fuseir.codegen.cuda.resources import MOST_SPILLED, Resources, as_json, from_json, resources
from fuseir.errors import BackendUnavailableError, CompileError, DeviceLostError, FuseirError

OPTIONS = ("--std=c++17", "--fmad=false", "--ptxas-options=-v")
"""How every source is compiled. Division and roots are rounded correctly, and nothing is flushed to zero, by default."""


class Cubin(NamedTuple):
    """Machine code for one architecture, and what each entry point takes."""

    code: bytes
    resources: Mapping[str, Resources]


class CudaCompiler(Protocol):
    """What makes machine code of CUDA C++."""

    @property
    def environment(self) -> Mapping[str, str]:
        """What the code depends on beside the text."""
        ...

    def compile(self, texts: Sequence[str]) -> list[Cubin]:
        """The code of each source. Raises CompileError."""
        ...


class NvrtcCompiler:
    """NVRTC for one architecture (``sm_90``). ``nvrtc`` is ``cupy.cuda.nvrtc``.

    Raises BackendUnavailableError for an architecture that this NVRTC does not know.
    """

    def __init__(self, nvrtc: Any, architecture: str) -> None:
        self._nvrtc = nvrtc
        self._architecture = architecture
        self._version = ".".join(map(str, nvrtc.getVersion()))
        known = {f"sm_{number}" for number in nvrtc.getSupportedArchs()}
        if architecture not in known:
            raise BackendUnavailableError(
                f"this GPU is {architecture}, which the installed NVRTC (CUDA {self._version}) does not compile for: "
                "install a CuPy, and NVRTC, for a newer CUDA"
            )

    @property
    def environment(self) -> Mapping[str, str]:
        """NVRTC's version, which is CUDA's, the architecture, and the options."""
        return {"nvrtc": self._version, "architecture": self._architecture, "options": " ".join(OPTIONS)}

    def compile(self, texts: Sequence[str]) -> list[Cubin]:
        """The code of each source, several at a time: NVRTC needs no GIL. Raises CompileError."""
        if len(texts) < 2:
            return [self._compiled(text) for text in texts]
        with ThreadPoolExecutor(min(len(texts), os.cpu_count() or 1)) as pool:
            return list(pool.map(self._compiled, texts))

    def _compiled(self, text: str) -> Cubin:
        nvrtc = self._nvrtc
        program = nvrtc.createProgram(text, "kernels.cu", (), ())
        try:
            try:
                nvrtc.compileProgram(program, (f"--gpu-architecture={self._architecture}", *OPTIONS))
            except Exception as error:
                raise CompileError(f"NVRTC does not take a kernel: {error}: {nvrtc.getProgramLog(program)}") from error
            return Cubin(nvrtc.getCUBIN(program), resources(nvrtc.getProgramLog(program)))
        finally:
            nvrtc.destroyProgram(program)


Loaded = Mapping[str, int]
"""The handles of functions, by symbol."""

Load: TypeAlias = Callable[[bytes, Sequence[str]], tuple[Loaded, object]]
"""Gives the functions with these symbols in a cubin, and what keeps them. Raises FuseirError."""


@dataclass(frozen=True)
class CudaKernel:
    """A lowered kernel on a GPU: its CUDA kernels, how they are launched, and what they take. ``digest`` is that of its lowered text.

    ``keeper`` keeps the functions.
    """

    digest: str
    plan: KernelPlan
    resources: Mapping[str, Resources]
    from_cache: bool
    functions: Loaded = field(repr=False)
    keeper: object = field(repr=False)

    @cached_property
    def items(self) -> tuple[int, ...]:
        """Bytes of an element of each tile; 1 of one that no CUDA kernel is given."""
        found = [1] * len(self.plan.ranks)
        for kernel in self.plan.kernels:
            for parameter in kernel.parameters:
                match parameter:
                    case Pointer(Tile(Space.ARGUMENT, number), element):
                        found[number] = element.bytes
                    case _:
                        pass
        return tuple(found)

    @property
    def spilled(self) -> int:
        """Bytes that the worst of its CUDA kernels keeps in memory for want of registers, if that is worth a word; else 0."""
        most = max((each.spills for each in self.resources.values()), default=0)
        return most if most > MOST_SPILLED else 0


def compile_kernels(
    kernels: Sequence[tuple[str, func.FuncOp]],
    compiler: CudaCompiler,
    load: Load,
    disk: DiskCache | None,
) -> list[CudaKernel]:
    """Compile lowered kernels, each with the digest of its text, or take from ``disk`` what it has; what it has not is added to it.

    Raises UnsupportedError for what lowered kernels may not hold, and CompileError if NVRTC or the driver does not take a kernel.
    """
    # A source for each: code must not depend on what it was compiled with.
    modules = [emit_kernels([kernel]) for _, kernel in kernels]
    keys = _keys_of(compiler, disk)
    found = [None if keys is None or disk is None else disk.get(keys.key("kernel", d), _cubin_of) for d, _ in kernels]
    made: dict[int, CudaKernel] = {}
    for number, cubin in enumerate(found):
        if cubin is not None:
            try:
                made[number] = _loaded(kernels[number][0], modules[number], cubin, load, from_cache=True)
            except DeviceLostError:
                raise
            except FuseirError:
                continue  # it is whole, and the driver does not want it all the same
    missing = [number for number in range(len(kernels)) if number not in made]
    for number, cubin in zip(missing, compiler.compile([modules[number].text for number in missing]), strict=True):
        digest = kernels[number][0]
        made[number] = _loaded(digest, modules[number], cubin, load, from_cache=False)
        if keys is not None and disk is not None:
            disk.put(keys.key("kernel", digest), Entry({"resources": as_json(cubin.resources)}, cubin.code))
    return [made[number] for number in range(len(kernels))]


def _loaded(digest: str, module: CudaModule, cubin: Cubin, load: Load, *, from_cache: bool) -> CudaKernel:
    (plan,) = module.plans
    functions, keeper = load(cubin.code, [symbol for kernel in plan.kernels for symbol in kernel.symbols])
    return CudaKernel(digest, plan, cubin.resources, from_cache, functions, keeper)


def _keys_of(compiler: CudaCompiler, disk: DiskCache | None) -> Keys | None:
    package = package_fields() if disk is not None and disk.active else None
    return None if package is None else Keys.of({**package, **compiler.environment})


def _cubin_of(entry: Entry) -> Cubin | None:
    try:
        return Cubin(entry.payload, from_json(entry.header["resources"])) if entry.payload else None
    except (KeyError, TypeError, AttributeError, ValueError):
        return None

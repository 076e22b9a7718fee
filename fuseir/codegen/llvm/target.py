"""What code is generated for: vector registers, vector math functions, and LLVM's target machine."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import Any

import llvmlite.binding as llvm

from fuseir.codegen.elements import F32, F64
from fuseir.codegen.llvm.math_functions import vector_library, vector_symbols
from fuseir.errors import BackendUnavailableError


@dataclass(frozen=True)
class Target:
    """A processor as the emitter sees it. The emitted text is a function of the kernel and of this.

    Attributes: ``vector_bytes`` is the size of a vector register; ``masked_bytes`` are the element sizes for which the
    processor has masked loads and stores; ``mvec_variant`` is the letter of the vector function ABI (``e`` for AVX-512,
    ``d`` for AVX2, None for no vector functions); ``missing_math`` are vector functions the C library turns out to lack. ``has_fma`` says
    that vectors have a fused multiply-add, without which our own vector functions would be slow.
    """

    cpu: str
    features: str
    vector_bytes: int
    masked_bytes: frozenset[int]
    mvec_variant: str | None
    missing_math: frozenset[str] = field(default_factory=lambda: frozenset[str]())
    has_fma: bool = False

    @property
    def function_attributes(self) -> str:
        """Attributes of every function: without the width, LLVM would keep to 256 bits on many AVX-512 processors."""
        return f'"prefer-vector-width"="{8 * self.vector_bytes}"'

    def lanes(self, widest_bytes: int) -> int:
        """Lanes of a vector loop whose widest element has that size: two registers of it, which hides latencies."""
        return min(2 * self.vector_bytes // widest_bytes, self.vector_bytes)


X86_64_V4 = Target("x86-64-v4", "", 64, frozenset({1, 2, 4, 8}), "e", has_fma=True)
"""A fixed AVX-512 target: the text for it is the same on every machine."""

X86_64_V3 = Target("x86-64-v3", "", 32, frozenset({4, 8}), "d", has_fma=True)
"""A fixed AVX2 target."""


@cache
def initialize_llvm() -> None:
    """Set up LLVM's code generator for this machine; free after the first time."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()


@cache
def host_target() -> Target:
    """This machine. The result never changes within a process."""
    initialize_llvm()
    features = llvm.get_host_cpu_features()
    has = {name for name, present in features.items() if present}
    x86 = llvm.get_process_triple().startswith("x86_64")
    if x86 and {"avx512f", "avx512bw", "avx512dq", "avx512vl"} <= has:
        vector_bytes, masked, variant = 64, frozenset({1, 2, 4, 8}), "e"
    elif x86 and {"avx2", "fma"} <= has:
        vector_bytes, masked, variant = 32, frozenset({4, 8}), "d"
    else:
        vector_bytes, masked, variant = 16, frozenset[int](), None
    # Every 64-bit ARM processor has it, under no feature of its own.
    has_fma = variant is not None or llvm.get_process_triple().startswith(("aarch64", "arm64"))
    library = vector_library()
    if variant is None or library is None:
        return Target(llvm.get_host_cpu_name(), features.flatten(), vector_bytes, masked, None, has_fma=has_fma)
    wanted = [symbol for element in (F32, F64) for symbol in vector_symbols(element, variant, vector_bytes)]
    missing = frozenset(symbol for symbol in wanted if not hasattr(library, symbol))
    return Target(llvm.get_host_cpu_name(), features.flatten(), vector_bytes, masked, variant, missing, has_fma)


def create_target_machine(target: Target) -> Any:
    """A new LLVM target machine: an engine takes its own and none is ever shared (LLVM crashes if one is)."""
    initialize_llvm()
    try:
        base = llvm.Target.from_triple(llvm.get_process_triple())
        return base.create_target_machine(cpu=target.cpu, features=target.features, opt=2, jit=True)
    except RuntimeError as error:
        raise BackendUnavailableError(f"LLVM cannot generate code for this machine: {error}") from error

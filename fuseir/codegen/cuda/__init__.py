"""CUDA C++ for GPUs: lowered kernels to text, and the data that launching it takes. Nothing here needs a GPU, a driver or CuPy.

The way of a kernel: ``emit`` walks it and makes a CUDA kernel of each nest, by way of ``maps`` (elements) or ``teams`` (what has loops
within its items: reductions and rows), after ``nests`` has said which loops are distributed. ``statements`` and ``operations`` write what
is computed, ``singles`` what becomes of single values; ``helpers`` and ``team_helpers`` are the device functions that they call,
``functions`` says which math functions. ``text`` and ``source`` hold what is written.
``kernels`` is what is left to say of a CUDA kernel, ``launches`` its grid once sizes are known.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fuseir.codegen.cuda.emit import emit_cuda_text, emit_kernels

__all__ = ["emit_cuda_text", "emit_kernels"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    return getattr(import_module(f"{__name__}.emit"), name)

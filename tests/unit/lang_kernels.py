"""Runs the kernels of the task language's tests on NumPy arrays, by the reference executor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fuseir.lang import TaskDefinition, task
from fuseir.runtime.executors.reference_kernel import run_kernel


def run(
    definition: TaskDefinition | str, arrays: Sequence[np.ndarray], scalars: Sequence[Any] = ()
) -> list[np.ndarray]:
    """Instantiate for the given arrays and scalars (Python's are weak), run, and return the written arrays."""
    if isinstance(definition, str):
        definition = task(definition)
    kinds = [s.dtype if isinstance(s, np.generic) else type(s) for s in scalars]
    instance = definition.instantiate("kernel", [(a.dtype, a.ndim) for a in arrays], kinds)
    scalar_arrays = [np.asarray(s, t) for s, t in zip(scalars, instance.scalar_types, strict=True)]
    results = run_kernel(instance.function, [_signless(a) for a in [*arrays, *scalar_arrays]])
    written = [a for a, p in zip(arrays, instance.arguments, strict=True) if p.privilege != "read"]
    return [r if w.dtype == bool else r.view(w.dtype) for r, w in zip(results, written, strict=True)]


def _signless(a: np.ndarray) -> np.ndarray:
    return a.view(f"i{a.itemsize}") if a.dtype.kind == "u" else a

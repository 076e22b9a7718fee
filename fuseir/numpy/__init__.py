"""NumPy programs, unchanged, fused: ``import fuseir.numpy as np`` (docs/numpy.md).

Functions that FuseIR has none of its own for are NumPy's, called on the arrays' contents.
"""

from __future__ import annotations

from typing import Any

import numpy  # noqa: ICN001 (the module has the usual short name itself)

from fuseir.numpy import (
    choosing,
    creation,
    element_types,
    joining,
    methods,
    positions,
    products,
    reductions,
    reshaping,
)
from fuseir.numpy.array import ndarray as ndarray
from fuseir.numpy.fallback import or_numpy, seen_from_here
from fuseir.numpy.operators import ALIASES, UFUNCS
from fuseir.numpy.ufunc import ufunc as ufunc

_CREATION = """
    arange array asarray copy empty empty_like eye from_dlpack frombuffer fromfunction fromiter full full_like geomspace identity
    indices linspace logspace ones ones_like tri zeros zeros_like
"""
_RESHAPING = """
    broadcast_arrays broadcast_to expand_dims flip moveaxis ravel reshape squeeze swapaxes transpose
"""
_JOINING = "atleast_1d atleast_2d concatenate diff hstack roll stack tile vstack"
_CHOOSING = "clip where"
_PRODUCTS = "dot inner matmul outer vdot"
_REDUCTIONS = "all amax amin any count_nonzero max mean min prod std sum var"

_ELEMENT_TYPES = "astype can_cast common_type iscomplexobj isrealobj ndim result_type shape size"

_MODULES = (
    (creation, _CREATION),
    (element_types, _ELEMENT_TYPES),
    (reductions, _REDUCTIONS),
    (reshaping, _RESHAPING),
    (joining, _JOINING),
    (choosing, _CHOOSING),
    (positions, "argmax argmin"),
    (products, _PRODUCTS),
)

OWN: dict[str, Any] = {
    **UFUNCS,
    **{alias: UFUNCS[name] for alias, name in ALIASES.items()},
    **{
        name: or_numpy(getattr(module, name), getattr(numpy, name))
        for module, names in _MODULES
        for name in names.split()
    },
    "concat": or_numpy(joining.concatenate, numpy.concat),
    "permute_dims": or_numpy(reshaping.transpose, numpy.permute_dims),
}
"""The functions of NumPy that are FuseIR's own here."""

globals().update(OWN)
methods.install(OWN)


__array_api_version__ = "2024.12"


def __getattr__(name: str) -> Any:
    found = globals()[name] = seen_from_here(getattr(numpy, name))
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *dir(numpy)})

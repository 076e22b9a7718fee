"""NumPy programs, unchanged, fused: ``import fuseir.numpy as np`` (docs/numpy.md).

Functions that FuseIR has none of its own for are NumPy's, called on the arrays' contents.
"""

from __future__ import annotations

from typing import Any

import numpy  # noqa: ICN001 (the module has the usual short name itself)

from fuseir.numpy import choosing, creation, joining, methods, products, reductions, reshaping
from fuseir.numpy.array import ndarray as ndarray
from fuseir.numpy.fallback import seen_from_here
from fuseir.numpy.operators import ALIASES, UFUNCS
from fuseir.numpy.ufunc import ufunc as ufunc

_CREATION = """
    arange array asarray copy empty empty_like eye frombuffer fromfunction fromiter full full_like geomspace identity indices linspace
    logspace ones ones_like tri zeros zeros_like
"""
_RESHAPING = """
    broadcast_arrays broadcast_to expand_dims flip moveaxis ravel reshape squeeze swapaxes transpose
"""
_JOINING = "atleast_1d atleast_2d concatenate diff hstack roll stack tile vstack"
_CHOOSING = "clip where"
_PRODUCTS = "dot inner matmul outer vdot"
_REDUCTIONS = "all amax amin any count_nonzero max mean min prod std sum var"

OWN: dict[str, Any] = {
    **UFUNCS,
    **{alias: UFUNCS[name] for alias, name in ALIASES.items()},
    **{name: getattr(creation, name) for name in _CREATION.split()},
    **{name: getattr(reductions, name) for name in _REDUCTIONS.split()},
    **{name: getattr(reshaping, name) for name in _RESHAPING.split()},
    **{name: getattr(joining, name) for name in _JOINING.split()},
    **{name: getattr(choosing, name) for name in _CHOOSING.split()},
    **{name: getattr(products, name) for name in _PRODUCTS.split()},
    "concat": joining.concatenate,
    "permute_dims": reshaping.transpose,
}
"""The functions of NumPy that are FuseIR's own here."""

globals().update(OWN)
methods.install(OWN)


def __getattr__(name: str) -> Any:
    found = globals()[name] = seen_from_here(getattr(numpy, name))
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *dir(numpy)})

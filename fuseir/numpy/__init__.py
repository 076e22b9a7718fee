"""NumPy programs, unchanged, fused: ``import fuseir.numpy as np`` (docs/numpy.md).

Functions that FuseIR has none of its own for are NumPy's, called on the arrays' contents.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy  # noqa: ICN001 (the module has the usual short name itself)

from fuseir.numpy import (
    calculus,
    choosing,
    creation,
    describing,
    element_types,
    joining,
    methods,
    parts,
    positions,
    products,
    reductions,
    reshaping,
    rounding,
    taking,
)
from fuseir.numpy.array import ndarray as ndarray
from fuseir.numpy.fallback import Namespace, or_numpy, seen_from_here
from fuseir.numpy.opaque import changing, opaque
from fuseir.numpy.operators import NOT_OURS, UFUNCS
from fuseir.numpy.random import random as random
from fuseir.numpy.ufunc import ufunc as ufunc

_CREATION = """
    arange array asarray copy empty empty_like eye from_dlpack frombuffer fromfunction fromiter full full_like geomspace identity
    indices linspace logspace ones ones_like tri zeros zeros_like
"""
_RESHAPING = """
    broadcast_arrays broadcast_to expand_dims flip matrix_transpose moveaxis ravel reshape squeeze swapaxes transpose
"""
_JOINING = "atleast_1d atleast_2d concatenate diff hstack roll stack tile vstack"
_PARTS = """
    append array_split atleast_3d column_stack copyto dsplit dstack fliplr flipud hsplit meshgrid pad repeat rollaxis rot90 split tril
    triu unstack vsplit
"""
_CHOOSING = "clip select where"
_ROUNDING = "allclose around array_equal divmod imag isclose nan_to_num real round"
_PRODUCTS = "dot inner matmul outer vdot"
_REDUCTIONS = "count_nonzero mean std var"
_CALCULUS = """
    average ediff1d gradient kron nanmax nanmean nanmin nanprod nanstd nansum nanvar polyval ptp trapezoid vander
"""

_DESCRIBING = "iscomplex isreal isscalar"

_ELEMENT_TYPES = "astype can_cast common_type iscomplexobj isrealobj ndim result_type shape size"

_MODULES = (
    (describing, _DESCRIBING),
    (creation, _CREATION),
    (element_types, _ELEMENT_TYPES),
    (reductions, _REDUCTIONS),
    (reshaping, _RESHAPING),
    (joining, _JOINING),
    (parts, _PARTS),
    (choosing, _CHOOSING),
    (positions, "argmax argmin"),
    (rounding, _ROUNDING),
    (products, _PRODUCTS),
    (calculus, _CALCULUS),
)

_THEMSELVES = frozenset(
    [
        "concatenate",
        "dot",
        "empty",
        "empty_like",
        "ones",
        "ones_like",
        "roll",
        "stack",
        "vdot",
        "where",
        "zeros",
        "zeros_like",
    ]
)
"""Functions that leave to NumPy what is not theirs, where they meet it: to be called through another function would cost them a part of
what they take."""

_NATIVE: dict[str, Any] = {
    **UFUNCS,
    **{
        name: getattr(module, name) if name in _THEMSELVES else or_numpy(getattr(module, name), getattr(numpy, name))
        for module, names in _MODULES
        for name in names.split()
    },
    **{name: getattr(reductions, name) for name in ["all", "amax", "amin", "any", "max", "min", "prod", "sum"]},
}

_OPAQUE = """
    angle argpartition argsort choose convolve corrcoef correlate cov cross cumprod cumsum cumulative_prod
    cumulative_sum delete diag diagflat diagonal digitize einsum fix i0 insert interp isin isneginf isposinf lexsort matvec median
    nanargmax nanargmin nancumprod nancumsum nanmedian nanpercentile nanquantile partition percentile quantile
    ravel_multi_index resize searchsorted sinc sort take take_along_axis tensordot trace unwrap vecdot vecmat
"""
"""Functions that NumPy runs in the stream: none that computes its result's shape from elements."""

_CHANGING = "fill_diagonal place put put_along_axis putmask"
"""The same, of functions that change their first argument."""

_OPAQUE_LINALG = """
    cholesky cond cross det diagonal eigh eigvalsh inv matrix_norm matrix_power matrix_rank multi_dot pinv qr slogdet solve svd svdvals
    tensordot tensorinv tensorsolve trace vecdot vector_norm
"""

OWN: dict[str, Any] = {
    **_NATIVE,
    **{name: opaque(getattr(numpy, name)) for name in _OPAQUE.split() if hasattr(numpy, name)},
    **{name: changing(getattr(numpy, name)) for name in _CHANGING.split()},
    "histogram": taking.histogram,
    **dict.fromkeys(("asanyarray", "ascontiguousarray", "asfortranarray"), _NATIVE["asarray"]),
    "take": or_numpy(taking.take, numpy.take),
}
for _name in numpy.__all__:
    _known_as = getattr(getattr(numpy, _name), "__name__", None)
    if _known_as in OWN and getattr(numpy, _known_as) is getattr(numpy, _name):
        OWN.setdefault(_name, OWN[_known_as])  # other names of the same functions
"""The functions of NumPy that are FuseIR's own here, and those that NumPy runs in the stream."""

_LINALG = {
    "norm": or_numpy(calculus.norm, numpy.linalg.norm),
    **{name: OWN[name] for name in ("matmul", "matrix_transpose", "outer")},
    **{name: opaque(getattr(numpy.linalg, name)) for name in _OPAQUE_LINALG.split() if hasattr(numpy.linalg, name)},
}
linalg = Namespace(numpy.linalg, _LINALG)


def functions() -> dict[str, dict[str, list[str]]]:
    """The functions of NumPy's namespaces by what becomes of them: "fused", "in the stream", or "at once" (docs/numpy.md)."""
    opaque_ufuncs = [UFUNCS[name] for name in NOT_OURS]
    native = {id(each) for each in (*_NATIVE.values(), _LINALG["norm"]) if each not in opaque_ufuncs}
    own = {"numpy": OWN, "numpy.linalg": _LINALG, "numpy.fft": {}}
    found: dict[str, dict[str, list[str]]] = {}
    for module, ours in own.items():
        kinds: dict[str, list[str]] = {"fused": [], "in the stream": [], "at once": []}
        namespace: Any = sys.modules[module]
        for name in sorted(namespace.__all__):
            theirs = getattr(namespace, name)
            if name in ours:
                kinds["fused" if id(ours[name]) in native else "in the stream"].append(name)
            elif callable(theirs) and not isinstance(theirs, type):
                kinds["at once"].append(name)
        found[module] = kinds
    return found


globals().update(OWN)
methods.install(OWN)


__array_api_version__ = "2024.12"


def __getattr__(name: str) -> Any:
    found = globals()[name] = seen_from_here(getattr(numpy, name))
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *dir(numpy)})

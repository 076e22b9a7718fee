"""NumPy programs, unchanged, fused: ``import fuseir.numpy as np`` (docs/numpy.md).

Functions that FuseIR has none of its own for are NumPy's, called on the arrays' contents.
"""

from __future__ import annotations

from typing import Any

import numpy as _numpy

from fuseir.numpy import creation as _creation
from fuseir.numpy import reductions as _reductions
from fuseir.numpy.array import ndarray as ndarray
from fuseir.numpy.elementwise import ufunc as ufunc
from fuseir.numpy.fallback import through_numpy as _through_numpy
from fuseir.numpy.ufuncs import ALIASES as _ALIASES
from fuseir.numpy.ufuncs import UFUNCS as _UFUNCS
from fuseir.numpy.ufuncs import install_methods as _install_methods
from fuseir.numpy.ufuncs import install_operators as _install_operators

_install_operators()


def _own() -> dict[str, Any]:
    found: dict[str, Any] = dict(_UFUNCS)
    found.update({alias: _UFUNCS[name] for alias, name in _ALIASES.items()})
    names = ["all", "amax", "amin", "any", "count_nonzero", "max", "mean", "min", "prod", "std", "sum", "var"]
    found.update({name: getattr(_reductions, name) for name in names})
    names = [
        "arange",
        "array",
        "asarray",
        "copy",
        "empty",
        "empty_like",
        "eye",
        "frombuffer",
        "fromfunction",
        "fromiter",
        "full",
        "full_like",
        "geomspace",
        "identity",
        "indices",
        "linspace",
        "logspace",
        "ones",
        "ones_like",
        "tri",
        "zeros",
        "zeros_like",
    ]
    found.update({name: getattr(_creation, name) for name in names})
    return found


globals().update(_own())
_install_methods(
    {name: globals()[name] for name in ["all", "any", "copy", "max", "mean", "min", "prod", "std", "sum", "var"]}
)


def __getattr__(name: str) -> Any:
    found = getattr(_numpy, name)
    if callable(found) and not isinstance(found, type):

        def function(*args: Any, **keywords: Any) -> Any:
            return _through_numpy(found, args, keywords)

        function.__name__ = function.__qualname__ = name
        function.__doc__ = found.__doc__
        found = function
    globals()[name] = found
    return found

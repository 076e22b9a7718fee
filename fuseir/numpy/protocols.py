"""NumPy's own functions, called with arrays of ours, become the functions here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fuseir.numpy.array import ndarray
from fuseir.numpy.fallback import through_numpy


def protocols(own: dict[str, Any]) -> dict[str, Callable[..., Any]]:
    """The methods of NumPy's protocols, for a table of our functions by name."""

    def array_ufunc(self: ndarray, ufunc: np.ufunc, method: str, *inputs: Any, **keywords: Any) -> Any:
        function = own.get(ufunc.__name__)
        if "out" in keywords and len(keywords["out"]) == 1:
            keywords["out"] = keywords["out"][0]
        if function is None or getattr(function, "numpy", None) is not ufunc:
            return through_numpy(ufunc if method == "__call__" else getattr(ufunc, method), inputs, keywords)
        return function(*inputs, **keywords) if method == "__call__" else getattr(function, method)(*inputs, **keywords)

    def array_function(
        self: ndarray, function: Callable[..., Any], types: Any, args: tuple[Any, ...], keywords: dict[str, Any]
    ) -> Any:
        name = function.__name__
        if name in own and getattr(np, name, None) is function:
            return own[name](*args, **keywords)
        return through_numpy(function, args, keywords)

    return {"__array_ufunc__": array_ufunc, "__array_function__": array_function}

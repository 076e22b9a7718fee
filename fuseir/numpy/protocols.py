"""What other libraries ask of an array: NumPy's protocols, DLPack, and the namespace of the Array API standard.

NumPy's own functions, called with arrays of ours, become the functions here.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any

import numpy as np

from fuseir.numpy.array import ndarray
from fuseir.numpy.fallback import through_numpy
from fuseir.numpy.sharing import interface, lent
from fuseir.runtime.device_sharing import DLPACK_CUDA, device_of, library_array

ARRAY_API_VERSIONS = ("2021.12", "2022.12", "2023.12", "2024.12")
"""The versions of the Array API standard that the package follows, as NumPy does."""

DLPACK_CPU = (1, 0)
"""DLPack's name of the memory that all arrays are in: device kind and number."""


def protocols(own: dict[str, Any]) -> dict[str, Any]:
    """The members of ``ndarray`` that others ask for, with a table of our functions by name."""

    def array_ufunc(self: ndarray, ufunc: np.ufunc, method: str, *inputs: Any, **keywords: Any) -> Any:
        if not _known((*map(type, inputs), *map(type, keywords.get("out", ()))), "__array_ufunc__"):
            return NotImplemented
        function = own.get(ufunc.__name__)
        if "out" in keywords and len(keywords["out"]) == 1:
            keywords["out"] = keywords["out"][0]
        if function is None or getattr(function, "numpy", None) is not ufunc:
            return through_numpy(ufunc if method == "__call__" else getattr(ufunc, method), inputs, keywords)
        return function(*inputs, **keywords) if method == "__call__" else getattr(function, method)(*inputs, **keywords)

    def array_function(
        self: ndarray, function: Callable[..., Any], types: Any, args: tuple[Any, ...], keywords: dict[str, Any]
    ) -> Any:
        if not _known(types, "__array_function__"):
            return NotImplemented
        name = function.__name__
        if name in own and getattr(np, name, None) is function:
            return own[name](*args, **keywords)
        return through_numpy(function, args, keywords)

    return {
        "__array_ufunc__": array_ufunc,
        "__array_function__": array_function,
        "__array__": _array,
        "__array_interface__": property(interface),
        "__array_namespace__": _array_namespace,
        "__dlpack__": _dlpack,
        "__dlpack_device__": _dlpack_device,
        "device": property(_device),
        "to_device": _to_device,
    }


def _known(types: Iterable[type], protocol: str) -> bool:
    """Whether no class but ours wants a call to NumPy for itself."""
    theirs = getattr(np.ndarray, protocol)
    return all(issubclass(each, ndarray) or getattr(each, protocol, theirs) is theirs for each in types)


def _array(self: ndarray, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
    """NumPy's array of the elements: read-only and on the same memory, unless that needs a copy or one is asked for.

    Raises ValueError for ``copy=False`` and another element type.
    """
    wanted = self.dtype if dtype is None else np.dtype(dtype)
    if copy or wanted != self.dtype:
        if copy is False:
            raise ValueError("Unable to avoid copy while creating an array as requested.")
        return self.numpy().astype(wanted, copy=False)
    return lent(self)


def _array_namespace(self: ndarray, /, *, api_version: str | None = None) -> ModuleType:
    """The package, as the Array API's namespace. Raises ValueError for a version that it does not follow."""
    if api_version is not None and api_version not in ARRAY_API_VERSIONS:
        raise ValueError(f'Version "{api_version}" of the Array API Standard is not supported.')
    return sys.modules["fuseir.numpy"]


def _dlpack(
    self: ndarray,
    /,
    *,
    stream: Any = None,
    max_version: tuple[int, int] | None = None,
    dl_device: tuple[int, int] | None = None,
    copy: bool | None = None,
) -> Any:
    """A DLPack capsule of the elements: read-only and on the same memory, or a copy where that is asked for.

    Whether memory is read-only can be told since DLPack 1.0 only. Who knows nothing of that gets a copy, or with ``copy=False`` memory that
    must not be written to. Raises BufferError for other devices.
    """
    if device_of(self.session) is not None and (dl_device is None or dl_device[0] == DLPACK_CUDA):
        return library_array(self).__dlpack__(stream=stream)
    can_tell = max_version is not None and max_version[0] >= 1
    shared = not copy and (can_tell or copy is False)
    source: Any = lent(self, writable=not can_tell) if shared else self.numpy()
    return source.__dlpack__(stream=stream, max_version=max_version, dl_device=dl_device, copy=copy if shared else None)


def _dlpack_device(self: ndarray, /) -> tuple[int, int]:
    """Where the memory is: on the processor, or on the session's GPU."""
    device = device_of(self.session)
    return DLPACK_CPU if device is None else (DLPACK_CUDA, device.number)


def _device(self: ndarray) -> str:
    """Where the array is, in the words of the Array API."""
    return "cpu"


def _to_device(self: ndarray, device: Any, /, *, stream: Any = None) -> ndarray:
    """The array itself: there is one device. Raises ValueError for another one, and for a stream."""
    check_device(device)
    if stream is not None:
        raise ValueError("The stream argument in to_device() is not supported")
    return self


def check_device(device: Any) -> None:
    """Raises ValueError, in NumPy's words, for a device that there is not."""
    if device not in (None, "cpu"):
        raise ValueError(f'Device not understood. Only "cpu" is allowed, but received: {device}')
